//! Who gets a link, and who the plain address.

use super::{Bench, LINK, NUMBER, PLAIN, SETTINGS, mail, mail_with, token};

#[test]
fn the_tickets_customer_gets_a_link_that_opens_once() {
    let bench = Bench::new();
    let out = bench.sent(&mail());
    let token = token(&out);
    assert_eq!(out, mail().replace("[[OTAB-LINK]]", &format!("{LINK}{token}")));
    assert_eq!(bench.states(), ["active"]);
    let opened = bench.ends(0, &["redeem", token]);
    assert!(opened.contains("carol@corp.test") && opened.contains(NUMBER), "{opened}");
    let again = bench.run(&["redeem", token]);
    assert_ne!(again.status.code(), Some(0));
    assert!(!bench.log().contains(token), "{}", bench.log());
}

/// What OTOBO may make of a template: parts of all kinds, and the placeholder spelled in all ways.
const PARTS: &str = "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\"m\"\n\n\
    --m\nContent-Type: multipart/alternative; boundary=\"a\"\n\n\
    --a\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n\
    F=C3=BCr Sie: [[OTAB-LI=\nNK]]\n\
    --a\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n\
    PHA+RsO8ciBTaWU6IDxhIGhyZWY9IiU1QiU1Qk9UQUItTElOSyU1RCU1RCI+JiM5MTsmIzkxO09UQUIt\n\
    TElOSyYjOTM7JiM5Mzs8L2E+PC9wPgo=\n--a--\n\
    --m\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nF\u{fc}r Sie: [[OTAB-LINK]]\n\
    --m\nContent-Type: text/plain\nContent-Disposition: attachment\n\n[[OTAB-LINK]]\n\
    --m\nContent-Type: multipart/signed; boundary=\"s\"\n\n--s\n\n[[OTAB-LINK]]\n--s\n\nsignature\n--s--\n--m--\n";

#[test]
fn the_link_is_in_every_text_and_nowhere_else() {
    let bench = Bench::new();
    let (fields, body) = PARTS.split_once("\n\n").unwrap();
    // ISO 8859-1 has each of these characters in one byte.
    let mail: Vec<u8> = mail_with(&format!("{fields}\n"), body).chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert!(bench.send(&["-f", "", "carol@corp.test"], &mail).status.success());
    let taken = std::fs::read(bench.path("taken")).unwrap();
    let new = mailparse::parse_mail(&taken).unwrap();
    let texts: Vec<String> =
        new.parts().filter(|part| part.subparts.is_empty()).map(|p| p.get_body().unwrap()).collect();
    let link = format!("{LINK}{}", token(&texts[0]));
    assert_eq!(texts[0], format!("Für Sie: {link}"));
    assert_eq!(texts[1], format!("<p>Für Sie: <a href=\"{link}\">{link}</a></p>\n"));
    assert_eq!(texts[2], format!("Für Sie: {link}"));
    assert_eq!(texts[3..], ["[[OTAB-LINK]]", "[[OTAB-LINK]]", "signature"]);
    assert_eq!(bench.states(), ["active"], "one token for all of them");
    assert!(bench.log().contains("a signed part is left as it is"), "{}", bench.log());
    // As a whole in a signed mail nothing changes.
    let signed = mail_with("Content-Type: multipart/signed; boundary=b\n", "--b\n\n[[OTAB-LINK]]\n--b\n\nx\n--b--\n");
    assert_eq!(bench.sent(&signed), signed);
}

#[test]
fn each_mail_has_its_link_and_the_earlier_ones_open() {
    let bench = Bench::new();
    let (first, second) = (bench.sent(&mail()), bench.sent(&mail()));
    assert_ne!(token(&first), token(&second));
    assert_eq!(bench.states(), ["active", "active"]);
    bench.ends(0, &["redeem", token(&first)]);
}

