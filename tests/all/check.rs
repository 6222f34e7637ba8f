//! `otab check`: what it finds, and what it says to do about it.

use std::os::unix::fs::MetadataExt;

use crate::site::{Ended, Site, chmod, mail, run};

const LINKS: &str = "[one_time_auth]\nlink_url = \"https://h.test/t/{{token}}\"\nportal_url = \"https://h.test/c.pl\"\n\
    [postmaster]\nown_addresses = [\"help@desk.test\"]\n";

fn with_mail(settings: &str) -> Site {
    Site::new(&format!("{LINKS}[mail]\nfrom = \"help@desk.test\"\nwake = false\n{settings}"))
}

fn check(site: &Site, options: &[&str]) -> (Option<i32>, String) {
    let output = site.run(&[&["check"], options].concat());
    (output.status.code(), output.said())
}

fn bad_lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| line.starts_with("BAD ")).collect()
}

/// The check ends with this status, and one line says what is bad.
#[track_caller]
fn is_bad(site: &Site, status: i32, what: &str, words: &str) {
    let output = site.run(&["check"]).says(status);
    let (text, start) = (output.out(), format!("BAD   {what}"));
    assert!(text.lines().any(|line| line.starts_with(&start) && line.contains(words)), "{words}: {text}");
}

#[test]
fn a_site_that_works_has_nothing_bad_and_stays_as_is() {
    let site = with_mail("transport = \"file\"\n");
    site.takes(&mail(1));
    let database = std::fs::read(site.path("otab.db")).unwrap();
    let (status, text) = check(&site, &[]);
    assert_eq!((status, bad_lines(&text).len()), (Some(0), 0), "{text}");
    assert!(text.contains("ok    link mails: link mails go into") && text.contains("note  store:"), "{text}");
    assert_eq!(std::fs::read(site.path("otab.db")).unwrap(), database);
    assert!(!site.path("mails").exists());
    site.check().clean();
}

#[test]
fn a_new_site_has_nothing_bad_either() {
    assert!(Site::new("").ends(0, &["check"]).contains("the first mail makes it"));
}

#[test]
fn every_configuration_problem_is_listed_with_78() {
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
    is_bad(&site, 69, "store:", "");
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
        is_bad(&with_mail(&settings), 69, "link mails:", words);
    }
}

#[test]
fn a_mail_server_that_says_nothing_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let settings = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\ntimeout = 1\n");
    is_bad(&with_mail(&settings), 69, "link mails:", "");
    drop(listener);
}

#[test]
fn a_template_with_an_unknown_variable_is_found() {
    let site = with_mail("transport = \"file\"\n");
    std::fs::create_dir(site.path("texts")).unwrap();
    std::fs::write(site.path("texts/new.de.txt"), "{{lnk}}").unwrap();
    site.configure("[one_time_auth]\n", "[one_time_auth]\ntemplates = \"texts\"\n");
    for words in ["new.de.txt", "lnk"] {
        is_bad(&site, 78, "", words);
    }
}

#[test]
fn link_mails_that_waited_long_are_found() {
    let site = with_mail("transport = \"file\"\n");
    site.takes(&mail(1));
    site.ends(0, &["check"]);
    site.sql("UPDATE outbox SET due_at = due_at - 601, created_at = created_at - 601");
    is_bad(&site, 69, "", "ten minutes: 1");
    // One that was tried, and waits for its next try.
    site.sql("UPDATE outbox SET due_at = due_at + 7200, tries = 3");
    site.ends(69, &["check"]);
}

#[test]
fn a_marker_that_is_somebodys_login_is_found() {
    let site = with_mail("transport = \"file\"\n");
    site.takes(&mail(1));
    // otab makes no such customer; the helpdesk's people could.
    site.sql("UPDATE customer_user SET login = 'Unverified-Sender'");
    is_bad(&site, 78, "marker:", "");
}

#[test]
fn a_sender_that_is_not_the_helpdesks_is_noted() {
    let site = Site::new("[mail]\ntransport = \"file\"\nfrom = \"bot@desk.test\"\n");
    assert!(check(&site, &[]).1.contains("note  own addresses: bot@desk.test"));
}

#[test]
fn an_unreadable_mail_password_stops_link_mails_only() {
    let site = with_mail("transport = \"smtp\"\nuser = \"otab\"\npassword_file = \"no-such.secret\"\n");
    site.takes(&mail(1));
    is_bad(&site, 78, "", "mail.password_file");
    site.run(&["notify"]).ends(78);
    assert_eq!(site.count("outbox"), 1);
}

#[test]
fn each_finding_is_an_object_with_the_same_keys() {
    let found = with_mail("transport = \"none\"\n").check();
    for finding in &found.findings {
        let keys: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["grade", "remedy", "says", "what"]);
        assert_eq!(finding["grade"] == "ok", finding["remedy"] == "", "{finding}");
    }
}

