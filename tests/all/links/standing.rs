//! What has become of token, ticket and customer since the order: asked when the mail goes out.

use crate::site::{CAROL, Ended, Site, mail_from};

/// Carol's order, bound to ticket 1.
fn ordered() -> Site {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.ends(0, &["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", CAROL]);
    desk
}

#[test]
fn no_mail_goes_out_for_a_link_that_opens_nothing() {
    for (change, why) in [
        ("UPDATE token SET state = 'used'", "its token has been used"),
        ("UPDATE token SET state = 'revoked'", "its token has been revoked"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM token", "its token is gone"),
        ("UPDATE customer_user SET valid_id = 2", "not valid any more"),
        ("DELETE FROM customer_user", "its customer is gone"),
        ("UPDATE customer_user SET email = 'caro@corp.test'", "another address"),
        ("UPDATE customer_user SET email = 'caro@corp.test', pw = 'x'", "another address"),
        ("UPDATE customer_user SET valid_id = 2, pw = 'x'", "not valid any more"),
        ("UPDATE ticket SET state_type = 'closed'", "the time of its ticket or token is over"),
        ("UPDATE ticket SET state_type = 'closed'; UPDATE customer_user SET pw = 'x'", "is over"),
        ("UPDATE ticket SET customer_user_id = 'dave'", "is over"),
        ("DELETE FROM ticket", "is over"),
        ("UPDATE outbox SET secret = 'not a token'", "it holds no token"),
        ("UPDATE outbox SET secret = NULL", "it holds no token"),
        ("UPDATE outbox SET recipient = 'mallory@evil.test'", "another address"),
    ] {
        let desk = ordered();
        desk.sql("UPDATE ticket SET changed_at = 0");
        desk.sql(change);
        assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 0, 0), "{change}: {}", desk.log());
        desk.logged(&["link mail 1 to carol@corp.test: not sent", why]);
    }
}

/// OTOBO takes the first source's customer for whoever logs in by his login.
#[test]
fn a_link_whose_login_another_source_has_is_dead() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    let secret = desk.secrets().remove(0);
    desk.backup(&desk.path("first.db"));
    let text = desk.read("otab.toml");
    let sources = "\n[[customer_user]]\nname = \"First\"\nurl = \"sqlite:first.db\"\n[[customer_user]]\nname = \"CustomerUser\"\n";
    desk.write("otab.toml", &(text + sources));
    let first = rusqlite::Connection::open(desk.path("first.db")).unwrap();
    first.execute("UPDATE customer_user SET email = 'boss@corp.test', pw = 'x'", []).unwrap();
    desk.json(10, &["redeem", &secret]);
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 0, 0), "{}", desk.log());
    first.execute("DELETE FROM customer_user", []).unwrap();
    assert_eq!(desk.json(0, &["redeem", &secret])["login"], CAROL);
}

#[test]
fn revoking_or_purging_a_token_drops_its_order() {
    let desk = ordered();
    desk.ends(0, &["token", "revoke", "1"]);
    assert_eq!((desk.orders(), desk.notify(), desk.files().len()), (0, 0, 0));
}

#[test]
fn a_customer_with_a_password_gets_the_plain_page() {
    let desk = ordered();
    let secret = desk.secrets().remove(0);
    desk.sql("UPDATE customer_user SET pw = 'x'");
    assert_eq!((desk.notify(), desk.orders()), (0, 0));
    let mail = desk.last();
    let page = "https://help.test/otobo/customer.pl?Action=CustomerTicketZoom;TicketNumber=1";
    assert!(mail.part(0).lines().any(|line| line == page), "{}", mail.raw);
    assert!(!mail.raw.contains(&secret) && !mail.part(0).contains("password"), "{}", mail.raw);

    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql("UPDATE customer_user SET pw = 'x'");
    desk.notify();
    assert_eq!(desk.last().link(), "https://help.test/otobo/customer.pl", "no ticket is known");

    let desk = ordered();
    desk.configure("portal_url", "# portal_url");
    desk.sql("UPDATE customer_user SET pw = 'x'");
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 0, 0));
    desk.logged(&["not sent", "portal_url is empty"]);
}

