//! Mail servers that refuse, hang, drip, and drop the connection, at each stage.

use std::time::{Duration, Instant};

use super::peer::{Got, Peer, Reply};
use crate::site::{CAROL, Read, Site};

/// The stages before a mail counts as taken.
const STAGES: [&str; 6] = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "end"];

/// Does this at one stage, while the mail is carol's or no mail's yet.
fn at(stage: &'static str, reply: Reply) -> impl Fn(&str, &Got) -> Reply {
    move |now, mail| if now == stage && (mail.to.is_empty() || mail.to.contains(CAROL)) { reply } else { Reply::Usual }
}

/// Two orders, carol's first.
fn two_orders(desk: &Site) {
    desk.mails_of_carol(&["1@corp.test"]);
    desk.mail_from("dave@corp.test", "2@corp.test");
    desk.sql("UPDATE outbox SET due_at = 0 WHERE recipient LIKE 'carol%'");
}

/// How long carol's order waits now, in seconds; its tries.
fn pause(desk: &Site) -> (i64, i64) {
    let pause = desk.ask("SELECT due_at - CAST(strftime('%s') AS INTEGER) FROM outbox WHERE recipient LIKE 'carol%'");
    let tries = desk.ask("SELECT tries FROM outbox WHERE recipient LIKE 'carol%'");
    (pause.parse().unwrap(), tries.parse().unwrap())
}

fn recipients(peer: &Peer) -> Vec<String> {
    peer.got().into_iter().map(|got| got.to).collect()
}

#[test]
fn a_good_server_gets_the_mail_once_from_nobody() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "");
    let secret = desk.carols_link();
    let got = peer.got();
    assert_eq!(got.len(), 1);
    assert_eq!((got[0].from.as_str(), got[0].to.as_str()), ("FROM:<>", "TO:<carol@corp.test>"));
    let mail = Read::new(got[0].mail.as_bytes());
    assert_eq!((mail.token(), mail.field("To")), (secret.as_str(), CAROL));
    assert_eq!(desk.notify(), 0);
    assert_eq!((peer.got().len(), desk.orders()), (1, 0));
}

#[test]
fn a_4yz_ends_the_pass_unless_it_concerns_the_mail() {
    for stage in STAGES {
        let peer = Peer::start(at(stage, Reply::Say("451 4.3.0 come again")));
        let desk = Site::linking_to(peer.port, "");
        two_orders(&desk);
        let is_about_the_mail = ["RCPT", "DATA", "end"].contains(&stage);
        assert_eq!(desk.notify(), if is_about_the_mail { 0 } else { 75 }, "{stage}: {}", desk.log());
        assert_eq!(desk.orders(), if is_about_the_mail { 1 } else { 2 }, "{stage}: {}", desk.log());
        desk.logged(&["link mail 1: tried again at", "451", "come again"]);
        let (seconds, tries) = pause(&desk);
        assert!((50..=60).contains(&seconds) && tries == 1, "{stage}: {seconds} s, {tries} tries");
        desk.sql("UPDATE outbox SET due_at = 0 WHERE recipient LIKE 'carol%'");
        desk.notify();
        let (seconds, tries) = pause(&desk);
        assert!((110..=120).contains(&seconds) && tries == 2, "{stage}: {seconds} s, {tries} tries");
        assert!(desk.ask("SELECT last_error FROM outbox WHERE id = 1").contains("451"));
    }
}

#[test]
fn a_5yz_is_final_only_for_the_mail_itself() {
    for stage in STAGES {
        let peer = Peer::start(at(stage, Reply::Say("554 5.7.1 go away")));
        let desk = Site::linking_to(peer.port, "");
        two_orders(&desk);
        let is_about_the_mail = ["RCPT", "DATA", "end"].contains(&stage);
        assert_eq!(desk.notify(), if is_about_the_mail { 0 } else { 75 }, "{stage}: {}", desk.log());
        assert_eq!(desk.orders(), if is_about_the_mail { 0 } else { 2 }, "{stage}: {}", desk.log());
        let verdict = if is_about_the_mail { "not sent" } else { "tried again" };
        desk.logged(&["link mail 1", verdict, "554", "go away"]);
        let daves = recipients(&peer).iter().filter(|to| to.contains("dave")).count();
        assert_eq!(daves, usize::from(is_about_the_mail), "{stage}");
    }
}

