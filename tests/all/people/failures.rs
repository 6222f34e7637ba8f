//! How the commands for people fail: each with its own status, and with what to do about it.

use std::fs;

use super::Bench;
use crate::site::{CAROL, Ended, Site, run};

#[test]
fn every_failure_has_its_status() {
    let site = Bench::new();
    let long = "1".repeat(51);
    for (args, status) in [
        (&["purge", "--nonsense"][..], 64),
        (&["redeem"], 64),
        (&["ticket"], 64),
        (&["ticket", "close", "1", "--at", "yesterday"], 64),
        (&["customer", "add", CAROL, "--backend", "Other"], 64),
        (&["ticket", "add", "1", "--state", "closing"], 65),
        (&["ticket", "add", "1 2"], 65),
        (&["ticket", "add", &long], 65),
        (&["ticket", "add", "1", "--message-id", "a@corp.test"], 64),
        (&["ticket", "add", "1", "--message-id", "a b", "--customer", CAROL], 65),
        (&["ticket", "close", "1", "--state", "open"], 65),
        (&["customer", "add", "carol"], 65),
        (&["ticket", "close", "404"], 67),
        (&["ticket", "reopen", "404"], 67),
        (&["ticket", "show", "404"], 67),
        (&["customer", "show", "nobody"], 67),
        (&["init", "--group", "no-such-group"], 67),
        (&["init"], 73),
    ] {
        let ran = site.run(args);
        assert_eq!(ran.status.code(), Some(status), "{args:?}: {} {}", ran.out(), ran.err());
        assert!(ran.out().is_empty() && !ran.err().is_empty(), "{args:?}: {} {}", ran.out(), ran.err());
    }
}

#[test]
fn a_wrong_database_is_unavailable_with_its_remedy() {
    let site = Bench::new();
    let path = site.path("otab.db");
    site.sql("UPDATE refinery_schema_history SET version = 99 WHERE version = 3");
    for args in [["token", "list"], ["store", "migrate"]] {
        assert!(site.run(&args).ends(69).err().contains("newer"), "{args:?}");
    }
    fs::write(&path, "no database").unwrap();
    site.run(&["purge"]).ends(69);
    fs::remove_file(&path).unwrap();
    for args in [&["token", "list"][..], &["purge"], &["redeem", "x"], &["token", "revoke", "1"]] {
        let ran = site.run(args).ends(69);
        assert!(ran.err().contains("otab init"), "{args:?}: {}", ran.err());
        assert!(!path.exists(), "{args:?}");
    }
}

#[test]
fn an_older_database_defers_mail_until_migrated() {
    let site = Bench::new();
    site.configure("\n#file = \"\"", "\nfile = \"otab.log\"");
    crate::site::first_schema(&site.path("otab.db"));
    site.sql("INSERT INTO ticket VALUES ('7', NULL, 'open', 0, 'dave', 0)");
    let mail = format!("From: {CAROL}\nMessage-ID: <a@corp.test>\n\nplease\n");
    let ran = site.filter(mail.as_bytes()).ends(75);
    assert_eq!((ran.out().as_str(), ran.err().lines().count()), ("", 1), "{}", ran.err());
    assert!(site.read("otab.log").contains("otab store migrate"));
    let ran = site.run(&["token", "list"]).ends(69);
    assert!(ran.err().contains("otab store migrate"), "{}", ran.err());
    site.run(&["store", "migrate"]).ends(0);
    site.run(&["store", "migrate"]).ends(0);
    site.mail("a@corp.test");
    assert_eq!(site.secrets().len(), 1);
    assert!(site.run(&["ticket", "show", "7"]).ends(0).out().contains("dave"));
}

#[test]
fn a_broken_configuration_is_told_with_every_problem() {
    let site = Bench::new();
    fs::write(site.path("otab.toml"), "[store]\nurl = 1\n[postmaster]\nnonsense = true\n").unwrap();
    let ran = site.run(&["customer", "list"]).ends(78);
    assert!(ran.err().contains("store.url") && ran.err().contains("postmaster.nonsense"), "{}", ran.err());
}

#[test]
fn a_missing_configuration_is_reported_once() {
    let ran = run(Site::otab().args(["token", "list", "--config", "none.toml"]), b"").ends(78);
    assert!(ran.err().contains("otab init") && ran.err().contains("none.toml"), "{}", ran.err());
    assert_eq!(ran.err().matches("No such file").count(), 1, "{}", ran.err());
}

/// Only debug builds can be told to fail.
#[cfg(debug_assertions)]
#[test]
fn a_panic_ends_with_70_and_a_word() {
    let site = Bench::new();
    let ran = run(site.command(&["token", "list"]).env("OTAB_FAIL_AT", "people"), b"");
    assert!(ran.ends(70).err().contains("internal error at"));
}

#[test]
fn a_closed_or_full_standard_output_is_no_panic() {
    let site = Bench::new();
    let mut child = site.spawn(&["ticket", "add", "1"], b"");
    drop(child.stdout.take());
    child.wait_with_output().unwrap().ends(0);
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    site.command(&["ticket", "list"]).stdout(full).output().unwrap().ends(74);
}
