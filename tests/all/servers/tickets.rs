//! Ticket facts in OTOBO's own tables: one story for SQLite, PostgreSQL and MariaDB.

use otab::ticket::{ClosedSince, StateType, Ticket};

use super::helpdesk::{CLOSED, CLOSED_IN_VAIN, Helpdesk, MERGED, NEW, OPEN, REMOVED};
use super::{PLACES, Place};
use crate::site::CAROL;

const DAY_1: &str = "2026-01-01 08:00:00";
const DAY_2: &str = "2026-01-02 08:00:00";
const DAY_3: &str = "2026-01-03 08:00:00";
const DAY_4: &str = "2026-01-04 08:00:00";
const DAY_9: &str = "2026-01-09 08:00:00";

fn number(desk: &Helpdesk, message_id: &str) -> Option<String> {
    let (facts, mut dbs) = desk.facts("UTC", ClosedSince::History);
    facts.by_message_id(&mut dbs, message_id).unwrap().map(|ticket| ticket.number)
}

fn ticket(desk: &Helpdesk, number: &str, zone: &str, closed_since: ClosedSince) -> Option<Ticket> {
    let (facts, mut dbs) = desk.facts(zone, closed_since);
    facts.by_number(&mut dbs, number).unwrap()
}

/// Since when, in UTC.
fn since(desk: &Helpdesk, number: &str, zone: &str, closed_since: ClosedSince) -> String {
    ticket(desk, number, zone, closed_since).unwrap().changed_at.to_string()
}

#[test]
fn a_ticket_is_found_by_its_own_oldest_message_id() {
    for desk in PLACES.map(Helpdesk::new) {
        desk.ticket(1, "20", OPEN, DAY_2, DAY_2);
        desk.ticket(2, "10", NEW, DAY_1, DAY_3);
        for (ticket, id) in [(1, "<same@x>"), (2, "<same@x>"), (1, "<one@x>"), (1, "<one@x>"), (2, "<Two@x>")] {
            desk.article(ticket, id);
        }
        let found = ["<same@x>", "<one@x>", "<Two@x>", "<two@x>", "<three@x>", "", "<x'\"?\\@x>"];
        let found = found.map(|id| number(&desk, id));
        let wanted = [Some("10"), Some("20"), Some("10"), None, None, None, None];
        assert_eq!(found.each_ref().map(Option::as_deref), wanted, "{:?}", desk.place);

        let (facts, mut dbs) = desk.facts("UTC", ClosedSince::History);
        let many: Vec<String> = (0..1200).map(|n| format!("<{n}@x>")).chain(["<one@x>".to_owned()]).collect();
        let found = facts.by_message_ids(&mut dbs, &many).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found["<one@x>"].message_id.as_deref(), Some("<one@x>"));
    }
}

#[test]
fn a_look_alike_with_the_same_sum_is_not_the_mail() {
    for desk in PLACES.map(Helpdesk::new) {
        desk.ticket(1, "10", OPEN, DAY_1, DAY_1);
        desk.ticket(2, "20", OPEN, DAY_2, DAY_2);
        let sum = data_encoding::HEXLOWER.encode(&<md5::Md5 as md5::Digest>::digest(b"<three@x>"));
        for id in ["<THREE@x>", "<thr\u{e9}e@x>", "<three@x> "] {
            desk.article_with(1, id, &sum);
        }
        assert_eq!(number(&desk, "<three@x>"), None, "{:?}", desk.place);
        desk.article(2, "<three@x>");
        assert_eq!(number(&desk, "<three@x>").as_deref(), Some("20"), "{:?}", desk.place);
    }
}

#[test]
fn a_number_is_exact_and_no_customer_means_nobodys() {
    for desk in PLACES.map(Helpdesk::new) {
        desk.ticket(1, "a1", OPEN, DAY_1, DAY_2);
        desk.ticket(2, "2", OPEN, DAY_1, DAY_2);
        desk.sql("UPDATE ticket SET customer_user_id = NULL WHERE id = 2");
        let one = ticket(&desk, "a1", "UTC", ClosedSince::History).unwrap();
        assert!(one.is_of(CAROL) && !one.is_of("Carol@corp.test"), "{:?}", desk.place);
        assert_eq!((one.state_type, one.message_id), (StateType::Open, None));
        for unknown in ["A1", "\u{e1}1", "a1 ", "", "3", "' OR 1=1 --"] {
            assert_eq!(ticket(&desk, unknown, "UTC", ClosedSince::History), None, "{:?} {unknown}", desk.place);
        }
        let two = ticket(&desk, "2", "UTC", ClosedSince::History).unwrap();
        assert_eq!(two.customer, None);
        assert!(!two.is_of(""));
    }
}

