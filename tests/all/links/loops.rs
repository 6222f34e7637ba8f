//! Link mails, what comes back for them, and answers to them earn nothing: no customer, token or link mail.

use super::peer::{Peer, Reply};
use crate::site::{CAROL, Ended, Site, mail_from, run};

/// Counts of customers, tokens and orders.
fn counts(desk: &Site) -> (i64, i64, i64) {
    (desk.count("customer_user"), desk.count("token"), desk.orders())
}

/// A desk whose link mail to carol is out, and that mail.
fn sent() -> (Site, String) {
    let desk = Site::linking();
    desk.carols_link();
    let mail = desk.last().raw;
    (desk, mail)
}

#[test]
fn otabs_own_link_mail_earns_nothing_on_its_return() {
    let (desk, mail) = sent();
    let before = counts(&desk);
    // As it went out; then as if others had written it, to whom it was passed on.
    let forwarded = mail.replace("From: ", "From: Dave <dave@corp.test>\nX-Original-From: ");
    for mail in [mail.clone(), mail.replace('\n', "\r\n"), forwarded] {
        run(&mut desk.command(&["filter", "--sender", "dave@corp.test"]), mail.as_bytes()).ends(0);
        assert_eq!(counts(&desk), before, "{mail}");
    }
}

#[test]
fn its_bounce_earns_nothing() {
    let (desk, mail) = sent();
    let before = counts(&desk);
    // As Postfix writes it (RFC 3464), for a reverse-path that is not null after all.
    let bounce = format!(
        "From: MAILER-DAEMON@mail.corp.test (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n\
         To: help@desk.test\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=\"B\"\nMessage-ID: <b@mail.corp.test>\n\n\
         --B\nContent-Type: text/plain\n\nThis is the mail system at host mail.corp.test.\n\n\
         --B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.corp.test\n\n\
         Final-Recipient: rfc822; {CAROL}\nAction: failed\nStatus: 5.1.1\n\n--B\nContent-Type: message/rfc822\n\n{mail}\n--B--\n"
    );
    for bounce in [bounce.clone(), bounce.replace("Auto-Submitted: auto-replied\n", "")] {
        for sender in ["", "MAILER-DAEMON@mail.corp.test"] {
            run(&mut desk.command(&["filter", "--sender", sender]), bounce.as_bytes()).ends(0);
            assert_eq!(counts(&desk), before, "{bounce}");
        }
    }
}

#[test]
fn an_answer_by_a_robot_that_says_so_earns_nothing() {
    let (desk, mail) = sent();
    let (customers, tokens, orders) = counts(&desk);
    let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
    let answer = |fields: &str| {
        format!(
            "From: Carol <{CAROL}>\nTo: help@desk.test\nSubject: Re: Your access\nIn-Reply-To: {id}\nReferences: {id}\n\
             Message-ID: <out@corp.test>\n{fields}\nI am away.\n"
        )
    };
    for robot in [
        "Auto-Submitted: auto-replied\n",
        "Auto-Submitted: auto-replied (vacation)\nPrecedence: bulk\n",
        "X-Auto-Response-Suppress: All\nAuto-Submitted: auto-generated\n",
        "Precedence: auto_reply\n",
        "X-Autoreply: yes\n",
        "X-Loop: otab\n",
    ] {
        desk.takes(answer(robot).as_bytes());
        assert_eq!(counts(&desk), (customers, tokens, orders), "{robot}");
    }
    // One that does not say so gets its ticket, and no link mail.
    desk.takes(answer("").as_bytes());
    assert_eq!(counts(&desk), (customers, tokens + 1, orders));
}

/// An answer of carol's without any mark, as the fields say.
fn unmarked(id: &str, fields: &str) -> String {
    format!(
        "From: Carol <{CAROL}>\nTo: help@desk.test\nSubject: Re: Your access\n{fields}Message-ID: <{id}>\n\nThanks.\n"
    )
}

