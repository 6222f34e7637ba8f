//! `otab store copy` that ends half-way, wherever it does, with filters at work: no mail that was taken is without
//! its token where the site's mails go on.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::copy::{filled, pointing_to, target, told};
use super::{PLACES, Place};
use crate::site::{Ended, Site, mail, run};

const SERVERS: [Place; 2] = [Place::PostgreSql, Place::MariaDb];

fn rows(host: &Site) -> Vec<i64> {
    ["customer_user", "customer_preferences", "ticket", "token", "outbox", "sent", "newcomer", "session"]
        .map(|table| host.count(table))
        .to_vec()
}

/// A copy that ends there.
fn dies_at(old: &Site, to: &str, place: &str) {
    run(old.command(&["store", "copy", "--to", to]).env("OTAB_FAIL_AT", place), b"").says(70);
}

#[test]
fn dead_before_the_commit_leaves_an_empty_target() {
    for from in PLACES {
        for to in PLACES {
            let old = filled(from);
            let to = target(&old, to);
            for place in ["copy-begun", "copy-written", "copy-compared", "copy-complete"] {
                dies_at(&old, &to, place);
                assert_eq!(rows(&pointing_to(&to)), [0; 8], "{from:?} {to} {place}");
            }
            assert_eq!(old.filter(&mail(10)).status.code(), Some(0), "{from:?} {to}");
            old.run(&["store", "copy", "--to", &to]).says(0);
            assert_eq!(pointing_to(&to).count("token"), 4);
        }
    }
}

#[test]
fn dead_after_the_commit_only_retires_the_old_store() {
    for from in PLACES {
        for to in PLACES {
            let old = filled(from);
            let to = target(&old, to);
            dies_at(&old, &to, "copy-committed");
            let again = told(&old.run(&["store", "copy", "--to", &to]).says(0));
            assert!(again.contains("there already"), "{again}");
            assert_eq!(pointing_to(&to).count("token"), 3);
            assert!(told(&old.run(&["token", "list"]).says(69)).contains("has moved to"));
        }
    }
}

#[test]
fn mails_after_the_commit_are_never_overlooked() {
    for to in SERVERS {
        let old = filled(Place::Sqlite);
        let to = target(&old, to);
        dies_at(&old, &to, "copy-committed");
        assert_eq!(old.filter(&mail(10)).status.code(), Some(0));
        assert!(told(&old.run(&["store", "copy", "--to", &to]).says(73)).contains("holds rows already"));
        assert_eq!(old.filter(&mail(11)).status.code(), Some(0), "it is not retired");
    }
}

#[test]
fn a_store_with_one_changed_value_is_no_copy() {
    for to in SERVERS {
        let old = filled(Place::Sqlite);
        let to = target(&old, to);
        dies_at(&old, &to, "copy-committed");
        old.database().execute("UPDATE token SET state = 'used' WHERE id = 1", []).unwrap();
        assert!(told(&old.run(&["store", "copy", "--to", &to]).says(73)).contains("holds rows already"));
        assert_eq!(old.filter(&mail(11)).status.code(), Some(0), "it is not retired");
    }
}

#[test]
fn a_sender_at_work_can_say_that_its_mail_has_left() {
    let old = filled(Place::Sqlite);
    let to = target(&old, Place::PostgreSql);
    let soon = "UPDATE worker SET task = 'outbox', until = CAST(strftime('%s', 'now') AS INTEGER) + 3";
    old.database().execute(soon, []).unwrap();
    let begun = Instant::now();
    old.run(&["store", "copy", "--to", &to]).says(0);
    assert!(begun.elapsed() >= Duration::from_secs(2));
}

/// Filters one after the other until told to end; the mails that were taken, by number.
fn mails(old: &Site, from: usize, is_over: impl Fn() -> bool) -> Vec<usize> {
    let mut taken = Vec::new();
    for number in from.. {
        let output = old.filter(&mail(number));
        match output.status.code() {
            Some(0) => taken.push(number),
            status => assert_eq!(status, Some(75), "{output:?}"),
        }
        if is_over() {
            break;
        }
    }
    taken
}

fn copying(old: &Site, to: &str) -> Child {
    let mut command = old.command(&["store", "copy", "--to", to]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// The Message-IDs that have a token.
fn known(host: &Site) -> Vec<String> {
    host.column("SELECT message_id FROM token")
}

#[test]
fn killed_anywhere_no_mail_is_without_its_token() {
    for place in SERVERS {
        let old = filled(Place::Sqlite);
        let mut taken: Vec<usize> = Vec::new();
        let mut next = 100;
        // From before it has connected to behind the commit.
        for round in 0..8_u64 {
            let to = target(&old, place);
            let mut child = copying(&old, &to);
            let dies_at = Instant::now() + Duration::from_millis(25 * round * round / 2);
            let came = std::thread::scope(|scope| {
                let filters: Vec<_> = (0..3)
                    .map(|one| {
                        let old = &old;
                        scope.spawn(move || mails(old, next + one * 100, || Instant::now() >= dies_at))
                    })
                    .collect();
                while Instant::now() < dies_at && child.try_wait().unwrap().is_none() {
                    std::thread::yield_now();
                }
                let _ = child.kill();
                child.wait().unwrap();
                filters.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
            });
            taken.extend(came);
            next += 1000;
            let new = pointing_to(&to);
            let is_moved = old.run(&["token", "list"]).status.code() == Some(69);
            let there = if is_moved { known(&new) } else { known(&old) };
            for number in &taken {
                assert!(there.contains(&format!("<{number}@corp.test>")), "{place:?} round {round}: {number}");
            }
            if is_moved {
                break;
            }
        }
    }
}

#[test]
fn filters_that_wait_never_write_to_the_retired_store() {
    for place in SERVERS {
        let old = filled(Place::Sqlite);
        let to = target(&old, place);
        let mut child = copying(&old, &to);
        let taken = std::thread::scope(|scope| {
            let old = &old;
            let filters: Vec<_> =
                (0..6).map(|one| scope.spawn(move || mails(old, 1000 * (one + 1), || is_moved(old)))).collect();
            filters.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(child.wait().unwrap().success());
        let there = known(&pointing_to(&to));
        for number in taken {
            assert!(there.contains(&format!("<{number}@corp.test>")), "{place:?} {number}");
        }
    }
}

fn is_moved(old: &Site) -> bool {
    old.run(&["token", "list"]).status.code() == Some(69)
}