#[test]
fn a_server_that_closes_ends_the_pass_at_each_stage() {
    for stage in STAGES {
        let peer = Peer::start(at(stage, Reply::Say("421 closing")));
        let desk = Site::linking_to(peer.port, "");
        two_orders(&desk);
        assert_eq!((desk.notify(), desk.orders()), (75, 2), "{stage}: {}", desk.log());
        desk.logged(&["link mail 1: tried again", "421"]);
    }
}

#[test]
fn a_slow_server_holds_the_sender_for_its_limit_only() {
    for reply in [Reply::Hang, Reply::Drip, Reply::Close] {
        for stage in STAGES {
            let peer = Peer::start(at(stage, reply));
            let desk = Site::linking_to(peer.port, "timeout = 1\n");
            two_orders(&desk);
            let start = Instant::now();
            assert_eq!((desk.notify(), desk.orders()), (75, 2), "{stage}: {}", desk.log());
            assert!(start.elapsed() < Duration::from_secs(6), "{stage}: {:?}", start.elapsed());
            desk.logged(&["link mail 1: tried again"]);
            assert_eq!(desk.count("worker"), 0, "others may work");
        }
    }
}

#[test]
fn a_server_that_hangs_at_quit_has_taken_the_mail() {
    let peer = Peer::start(at("QUIT", Reply::Hang));
    let desk = Site::linking_to(peer.port, "timeout = 1\n");
    two_orders(&desk);
    assert_eq!((desk.notify(), desk.orders()), (0, 0), "{}", desk.log());
    assert_eq!(peer.got().len(), 2);
}

/// RFC 1047: the server has the mail, and otab cannot know it.
#[test]
fn a_lost_answer_makes_one_copy_of_the_same_id() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let peer = Peer::start(move |stage, _| match stage {
        "end" if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => Reply::Close,
        _ => Reply::Usual,
    });
    let desk = Site::linking_to(peer.port, "");
    desk.mails_of_carol(&["1@corp.test"]);
    assert_eq!((desk.notify(), desk.orders()), (75, 1));
    desk.later();
    assert_eq!((desk.notify(), desk.orders()), (0, 0));
    desk.later();
    assert_eq!(desk.notify(), 0);
    let copies: Vec<Read> = peer.got().iter().map(|got| Read::new(got.mail.as_bytes())).collect();
    assert_eq!(copies.len(), 2);
    assert_eq!(copies[0].field("Message-ID"), copies[1].field("Message-ID"));
    assert_eq!(copies[0].link(), copies[1].link());
}

/// A server that needs longer than `mail.timeout` for its yes has the mail each time.
#[test]
fn a_server_that_never_answers_gets_three_copies() {
    for reply in [Reply::Hang, Reply::Close] {
        let peer = Peer::start(at("end", reply));
        let desk = Site::linking_to(peer.port, "timeout = 2\n");
        desk.mails_of_carol(&["1@corp.test"]);
        for copies in 1..3 {
            assert_eq!((desk.notify(), desk.orders(), peer.got().len()), (75, 1, copies), "{}", desk.log());
            let (seconds, _) = pause(&desk);
            assert!((3500..=3600).contains(&seconds), "{seconds}");
            desk.later();
        }
        assert_eq!((desk.notify(), desk.orders(), peer.got().len()), (75, 0, 3));
        desk.logged(&["the mail server may have it"]);
        desk.logged(&["not sent: given up, 3 copies went out without an answer"]);
    }
}

#[test]
fn an_order_whose_senders_all_died_is_given_up() {
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "give_up_hours = 2\n");
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql("UPDATE outbox SET created_at = created_at - 7201, tries = 5");
    assert_eq!((desk.notify(), desk.orders(), peer.got().len()), (0, 0, 0));
    desk.logged(&["link mail 1: given up: mail.give_up_hours"]);
    // One that was ordered long ago and never tried, since there was no transport, goes out.
    desk.mails_of_carol(&["2@corp.test"]);
    desk.sql("UPDATE outbox SET created_at = created_at - 7201");
    assert_eq!((desk.notify(), desk.orders(), peer.got().len()), (0, 0, 1));
}

#[test]
fn a_go_on_is_no_yes_to_a_mail() {
    let peer = Peer::start(at("end", Reply::Say("354 more")));
    let desk = Site::linking_to(peer.port, "timeout = 1\n");
    desk.mails_of_carol(&["1@corp.test"]);
    assert_eq!((desk.notify(), desk.orders()), (75, 1));
}

