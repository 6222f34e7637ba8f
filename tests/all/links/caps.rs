//! The caps on link mails: within an hour, to one address, to one domain, in all.

use super::{CAROL, Desk};

fn desk(caps: &str) -> Desk {
    Desk::with(&format!("wake = false\ntransport = \"file\"\n{caps}"))
}

fn recipients(desk: &Desk) -> Vec<String> {
    let texts = desk.files().into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    texts.map(|text| text.lines().find_map(|line| line.strip_prefix("To: ")).unwrap().to_owned()).collect()
}

#[test]
fn more_link_mails_to_one_address_than_allowed_are_not_sent_at_all() {
    let desk = desk("per_address = 2\n");
    desk.mails_of_carol(&["1@x.test", "2@x.test", "3@x.test"]);
    desk.mail_from("dave@corp.test", "4@x.test");
    assert_eq!((desk.notify(), desk.orders()), (0, 0));
    assert_eq!(recipients(&desk), [CAROL, CAROL, "dave@corp.test"]);
    desk.logged(&["link mail 3: not sent: mail.per_address"]);
    // However the address is written.
    desk.sql("UPDATE customer_user SET email = 'Carol@CORP.test' WHERE login = 'carol@corp.test'");
    desk.mails_of_carol(&["5@x.test"]);
    assert_eq!((desk.notify(), desk.orders(), desk.files().len()), (0, 0, 3), "{}", desk.log());
    // An hour later there is room again.
    desk.sql("UPDATE sent SET sent_at = sent_at - 3601");
    desk.mails_of_carol(&["6@x.test"]);
    assert_eq!((desk.notify(), desk.files().len()), (0, 4));
    assert_eq!(desk.site.count("sent"), 1, "what is older than an hour is forgotten");
}

#[test]
fn over_the_cap_of_a_domain_or_of_all_link_mails_wait_and_go_out_later() {
    for (cap, sent_at_once) in [("per_domain = 2\n", 3), ("per_hour = 2\n", 2)] {
        let desk = desk(cap);
        for (number, address) in ["a@corp.test", "b@corp.test", "c@CORP.test", "d@other.test"].iter().enumerate() {
            desk.mail_from(address, &format!("{number}@x.test"));
        }
        assert_eq!(desk.notify(), 0);
        assert_eq!(desk.files().len(), sent_at_once, "{cap}: {}", desk.log());
        desk.logged(&["waits until", "the caps are reached"]);
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
fn an_order_that_the_caps_leave_no_room_for_is_given_up_in_the_end() {
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
fn a_clock_that_was_wrong_keeps_nobody_from_work_and_no_mail_from_going_out() {
    let desk = desk("per_hour = 1\n");
    desk.mails_of_carol(&["1@x.test"]);
    desk.sql("INSERT INTO sent VALUES ('x@y.test', 'y.test', 4102444800)");
    desk.sql("INSERT INTO worker VALUES ('outbox', 'somebody', 4102444800)");
    assert_eq!((desk.notify(), desk.files().len()), (0, 1), "{}", desk.log());
    assert_eq!((desk.site.count("sent"), desk.site.count("worker")), (1, 0));
}

#[test]
fn purge_forgets_whom_mails_went_to_and_takes_the_orders_of_its_tokens_with_it() {
    let desk = desk("");
    desk.mails_of_carol(&["1@x.test"]);
    desk.notify();
    desk.mails_of_carol(&["2@x.test"]);
    desk.ends(0, &["purge"]);
    assert_eq!((desk.site.count("sent"), desk.orders()), (1, 1));
    desk.sql("UPDATE sent SET sent_at = sent_at - 3601; UPDATE token SET created_at = 0, changed_at = 0");
    desk.ends(0, &["purge", "--dry-run"]);
    assert_eq!((desk.site.count("sent"), desk.orders()), (1, 1));
    desk.ends(0, &["purge"]);
    assert_eq!((desk.site.count("sent"), desk.orders(), desk.site.count("token")), (0, 0, 0));
}
