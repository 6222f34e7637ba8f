//! The way of a link, from a customer's mail to the second use, with link mails as files.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::site::{CAROL, Ended, Site};

#[test]
fn a_mail_earns_a_link_that_opens_once_then_a_new_one() {
    let desk = Site::linking();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/001-a-new-sender-becomes-a-customer/mail.eml");
    desk.takes(&std::fs::read(fixture).unwrap());
    assert_eq!(desk.notify(), 0);
    assert_eq!((desk.files().len(), desk.orders()), (1, 0));
    let first = desk.last();
    assert_eq!(first.field("To"), "hans.muster@kunde.example");
    let token = first.token().to_owned();

    let opened = desk.json(0, &["redeem", &token]);
    assert_eq!(opened["login"], "hans.muster@kunde.example");
    let again = desk.json(12, &["redeem", &token]);
    assert!(again["message"].as_str().unwrap().contains("sent you an e-mail"), "{again}");
    assert_eq!(desk.notify(), 0);
    assert_eq!((desk.files().len(), desk.orders()), (2, 0));
    let second = desk.last();
    assert_eq!(second.field("Subject"), "A new link to your request");
    assert_ne!(second.token(), token);
    desk.json(11, &["redeem", &token]);
    desk.json(0, &["redeem", second.token()]);
}

#[test]
fn the_files_hold_secrets_for_their_owner_alone() {
    let desk = Site::linking();
    desk.carols_link();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&desk.path("mails")), 0o700);
    let files = desk.files();
    assert_eq!(mode(&files[0]), 0o600);
    assert_eq!(files[0].extension().unwrap(), "eml");
}

#[test]
fn a_link_mail_is_in_the_customers_language_first() {
    let desk = Site::linking();
    let german = |desk: &Site| desk.last().field("Content-Language") == "de";
    desk.mails_of_carol(&["1@corp.test"]);
    desk.notify();
    assert!(!german(&desk));
    let mail = format!("Content-Language: de-AT\nFrom: {CAROL}\nMessage-ID: <2@corp.test>\n\nHallo\n");
    desk.takes(mail.as_bytes());
    desk.notify();
    assert!(german(&desk));
    desk.sql("INSERT INTO customer_preferences VALUES ('carol@corp.test', 'UserLanguage', 'en')");
    let mail = mail.replace("2@corp", "3@corp");
    desk.takes(mail.as_bytes());
    desk.notify();
    assert!(!german(&desk));
    desk.sql("UPDATE customer_preferences SET preferences_value = 'de_CH' WHERE preferences_key = 'UserLanguage'");
    desk.mails_of_carol(&["4@corp.test"]);
    desk.notify();
    assert!(german(&desk));
    desk.sql("DELETE FROM customer_preferences WHERE preferences_key = 'UserLanguage'");
    desk.configure("[one_time_auth]\n", "[one_time_auth]\nlanguage = \"de\"\n");
    desk.mails_of_carol(&["5@corp.test"]);
    desk.notify();
    assert!(german(&desk));
    assert_eq!(desk.files().len(), 5);
}

#[test]
fn a_known_ticket_is_in_the_mail_and_opened_by_it() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    let mail = desk.last();
    assert_eq!(mail.field("Subject"), "Your access to your request 1");
    assert_eq!(mail.token(), secret);
    assert_eq!(desk.json(0, &["redeem", &secret])["ticket"], "1");
}

/// The commands under "Try a link mail", in a folder of their own.
#[test]
fn the_readmes_story_goes_as_it_is_told() {
    let top = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(top.join("README.md")).unwrap();
    let story = readme.split("### Try a link mail\n").nth(1).unwrap();
    let script = story.split("```sh\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(top.join("fixtures"), folder.path().join("fixtures")).unwrap();
    // The binary is built already, and the tester's own log is no place for what tests do.
    let script = script
        .replace("cargo run --release --", env!("CARGO_BIN_EXE_otab"))
        .replace("[mail]\n", "[log]\nsyslog = false\n[mail]\n")
        .replace("redeem \"$token\"\n", "redeem \"$token\"; echo \"status $?\"\n");
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let told = output.out();
    assert!(output.status.success() && output.stderr.is_empty(), "{told} {}", output.err());
    for part in ["X-OTOBO-CustomerUser: hans.muster@kunde.example", "login:", "status 0", "a new one", "status 12"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("mails")).unwrap().count(), 2);
    let cleaned = readme.contains("rm -r try.toml try.db mails");
    let mut names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert!(cleaned && names == ["fixtures", "mails", "try.db", "try.toml"], "{names:?}");
}
