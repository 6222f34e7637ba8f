//! What happens when something fails: the mail goes on, and the status is the command's.

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Bench, FAILED, LINK, PLAIN, SETTINGS, mail, mail_with};
use crate::corpus;
use crate::site::{Ended, Site, ignoring_sigchld, run};

#[test]
fn a_failed_command_leaves_no_pending_token() {
    let bench = Bench::new();
    bench.sendmail("sqlite3 otab.db 'SELECT state FROM token' > seen; exit 67");
    bench.send(&["-i", "-f", "help@desk.test", "carol@corp.test"], mail().as_bytes()).ends(67);
    assert_eq!(bench.read("seen"), "pending\n");
    assert_eq!(bench.states(), [""; 0]);
}

#[test]
fn the_commands_status_and_words_are_passed_on() {
    let bench = Bench::new();
    bench.sendmail("echo out; echo err >&2; exit 3");
    for mail in [mail(), mail_with("", "nothing\n")] {
        let output = bench.send(&["-f", "", "carol@corp.test"], mail.as_bytes());
        assert_eq!(
            (output.status.code(), &output.stdout[..], &output.stderr[..]),
            (Some(3), &b"out\n"[..], &b"err\n"[..])
        );
    }
    for (script, what) in [("kill -9 $$", "a signal"), ("", "a program that is gone")] {
        bench.sendmail(script);
        if script.is_empty() {
            std::fs::remove_file(bench.path("sendmail")).unwrap();
        }
        let output = bench.send(&["-f", "", "carol@corp.test"], mail().as_bytes()).ends(75);
        let told = output.err();
        assert!(told.starts_with("4.3.0 ") && told.lines().count() == 1 && !told.contains("carol"), "{told}");
        assert_eq!(bench.states(), [""; 0], "{what}");
    }
}

#[test]
fn without_a_setting_the_plain_address_or_a_sentence() {
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
    let held = bench.database();
    held.execute_batch("BEGIN IMMEDIATE").unwrap();
    let start = Instant::now();
    let out = bench.sent(&mail());
    assert!(out.contains(FAILED) && start.elapsed() < Duration::from_secs(5), "{out}");
    drop(held);
    for broken in ["no database", ""] {
        std::fs::write(bench.path("otab.db"), broken).unwrap();
        assert!(bench.sent(&mail()).contains(german), "{broken:?}");
    }
    let config = bench.read("otab.toml");
    std::fs::write(bench.path("otab.toml"), config.replace("create = true", "create = false")).unwrap();
    std::fs::remove_file(bench.path("otab.db")).unwrap();
    let out = bench.sent(&mail_with("Content-Type: text/html\n", "<a href=\"[[OTAB-LINK]]\">[[OTAB-LINK]]</a>"));
    assert!(out.contains(&format!("<a href=\"{PLAIN}\">{german}")), "{out}");
    assert!(bench.log().contains("no link: "), "{}", bench.log());
}

#[test]
fn a_mail_without_configuration_gets_a_sentence() {
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
        std::fs::write(bench.path("otab.toml"), config).unwrap();
        let out = bench.sent(&mail().replace("[[OTAB-LINK]]", placeholder));
        assert!(out.contains(sentence) && !out.contains(placeholder), "{config}: {out}");
        assert_eq!(bench.sent(&mail_with("", "nothing")), mail_with("", "nothing"));
    }
    std::fs::remove_file(bench.path("otab.toml")).unwrap();
    assert!(bench.sent(&mail()).contains(FAILED));
}

#[test]
fn a_fault_of_otabs_own_lets_the_mail_go_on() {
    let bench = Bench::with(&format!("[limits]\ndecide = 1\n{SETTINGS}"));
    let with = |name: &str, value: &str| {
        let mut otab = Site::otab();
        otab.args(["--config", "otab.toml", "outgoing", "--", "./sendmail", "-f", "", "carol@corp.test"]);
        let start = Instant::now();
        let output = run(otab.env(name, value).current_dir(bench.folder()), mail().as_bytes());
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert!(start.elapsed() < Duration::from_secs(5), "{value}");
        bench.taken()
    };
    assert_eq!(with("OTAB_FAIL_AT", "outgoing"), mail(), "as it came");
    assert!(with("OTAB_FAIL_AT", "linked").contains(FAILED));
    assert!(with("OTAB_STALL_AT", "linked").contains(FAILED), "the time limit");
    assert!(with("TMPDIR", "no-such-folder").contains(LINK), "no place for the mail but memory");
    for words in ["internal error at ", "the time limit has passed"] {
        assert!(bench.log().contains(words), "{}", bench.log());
    }
}

#[test]
fn a_mail_cut_short_is_75_and_never_sent() {
    let bench = Bench::new();
    let mut otab = Site::otab();
    otab.args(["--config", "otab.toml", "outgoing", "--", "./sendmail", "-f", "", "carol@corp.test"]);
    // A folder can be opened, and not be read.
    otab.current_dir(bench.folder()).stdin(std::fs::File::open("/").unwrap()).output().unwrap().ends(75);
    assert!(!bench.path("taken").exists());
    for arguments in [&["outgoing"][..], &["outgoing", "sendmail"], &["outgoing", "--odd", "--", "true"]] {
        run(Site::otab().args(arguments), mail().as_bytes()).ends(75);
    }
}

#[test]
fn a_long_mail_goes_on_as_it_came() {
    let bench = Bench::new();
    let send = |size: usize| {
        let mut mail = mail().into_bytes();
        mail.resize(size, b'x');
        bench.send(&["-f", "", "carol@corp.test"], &mail).ends(0);
        std::fs::read(bench.path("taken")).unwrap() == mail
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
        let _ = std::fs::remove_file(bench.path("taken"));
        let output = bench.send(&["-i", "-f", "help@desk.test", "carol@corp.test"], &mail);
        assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", path.display());
        assert!(std::fs::read(bench.path("taken")).unwrap() == mail, "{}", path.display());
    }
}

#[test]
fn the_status_counts_though_sigchld_is_ignored() {
    let bench = Bench::new();
    for (status, states) in [(0, vec!["active"]), (67, vec!["active"])] {
        bench.sendmail(&format!("cat > taken; exit {status}"));
        let output = run(&mut ignoring_sigchld(&bench.outgoing(&["-f", "", "carol@corp.test"])), mail().as_bytes());
        assert_eq!((output.status.code(), output.stderr.is_empty()), (Some(status), true), "{output:?}");
        assert_eq!(bench.states(), states);
    }
}
