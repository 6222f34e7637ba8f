//! Link mails, what comes back for them, and answers to them earn nothing: no customer, token or link mail.

use super::{CAROL, Desk, mail_from};
use crate::site::run;

/// Counts of customers, tokens and orders.
fn counts(desk: &Desk) -> (i64, i64, i64) {
    (desk.site.count("customer_user"), desk.site.count("token"), desk.orders())
}

/// A desk whose link mail to carol is out, and that mail.
fn sent() -> (Desk, String) {
    let desk = Desk::new();
    desk.carols_link();
    let mail = desk.last().raw;
    (desk, mail)
}

#[test]
fn otabs_own_link_mail_earns_nothing_however_it_comes_back() {
    let (desk, mail) = sent();
    let before = counts(&desk);
    // As it went out; then as if others had written it, to whom it was passed on.
    let forwarded = mail.replace("From: ", "From: Dave <dave@corp.test>\nX-Original-From: ");
    for mail in [mail.clone(), mail.replace('\n', "\r\n"), forwarded] {
        let output = run(&mut desk.command(&["filter", "--sender", "dave@corp.test"]), mail.as_bytes());
        assert!(output.status.success());
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
            assert!(run(&mut desk.command(&["filter", "--sender", sender]), bounce.as_bytes()).status.success());
            assert_eq!(counts(&desk), before, "{bounce}");
        }
    }
}

#[test]
fn an_answer_by_a_robot_earns_nothing_and_one_by_a_person_does() {
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
        assert!(desk.filter(answer(robot).as_bytes()).status.success());
        assert_eq!(counts(&desk), (customers, tokens, orders), "{robot}");
    }
    assert!(desk.filter(answer("").as_bytes()).status.success());
    assert_eq!(counts(&desk), (customers, tokens + 1, orders + 1));
}

#[test]
fn a_stranger_gets_no_link_by_reply_to_or_by_writing_another_from() {
    let (desk, _) = sent();
    desk.configure("[log]\n", "[postmaster]\nlink_field = \"Link\"\n[log]\n");
    for fields in [
        "From: carol@corp.test\nReply-To: mallory@evil.test\n",
        "From: carol@corp.test, mallory@evil.test\n",
        "From: carol@corp.test\nFrom: mallory@evil.test\n",
        "From: \"carol@corp.test\" <mallory@evil.test>\nReply-To: carol@corp.test\n",
    ] {
        let mail = format!("{fields}Sender: mallory@evil.test\nMessage-ID: <{}@x.test>\n\nx\n", fields.len());
        let output = run(&mut desk.command(&["filter", "--sender", "mallory@evil.test"]), mail.as_bytes());
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
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
    let desk = Desk::new();
    desk.configure("[log]\n", "[postmaster]\nown_addresses = [\"help@desk.test\"]\n[log]\n");
    assert!(desk.filter(&mail_from("help@desk.test", "1@desk.test")).status.success());
    assert_eq!(counts(&desk), (0, 0, 0));
}
