//! SIGTERM: what is under way has `limits.stop_seconds`, and no longer.

use std::io::Write;

use crate::door::{BASE, Door, Serving, closed};
use crate::links::peer::{Event, Peer, Reply};

#[test]
fn what_does_not_finish_in_time_is_cut_off_and_logged() {
    let mut door = Door::with("[limits]\nstop_seconds = 1\n");
    let mut stream = door.client.connect();
    let head = format!("POST /t/never HTTP/1.1\r\nHost: h\r\nOrigin: {BASE}\r\nContent-Length: 7\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    assert_eq!(door.get("/healthz").status, 200);
    door.serving.signal("TERM");
    assert_eq!(door.serving.word(), "STOPPING=1\n");
    assert_eq!(door.serving.status(), Some(0));
    door.desk.logged(&["serve: cut off after 1 seconds: the portal's connections, 1 of the proxy's"]);
    door.desk.logged(&["serve: ended"]);
    // What was finished is whole, and the store is closed.
    assert!(!door.desk.path("otab.db-wal").exists());
}

#[test]
fn a_link_mail_that_hangs_is_cut_off_and_stays_due() {
    let peer = Peer::start(|_, _| Reply::Hang);
    let desk = closed("notify = true\n[limits]\nstop_seconds = 1\n");
    let smtp = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"", peer.port);
    desk.configure("transport = \"file\"", &smtp);
    desk.mails_of_carol(&["1@corp.test", "2@corp.test"]);
    let mut serving = Serving::start(&desk, |_| {});
    peer.wait_for(&Event::Open);
    serving.signal("TERM");
    assert_eq!(serving.word(), "STOPPING=1\n");
    assert_eq!(serving.status(), Some(0));
    desk.logged(&["serve: cut off after 1 seconds: the worker's link mails"]);
    assert_eq!(desk.orders(), 2);
}

#[test]
fn a_link_mail_under_way_is_finished_no_other_begun() {
    let (go_on, told) = std::sync::mpsc::channel();
    let told = std::sync::Mutex::new(told);
    let peer = Peer::start(move |stage, _| {
        if stage == "end" {
            let _ = told.lock().unwrap().recv();
        }
        Reply::Usual
    });
    let desk = closed("notify = true\n");
    let smtp = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"", peer.port);
    desk.configure("transport = \"file\"", &smtp);
    desk.mails_of_carol(&["1@corp.test", "2@corp.test"]);
    let mut serving = Serving::start(&desk, |_| {});
    peer.wait_for(&Event::Heard("DATA".to_owned()));
    serving.signal("TERM");
    assert_eq!(serving.word(), "STOPPING=1\n");
    go_on.send(()).unwrap();
    assert_eq!(serving.status(), Some(0));
    assert_eq!((peer.got().len(), desk.orders()), (1, 1), "{}", desk.log());
    assert!(!desk.log().contains("cut off"), "{}", desk.log());
    // Others may work at once.
    assert_eq!(desk.ask("SELECT COUNT(*) FROM worker"), "0");
}
