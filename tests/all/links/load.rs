//! 500 orders at once: how long they take, and whether the mails that come in meanwhile have to wait.

use std::time::{Duration, Instant};

use super::postfix::office;
use super::{Desk, mail_from};

const ORDERS: usize = 500;
const FILTERS: usize = 20;

/// Orders for as many customers, as filters would have recorded them.
fn with_orders(desk: &Desk) {
    desk.mails_of_carol(&["0@corp.test"]);
    let mut store = desk.site.database();
    let tx = store.transaction().unwrap();
    for number in 1..ORDERS {
        let address = format!("c{number}@corp.test");
        // SHA-256 of the secrets is nobody's business here: each order has the first one's.
        tx.execute(
            "INSERT INTO outbox (token_id, secret, recipient, customer, backend, occasion, message_id, created_at, due_at) \
             SELECT token_id, secret, recipient, customer, backend, occasion, ?1, created_at, due_at FROM outbox WHERE id = 1",
            [format!("<{address}>")],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

fn measure(desk: &Desk, what: &str) {
    with_orders(desk);
    let start = Instant::now();
    let mut sender = desk.command(&["notify"]).spawn().unwrap();
    let mut slowest = Duration::ZERO;
    for number in 0..FILTERS {
        let began = Instant::now();
        let output = desk.filter(&mail_from("dave@corp.test", &format!("{number}@dave.test")));
        assert!(output.status.success(), "{output:?}");
        slowest = slowest.max(began.elapsed());
    }
    assert!(sender.wait().unwrap().success(), "{}", desk.log());
    let elapsed = start.elapsed();
    eprintln!("{ORDERS} link mails {what}: {elapsed:?}; the slowest of {FILTERS} filters beside it: {slowest:?}");
    assert_eq!(desk.notify(), 0);
    assert_eq!(desk.orders(), 0, "{}", desk.log());
}

const ANY: &str = "per_address = 0\nper_domain = 0\nper_hour = 0\n";

#[test]
fn five_hundred_link_mails_into_a_folder_lock_no_filter_out() {
    let desk = Desk::with(&format!("wake = false\ntransport = \"file\"\n{ANY}"));
    measure(&desk, "into a folder");
    assert_eq!(desk.files().len(), ORDERS + FILTERS);
}

#[test]
fn five_hundred_link_mails_to_a_postfix_lock_no_filter_out() {
    let office = office(|_| String::new());
    let desk = Desk::smtp(office.postfix.port, ANY);
    measure(&desk, "to a Postfix");
    office.wait_for_mails(ORDERS + FILTERS);
}
