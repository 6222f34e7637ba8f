//! A command that fails, hangs or is not there: it holds up the mails of newcomers, and nobody else's.

use std::time::{Duration, Instant};

use super::Desk;
use crate::servers::{PLACES, Place};
use crate::setups::wait_for;

#[test]
fn while_it_fails_only_newcomers_wait() {
    for desk in PLACES.map(Desk::quiet) {
        desk.mail_of("carol");
        desk.ends(0, &["notify"]);
        desk.then("printf 'no \\033[31mcache\\nmore\\n' >&2; exit 3");
        desk.mail_of("dave");
        let again = "From: <carol@corp.test>\nMessage-ID: <2@corp.test>\n\n";
        assert!(crate::site::run(&mut desk.command(&["filter"]), again.as_bytes()).status.success());
        desk.ends(75, &["notify"]);
        assert_eq!((desk.files().len(), desk.count("outbox"), desk.count("newcomer")), (2, 1, 1), "{:?}", desk.place);
        desk.logged(&["create.after_create has failed", "ended with status 3: no \\u{1b}[31mcache"]);
        assert!(!desk.log().contains("more"), "{}", desk.log());
        desk.logged(&["tried again", "has not been told of its customer"]);
        // It is not run again with each mail that comes in.
        let runs = desk.events().len();
        desk.mail_of("erin");
        desk.ends(0, &["notify"]);
        assert_eq!((desk.events().len(), desk.files().len()), (runs, 2), "{:?}", desk.place);
        desk.then("");
        desk.ends(0, &["outbox", "retry"]);
        desk.ends(0, &["notify"]);
        desk.assert_told(&["carol", "dave", "erin"]);
        assert_eq!((desk.files().len(), desk.count("outbox"), desk.count("newcomer")), (4, 0, 0), "{:?}", desk.place);
    }
}

#[test]
fn it_is_run_again_and_the_pause_grows() {
    let desk = Desk::quiet(Place::Sqlite);
    desk.then("exit 1");
    desk.mail_of("carol");
    let minutes = || {
        let due: i64 = desk
            .site
            .database()
            .query_row("SELECT until FROM worker WHERE task = 'after_create'", [], |row| row.get(0))
            .unwrap();
        (due - otab::clock::now().as_second() + 30) / 60
    };
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        desk.ends(75, &["notify"]);
        assert_eq!(minutes(), pause);
        desk.sql("UPDATE worker SET until = 0 WHERE task = 'after_create'");
        desk.sql("UPDATE outbox SET due_at = 0");
    }
    desk.then("");
    desk.ends(0, &["notify"]);
    assert_eq!((desk.files().len(), desk.count("worker")), (1, 0), "{}", desk.log());
}

#[test]
fn a_mail_that_waits_for_it_too_long_is_given_up() {
    let desk = Desk::quiet(Place::Sqlite);
    desk.then("exit 1");
    desk.mail_of("carol");
    desk.sql("UPDATE outbox SET created_at = created_at - 72 * 3600");
    desk.ends(75, &["notify"]);
    assert_eq!((desk.files().len(), desk.count("outbox")), (0, 0));
    desk.logged(&["not sent: given up", "create.after_create"]);
}

#[test]
fn one_that_hangs_is_ended_with_its_children() {
    let desk = Desk::quiet(Place::Sqlite);
    desk.configure("after_create_timeout = 30", "after_create_timeout = 1");
    desk.then("trap '' TERM; (trap - TERM; sleep 1000; true) & echo $! > child; exec sleep 1000");
    desk.mail_of("carol");
    let started = Instant::now();
    desk.ends(75, &["notify"]);
    assert!(started.elapsed() < Duration::from_secs(30));
    desk.logged(&["create.after_create has failed", "its time limit has passed"]);
    let child = desk.read("child");
    let state = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    let state = state.rsplit(')').next().unwrap().split_whitespace().next().map(str::to_owned);
    assert!(matches!(state.as_deref(), None | Some("Z")), "{state:?}");
}

#[test]
fn the_mail_path_does_not_wait_for_it() {
    let desk = Desk::new(Place::Sqlite, "wake = true\ntransport = \"file\"\n");
    desk.then("read -r word < pipe");
    assert!(std::process::Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap().success());
    desk.mail_of("carol");
    wait_for(&desk.path("events"), "run", 1);
    assert_eq!((desk.files().len(), desk.count("newcomer")), (0, 1));
    std::fs::write(desk.path("pipe"), "go on\n").unwrap();
    wait_for(&desk.path("otab.log"), "sent to", 1);
    desk.assert_told(&["carol"]);
}

#[test]
fn one_that_is_not_there_is_told_and_nothing_goes_out() {
    let desk = Desk::quiet(Place::Sqlite);
    desk.configure("/bin/sh", "/nowhere/sh");
    desk.mail_of("carol");
    desk.ends(75, &["notify"]);
    desk.logged(&["create.after_create has failed", "cannot be started"]);
    assert_eq!((desk.files().len(), desk.count("newcomer"), desk.count("outbox")), (0, 1, 1));
}
