//! `otab check`: what it finds, and what it says to do about it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::process::Output;

use crate::site::{Site, mail, run};

const LINKS: &str = "[one_time_auth]\nlink_url = \"https://h.test/t/{{token}}\"\nportal_url = \"https://h.test/c.pl\"\n\
    [postmaster]\nown_addresses = [\"help@desk.test\"]\n";

fn with_mail(settings: &str) -> Site {
    Site::new(&format!("{LINKS}[mail]\nfrom = \"help@desk.test\"\nwake = false\n{settings}"))
}

fn check(site: &Site, options: &[&str]) -> (Option<i32>, String) {
    let output: Output = run(Site::otab().arg("--config").arg(site.path("otab.toml")).arg("check").args(options), b"");
    (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr))
}

fn bad_lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("BAD ")).collect()
}

#[test]
fn a_site_that_works_has_nothing_bad_and_the_check_changes_nothing() {
    let site = with_mail("transport = \"file\"\n");
    assert!(run(&mut site.filter(), &mail(1)).status.success());
    let database = std::fs::read(site.path("otab.db")).unwrap();
    let (status, text) = check(&site, &[]);
    assert_eq!((status, bad_lines(&text).len()), (Some(0), 0), "{text}");
    assert!(text.contains("ok    link mails: link mails go into") && text.contains("note  store:"), "{text}");
    assert_eq!(std::fs::read(site.path("otab.db")).unwrap(), database);
    assert!(!site.path("mails").exists());
    let (status, json) = check(&site, &["--json"]);
    let findings: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(status, Some(0));
    assert!(findings.as_array().unwrap().iter().all(|finding| finding["grade"] != "bad"), "{json}");
}

#[test]
fn a_new_site_has_nothing_bad_either() {
    let (status, text) = check(&Site::new(""), &[]);
    assert_eq!(status, Some(0), "{text}");
    assert!(text.contains("the first mail makes it"), "{text}");
}

#[test]
fn every_problem_of_a_configuration_is_told_and_the_status_is_78() {
    let site = Site::new("[limits]\ndecide = 0\n[mail]\ntransport = \"smtp\"\nfrm = \"x\"\n");
    let (status, text) = check(&site, &[]);
    assert_eq!(status, Some(78), "{text}");
    for words in ["limits.decide", "mail.from", "mail.frm"] {
        assert_eq!(bad_lines(&text).iter().filter(|line| line.contains(words)).count(), 1, "{words}: {text}");
    }
    assert_eq!(check(&Site::new(""), &["--no-such"]).0, Some(64));
}

#[test]
fn a_missing_database_is_69_where_none_is_to_be_made() {
    let site = Site::new("");
    site.write("otab.toml", "[store]\nurl = \"sqlite:none.db\"\n[log]\nsyslog = false\n");
    let (status, text) = check(&site, &[]);
    assert_eq!(status, Some(69), "{text}");
    assert!(bad_lines(&text).iter().any(|line| line.contains("store:")), "{text}");
    assert!(!site.path("none.db").exists());
}

#[test]
fn what_keeps_link_mails_from_leaving_is_found() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for (settings, words) in [
        (format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n"), "refused"),
        ("transport = \"sendmail\"\nsendmail = \"/no/such/sendmail\"\n".to_owned(), "/no/such/sendmail"),
        ("transport = \"file\"\nfolder = \"/proc/none\"\n".to_owned(), "/proc"),
    ] {
        let (status, text) = check(&with_mail(&settings), &[]);
        assert_eq!(status, Some(69), "{text}");
        let found = bad_lines(&text).iter().any(|line| line.starts_with("BAD   link mails:") && line.contains(words));
        assert!(found, "{words}: {text}");
    }
}

#[test]
fn a_mail_server_that_says_nothing_is_given_up_in_time() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\ntimeout = 1\n");
    let (status, text) = check(&with_mail(&settings), &[]);
    assert_eq!(status, Some(69), "{text}");
    drop(listener);
}

#[test]
fn a_template_with_an_unknown_variable_is_found() {
    let site = with_mail("transport = \"file\"\n");
    std::fs::create_dir(site.path("texts")).unwrap();
    std::fs::write(site.path("texts/new.de.txt"), "{{lnk}}").unwrap();
    let text = std::fs::read_to_string(site.path("otab.toml")).unwrap();
    site.write("otab.toml", &text.replace("[one_time_auth]\n", "[one_time_auth]\ntemplates = \"texts\"\n"));
    let (status, text) = check(&site, &[]);
    assert_eq!(status, Some(78), "{text}");
    let found = bad_lines(&text).iter().any(|line| line.contains("new.de.txt") && line.contains("lnk"));
    assert!(found, "{text}");
}

#[test]
fn link_mails_that_have_waited_for_long_are_found_and_fresh_ones_are_not() {
    let site = with_mail("transport = \"file\"\n");
    assert!(run(&mut site.filter(), &mail(1)).status.success());
    assert_eq!(check(&site, &[]).0, Some(0));
    site.database().execute("UPDATE outbox SET due_at = due_at - 601, created_at = created_at - 601", []).unwrap();
    let (status, text) = check(&site, &[]);
    assert_eq!(status, Some(69), "{text}");
    assert!(bad_lines(&text).iter().any(|line| line.contains("ten minutes: 1")), "{text}");
    // One that was tried, and waits for its next try.
    site.database().execute("UPDATE outbox SET due_at = due_at + 7200, tries = 3", []).unwrap();
    assert_eq!(check(&site, &[]).0, Some(69));
}

#[test]
fn a_marker_that_is_somebodys_login_is_found() {
    let site = with_mail("transport = \"file\"\n");
    assert!(run(&mut site.filter(), &mail(1)).status.success());
    // otab makes no such customer; the helpdesk's people could.
    site.database().execute("UPDATE customer_user SET login = 'Unverified-Sender'", []).unwrap();
    let (status, text) = check(&site, &[]);
    assert_eq!(status, Some(78), "{text}");
    assert!(bad_lines(&text).iter().any(|line| line.starts_with("BAD   marker:")), "{text}");
}

#[test]
fn link_mails_that_come_from_an_address_that_is_not_the_helpdesks_own_are_worth_a_word() {
    let site = Site::new("[mail]\ntransport = \"file\"\nfrom = \"bot@desk.test\"\n");
    assert!(check(&site, &[]).1.contains("note  own addresses: bot@desk.test"));
}

#[test]
fn a_password_for_link_mails_that_cannot_be_read_keeps_those_alone_from_going_out() {
    let site = with_mail("transport = \"smtp\"\nuser = \"otab\"\npassword_file = \"no-such.secret\"\n");
    assert!(run(&mut site.filter(), &mail(1)).status.success());
    let (status, text) = check(&site, &[]);
    assert_eq!(status, Some(78), "{text}");
    assert!(bad_lines(&text).iter().any(|line| line.contains("mail.password_file")), "{text}");
    let notify = run(Site::otab().arg("--config").arg(site.path("otab.toml")).arg("notify"), b"");
    assert_eq!(notify.status.code(), Some(78), "{notify:?}");
    assert_eq!(site.count("outbox"), 1);
}
