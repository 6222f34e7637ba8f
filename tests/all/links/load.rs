//! Many orders at once: how long they take, and whether the mails that come in meanwhile have to wait. 500 with
//! `./run-tests --long`, else fewer, so that they take no time from the tests beside them.

use std::time::{Duration, Instant};

use super::postfix::office;
use crate::site::{Ended, Site, mail_from};

fn orders() -> usize {
    if std::env::var_os("OTAB_LONG").is_some() { 500 } else { 60 }
}

const FILTERS: usize = 20;

/// As many orders of carol's.
fn with_orders(desk: &Site) {
    desk.mails_of_carol(&["0@corp.test"]);
    let mut store = desk.database();
    let tx = store.transaction().unwrap();
    for number in 1..orders() {
        let address = format!("c{number}@corp.test");
        // All bring the first one's token: what they cost is the same.
        tx.execute(
            "INSERT INTO outbox (token_id, secret, recipient, customer, backend, occasion, message_id, created_at, due_at) \
             SELECT token_id, secret, recipient, customer, backend, occasion, ?1, created_at, due_at FROM outbox WHERE id = 1",
            [format!("<{address}>")],
        )
        .unwrap();
    }
    tx.commit().unwrap();
}

fn measure(desk: &Site, what: &str) {
    with_orders(desk);
    let start = Instant::now();
    let mut sender = desk.command(&["notify"]).spawn().unwrap();
    let mut slowest = Duration::ZERO;
    for number in 0..FILTERS {
        let began = Instant::now();
        desk.filter(&mail_from("dave@corp.test", &format!("{number}@dave.test"))).ends(0);
        slowest = slowest.max(began.elapsed());
    }
    assert!(sender.wait().unwrap().success(), "{}", desk.log());
    let elapsed = start.elapsed();
    let orders = orders();
    eprintln!("{orders} link mails {what}: {elapsed:?}; the slowest of {FILTERS} filters beside it: {slowest:?}");
    assert_eq!(desk.notify(), 0);
    assert_eq!(desk.orders(), 0, "{}", desk.log());
}

const ANY: &str = "per_address = 0\nper_domain = 0\nper_hour = 0\n";

#[test]
fn many_link_mails_into_a_folder_lock_no_filter_out() {
    let desk = Site::linking_by(&format!("wake = false\ntransport = \"file\"\n{ANY}"));
    measure(&desk, "into a folder");
    assert_eq!(desk.files().len(), orders() + FILTERS);
}

#[test]
fn many_link_mails_to_a_postfix_lock_no_filter_out() {
    let office = office(|_| String::new());
    let desk = Site::linking_to(office.postfix.port, ANY);
    measure(&desk, "to a Postfix");
    office.wait_for_mails(orders() + FILTERS);
}