#[test]
fn a_server_that_is_away_leaves_everything_waiting() {
    let desk = Site::linking_to(crate::setups::free_port(), "");
    two_orders(&desk);
    assert_eq!((desk.notify(), desk.orders()), (75, 2));
    desk.logged(&["link mail 1: tried again", "onnection"]);
    assert_eq!(pause(&desk).1, 1);
    assert_eq!(desk.ask("SELECT tries FROM outbox WHERE id = 2"), "0", "one is enough to see that");
}

#[test]
fn an_order_is_given_up_after_its_hours() {
    let desk = Site::linking_to(crate::setups::free_port(), "give_up_hours = 2\n");
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql("UPDATE outbox SET created_at = created_at - 7160");
    assert_eq!(desk.notify(), 75);
    desk.logged(&["link mail 1 to carol@corp.test: not sent: given up"]);
    assert_eq!((desk.orders(), desk.count("token")), (0, 1));
}

/// Else every older link would send the customer to the latest mail, which he has not got.
#[test]
fn after_a_link_mail_that_never_left_comes_a_new_one() {
    let peer = Peer::start(at("RCPT", Reply::Say("550 no")));
    let desk = Site::linking();
    let first = desk.carols_link();
    desk.json(0, &["redeem", &first]);
    desk.json(12, &["redeem", &first]);
    let smtp = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\n", peer.port);
    desk.configure("transport = \"file\"\n", &smtp);
    assert_eq!((desk.notify(), desk.orders(), peer.got().len()), (0, 0, 0), "{}", desk.log());
    desk.json(12, &["redeem", &first]);
    assert_eq!(desk.orders(), 1);
}

#[test]
fn a_link_mail_that_may_have_arrived_keeps_its_link() {
    let peer = Peer::start(at("end", Reply::Close));
    let desk = Site::linking_to(peer.port, "");
    let secret = desk.unsent_link();
    for _ in 0..3 {
        desk.notify();
        desk.later();
    }
    assert_eq!((desk.orders(), peer.got().len()), (0, 3));
    desk.json(0, &["redeem", &secret]);
    // Nor does a later refusal take the link back.
    let calls = std::sync::atomic::AtomicU32::new(0);
    let peer = Peer::start(move |stage, _| match stage {
        "end" => Reply::Close,
        "RCPT" if calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) > 0 => Reply::Say("550 no"),
        _ => Reply::Usual,
    });
    let desk = Site::linking_to(peer.port, "");
    let secret = desk.unsent_link();
    desk.notify();
    desk.later();
    desk.notify();
    assert_eq!((desk.orders(), peer.got().len()), (0, 1), "{}", desk.log());
    desk.json(0, &["redeem", &secret]);
}

#[test]
fn pauses_grow_to_an_hour() {
    let desk = Site::linking_to(crate::setups::free_port(), "");
    desk.mails_of_carol(&["1@corp.test"]);
    for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
        desk.later();
        desk.notify();
        let (seconds, _) = pause(&desk);
        assert!((minutes * 60 - 10..=minutes * 60).contains(&seconds), "{minutes}: {seconds}");
    }
}

#[test]
fn a_servers_words_are_logged_clean_without_the_link() {
    let desk = Site::linking_to(1, "");
    desk.mails_of_carol(&["1@corp.test"]);
    let secret = desk.secrets().remove(0);
    let text = format!("451 \u{1b}[31mspam: https://help.test/t/{} {}", secret.to_uppercase(), "x".repeat(900));
    let text: &'static str = Box::leak(text.into_boxed_str());
    let peer = Peer::start(at("end", Reply::Say(text)));
    desk.configure("port = 1\n", &format!("port = {}\n", peer.port));
    assert_eq!(desk.notify(), 0);
    desk.logged(&["tried again", "spam: https://help.test/t/…"]);
    let listed = desk.ends(0, &["outbox", "list"]) + &desk.ends(0, &["outbox", "list", "--json"]);
    for text in [listed, desk.log()] {
        assert!(text.contains("spam") && !text.to_lowercase().contains(&secret.to_lowercase()), "{text}");
        assert!(!text.contains('\u{1b}') && !text.contains(&"x".repeat(400)), "{text}");
    }
}

