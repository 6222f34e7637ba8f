//! The caps on link mails: within an hour, to one address, to one domain, in all.

use crate::site::{CAROL, Site};

fn desk(caps: &str) -> Site {
    Site::linking_by(&format!("wake = false\ntransport = \"file\"\n{caps}"))
}

fn recipients(desk: &Site) -> Vec<String> {
    let texts = desk.files().into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.map(|text| text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().to_owned()).collect()
}

/// An hour passes: there is room again, and what waits is due.
fn an_hour_later(desk: &Site) {
    desk.sql("UPDATE sent SET sent_at = sent_at - 3601");
    desk.later();
}

#[test]
fn over_the_cap_of_an_address_the_newest_waits() {
    let desk = desk("per_address = 2\n");
    desk.mails_of_carol(&["1@x.test", "2@x.test", "3@x.test", "4@x.test", "5@x.test"]);
    desk.mail_from("dave@corp.test", "6@x.test");
    let newest = desk.secrets()[4].clone();
    assert_eq!((desk.notify(), desk.orders()), (0, 1), "{}", desk.log());
    assert_eq!(recipients(&desk), [CAROL, CAROL, "dave@corp.test"]);
    desk.logged(&["waits until", "mail.per_address is reached", "2 older ones"]);
    let wait: i64 = desk.ask("SELECT due_at - CAST(strftime('%s') AS INTEGER) FROM outbox").parse().unwrap();
    assert!((3500..=3600).contains(&wait), "{wait}");
    let states = desk.ask("SELECT GROUP_CONCAT(state) FROM (SELECT state FROM token ORDER BY id)");
    assert_eq!(states, "active,active,revoked,revoked,active,active", "nobody has a merged one's secret");
    // However the address is written, there is no room before.
    desk.sql("UPDATE customer_user SET email = 'Carol@CORP.test' WHERE login = 'carol@corp.test'");
    desk.sql("UPDATE outbox SET recipient = 'Carol@CORP.test'; UPDATE token SET email = 'Carol@CORP.test'");
    desk.later();
    assert_eq!((desk.notify(), desk.orders(), desk.files().len()), (0, 1, 3), "{}", desk.log());
    an_hour_later(&desk);
    assert_eq!((desk.notify(), desk.orders(), desk.files().len()), (0, 0, 4), "{}", desk.log());
    assert_eq!(desk.last().token(), newest);
    assert_eq!(desk.json(0, &["redeem", &newest])["answer"], "valid");
    assert_eq!(desk.count("sent"), 1, "what is older than an hour is forgotten");
}

#[test]
fn a_flood_in_a_customers_name_leaves_them_links() {
    let desk = desk("per_address = 2\n");
    for hour in 0..4 {
        let ids: Vec<String> = (0..6).map(|number| format!("{hour}.{number}@x.test")).collect();
        desk.mails_of_carol(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        let before = desk.files().len();
        assert_eq!(desk.notify(), 0);
        assert_eq!((desk.orders(), desk.files().len()), (1, before + 2), "hour {hour}: {}", desk.log());
        an_hour_later(&desk);
    }
    assert_eq!((desk.notify(), desk.orders(), desk.files().len()), (0, 0, 9), "{}", desk.log());
    assert!(!desk.log().contains("given up"), "{}", desk.log());
}

#[test]
fn a_merged_order_keeps_its_place_in_the_queue() {
    let desk = desk("per_address = 1\n");
    desk.mails_of_carol(&["1@x.test", "2@x.test"]);
    desk.notify();
    let place = desk.ask("SELECT id FROM outbox");
    desk.mails_of_carol(&["3@x.test"]);
    let newest = desk.secrets()[1].clone();
    desk.notify();
    assert_eq!((desk.ask("SELECT id FROM outbox"), desk.secrets()), (place, vec![newest]));
}

#[test]
fn a_mail_not_yet_taken_takes_no_others_place() {
    let desk = desk("per_address = 1\n");
    desk.mails_of_carol(&["1@x.test", "2@x.test", "3@x.test"]);
    // As `otab deliver` leaves it while its command is at work.
    desk.sql("UPDATE token SET state = 'pending' WHERE id = 3");
    desk.sql("UPDATE token SET created_at = created_at + 60 WHERE id = 3");
    desk.sql("UPDATE outbox SET due_at = CAST(strftime('%s') AS INTEGER) + 3600 WHERE id = 3");
    assert_eq!((desk.notify(), desk.orders()), (0, 2), "{}", desk.log());
    assert_eq!(desk.ask("SELECT GROUP_CONCAT(token_id) FROM (SELECT token_id FROM outbox ORDER BY id)"), "2,3");
}

#[test]
fn of_one_customer_no_flood_waits_for_a_busy_domain() {
    let desk = desk("per_address = 2\nper_domain = 1\n");
    desk.mail_from("dave@corp.test", "0@x.test");
    for number in 1..7 {
        desk.mails_of_carol(&[&format!("{number}@x.test")]);
    }
    let secrets = desk.secrets();
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 1, 2), "{}", desk.log());
    assert_eq!(desk.secrets(), secrets[5..], "the newest wait");
    assert_eq!(desk.ask("SELECT MIN(id) FROM outbox"), "2", "in the places of the oldest");
}