#[test]
fn closed_is_since_the_change_that_the_setting_names() {
    for desk in PLACES.map(Helpdesk::new) {
        let what = format!("{:?}", desk.place);
        for (id, state, rows) in [
            // Closed once; a note and another state of the same type later change nothing.
            (1, CLOSED_IN_VAIN, &[(NEW, DAY_1), (CLOSED, DAY_2), (CLOSED, DAY_3), (CLOSED_IN_VAIN, DAY_4)][..]),
            // Opened again, and closed again.
            (2, CLOSED, &[(CLOSED, DAY_1), (OPEN, DAY_2), (CLOSED, DAY_3), (CLOSED, DAY_4)]),
            (3, MERGED, &[(OPEN, DAY_1), (CLOSED, DAY_2), (MERGED, DAY_3)]),
            (4, REMOVED, &[(OPEN, DAY_1), (REMOVED, DAY_2)]),
            // No history, and one that does not tell.
            (5, CLOSED, &[]),
            (6, CLOSED, &[(CLOSED, DAY_1), (OPEN, DAY_2)]),
            (7, OPEN, &[(CLOSED, DAY_1), (OPEN, DAY_2)]),
            // Rows that a merge has brought in come later, and tell of earlier days.
            (8, CLOSED, &[(OPEN, DAY_1), (CLOSED, DAY_3), (NEW, DAY_2)]),
        ] {
            desk.ticket(id, &id.to_string(), state, DAY_1, DAY_9);
            desk.history(id, rows);
        }
        let days = [2, 3, 3, 2, 9, 9, 9, 3];
        for (number, day) in (1..).zip(days) {
            let number = number.to_string();
            let found = since(&desk, &number, "UTC", ClosedSince::History);
            assert_eq!(found, format!("2026-01-0{day}T08:00:00Z"), "{what} {number}");
            let found = since(&desk, &number, "UTC", ClosedSince::ChangeTime);
            assert_eq!(found, "2026-01-09T08:00:00Z", "{what} {number}");
        }
        let states = ["1", "3", "4", "7"].map(|n| ticket(&desk, n, "UTC", ClosedSince::History).unwrap().state_type);
        assert_eq!(states, [StateType::Closed, StateType::Merged, StateType::Removed, StateType::Open]);
        desk.sql("UPDATE ticket_state_type SET name = 'parked' WHERE name = 'open'");
        let parked = ticket(&desk, "7", "UTC", ClosedSince::History).unwrap();
        assert!(!parked.state_type.is_over(), "{what}");
    }
}

#[test]
fn times_are_read_in_the_zone_of_the_helpdesk() {
    for desk in PLACES.map(Helpdesk::new) {
        desk.ticket(1, "1", CLOSED, "2026-07-01 12:00:00", "2026-07-01 12:00:00");
        // An hour that the clock skipped.
        desk.history(1, &[(CLOSED, "2026-03-29 02:30:00")]);
        for (zone, history, change) in [
            ("UTC", "2026-03-29T02:30:00Z", "2026-07-01T12:00:00Z"),
            ("Europe/Berlin", "2026-03-29T01:30:00Z", "2026-07-01T10:00:00Z"),
        ] {
            let found = [ClosedSince::History, ClosedSince::ChangeTime].map(|by| since(&desk, "1", zone, by));
            assert_eq!(found, [history, change], "{:?} {zone}", desk.place);
        }
        desk.sql("DELETE FROM ticket_history");
        if desk.place == Place::Sqlite {
            // Only there a text that is no time can be stored. It is an error, and not a ticket that is gone.
            desk.sql("UPDATE ticket SET change_time = 'soon'");
            let (facts, mut dbs) = desk.facts("UTC", ClosedSince::History);
            assert!(facts.by_number(&mut dbs, "1").unwrap_err().to_string().contains("time"));
        }
    }
}
