//! The usual course, with the same test body for each kind of database.

use super::{Desk, mail_of};
use crate::servers::{PLACES, Place};
use crate::setups::wait_for;
use crate::site::{Ended, run};

#[test]
fn one_run_reports_all_newcomers_before_their_mails() {
    for desk in PLACES.map(Desk::quiet) {
        for name in ["carol", "dave", "erin"] {
            desk.mail_of(name);
        }
        assert_eq!((desk.count("newcomer"), desk.events().len()), (3, 0), "{:?}", desk.place);
        desk.ends(0, &["notify"]);
        let events = desk.events();
        assert_eq!(events, ["told carol@corp.test", "told dave@corp.test", "told erin@corp.test", "run"]);
        assert_eq!((desk.files().len(), desk.count("outbox"), desk.count("newcomer")), (3, 0, 0), "{:?}", desk.place);
        assert_eq!(desk.count("worker"), 0);
        desk.logged(&["create.after_create has succeeded", "new customers: 3"]);
        // Known by now: nothing is run for the next mail of his.
        let again = String::from_utf8(mail_of("carol")).unwrap().replace("Message-ID: <", "Message-ID: <2.");
        run(&mut desk.command(&["filter"]), again.as_bytes()).ends(0);
        desk.ends(0, &["notify"]);
        assert_eq!((desk.files().len(), desk.events().len()), (4, 4), "{:?}", desk.place);
    }
}

#[test]
fn twenty_filters_report_customers_before_their_mails() {
    for place in PLACES {
        let desk = Desk::new(place, "wake = true\ntransport = \"file\"\n");
        let names: Vec<String> = (0..20).map(|number| format!("c{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let filters: Vec<_> = names.iter().map(|name| desk.go(name, &[])).collect();
        for mut filter in filters {
            assert!(filter.wait().unwrap().success(), "{place:?} {}", desk.log());
        }
        // Whoever was woken last ends only when nothing is left.
        wait_for(&desk.path("otab.log"), "sent to", 20);
        desk.assert_told(&names);
        assert_eq!((desk.files().len(), desk.count("customer_user")), (20, 20), "{place:?}");
        assert_eq!((desk.count("outbox"), desk.count("newcomer")), (0, 0), "{place:?} {}", desk.log());
    }
}

#[test]
fn the_command_runs_without_link_mails_as_well() {
    for desk in PLACES.map(|place| Desk::new(place, "wake = true\n")) {
        desk.mail_of("carol");
        wait_for(&desk.path("otab.log"), "create.after_create has succeeded", 1);
        desk.assert_told(&["carol"]);
        assert_eq!((desk.count("newcomer"), desk.files().len()), (0, 0), "{:?}", desk.place);
        // Nothing was left for that sender to say; who calls it by hand is told what is missing.
        assert!(!desk.log().contains("link mails cannot be sent"), "{}", desk.log());
        let told = desk.run(&["notify"]).says(78).err();
        assert!(told.contains("mail.transport"), "{told:?}");
    }
}

#[test]
fn customers_made_by_hand_are_told_of_too() {
    for desk in PLACES.map(|place| Desk::new(place, "wake = true\ntransport = \"file\"\n")) {
        desk.ends(0, &["customer", "add", "carol@corp.test"]);
        wait_for(&desk.path("events"), "run", 1);
        desk.assert_told(&["carol"]);
    }
}

#[test]
fn a_link_in_an_outgoing_mail_reports_the_newcomer() {
    let desk = Desk::quiet(Place::Sqlite);
    desk.mail_of("carol");
    desk.ends(0, &["ticket", "add", "2026112110000017", "--customer", "carol@corp.test"]);
    desk.configure("wake = false", "wake = true");
    assert!(std::process::Command::new("mkfifo").arg(desk.path("pipe")).status().unwrap().success());
    desk.then("read -r word < pipe");
    let mail = b"To: carol@corp.test\nSubject: Ticket#2026112110000017\n\n[[OTAB-LINK]]\n";
    let command = ["outgoing", "--", "/bin/echo", "-i", "-f", "help@desk.test", "carol@corp.test"];
    run(&mut desk.command(&command), mail).ends(0);
    desk.logged(&["outgoing: ticket 2026112110000017, link with token"]);
    wait_for(&desk.path("events"), "run", 1);
    std::fs::write(desk.path("pipe"), "go on\n").unwrap();
    wait_for(&desk.path("otab.log"), "create.after_create has succeeded", 1);
    desk.assert_told(&["carol"]);
}

#[test]
fn a_customer_never_made_is_noted_once_and_dropped() {
    for desk in PLACES.map(Desk::quiet) {
        desk.mail_of("carol");
        desk.ends(0, &["notify"]);
        let note = |login: &str, age: i64| {
            let at = otab::clock::now().as_second() - age;
            desk.sql(&format!("INSERT INTO newcomer VALUES ('CustomerUser', '{login}', {at})"));
        };
        note("dave@corp.test", 60);
        desk.ends(0, &["notify"]);
        assert_eq!((desk.events().len(), desk.count("newcomer")), (2, 1), "{:?}", desk.place);
        note("erin@corp.test", 4000);
        desk.ends(0, &["notify"]);
        desk.ends(0, &["notify"]);
        assert_eq!(desk.events()[2..], ["early erin@corp.test", "run"], "{:?}", desk.place);
        assert_eq!(desk.count("newcomer"), 1, "{:?}", desk.place);
    }
}

#[test]
fn without_a_command_or_dry_nobody_is_noted() {
    let desk = Desk::quiet(Place::Sqlite);
    let text = desk.read("otab.toml");
    run(&mut desk.command(&["filter", "--explain"]), &mail_of("carol")).says(0);
    assert_eq!(desk.count("newcomer"), 0);
    let without: String =
        text.lines().filter(|line| !line.starts_with("after_create")).flat_map(|line| [line, "\n"]).collect();
    desk.write("otab.toml", &without);
    desk.mail_of("carol");
    desk.ends(0, &["notify"]);
    assert_eq!((desk.count("newcomer"), desk.events().len(), desk.files().len()), (0, 0, 1));
}