#[test]
fn smtputf8_is_asked_for_only_by_a_local_part() {
    for (address, is_needed) in [("jürgen@corp.test", true), ("carol@müller.test", false)] {
        for offered in ["250-SMTPUTF8\r\n250-8BITMIME\r\n", "250-8BITMIME\r\n"] {
            let peer = Peer::with_extensions(offered, |_, _| Reply::Usual);
            let desk = Site::linking_to(peer.port, "");
            desk.ends(0, &["customer", "add", CAROL]);
            desk.mails_of_carol(&["1@corp.test"]);
            // However such an address has come into the customer source.
            for table in ["customer_user SET", "token SET", "outbox SET"] {
                let column = if table.starts_with("outbox") { "recipient" } else { "email" };
                desk.sql(&format!("UPDATE {table} {column} = '{address}'"));
            }
            assert_eq!((desk.notify(), desk.orders()), (0, 0), "{}", desk.log());
            let has_it = offered.contains("SMTPUTF8");
            assert_eq!(peer.got().len(), usize::from(has_it || !is_needed), "{address}: {}", desk.log());
            if let Some(got) = peer.got().first() {
                assert_eq!(got.from.contains("SMTPUTF8"), is_needed, "{}", got.from);
                let to = if is_needed { "TO:<jürgen@corp.test>" } else { "TO:<carol@xn--mller-kva.test>" };
                assert_eq!(got.to, to);
            } else {
                desk.logged(&["not sent", "SMTPUTF8"]);
                assert!(!peer.heard_the_word("MAIL"));
            }
        }
    }
}

#[test]
fn the_password_goes_by_plain_or_login() {
    // "user" and "correct horse", by RFC 4616 and by LOGIN.
    let plain = "AUTH PLAIN AHVzZXIAY29ycmVjdCBob3JzZQ==";
    for (offered, expected) in [
        ("250-AUTH PLAIN LOGIN\r\n", vec![plain]),
        ("250-AUTH LOGIN\r\n", vec!["AUTH LOGIN", "dXNlcg==", "Y29ycmVjdCBob3JzZQ=="]),
    ] {
        let others = std::sync::atomic::AtomicU32::new(0);
        let peer = Peer::with_extensions(offered, move |stage, _| match stage {
            "AUTH" if !offered.contains("PLAIN") => Reply::Say("334 VXNlcm5hbWU6"),
            "other" if others.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0 => Reply::Say("334 UGFzc3dvcmQ6"),
            "other" => Reply::Say("235 welcome"),
            _ => Reply::Usual,
        });
        let desk = Site::linking_to(peer.port, "user = \"user\"\npassword_file = \"smtp.secret\"\n");
        desk.write("smtp.secret", "correct horse\n");
        desk.carols_link();
        assert_eq!(peer.got().len(), 1, "{}", desk.log());
        let heard = peer.heard();
        for line in expected {
            assert!(heard.iter().any(|heard| heard == line), "{line}: {heard:?}");
        }
    }
}

#[test]
fn a_refused_login_keeps_orders_and_the_secret() {
    for refusal in ["535 5.7.8 no", "454 4.7.0 not now", "504 no such thing"] {
        let peer = Peer::with_extensions("250-AUTH PLAIN\r\n", at("AUTH", Reply::Say(refusal)));
        let desk = Site::linking_to(peer.port, "user = \"user\"\npassword = \"correct horse\"\n");
        two_orders(&desk);
        assert_eq!((desk.notify(), desk.orders()), (75, 2), "{}", desk.log());
        desk.logged(&["tried again", &refusal[..3]]);
        assert!(!desk.log().contains("correct") && !desk.log().contains("Y29ycm"), "{}", desk.log());
        assert!(!peer.heard_the_word("MAIL"));
    }
    // One that offers no login at all gets neither password nor mail.
    let peer = Peer::start(|_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "user = \"user\"\npassword = \"correct horse\"\n");
    two_orders(&desk);
    assert_eq!((desk.notify(), desk.orders()), (75, 2), "{}", desk.log());
    assert!(!peer.heard_the_word("MAIL") && !peer.heard_the_word("AUTH"));
}

#[test]
fn a_server_without_starttls_gets_nothing_if_wanted() {
    let peer = Peer::with_extensions("250-AUTH PLAIN\r\n", |_, _| Reply::Usual);
    let desk = Site::linking_to(peer.port, "user = \"user\"\npassword = \"correct horse\"\n");
    desk.configure("tls = \"none\"", "tls = \"starttls\"");
    desk.mails_of_carol(&["1@corp.test"]);
    assert_eq!((desk.notify(), desk.orders()), (75, 1), "{}", desk.log());
    desk.logged(&["tried again", "STARTTLS"]);
    let heard = peer.heard();
    assert!(heard.iter().all(|line| line.starts_with("EHLO") || line == "QUIT"), "{heard:?}");
}
