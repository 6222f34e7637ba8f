//! Senders that are killed, and many at once: no mail is lost, and none goes out twice but where the sender died
//! between the server's yes and the note of it.

use std::process::Child;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::peer::{Event, Peer, Reply};
use crate::site::{Ended, Read, Site};

/// The Message-IDs and links of what the peer got.
fn copies(peer: &Peer) -> Vec<(String, String)> {
    let read = |mail: &str| Read::new(mail.as_bytes());
    peer.got()
        .iter()
        .map(|got| read(&got.mail))
        .map(|mail| (mail.field("Message-ID").into(), mail.link().into()))
        .collect()
}

#[test]
fn a_sender_dead_before_or_after_the_yes_repeats() {
    for (place, expected) in [("sending", 1), ("sent", 2)] {
        let peer = Peer::start(|_, _| Reply::Usual);
        let desk = Site::linking_to(peer.port, "");
        desk.mails_of_carol(&["1@corp.test"]);
        desk.command(&["notify"]).env("OTAB_FAIL_AT", place).output().unwrap().ends(70);
        // Nobody takes the order from a sender that may still be alive.
        assert_eq!((desk.notify(), peer.got().len()), (0, expected - 1), "{place}");
        for _ in 0..3 {
            desk.later();
            assert_eq!((desk.notify(), desk.orders()), (0, 0), "{place}: {}", desk.log());
        }
        let mut copies = copies(&peer);
        assert_eq!(copies.len(), expected, "{place}");
        copies.dedup();
        assert_eq!(copies.len(), 1, "{place}: {copies:?}");
    }
}

/// A server that stops at each `end` until it is told to go on.
fn gated() -> (Peer, Sender<()>) {
    let (go, wait): (Sender<()>, Receiver<()>) = channel();
    let wait = Mutex::new(wait);
    let peer = Peer::start(move |stage, _| {
        if stage == "end" {
            let _ = wait.lock().unwrap().recv();
        }
        Reply::Usual
    });
    (peer, go)
}

#[test]
fn a_sender_killed_in_hand_makes_one_second_copy() {
    let (peer, go) = gated();
    let desk = Site::linking_to(peer.port, "");
    desk.mails_of_carol(&["1@corp.test"]);
    let mut sender = desk.command(&["notify"]).spawn().unwrap();
    peer.wait_for(&Event::Heard("DATA".into()));
    while peer.got().is_empty() {
        std::thread::yield_now();
    }
    sender.kill().unwrap();
    sender.wait().unwrap();
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!((desk.notify(), peer.got().len()), (0, 1), "its lease still holds");
    desk.later();
    assert_eq!((desk.notify(), desk.orders()), (0, 0));
    let copies = copies(&peer);
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0], copies[1]);
}

#[test]
fn while_one_sender_works_others_end_at_once() {
    let (peer, go) = gated();
    let desk = Site::linking_to(peer.port, "");
    desk.mails_of_carol(&["1@corp.test", "2@corp.test"]);
    let mut first = desk.command(&["notify"]).spawn().unwrap();
    peer.wait_for(&Event::Heard("DATA".into()));
    for _ in 0..3 {
        assert_eq!(desk.notify(), 0);
    }
    // An order that comes meanwhile is the first one's as well.
    desk.mails_of_carol(&["3@corp.test"]);
    for _ in 0..3 {
        go.send(()).unwrap();
    }
    assert!(first.wait().unwrap().success());
    assert_eq!((peer.got().len(), desk.orders()), (3, 0));
}

#[test]
fn ten_senders_at_once_send_each_mail_once() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "per_address = 0\n");
    for number in 0..30 {
        desk.mails_of_carol(&[&format!("{number}@corp.test")]);
    }
    let senders: Vec<Child> = (0..10).map(|_| desk.command(&["notify"]).spawn().unwrap()).collect();
    for mut sender in senders {
        assert!(sender.wait().unwrap().success());
    }
    let mut ids: Vec<String> = copies(&peer).into_iter().map(|(id, _)| id).collect();
    assert_eq!((ids.len(), desk.orders()), (30, 0), "{}", desk.log());
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 30);
}

#[test]
fn killed_senders_lose_nothing_and_double_one_mail() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "per_address = 0\n");
    for number in 0..20 {
        desk.mails_of_carol(&[&format!("{number}@corp.test")]);
    }
    let mut kills = 0;
    while desk.orders() > 0 {
        desk.later();
        peer.forget_events();
        let mut sender = desk.command(&["notify"]).spawn().unwrap();
        // Killed when the server hears of it, somewhat later each time.
        let moments = [Event::Open, Event::Heard("DATA".into()), Event::Heard("QUIT".into()), Event::Closed];
        peer.wait_for(&moments[kills % 4]);
        for _ in 0..kills * 10_007 {
            std::hint::spin_loop();
        }
        let _ = sender.kill();
        sender.wait().unwrap();
        kills += 1;
    }
    let copies = copies(&peer);
    let mut ids: Vec<&String> = copies.iter().map(|(id, _)| id).collect();
    ids.sort();
    ids.dedup();
    let doubles = copies.len() - ids.len();
    eprintln!("{kills} kills, {doubles} second copies");
    assert_eq!(ids.len(), 20);
    assert!(doubles <= kills);
}

#[test]
fn a_note_that_meets_a_lock_is_made_later() {
    let (peer, go) = gated();
    let desk = Site::linking_to(peer.port, "");
    desk.mails_of_carol(&["1@corp.test"]);
    let mut sender = desk.command(&["notify"]).spawn().unwrap();
    peer.wait_for(&Event::Heard("DATA".into()));
    let other = desk.database();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    go.send(()).unwrap();
    peer.wait_for(&Event::Heard("QUIT".into()));
    other.execute_batch("COMMIT").unwrap();
    assert!(sender.wait().unwrap().success());
    assert_eq!((peer.got().len(), desk.orders()), (1, 0), "{}", desk.log());
}

#[test]
fn watch_sends_by_a_new_process_and_survives_outages() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "");
    desk.mails_of_carol(&["1@corp.test"]);
    let mut watch = desk.command(&["notify", "--watch"]).spawn().unwrap();
    peer.wait_for(&Event::Heard("QUIT".into()));
    let parent = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit(')').next().unwrap().split_whitespace().nth(1).map(str::to_owned)
    };
    assert_eq!(parent(watch.id()), Some(std::process::id().to_string()));
    assert!(watch.try_wait().unwrap().is_none(), "it goes on");
    watch.kill().unwrap();
    watch.wait().unwrap();
    let sender = desk.log().lines().find(|line| line.contains("sent to")).unwrap_or_default().to_owned();
    assert!(!sender.contains(&format!("[{}]", watch.id())), "{sender}");
}