#[test]
fn a_fresh_folder_of_init_has_nothing_bad() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("otab.toml");
    let otab = |words: &[&str]| run(Site::otab().arg("--config").arg(&config).args(words), b"");
    assert!(otab(&["init"]).status.success());
    let output = otab(&["check"]);
    let text = output.out();
    assert_eq!((output.status.code(), bad_lines(&text).len()), (Some(0), 0), "{text}");
    assert!(text.lines().count() <= 16, "{text}");
    assert!(text.contains("ok    files: "), "{text}");
}

#[test]
fn a_secret_that_others_can_read_is_bad() {
    let settings = "transport = \"smtp\"\nport = 1\nhost = \"127.0.0.1\"\nuser = \"otab\"\n";
    let site = with_mail(&format!("{settings}password_file = \"mail.secret\"\n"));
    let secret = site.write("mail.secret", "hunter2\n");
    chmod(site.folder(), 0o755);
    for (mode, bad) in [(0o644, 1), (0o640, 0)] {
        chmod(&secret, mode);
        let found = site.check().ends(if bad == 1 { 78 } else { 69 });
        assert_eq!(found.count("bad", "files", "mail.secret"), bad, "{found:#?}");
    }
    // Nobody gets at it.
    chmod(&secret, 0o644);
    chmod(site.folder(), 0o750);
    assert_eq!(site.check().count("bad", "files", ""), 0);
    let inline = with_mail(&format!("{settings}password = \"hunter2\"\n"));
    chmod(inline.folder(), 0o755);
    chmod(inline.path("otab.toml"), 0o644);
    let found = inline.check();
    assert_eq!(found.count("bad", "files", "otab.toml holds mail.password"), 1, "{found:#?}");
    chmod(inline.path("otab.toml"), 0o640);
    assert_eq!(inline.check().count("bad", "files", ""), 0);
}

#[test]
fn what_the_web_servers_group_can_read_is_bad() {
    let log = "[log]\nsyslog = false\nfile = \"logs/otab.log\"\n";
    let smtp = "transport = \"file\"\nuser = \"otab\"\npassword_file = \"mail.secret\"\n";
    let trusted = "[[postmaster.trusted]]\nfield = \"X-Site\"\nvalue = \"0123456789abcdef\"\n";
    let site = with_mail(&format!("{smtp}{log}{trusted}"));
    if !nix::unistd::geteuid().is_root() {
        // Only root can give a file to a group that they are not in.
        return;
    }
    for folder in ["logs", "mails"] {
        std::fs::create_dir(site.path(folder)).unwrap();
        chmod(site.path(folder), 0o700);
    }
    chmod(site.folder(), 0o755);
    for (secret, mode) in [("mail.secret", 0o600), ("otab.toml", 0o600), ("logs/otab.log", 0o600)] {
        site.write(secret, &std::fs::read_to_string(site.path(secret)).unwrap_or_else(|_| "secret".to_owned()));
        chmod(site.path(secret), mode);
    }
    chmod(site.path("logs"), 0o755);
    site.takes(&mail(1));
    let found = site.check();
    assert_eq!(found.count("bad", "files", ""), 0, "{found:#?}");
    let group = nix::unistd::User::from_name("www-data").unwrap().unwrap().gid.as_raw();
    for name in ["otab.db", "mails", "mail.secret", "otab.toml", "logs/otab.log"] {
        let path = site.path(name);
        let mode = std::fs::metadata(&path).unwrap().mode() & 0o777;
        std::os::unix::fs::chown(&path, None, Some(group)).unwrap();
        // The group alone is nothing: its bits are.
        assert_eq!(site.check().count("bad", "files", ""), 0, "{name}");
        chmod(&path, mode | 0o050);
        let found = site.check();
        let status = found.status;
        assert_eq!((status, found.count("bad", "files", "by the group www-data")), (Some(78), 1), "{name}: {found:#?}");
        assert_eq!(found.count("bad", "files", name), 1, "{name}: {found:#?}");
        chmod(&path, mode);
        std::os::unix::fs::chown(&path, None, Some(0)).unwrap();
    }
}

#[test]
fn a_log_where_others_can_write_the_folder_is_bad() {
    let site = with_mail("transport = \"none\"\n");
    site.configure("syslog = false\n", "syslog = false\nfile = \"logs/otab.log\"\n");
    let logs = site.path("logs");
    std::fs::create_dir(&logs).unwrap();
    chmod(&logs, 0o755);
    let bad = || {
        let found = site.check();
        let status = found.status;
        let bad = found.count("bad", "files", "(log.file)");
        assert_eq!(status, Some(if bad == 0 { 0 } else { 78 }), "{found:#?}");
        bad
    };
    assert_eq!(bad(), 0);
    for mode in [0o757, 0o1777] {
        chmod(&logs, mode);
        assert_eq!(bad(), 1, "{mode:o}");
    }
    chmod(&logs, 0o755);
    if std::fs::metadata(&logs).unwrap().uid() == 0 {
        // A folder of a group, and one of another user.
        for (user, group, mode) in [(0, 4242, 0o775), (4242, 0, 0o755)] {
            std::os::unix::fs::chown(&logs, Some(user), Some(group)).unwrap();
            chmod(&logs, mode);
            assert_eq!(bad(), 1, "{user} {group}");
        }
        // The user to whom the store belongs may log.
        site.takes(&mail(1));
        std::os::unix::fs::chown(site.path("otab.db"), Some(4242), None).unwrap();
        assert_eq!(bad(), 0);
        std::os::unix::fs::chown(&logs, Some(0), None).unwrap();
    }
    let log = site.path("logs/otab.log");
    let _ = std::fs::remove_file(&log);
    let victim = site.write("victim", "");
    std::os::unix::fs::symlink(&victim, &log).unwrap();
    assert_eq!(bad(), 1);
    site.takes(&mail(2));
    assert_eq!(std::fs::read(&victim).unwrap(), b"");
}

