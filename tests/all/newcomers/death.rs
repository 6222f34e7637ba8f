//! Whoever is killed, and when: the command has run before the first link mail, at least once.

use std::process::Child;

use super::{Desk, mail_of};
use crate::servers::{PLACES, Place};
use crate::setups::wait_for;
use crate::site::{Ended, run};

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Goes on until nothing is left: what was killed held its lease.
fn finish(desk: &Desk, name: &str) {
    desk.mail_of(name);
    for _ in 0..3 {
        desk.later();
        desk.ends(0, &["notify"]);
    }
    desk.assert_told(&[name]);
    assert_eq!((desk.files().len(), desk.count("outbox")), (1, 0), "{:?} {}", desk.place, desk.log());
    assert_eq!((desk.count("newcomer"), desk.count("customer_user")), (0, 1), "{:?} {}", desk.place, desk.log());
}

#[test]
fn a_filter_dead_around_creation_leaves_a_newcomer() {
    for place in PLACES {
        for (at, made) in [("noted", 0), ("created", 1), ("recorded", 1)] {
            let desk = Desk::quiet(place);
            let mut failing = desk.command(&["filter"]);
            run(failing.env("OTAB_FAIL_AT", at), &mail_of("carol")).ends(75);
            assert_eq!((desk.count("newcomer"), desk.count("customer_user")), (1, made), "{place:?} {at}");
            // Whoever looks now tells of one who is there, and of nobody who may still be made.
            desk.later();
            desk.ends(0, &["notify"]);
            assert_eq!(desk.count("newcomer"), 1 - made, "{place:?} {at}: {:?}", desk.events());
            finish(&desk, "carol");
        }
    }
}

#[test]
fn a_filter_killed_before_creation_keeps_its_note() {
    let desk = Desk::quiet(Place::Sqlite);
    desk.mail_of("dave");
    desk.ends(0, &["notify"]);
    for (at, made) in [("noted", 1), ("created", 2)] {
        let child = desk.go("carol", &[("OTAB_STALL_AT", at)]);
        while desk.count("newcomer") == 0 || desk.count("customer_user") < made {
            std::thread::yield_now();
        }
        kill(child);
        assert_eq!((desk.count("newcomer"), desk.count("customer_user")), (1, made), "{at}");
    }
    desk.mail_of("carol");
    desk.ends(0, &["notify"]);
    desk.assert_told(&["carol", "dave"]);
    assert_eq!((desk.count("newcomer"), desk.files().len()), (0, 2));
}

#[test]
fn a_customer_made_while_it_runs_gets_another_run() {
    for desk in PLACES.map(Desk::quiet) {
        desk.mail_of("dave");
        let mut late = desk.go("carol", &[("OTAB_STALL_AT", "noted")]);
        while desk.count("newcomer") < 2 {
            std::thread::yield_now();
        }
        // While the command runs for dave, carol comes to be: her mail is tried once more by her mail server.
        desk.then(&format!(
            "[ -e tried ] || {{ touch tried; printf '%s' '{}' | $2 --config otab.toml filter > /dev/null; }}",
            String::from_utf8(mail_of("carol")).unwrap()
        ));
        desk.ends(0, &["notify"]);
        late.kill().unwrap();
        late.wait().unwrap();
        desk.assert_told(&["carol", "dave"]);
        let runs = desk.events().iter().filter(|event| *event == "run").count();
        assert_eq!(
            (runs, desk.count("newcomer"), desk.files().len()),
            (2, 0, 2),
            "{:?} {:?}",
            desk.place,
            desk.events()
        );
    }
}

#[test]
fn a_newcomer_while_it_runs_is_reported_by_the_end() {
    for desk in PLACES.map(Desk::quiet) {
        desk.mail_of("carol");
        let add = "$2 --config otab.toml customer add dave@corp.test > /dev/null";
        desk.then(&format!("[ -e tried ] || {{ touch tried; {add}; }}"));
        desk.ends(0, &["notify"]);
        desk.assert_told(&["carol", "dave"]);
        assert_eq!((desk.count("newcomer"), desk.files().len()), (0, 1), "{:?} {:?}", desk.place, desk.events());
    }
}

#[test]
fn a_sender_that_dies_runs_the_command_again_first() {
    for place in PLACES {
        for (at, runs) in [("telling", 1), ("told", 2)] {
            let desk = Desk::quiet(place);
            desk.mail_of("carol");
            desk.command(&["notify"]).env("OTAB_FAIL_AT", at).output().unwrap().ends(70);
            assert_eq!((desk.count("newcomer"), desk.files().len()), (1, 0), "{place:?} {at}");
            // Its lease holds: nobody tells, and nobody sends.
            desk.ends(0, &["notify"]);
            assert_eq!((desk.events().len(), desk.files().len()), ((runs - 1) * 2, 0), "{place:?} {at}");
            desk.later();
            desk.ends(0, &["notify"]);
            desk.assert_told(&["carol"]);
            assert_eq!(
                (desk.events().len(), desk.files().len(), desk.count("newcomer")),
                (runs * 2, 1, 0),
                "{place:?}"
            );
        }
    }
}

#[test]
fn a_sender_killed_in_the_command_sends_nothing() {
    for desk in PLACES.map(Desk::quiet) {
        desk.mail_of("carol");
        // It waits for somebody to write into the pipe.
        assert!(std::process::Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap().success());
        desk.then("read -r word < pipe");
        let sender = desk.command(&["notify"]).spawn().unwrap();
        wait_for(&desk.path("events"), "run", 1);
        kill(sender);
        std::fs::write(desk.path("pipe"), "go on\n").unwrap();
        assert_eq!((desk.files().len(), desk.count("newcomer")), (0, 1), "{:?}", desk.place);
        desk.then("");
        desk.later();
        desk.ends(0, &["notify"]);
        desk.assert_told(&["carol"]);
        assert_eq!((desk.files().len(), desk.count("newcomer"), desk.events().len()), (1, 0, 4), "{:?}", desk.place);
    }
}
