//! `otab outgoing`: who gets a link, who the plain address, and that every mail goes on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use crate::corpus;
use crate::site::{Site, run};

pub const NUMBER: &str = "2026112010000017";
const PLAIN: &str = "https://help.test/otobo/customer.pl?Action=CustomerTicketZoom;TicketNumber=2026112010000017";
const FAILED: &str = "We could not create a new link to your request.";
const LINK: &str = "https://help.test/t/";

const SETTINGS: &str = "[log]\nsyslog = false\nfile = \"otab.log\"\n[one_time_auth]\n\
    link_url = \"https://help.test/t/{{token}}\"\nportal_url = \"https://help.test/otobo/customer.pl\"\n";

/// A site with carol and her ticket, and a program that sends mails.
struct Bench {
    site: Site,
}

impl Bench {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: &str) -> Self {
        let bench = Self { site: Site::new(settings) };
        bench.program("printf '%s\\n' \"$@\" > args; cat > taken");
        bench.otab(&["customer", "add", "carol@corp.test"]);
        bench.otab(&["customer", "add", "mallory@evil.test"]);
        bench.otab(&["ticket", "add", NUMBER, "--customer", "carol@corp.test"]);
        bench
    }

    /// What stands in for sendmail.
    fn program(&self, script: &str) {
        let path = self.site.write("sendmail", &format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn otab(&self, arguments: &[&str]) -> Output {
        let mut otab = Site::otab();
        let output = run(otab.arg("--config").arg(self.site.path("otab.toml")).args(arguments), b"");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        output
    }

    fn sql(&self, sql: &str) {
        self.site.database().execute_batch(sql).unwrap();
    }

    /// As OTOBO does it.
    fn run(&self, arguments: &[&str], mail: &[u8]) -> Output {
        let mut otab = Site::otab();
        otab.args(["--config", "otab.toml", "outgoing", "--", "./sendmail"]).args(arguments);
        run(otab.current_dir(self.site.folder()), mail)
    }

    /// What the program got.
    fn taken(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.site.path("taken")).unwrap()).into_owned()
    }

    /// Sends a mail, which has to succeed in silence; what the program got.
    fn sent_to(&self, recipients: &[&str], mail: &str) -> String {
        let _ = std::fs::remove_file(self.site.path("taken"));
        let arguments = [&["-i", "-f", "help@desk.test"], recipients].concat();
        let output = self.run(&arguments, mail.as_bytes());
        assert!(output.status.success(), "{output:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(std::fs::read_to_string(self.site.path("args")).unwrap(), arguments.join("\n") + "\n");
        self.taken()
    }

    fn sent(&self, mail: &str) -> String {
        self.sent_to(&["carol@corp.test"], mail)
    }

    fn states(&self) -> Vec<String> {
        let database = self.site.database();
        let mut statement = database.prepare("SELECT state FROM token ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.site.path("otab.log")).unwrap_or_default()
    }
}

fn mail() -> String {
    mail_with("", "Your ticket: [[OTAB-LINK]]\n")
}

fn mail_with(fields: &str, body: &str) -> String {
    format!(
        "From: Helpdesk <help@desk.test>\nTo: \"Corp, Carol\" <carol@corp.test>\n\
         Subject: [Ticket#{NUMBER}] RE: help\nMessage-ID: <1@desk.test>\n{fields}\n{body}"
    )
}

/// The token in the only link of a mail.
fn token(mail: &str) -> &str {
    let at = mail.find(LINK).unwrap_or_else(|| panic!("no link: {mail}")) + LINK.len();
    &mail[at..at + 36]
}

#[test]
fn the_tickets_customer_gets_a_link_that_opens_the_ticket_once() {
    let bench = Bench::new();
    let out = bench.sent(&mail());
    let token = token(&out);
    assert_eq!(out, mail().replace("[[OTAB-LINK]]", &format!("{LINK}{token}")));
    assert_eq!(bench.states(), ["active"]);
    let opened = bench.otab(&["redeem", token]);
    let opened = String::from_utf8_lossy(&opened.stdout).into_owned();
    assert!(opened.contains("carol@corp.test") && opened.contains(NUMBER), "{opened}");
    let mut again = Site::otab();
    let again = run(again.arg("--config").arg(bench.site.path("otab.toml")).args(["redeem", token]), b"");
    assert_ne!(again.status.code(), Some(0));
    assert!(!bench.log().contains(token), "{}", bench.log());
}

#[test]
fn each_mail_has_a_link_of_its_own_and_the_earlier_ones_still_open() {
    let bench = Bench::new();
    let (first, second) = (bench.sent(&mail()), bench.sent(&mail()));
    assert_ne!(token(&first), token(&second));
    assert_eq!(bench.states(), ["active", "active"]);
    bench.otab(&["redeem", token(&first)]);
}

#[test]
fn while_the_command_runs_the_token_is_pending_and_a_failed_try_leaves_none() {
    let bench = Bench::new();
    bench.program("sqlite3 otab.db 'SELECT state FROM token' > seen; exit 67");
    let output = bench.run(&["-i", "-f", "help@desk.test", "carol@corp.test"], mail().as_bytes());
    assert_eq!(output.status.code(), Some(67));
    assert_eq!(std::fs::read_to_string(bench.site.path("seen")).unwrap(), "pending\n");
    assert_eq!(bench.states(), [""; 0]);
}

#[test]
fn the_commands_status_and_words_are_passed_on() {
    let bench = Bench::new();
    bench.program("echo out; echo err >&2; exit 3");
    for mail in [mail(), mail_with("", "nothing\n")] {
        let output = bench.run(&["-f", "", "carol@corp.test"], mail.as_bytes());
        assert_eq!(
            (output.status.code(), &output.stdout[..], &output.stderr[..]),
            (Some(3), &b"out\n"[..], &b"err\n"[..])
        );
    }
    for (script, what) in [("kill -9 $$", "a signal"), ("", "a program that is gone")] {
        bench.program(script);
        if script.is_empty() {
            std::fs::remove_file(bench.site.path("sendmail")).unwrap();
        }
        let output = bench.run(&["-f", "", "carol@corp.test"], mail().as_bytes());
        assert_eq!(output.status.code(), Some(75), "{what}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.starts_with("4.3.0 ") && told.lines().count() == 1 && !told.contains("carol"), "{told}");
        assert_eq!(bench.states(), [""; 0], "{what}");
    }
}

#[test]
fn everybody_else_gets_the_plain_address_and_no_token() {
    let bench = Bench::new();
    let plain = mail().replace("[[OTAB-LINK]]", PLAIN);
    for recipients in [
        &["mallory@evil.test"][..],
        &["carol@corp.test", "mallory@evil.test"],
        &["carol@corp.test", "carol@corp.test"],
        &["carol@corp.test,mallory@evil.test"],
        &["carol@corp.test.evil.test"],
        &["caról@corp.test"],
        &["-t", "carol@corp.test"],
    ] {
        assert_eq!(bench.sent_to(recipients, &mail()), plain, "{recipients:?}");
    }
    for (what, mail) in [
        ("another in To", mail().replace("<carol@corp.test>", "<carol@corp.test>, mallory@evil.test")),
        ("another in Cc", mail_with("Cc: mallory@evil.test\n", "[[OTAB-LINK]]")),
        ("another in Bcc", mail_with("bcc : mallory@evil.test\n", "[[OTAB-LINK]]")),
        ("resent", mail_with("Resent-To: mallory@evil.test\n", "[[OTAB-LINK]]")),
        ("nobody in To", mail().replace("To: \"Corp, Carol\" <carol@corp.test>\n", "")),
        ("a ticket of nobody's", mail().replace(NUMBER, "2026112010000018")),
        ("no ticket", mail().replace("Ticket#", "Fall#")),
        ("two subjects", mail_with("Subject: b\n", "[[OTAB-LINK]]")),
    ] {
        let out = bench.sent(&mail);
        assert!(out.contains("https://help.test/otobo/customer.pl") && !out.contains(LINK), "{what}: {out}");
    }
    assert_eq!(bench.states(), [""; 0]);
    let log = bench.log();
    assert!(
        log.contains("<1@desk.test>: outgoing: ticket 2026112010000017, plain address: the mail has several"),
        "{log}"
    );
}

#[test]
fn a_reply_to_of_a_stranger_never_gets_a_link() {
    let bench = Bench::new();
    // OTOBO answers to Reply-To: the ticket is carol's, the answer goes to mallory.
    let answer =
        mail_with("Reply-To: carol@corp.test\n", "[[OTAB-LINK]]").replace("<carol@corp.test>", "<mallory@evil.test>");
    let out = bench.sent_to(&["mallory@evil.test"], &answer);
    assert!(out.ends_with(PLAIN) && !out.contains(LINK), "{out}");
    // Her address as the name alone.
    let named = mail().replace("<carol@corp.test>", "\"carol@corp.test\" <mallory@evil.test>");
    assert!(!bench.sent_to(&["mallory@evil.test"], &named).contains(LINK));
    assert!(!bench.sent_to(&["carol@corp.test"], &named).contains(LINK));
    assert_eq!(bench.states(), [""; 0]);
}

#[test]
fn the_customer_and_the_ticket_have_to_be_good_for_a_link() {
    for (what, change) in [
        ("with a password", "UPDATE customer_user SET pw = 'x'"),
        ("not valid", "UPDATE customer_user SET valid_id = 2"),
        ("another address by now", "UPDATE customer_user SET email = 'carol@new.test' WHERE login = 'carol@corp.test'"),
        ("gone", "DELETE FROM customer_user"),
        ("a ticket of somebody else's", "UPDATE ticket SET customer_user_id = 'mallory@evil.test'"),
        ("a ticket of nobody's", "UPDATE ticket SET customer_user_id = NULL"),
        ("closed for long", "UPDATE ticket SET state_type = 'closed', changed_at = changed_at - 15 * 86400"),
    ] {
        let bench = Bench::new();
        bench.sql(change);
        assert_eq!(bench.sent(&mail()), mail().replace("[[OTAB-LINK]]", PLAIN), "{what}");
        assert_eq!(bench.states(), [""; 0], "{what}");
    }
    let bench = Bench::new();
    bench.sql("UPDATE ticket SET state_type = 'closed'");
    assert!(bench.sent(&mail()).contains(LINK), "closed a moment ago");
    assert!(bench.sent_to(&["Carol@CORP.test"], &mail()).contains(LINK), "in other case");
}

#[test]
fn header_fields_are_never_touched_and_no_secret_goes_into_somebody_elses_address() {
    let bench = Bench::new();
    let fields = "X-Note: [[OTAB-LINK]]\n";
    let out = bench.sent(&mail_with(fields, "[[OTAB-LINK]]"));
    assert!(out.contains(fields) && out.contains(LINK));
    let html = "Content-Type: text/html\n";
    for body in ["<img src='https://evil.test/?[[OTAB-LINK]]'>", "<p>https://evil.test/?[[OTAB-LINK]]</p>"] {
        let out = bench.sent(&mail_with(html, body));
        assert!(out.contains(PLAIN) && !out.contains(LINK), "{out}");
    }
    assert_eq!(bench.states(), ["active"], "and no token without a place for it");
}

#[test]
fn without_a_setting_there_is_the_plain_address_or_a_sentence() {
    let bench = Bench::with("[one_time_auth]\nportal_url = \"https://help.test/otobo/customer.pl\"\n");
    assert_eq!(bench.sent(&mail()), mail().replace("[[OTAB-LINK]]", PLAIN));
    let bench = Bench::with("[one_time_auth]\nlanguage = \"de\"\n");
    assert!(bench.sent(&mail()).contains("Ein neuer Link zu Ihrer Anfrage"));
    let bench = Bench::with("[postmaster]\nlink_placeholder = \"%%LINK%%\"\n");
    let out = bench.sent(&mail_with("", "%%LINK%% [[OTAB-LINK]]\n"));
    assert!(out.contains(FAILED) && out.ends_with(" [[OTAB-LINK]]\n"), "{out}");
}

#[test]
fn without_the_store_the_mail_goes_on_with_a_sentence() {
    let settings = SETTINGS.replace("[one_time_auth]", "[limits]\ndecide = 1\n[one_time_auth]\nlanguage = \"de\"");
    let german = "Ein neuer Link zu Ihrer Anfrage konnte nicht erstellt werden.";
    let bench = Bench::with(&settings);
    // The customer's own language is known, and only the writing fails.
    bench.sql("INSERT INTO customer_preferences VALUES ('carol@corp.test', 'UserLanguage', 'en')");
    let held = bench.site.database();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let out = bench.sent(&mail());
    assert!(out.contains(FAILED) && start.elapsed() < Duration::from_secs(5), "{out}");
    drop(held);
    for broken in ["no database", ""] {
        std::fs::write(bench.site.path("otab.db"), broken).unwrap();
        assert!(bench.sent(&mail()).contains(german), "{broken:?}");
    }
    let config = std::fs::read_to_string(bench.site.path("otab.toml")).unwrap();
    std::fs::write(bench.site.path("otab.toml"), config.replace("create = true", "create = false")).unwrap();
    std::fs::remove_file(bench.site.path("otab.db")).unwrap();
    let out = bench.sent(&mail_with("Content-Type: text/html\n", "<a href=\"[[OTAB-LINK]]\">[[OTAB-LINK]]</a>"));
    assert!(out.contains(&format!("<a href=\"{PLAIN}\">{german}")), "{out}");
    assert!(bench.log().contains("no link: "), "{}", bench.log());
}

#[test]
fn without_a_configuration_the_mail_goes_on_with_a_sentence() {
    let bench = Bench::with("[log]\nsyslog = false\n");
    for (config, placeholder, sentence) in [
        ("[[[", "[[OTAB-LINK]]", FAILED),
        ("[log]\nsyslog = 7\n[one_time_auth]\nlanguage = \"de\"", "[[OTAB-LINK]]", "Ein neuer Link"),
        ("[postmaster]\nlink_placeholder = \"%%LINK%%\"\nodd = 1\n", "%%LINK%%", FAILED),
        (
            "[one_time_auth.messages.en]\ncustomer_error_message_refresh_failed = \"No link.\"\nodd = 1",
            "[[OTAB-LINK]]",
            "No link.",
        ),
    ] {
        std::fs::write(bench.site.path("otab.toml"), config).unwrap();
        let out = bench.sent(&mail().replace("[[OTAB-LINK]]", placeholder));
        assert!(out.contains(sentence) && !out.contains(placeholder), "{config}: {out}");
        assert_eq!(bench.sent(&mail_with("", "nothing")), mail_with("", "nothing"));
    }
    std::fs::remove_file(bench.site.path("otab.toml")).unwrap();
    assert!(bench.sent(&mail()).contains(FAILED));
}

#[test]
fn a_fault_of_otabs_own_lets_the_mail_go_on() {
    let bench = Bench::new();
    let fail = |place: &str| {
        let mut otab = Site::otab();
        otab.args(["--config", "otab.toml", "outgoing", "--", "./sendmail", "-f", "", "carol@corp.test"]);
        let output = run(otab.env("OTAB_FAIL_AT", place).current_dir(bench.site.folder()), mail().as_bytes());
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        bench.taken()
    };
    assert_eq!(fail("outgoing"), mail(), "as it came");
    assert!(fail("linked").contains(FAILED));
    assert!(bench.log().contains("internal error at "), "{}", bench.log());
}

#[test]
fn a_mail_that_cannot_be_read_to_its_end_is_75_and_never_sent() {
    let bench = Bench::new();
    let mut otab = Site::otab();
    otab.args(["--config", "otab.toml", "outgoing", "--", "./sendmail", "-f", "", "carol@corp.test"]);
    // A folder can be opened, and not be read.
    let output = otab.current_dir(bench.site.folder()).stdin(std::fs::File::open("/").unwrap()).output().unwrap();
    assert_eq!(output.status.code(), Some(75), "{output:?}");
    assert!(!bench.site.path("taken").exists());
    for arguments in [&["outgoing"][..], &["outgoing", "sendmail"], &["outgoing", "--odd", "--", "true"]] {
        let output = run(Site::otab().args(arguments), mail().as_bytes());
        assert_eq!(output.status.code(), Some(75), "{arguments:?}");
    }
}

#[test]
fn a_long_mail_goes_on_as_it_came_and_one_up_to_the_limit_is_looked_into() {
    let bench = Bench::new();
    let send = |size: usize| {
        let mut mail = mail().into_bytes();
        mail.resize(size, b'x');
        let output = bench.run(&["-f", "", "carol@corp.test"], &mail);
        assert!(output.status.success(), "{output:?}");
        std::fs::read(bench.site.path("taken")).unwrap() == mail
    };
    assert!(!send(64 << 20));
    assert!(send((64 << 20) + 1));
    assert!(bench.log().contains("64 MiB"), "{}", bench.log());
}

#[test]
fn every_mail_of_the_corpus_goes_on_byte_for_byte() {
    let bench = Bench::new();
    let mut mails = corpus::mails();
    mails.push((Path::new("empty").into(), Vec::new()));
    for (path, mail) in mails {
        let _ = std::fs::remove_file(bench.site.path("taken"));
        let output = bench.run(&["-i", "-f", "help@desk.test", "carol@corp.test"], &mail);
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", path.display());
        assert!(std::fs::read(bench.site.path("taken")).unwrap() == mail, "{}", path.display());
    }
}