#[test]
fn everybody_else_gets_the_plain_address_and_no_token() {
    let bench = Bench::new();
    let plain = mail().replace("[[OTAB-LINK]]", PLAIN);
    for recipients in [
        &["mallory@evil.test"][..],
        &["carol@corp.test", "mallory@evil.test"],
        &["carol@corp.test", "carol@corp.test"],
        &["carol@corp.test,mallory@evil.test"],
        &["carol@corp.test.evil.test"],
        &["caról@corp.test"],
        &["-t", "carol@corp.test"],
    ] {
        assert_eq!(bench.sent_to(recipients, &mail()), plain, "{recipients:?}");
    }
    for (what, mail) in [
        ("another in To", mail().replace("<carol@corp.test>", "<carol@corp.test>, mallory@evil.test")),
        ("another in Cc", mail_with("Cc: mallory@evil.test\n", "[[OTAB-LINK]]")),
        ("another in Bcc", mail_with("bcc : mallory@evil.test\n", "[[OTAB-LINK]]")),
        ("resent", mail_with("Resent-To: mallory@evil.test\n", "[[OTAB-LINK]]")),
        ("nobody in To", mail().replace("To: \"Corp, Carol\" <carol@corp.test>\n", "")),
        ("a ticket of nobody's", mail().replace(NUMBER, "2026112010000018")),
        ("no ticket", mail().replace("Ticket#", "Fall#")),
        ("two subjects", mail_with("Subject: b\n", "[[OTAB-LINK]]")),
    ] {
        let out = bench.sent(&mail);
        assert!(out.contains("https://help.test/otobo/customer.pl") && !out.contains(LINK), "{what}: {out}");
    }
    assert_eq!(bench.states(), [""; 0]);
    let log = bench.log();
    assert!(
        log.contains("<1@desk.test>: outgoing: ticket 2026112010000017, plain address: the mail has several"),
        "{log}"
    );
}

#[test]
fn a_reply_to_of_a_stranger_never_gets_a_link() {
    let bench = Bench::with(&format!("[postmaster]\nlink_field = \"Link\"\n{SETTINGS}"));
    let forged = b"From: carol@corp.test\nReply-To: mallory@evil.test\nSubject: help\nMessage-ID: <1@evil.test>\n\nx\n";
    let filtered = bench.filter(forged);
    let filtered = String::from_utf8_lossy(&filtered.stdout).into_owned();
    assert!(filtered.contains("X-OTOBO-DynamicField-Link: [[OTAB-LINK]]\n") && !filtered.contains(LINK), "{filtered}");
    let orders: Vec<String> = {
        let database = bench.database();
        let mut statement = database.prepare("SELECT recipient FROM outbox").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(orders, ["carol@corp.test"]);
    let before = bench.states();
    // OTOBO answers to Reply-To: the ticket is carol's, the answer goes to mallory.
    let answer =
        mail_with("Reply-To: carol@corp.test\n", "[[OTAB-LINK]]").replace("<carol@corp.test>", "<mallory@evil.test>");
    let out = bench.sent_to(&["mallory@evil.test"], &answer);
    assert!(out.ends_with(PLAIN) && !out.contains(LINK), "{out}");
    // Her address as the name alone.
    let named = mail().replace("<carol@corp.test>", "\"carol@corp.test\" <mallory@evil.test>");
    assert!(!bench.sent_to(&["mallory@evil.test"], &named).contains(LINK));
    assert!(!bench.sent_to(&["carol@corp.test"], &named).contains(LINK));
    assert_eq!(bench.states(), before);
}

#[test]
fn customer_and_ticket_have_to_be_good_for_a_link() {
    for (what, change) in [
        ("with a password", "UPDATE customer_user SET pw = 'x'"),
        ("not valid", "UPDATE customer_user SET valid_id = 2"),
        ("another address by now", "UPDATE customer_user SET email = 'carol@new.test' WHERE login = 'carol@corp.test'"),
        ("gone", "DELETE FROM customer_user"),
        ("a ticket of somebody else's", "UPDATE ticket SET customer_user_id = 'mallory@evil.test'"),
        ("a ticket of nobody's", "UPDATE ticket SET customer_user_id = NULL"),
        ("closed for long", "UPDATE ticket SET state_type = 'closed', changed_at = changed_at - 15 * 86400"),
    ] {
        let bench = Bench::new();
        bench.sql(change);
        assert_eq!(bench.sent(&mail()), mail().replace("[[OTAB-LINK]]", PLAIN), "{what}");
        assert_eq!(bench.states(), [""; 0], "{what}");
    }
    let bench = Bench::new();
    bench.sql("UPDATE ticket SET state_type = 'closed'");
    assert!(bench.sent(&mail()).contains(LINK), "closed a moment ago");
    assert!(bench.sent_to(&["Carol@CORP.test"], &mail()).contains(LINK), "in other case");
}

#[test]
fn header_fields_and_others_addresses_get_no_secret() {
    let bench = Bench::new();
    let fields = "X-Note: [[OTAB-LINK]]\n";
    let out = bench.sent(&mail_with(fields, "[[OTAB-LINK]]"));
    assert!(out.contains(fields) && out.contains(LINK));
    let html = "Content-Type: text/html\n";
    for body in ["<img src='https://evil.test/?[[OTAB-LINK]]'>", "<p>https://evil.test/?[[OTAB-LINK]]</p>"] {
        let out = bench.sent(&mail_with(html, body));
        assert!(out.contains(PLAIN) && !out.contains(LINK), "{out}");
    }
    assert_eq!(bench.states(), ["active"], "and no token without a place for it");
}