#[test]
fn what_answers_a_link_mail_earns_no_other() {
    let (desk, mail) = sent();
    let id = mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
    let bare = id.trim_matches(['<', '>']);
    for (number, fields) in [
        format!("In-Reply-To: {id}\n"),
        format!("In-Reply-To: {bare}\n"),
        format!("References: <1@corp.test>\n {id}\n"),
        format!("In-Reply-To: <else@corp.test>\nReferences: {id} <else@corp.test>\n"),
        format!("in-reply-to: {}\n", id.to_uppercase()),
    ]
    .iter()
    .enumerate()
    {
        let answer = unmarked(&format!("a{number}@corp.test"), fields);
        let output = run(&mut desk.command(&["filter", "--explain"]), answer.as_bytes());
        let told = output.err();
        assert!(told.contains("answers: a link mail that otab sent"), "{fields}: {told}");
        desk.takes(answer.as_bytes());
        assert_eq!(desk.orders(), 0, "{fields}");
    }
    desk.logged(&["<a0@corp.test>: new (answers a link mail)", "no link mail"]);
    // The form alone says nothing: otab has sent no such mail.
    let (local, _) = bare.split_once('@').unwrap();
    for (number, other) in
        [format!("<{local}0@desk.test>"), format!("<{local}@else.test>"), "<1@corp.test>".to_owned()].iter().enumerate()
    {
        let answer = unmarked(&format!("b{number}@corp.test"), &format!("In-Reply-To: {other}\n"));
        desk.takes(answer.as_bytes());
        assert_eq!(desk.orders(), i64::try_from(number).unwrap() + 1, "{other}");
    }
}

#[test]
fn a_link_mail_that_may_be_out_is_known_already() {
    let peer = Peer::start(|stage, _| if stage == "end" { Reply::Close } else { Reply::Usual });
    let desk = Site::linking_to(peer.port, "");
    desk.mails_of_carol(&["1@corp.test"]);
    assert_eq!((desk.notify(), desk.orders()), (75, 1), "{}", desk.log());
    let sent = peer.got().remove(0);
    let id = sent.mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).unwrap();
    desk.takes(unmarked("a@corp.test", &format!("In-Reply-To: {id}\n")).as_bytes());
    assert_eq!(desk.orders(), 1, "its own");
}

#[test]
fn purge_forgets_link_mails_that_nobody_answers() {
    let (desk, _) = sent();
    assert_eq!(desk.json(0, &["purge"])["link_mails"], 0);
    desk.sql("UPDATE link_mail SET sent_at = sent_at - 90 * 86400");
    assert_eq!((desk.json(0, &["purge", "--dry-run"])["link_mails"].clone(), desk.count("link_mail")), (1.into(), 1));
    assert_eq!((desk.json(0, &["purge"])["link_mails"].clone(), desk.count("link_mail")), (1.into(), 0));
}

#[test]
fn a_stranger_gets_no_link_by_reply_to_or_from() {
    let (desk, _) = sent();
    desk.configure("[log]\n", "[postmaster]\nlink_field = \"Link\"\n[log]\n");
    for fields in [
        "From: carol@corp.test\nReply-To: mallory@evil.test\n",
        "From: carol@corp.test, mallory@evil.test\n",
        "From: carol@corp.test\nFrom: mallory@evil.test\n",
        "From: \"carol@corp.test\" <mallory@evil.test>\nReply-To: carol@corp.test\n",
    ] {
        let mail = format!("{fields}Sender: mallory@evil.test\nMessage-ID: <{}@x.test>\n\nx\n", fields.len());
        let output = run(&mut desk.command(&["filter", "--sender", "mallory@evil.test"]), mail.as_bytes()).ends(0);
        let text = output.out();
        assert!(!text.contains("https://help.test"), "the field holds the placeholder at most: {text}");
    }
    desk.sql("UPDATE sent SET sent_at = sent_at - 3601");
    assert_eq!(desk.notify(), 0);
    for path in desk.files() {
        let mail = std::fs::read_to_string(path).unwrap();
        let to = mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
        // Mallory's own mail earns mallory a link to mallory's own request.
        assert!(to == CAROL || (to == "mallory@evil.test" && !mail.to_lowercase().contains("carol")), "{mail}");
    }
    let mallorys = desk.ask("SELECT COUNT(*) FROM token WHERE email = 'mallory@evil.test' AND customer <> email");
    assert_eq!(mallorys, "0");
}

#[test]
fn mail_of_the_helpdesks_own_addresses_earns_nothing() {
    let desk = Site::linking();
    desk.configure("[log]\n", "[postmaster]\nown_addresses = [\"help@desk.test\"]\n[log]\n");
    desk.takes(&mail_from("help@desk.test", "1@desk.test"));
    assert_eq!(counts(&desk), (0, 0, 0));
}