#[test]
fn over_the_cap_of_a_domain_or_all_mails_wait() {
    for (cap, sent_at_once) in [("per_domain = 2\n", 3), ("per_hour = 2\n", 2)] {
        let desk = desk(cap);
        for (number, address) in ["a@corp.test", "b@corp.test", "c@CORP.test", "d@other.test"].iter().enumerate() {
            desk.mail_from(address, &format!("{number}@x.test"));
        }
        assert_eq!(desk.notify(), 0);
        assert_eq!(desk.files().len(), sent_at_once, "{cap}: {}", desk.log());
        desk.logged(&["wait until", "the caps are reached"]);
        let wait: i64 = desk.ask("SELECT MAX(due_at) - CAST(strftime('%s') AS INTEGER) FROM outbox").parse().unwrap();
        assert!((3500..=3600).contains(&wait), "{wait}");
        // Trying before the hour is over changes nothing.
        desk.later();
        assert_eq!((desk.notify(), desk.files().len()), (0, sent_at_once));
        desk.sql("UPDATE sent SET sent_at = sent_at - 3601");
        desk.later();
        assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 4, 0), "{cap}: {}", desk.log());
    }
}

#[test]
fn a_flood_over_the_caps_waits_and_one_line_says_so() {
    for (cap, sent) in [("per_domain = 1\n", 2), ("per_hour = 1\n", 1)] {
        let desk = desk(cap);
        for number in 0..6 {
            desk.mail_from(&format!("{number}@corp.test"), &format!("{number}@x.test"));
        }
        desk.mail_from("dave@other.test", "7@x.test");
        assert_eq!((desk.notify(), desk.files().len()), (0, sent), "{cap}: {}", desk.log());
        assert_eq!(desk.log().matches("the caps are reached").count(), 1, "{cap}: {}", desk.log());
        assert_eq!(desk.ask("SELECT COUNT(DISTINCT due_at) FROM outbox"), "1");
    }
}

#[test]
fn what_stands_behind_a_plus_makes_no_second_mailbox() {
    let desk = desk("per_address = 2\n");
    for number in 0..9 {
        desk.mail_from(&format!("victim+{number}@corp.test"), &format!("{number}@x.test"));
    }
    desk.mail_from("victim@corp.test", "own@x.test");
    assert_eq!((desk.notify(), desk.files().len()), (0, 2), "{}", desk.log());
    // As many others wait as may get a mail in an hour, and the mailbox's own address whatever they are.
    let waiting = desk.ask("SELECT GROUP_CONCAT(recipient) FROM (SELECT recipient FROM outbox ORDER BY id)");
    assert_eq!(waiting, "victim+2@corp.test,victim+3@corp.test,victim@corp.test", "{}", desk.log());
    desk.logged(&["not sent: mail.per_address is reached, and too many others wait"]);
}

#[test]
fn an_order_without_room_is_given_up_in_the_end() {
    let desk = desk("per_hour = 1\ngive_up_hours = 2\n");
    desk.mails_of_carol(&["1@x.test", "2@x.test"]);
    desk.sql("UPDATE outbox SET created_at = created_at - 3700 WHERE id = 2");
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 1, 0), "{}", desk.log());
    desk.logged(&["link mail 2: given up: the caps left no room"]);
}

#[test]
fn zero_is_any_number() {
    let desk = desk("per_address = 0\nper_domain = 0\nper_hour = 0\n");
    for number in 0..12 {
        desk.mails_of_carol(&[&format!("{number}@x.test")]);
    }
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 12, 0));
}

#[test]
fn a_wrong_clock_stops_no_sender_and_no_mail() {
    let desk = desk("per_hour = 1\n");
    desk.mails_of_carol(&["1@x.test"]);
    desk.sql("INSERT INTO sent VALUES ('x@y.test', 'y.test', 4102444800)");
    desk.sql("INSERT INTO worker VALUES ('outbox', 'somebody', 4102444800)");
    desk.sql("UPDATE outbox SET due_at = due_at + 86400");
    assert_eq!((desk.notify(), desk.files().len()), (0, 1), "{}", desk.log());
    assert_eq!((desk.count("sent"), desk.count("worker")), (1, 0));
}

#[test]
fn purge_forgets_recipients_and_orders_of_its_tokens() {
    let desk = desk("");
    desk.mails_of_carol(&["1@x.test"]);
    desk.notify();
    desk.mails_of_carol(&["2@x.test"]);
    desk.ends(0, &["purge"]);
    assert_eq!((desk.count("sent"), desk.orders()), (1, 1));
    desk.sql("UPDATE sent SET sent_at = sent_at - 3601; UPDATE token SET created_at = 0, changed_at = 0");
    desk.ends(0, &["purge", "--dry-run"]);
    assert_eq!((desk.count("sent"), desk.orders()), (1, 1));
    desk.ends(0, &["purge"]);
    assert_eq!((desk.count("sent"), desk.orders(), desk.count("token")), (0, 0, 0));
}
