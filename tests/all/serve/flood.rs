//! Each part has connections and threads of its own: one that is flooded stops no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use otab::link::compose::Ready;
use otab::link::transport::{Security, Smtp, Transport};

use crate::door::{Door, OWN, closed};
use crate::links::peer::{Event, Peer, Reply};
use crate::setups::wait_for;
use crate::site::CAROL;

/// More than the portal takes at once.
const CONNECTIONS: usize = 600;

/// Ends the flood.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn a_flooded_portal_leaves_the_worker_its_link_mails() {
    let desk = closed("notify = true\nrequests_per_minute = 0\nwrong_tokens_per_hour = 0\n");
    desk.mail_from("first@corp.test", "0@corp.test");
    let door = Door::of(desk);
    wait_for(&door.desk.path("otab.log"), "link mail 1: sent to", 1);
    let (is_over, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        // Also where an assertion fails: else the others would go on for ever.
        let _over = Over(&is_over);
        for number in 0..32 {
            let (door, is_over, answered) = (&door, &is_over, &answered);
            scope.spawn(move || {
                while !is_over.load(Ordering::SeqCst) {
                    let path = if number % 2 == 0 { "/healthz" } else { "/t/abcdefghijklmnopqrstuv" };
                    door.get(path);
                    answered.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        // Half of a request each, in all places that there are, and in the queue behind them.
        let idle: Vec<_> = (0..CONNECTIONS).map(|_| door.client.connect()).collect();
        door.desk.mails_of_carol(&["1@corp.test"]);
        wait_for(&door.desk.path("otab.log"), "sent to", 2);
        drop(idle);
    });
    assert!(answered.load(Ordering::SeqCst) > 32);
    assert_eq!(door.desk.orders(), 0);
}

#[test]
fn a_flooded_worker_leaves_the_portal_its_visitors() {
    let peer = Peer::start(|_, _| Reply::Hang);
    let desk = closed("notify = true\nrequests_per_minute = 0\n");
    let smtp =
        format!("per_address = 0\ntransport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"", peer.port);
    desk.configure("transport = \"file\"", &smtp);
    let ids: Vec<String> = (0..50).map(|number| format!("{number}@corp.test")).collect();
    desk.mails_of_carol(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    desk.ends(0, &["ticket", "add", "1", "--customer", CAROL]);
    let door = Door::of(desk);
    peer.wait_for(&Event::Open);
    let start = Instant::now();
    for _ in 0..20 {
        let path = door.link_of("1", CAROL);
        assert_eq!(door.get(&path).status, 200);
        assert_eq!(door.client.ask("POST", &path, &[OWN], b"do=open").status, 303);
    }
    // The mail server has said nothing until now, and the worker waits for it.
    assert!(start.elapsed() < Duration::from_secs(25), "{:?}", start.elapsed());
    assert!(!door.desk.log().contains("tried again"), "{}", door.desk.log());
    assert_eq!(door.sessions(), 20);
}

#[test]
fn few_tries_hang_at_a_mail_server_that_drips() {
    let peer = Peer::start(|_, _| Reply::Drip);
    let server = Smtp {
        host: "127.0.0.1".to_owned(),
        port: peer.port,
        security: Security::None,
        ca_file: None,
        login: None,
        tries: Arc::default(),
    };
    let (tries, transport) = (Arc::clone(&server.tries), Transport::Smtp(Box::new(server)));
    let mail = Ready { recipient: CAROL.parse().unwrap(), bytes: b"Subject: x\r\n\r\nx\r\n".to_vec() };
    let said: Vec<String> =
        (0..20).map(|_| transport.send(&mail, &[], Duration::from_millis(600)).unwrap_err().what).collect();
    assert!(said[0].contains("has not finished within"), "{said:?}");
    assert!(said[4..].iter().all(|what| what.contains("earlier tries still hang")), "{said:?}");
    // The test's own, the transport's, and the tries'.
    assert!(Arc::strong_count(&tries) <= 6);
}