#[test]
fn a_store_log_or_mails_that_others_can_read_are_bad() {
    let site = with_mail("transport = \"file\"\n");
    site.takes(&mail(1));
    site.append("[limits]\n");
    site.configure("syslog = false\n", "syslog = false\nfile = \"otab.log\"\n");
    let log = site.write("otab.log", "");
    chmod(&log, 0o640);
    std::fs::create_dir(site.path("mails")).unwrap();
    chmod(site.path("mails"), 0o700);
    chmod(site.folder(), 0o755);
    assert_eq!(site.check().count("ok", "files", ""), 1);
    for (name, open, closed, grade) in [
        ("otab.db", 0o644, 0o600, "bad"),
        ("mails", 0o755, 0o700, "bad"),
        ("otab.log", 0o644, 0o640, "note"),
        ("otab.log", 0o642, 0o640, "bad"),
    ] {
        chmod(site.path(name), open);
        let found = site.check().ends(if grade == "bad" { 78 } else { 0 });
        assert_eq!(found.count(grade, "files", name), 1, "{name}: {found:#?}");
        chmod(site.path(name), closed);
    }
    // In a folder that others can write they put another database in its place.
    let elsewhere = site.path("data");
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::rename(site.path("otab.db"), elsewhere.join("otab.db")).unwrap();
    site.configure("[store]\n", "[store]\nurl = \"sqlite:data/otab.db\"\n");
    chmod(&elsewhere, 0o777);
    assert_eq!(site.check().count("bad", "files", "and replace"), 1);
    chmod(&elsewhere, 0o755);
    assert_eq!(site.check().count("ok", "files", ""), 1);
}

#[test]
fn templates_that_others_can_write_are_bad() {
    let site = with_mail("transport = \"file\"\n");
    chmod(site.folder(), 0o755);
    std::fs::create_dir(site.path("texts")).unwrap();
    site.configure("[one_time_auth]\n", "[one_time_auth]\ntemplates = \"texts\"\n");
    let template = site.write("texts/new.de.txt", "{{link}}\n");
    for (folder, file, bad) in [(0o755, 0o644, 0), (0o755, 0o666, 1), (0o777, 0o644, 1)] {
        chmod(site.path("texts"), folder);
        chmod(&template, file);
        let found = site.check().ends(if bad == 0 { 0 } else { 78 });
        assert_eq!(found.count("bad", "files", "texts"), bad, "{found:#?}");
    }
}

#[test]
fn a_link_and_a_portal_at_two_places_are_worth_a_word() {
    let text = |link: &str| {
        let site = with_mail("transport = \"file\"\n");
        let text = site.read("otab.toml");
        site.write("otab.toml", &text.replace("https://h.test/t/", link));
        site.check()
    };
    for (link, notes) in [
        ("https://h.test/t/", 0),
        ("https://H.test/", 0),
        ("http://h.test/t/", 1),
        ("https://h.test:444/t/", 1),
        ("https://links.h.test/", 1),
    ] {
        assert_eq!(text(link).count("note", "links", "portal_url at https://h.test"), notes, "{link}");
    }
}

#[test]
fn the_store_shows_its_schema_and_tokens_by_state() {
    let site = with_mail("transport = \"file\"\n");
    site.takes(&mail(1));
    site.takes(&mail(2));
    site.sql("UPDATE token SET state = 'used' WHERE id = 1");
    let found = site.check();
    assert_eq!(found.count("ok", "store", "(SQLite 3."), 1, "{found:#?}");
    let says = format!("schema {}); tokens: active (1), used (1)", otab::store::LATEST);
    assert_eq!(found.count("ok", "store", &says), 1, "{found:#?}");
    assert_eq!(found.count("note", "store", "MiB"), 0);
    let holder = site.database();
    holder.query_row("SELECT COUNT(*) FROM token", [], |_| Ok(())).unwrap();
    let log = std::fs::OpenOptions::new().write(true).open(site.path("otab.db-wal")).unwrap();
    log.set_len(300 << 20).unwrap();
    let found = site.check();
    let status = found.status;
    assert_eq!((status, found.count("note", "store", "300 MiB")), (Some(0), 1), "{found:#?}");
}