#[test]
fn a_ticket_known_since_is_named_and_bound() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql("INSERT INTO ticket VALUES ('77', '<1@corp.test>', 'open', 0, 'carol@corp.test', 0)");
    desk.notify();
    assert!(desk.last().field("Subject").ends_with(" 77"));
    assert_eq!(desk.ask("SELECT ticket_number FROM token"), "77");
}

#[test]
fn a_source_that_is_away_delays_its_customers_only() {
    let other = Site::linking();
    other.ends(0, &["customer", "add", "dave@corp.test"]);
    let desk = Site::linking_by(
        "wake = false\ntransport = \"file\"\n[[customer_user]]\nname = \"CustomerUser\"\n\
         [[customer_user]]\nname = \"Other\"\nurl = \"sqlite:other.db\"\n",
    );
    other.backup(&desk.path("other.db"));
    desk.mail_from("dave@corp.test", "1@corp.test");
    desk.mails_of_carol(&["2@corp.test"]);
    assert_eq!(desk.ask("SELECT backend FROM outbox WHERE id = 1"), "Other");
    std::fs::rename(desk.path("other.db"), desk.path("away.db")).unwrap();
    desk.sql("UPDATE outbox SET due_at = 0 WHERE id = 1");
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 1, 1), "{}", desk.log());
    desk.logged(&["link mail 1: tried again", "cannot be looked up"]);
    std::fs::rename(desk.path("away.db"), desk.path("other.db")).unwrap();
    desk.later();
    assert_eq!((desk.notify(), desk.files().len(), desk.orders()), (0, 2, 0), "{}", desk.log());
}

#[test]
fn a_poison_order_at_the_head_stops_no_other() {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.mail_from("dave@corp.test", "2@corp.test");
    desk.sql("UPDATE outbox SET backend = 'Nowhere' WHERE id = 1; UPDATE token SET backend = 'Nowhere' WHERE id = 1");
    desk.sql("UPDATE outbox SET due_at = 0 WHERE id = 1");
    assert_eq!((desk.notify(), desk.files().len()), (0, 1), "{}", desk.log());
    assert_eq!(desk.last().field("To"), "dave@corp.test");
}

#[test]
fn a_link_mail_waits_until_the_next_stage_has_taken() {
    let desk = Site::linking();
    let line = format!(
        "{} --config otab.toml outbox retry; {} --config otab.toml outbox retry 1; {} --config otab.toml notify; \
         sqlite3 otab.db 'UPDATE outbox SET due_at = 0'; {} --config otab.toml notify; cat > taken",
        env!("CARGO_BIN_EXE_otab"),
        env!("CARGO_BIN_EXE_otab"),
        env!("CARGO_BIN_EXE_otab"),
        env!("CARGO_BIN_EXE_otab")
    );
    let mut deliver = desk.command(&["deliver", "--", "sh", "-c", &line]);
    crate::site::run(deliver.current_dir(desk.folder()), &mail_from(CAROL, "1@corp.test")).ends(0);
    desk.logged(&["link mail 1: tried again", "its mail has not been taken yet"]);
    assert_eq!(desk.orders(), 1);
    desk.later();
    assert_eq!((desk.notify(), desk.files().len()), (0, 1), "{}", desk.log());
}

#[test]
fn a_mail_refused_by_the_next_stage_earns_no_link() {
    let desk = Site::linking();
    let mut deliver = desk.command(&["deliver", "--", "false"]);
    crate::site::run(&mut deliver, &mail_from(CAROL, "1@corp.test")).ends(75);
    desk.sql("UPDATE outbox SET due_at = 0");
    assert_eq!((desk.notify(), desk.orders(), desk.files().len()), (0, 0, 0));
}
