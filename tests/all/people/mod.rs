//! The commands for people, run as whole processes in folders of their own.

mod failures;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Child;

use crate::site::{CAROL, Ended, Site, names};
use serde_json::Value;

/// A folder in which `otab init` has run.
struct Bench(Site);

impl std::ops::Deref for Bench {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.0
    }
}

impl Bench {
    fn new() -> Self {
        let site = Site::empty();
        site.run(&["init"]).ends(0);
        // The tester's own log is no place for what tests do.
        site.configure("\n#syslog = true", "\nsyslog = false");
        Self(site)
    }

    /// A mail of Carol's with this Message-ID comes in.
    fn mail(&self, id: &str) {
        let mail = format!("From: Carol <{CAROL}>\nMessage-ID: <{id}>\nSubject: help\n\nplease\n");
        let ran = self.feed(&["filter", "--sender", CAROL], mail.as_bytes()).ends(0);
        assert!(ran.out().contains("X-OTOBO-CustomerUser: carol@corp.test"), "{}", ran.out());
    }

    /// The secret for a mail of Carol's that has opened ticket 1.
    fn secret_for_ticket_1(&self) -> String {
        self.mail("a@corp.test");
        self.run(&["ticket", "add", "1", "--message-id", "a@corp.test", "--customer", CAROL]).ends(0);
        self.secrets().remove(0)
    }

    fn tokens(&self) -> Value {
        self.run(&["token", "list", "--json"]).ends(0).json()
    }
}

#[test]
fn init_then_a_mail_then_its_token_is_listed() {
    let site = Bench::new();
    assert_eq!(fs::metadata(site.path("otab.toml")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::metadata(site.path("otab.db")).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(names(site.folder()), ["otab.db", "otab.toml"]);
    assert_eq!(site.tokens(), Value::Array(vec![]));
    site.mail("a@corp.test");
    let ran = site.run(&["token", "list", "--json"]).ends(0);
    let token = &ran.json()[0];
    assert_eq!(token["state"], "active");
    assert_eq!(token["customer"], CAROL);
    assert_eq!(token["message_id"], "<a@corp.test>");
    assert_eq!(token["ticket"], Value::Null);
    assert_eq!(token["hash"].as_str().unwrap().len(), 8);
    assert!(token["created"].as_str().unwrap().ends_with('Z'));
    let secret = site.secrets().remove(0);
    assert!(!ran.out().contains(&secret));
    let table = site.run(&["token", "list"]).ends(0).out();
    assert!(table.starts_with("ID") && table.contains(CAROL) && !table.contains(&secret), "{table}");
}

#[test]
fn a_token_opens_once_and_then_brings_a_new_link() {
    let site = Bench::new();
    let first = site.secret_for_ticket_1();
    let used = site.run(&["redeem", &first, "--json"]).ends(0).json();
    assert_eq!(used["answer"], "valid");
    assert_eq!((&used["login"], &used["email"]), (&CAROL.into(), &CAROL.into()));
    assert_eq!((&used["backend"], &used["ticket"]), (&"CustomerUser".into(), &"1".into()));

    let again = site.run(&["redeem", &first, "--json"]).ends(12);
    assert_eq!(again.json()["answer"], "new_link");
    assert!(again.json()["message"].as_str().unwrap().contains("sent you an e-mail"));
    let secrets = site.secrets();
    assert_eq!(secrets.len(), 2);
    assert!(!again.out().contains(&secrets[1]) && !again.err().contains(&secrets[1]));
    let order = site.ask("SELECT recipient || ' ' || occasion || ' ' || ticket_number FROM outbox ORDER BY id DESC");
    assert_eq!(order, format!("{CAROL} refresh 1"));

    let wrong = site.run(&["redeem", &first]).ends(11);
    assert!(wrong.out().contains("There is a newer one"), "{}", wrong.out());
    let second = site.feed(&["redeem", "-"], secrets[1].as_bytes()).ends(0);
    assert!(second.out().contains("ticket:  1"), "{}", second.out());
    site.run(&["redeem", &secrets[1]]).ends(12);
    site.run(&["redeem", &first]).ends(11);
}

#[test]
fn the_message_is_in_the_customers_language() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    site.sql("INSERT INTO customer_preferences VALUES ('carol@corp.test', 'UserLanguage', 'de')");
    site.run(&["redeem", &secret]).ends(0);
    let again = site.run(&["redeem", &secret]).ends(12);
    assert!(again.out().contains("Dieser Link wurde bereits benutzt"), "{}", again.out());
    let language = site.ask("SELECT language FROM outbox WHERE occasion = 'refresh'");
    assert_eq!(language, "de");
}

#[test]
fn the_log_tells_of_every_use_and_holds_no_secret() {
    let site = Bench::new();
    site.configure("\n#file = \"\"", "\nfile = \"otab.log\"");
    let first = site.secret_for_ticket_1();
    for status in [0, 12, 11] {
        site.run(&["redeem", &first]).ends(status);
    }
    site.run(&["redeem", "not-a-known-token"]).ends(10);
    site.run(&["token", "revoke", "2"]).ends(0);
    let log = site.read("otab.log");
    for part in ["token 1 of carol", "new link ordered", "a newer one is active", "unknown token", "token 2: revoked"] {
        assert_eq!(log.matches(part).count(), 1, "{part}: {log}");
    }
    assert!(!log.contains(&first) && !log.contains("not-a-known-token"), "{log}");
}

#[test]
fn a_ticket_closed_long_ago_is_expired() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    site.run(&["ticket", "close", "1", "--at", "2020-01-01T00:00:00Z"]).ends(0);
    let expired = site.run(&["redeem", &secret]).ends(10);
    assert!(expired.out().contains("no longer valid"), "{}", expired.out());
    site.run(&["ticket", "reopen", "1"]).ends(0);
    site.run(&["ticket", "close", "1"]).ends(0);
    site.run(&["redeem", &secret]).ends(0);
    // Used, and its ticket is over: no new link for it.
    site.run(&["redeem", &secret]).ends(10);
}

#[test]
fn a_customer_who_has_changed_gets_in_with_no_token() {
    for change in [
        "UPDATE customer_user SET valid_id = 2",
        "UPDATE customer_user SET valid_id = 3",
        "UPDATE customer_user SET pw = 'x'",
        "UPDATE customer_user SET email = 'mallory@evil.test'",
        "UPDATE customer_user SET email = 'carol@corp.test '",
        "UPDATE customer_user SET login = 'Carol@corp.test'",
        "UPDATE token SET backend = 'Other'",
        "DELETE FROM customer_user",
    ] {
        let site = Bench::new();
        let secret = site.secret_for_ticket_1();
        site.sql(change);
        let ran = site.run(&["redeem", &secret, "--json"]).ends(10);
        assert_eq!(ran.json()["answer"], "link_expired");
        assert_eq!(site.tokens()[0]["state"], "active", "{change}");
    }
}

#[test]
fn a_disabled_customers_token_is_expired() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    site.run(&["customer", "disable", CAROL]).ends(0);
    site.run(&["redeem", &secret]).ends(10);
    assert_eq!(site.run(&["customer", "show", CAROL, "--json"]).ends(0).json()["valid"], false);
    site.run(&["customer", "disable", "nobody"]).ends(67);
}

#[test]
fn an_unknown_token_is_expired_and_a_bad_one_is_not() {
    let site = Bench::new();
    for token in ["5f0b8c9e-1111-4222-8333-abcdefabcdef", "x"] {
        assert!(site.run(&["redeem", token]).ends(10).out().contains("no longer valid"));
    }
    for token in ["two words", "", &"a".repeat(129)] {
        let ran = site.run(&["redeem", token]).ends(65);
        assert!(token.is_empty() || !ran.err().contains(token));
    }
    let endless = "a\n".repeat(100_000);
    site.feed(&["redeem", "-"], endless.as_bytes()).ends(65);
}

#[test]
fn an_unbound_token_opens_the_overview() {
    let site = Bench::new();
    site.mail("a@corp.test");
    let secret = site.secrets().remove(0);
    let used = site.run(&["redeem", &secret, "--json"]).ends(0).json();
    assert_eq!((&used["answer"], &used["ticket"]), (&"valid".into(), &Value::Null));
}

#[test]
fn a_token_is_bound_at_use_to_its_customers_ticket() {
    for (customer, ticket) in [("'carol@corp.test'", Value::from("7")), ("NULL", Value::Null), ("'dave'", Value::Null)]
    {
        let site = Bench::new();
        site.mail("a@corp.test");
        site.sql(&format!("INSERT INTO ticket VALUES ('7', '<a@corp.test>', 'open', 0, {customer}, 0)"));
        let secret = site.secrets().remove(0);
        assert_eq!(site.run(&["redeem", &secret, "--json"]).ends(0).json()["ticket"], ticket, "{customer}");
        assert_eq!(site.tokens()[0]["ticket"], ticket);
    }
}

#[test]
fn a_token_of_a_ticket_with_a_new_owner_is_expired() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    site.sql("UPDATE ticket SET customer_user_id = 'dave'");
    site.run(&["redeem", &secret]).ends(10);
}

#[test]
fn a_new_link_that_cannot_be_recorded_is_not_promised() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    site.run(&["redeem", &secret]).ends(0);
    // An address that no mail can be sent to.
    site.sql("UPDATE customer_user SET email = 'carol'; UPDATE token SET email = 'carol'");
    let ran = site.run(&["redeem", &secret, "--json"]).ends(13);
    assert_eq!(ran.json()["answer"], "refresh_failed");
    assert_eq!((site.secrets().len(), site.tokens().as_array().unwrap().len()), (1, 1));
}

#[test]
fn of_a_hundred_processes_with_one_token_one_wins() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    let children: Vec<Child> = (0..100).map(|_| site.spawn(&["redeem", &secret], b"")).collect();
    let mut statuses: Vec<i32> =
        children.into_iter().map(|child| child.wait_with_output().unwrap().status.code().unwrap()).collect();
    statuses.sort_unstable();
    // One is let in, one has a new link sent, and all others are told that there is a newer one.
    let expected: Vec<i32> = [vec![0], vec![11; 98], vec![12]].concat();
    assert_eq!(statuses, expected);
    assert_eq!(site.secrets().len(), 2);
}

#[test]
fn a_ticket_binds_its_mails_tokens_and_is_shown() {
    let site = Bench::new();
    site.mail("a@corp.test");
    let at = "2026-01-02T03:04:05Z";
    let add = ["ticket", "add", "2026010210000001", "--message-id", "a@corp.test", "--customer", CAROL, "--at", at];
    let added = site.run(&add).ends(0);
    assert!(added.out().contains("bound to it: 1"), "{}", added.out());
    assert_eq!(site.tokens()[0]["ticket"], "2026010210000001");
    let shown = site.run(&["ticket", "show", "2026010210000001", "--json"]).ends(0).json();
    assert_eq!((&shown["state"], &shown["changed"]), (&"new".into(), &at.into()));
    assert_eq!((&shown["message_id"], &shown["customer"]), (&"<a@corp.test>".into(), &CAROL.into()));
    assert_eq!(site.run(&["ticket", "list", "--json"]).ends(0).json()[0], shown);
    assert!(site.run(&["ticket", "show", "2026010210000001"]).ends(0).out().contains(at));
    site.run(&add).ends(73);
    site.run(&["ticket", "close", "2026010210000001", "--state", "merged", "--at", at]).ends(0);
    assert_eq!(site.run(&["ticket", "list", "--json"]).json()[0]["state"], "merged");
}

/// Whoever got a copy of a mail can send another with its Message-ID.
#[test]
fn a_strangers_message_id_opens_nobodys_ticket() {
    let site = Bench::new();
    site.mail("a@corp.test");
    let theirs = "From: mal@evil.test\nMessage-ID: <a@corp.test>\nSubject: x\n\n";
    assert_eq!(site.filter(theirs.as_bytes()).status.code(), Some(0));
    site.run(&["ticket", "add", "1", "--message-id", "a@corp.test", "--customer", CAROL]).ends(0);
    let tokens = site.tokens();
    let ticket_of = |customer: &str| {
        let mut all = tokens.as_array().unwrap().iter();
        all.find(|token| token["customer"] == customer).unwrap()["ticket"].clone()
    };
    assert_eq!((ticket_of(CAROL), ticket_of("mal@evil.test")), ("1".into(), Value::Null));
    // Nor does a token that is issued later, or one that is used.
    let later = theirs.replace("mal@", "mal2@");
    assert_eq!(site.filter(later.as_bytes()).status.code(), Some(0));
    assert_eq!(site.tokens()[0]["ticket"], Value::Null);
}

#[test]
fn purge_deletes_what_is_over_and_dry_run_counts() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    for id in ["gone", "unbound", "stays"] {
        site.mail(&format!("{id}@corp.test"));
    }
    site.sql(
        "UPDATE token SET ticket_number = '404' WHERE message_id = '<gone@corp.test>';
         UPDATE token SET created_at = 0 WHERE message_id = '<unbound@corp.test>';",
    );
    site.run(&["ticket", "close", "1", "--at", "2020-01-01T00:00:00Z"]).ends(0);
    let before = site.tokens();
    let counts = |ran: &Value| ["closed", "gone", "unbound", "too_old"].map(|key| ran[key].as_i64().unwrap());
    let dry = site.run(&["purge", "--dry-run", "--json"]).ends(0).json();
    assert_eq!((counts(&dry), &dry["dry_run"]), ([1, 1, 1, 0], &Value::Bool(true)));
    assert_eq!(site.tokens(), before);
    let table = site.run(&["purge", "--dry-run"]).ends(0).out();
    assert!(table.starts_with("WOULD BE DELETED") && !table.contains("corp.test"), "{table}");
    let done = site.run(&["purge", "--json"]).ends(0).json();
    assert_eq!(counts(&done), [1, 1, 1, 0]);
    let left = site.tokens();
    assert_eq!(left.as_array().unwrap().len(), 1);
    assert_eq!(left[0]["message_id"], "<stays@corp.test>");
    assert_eq!(site.secrets().len(), 1);
    assert_eq!(counts(&site.run(&["purge", "--json"]).ends(0).json()), [0, 0, 0, 0]);
    site.run(&["redeem", &secret]).ends(10);
}

#[test]
fn a_revoked_token_and_its_link_mail_are_void() {
    let site = Bench::new();
    let secret = site.secret_for_ticket_1();
    let hash = site.tokens()[0]["hash"].as_str().unwrap().to_owned();
    site.run(&["token", "revoke", &hash]).ends(0);
    site.run(&["token", "revoke", "1"]).ends(0);
    site.run(&["redeem", &secret]).ends(10);
    assert!(site.secrets().is_empty());
    site.run(&["token", "revoke", "99"]).ends(67);
    site.run(&["token", "revoke", "no token"]).ends(65);
}

#[test]
fn a_customer_is_added_shown_and_listed() {
    let site = Bench::new();
    site.run(&["customer", "add", "Dave@Corp.test", "--first-name", "Dave", "--customer-id", "corp"]).ends(0);
    let shown = site.run(&["customer", "show", "dave@corp.test", "--json"]).ends(0).json();
    assert_eq!((&shown["email"], &shown["customer_id"]), (&"dave@corp.test".into(), &"corp".into()));
    assert_eq!((&shown["first_name"], &shown["last_name"]), (&"Dave".into(), &" ".into()));
    assert_eq!((&shown["valid"], &shown["has_password"]), (&true.into(), &false.into()));
    assert_eq!(shown["preferences"]["UserShowTickets"], "25");
    site.run(&["customer", "add", "erin@corp.test", "--login", "erin", "--customer-id", "corp"]).ends(0);
    let all = site.run(&["customer", "list", "--json"]).ends(0).json();
    let logins: Vec<_> = all.as_array().unwrap().iter().map(|c| c["login"].as_str().unwrap()).collect();
    assert_eq!(logins, ["dave@corp.test", "erin"]);
    assert!(site.run(&["customer", "show", "erin"]).ends(0).out().contains("erin@corp.test"));
    site.run(&["customer", "add", "dave@corp.test"]).ends(73);
}

#[test]
fn no_customer_is_added_under_anothers_name() {
    let site = Bench::new();
    site.run(&["customer", "add", CAROL]).ends(0);
    for args in [
        ["x@corp.test", "--login", "Unverified-Sender"],
        ["x@corp.test", "--customer-id", "unverified-sender"],
        ["x@corp.test", "--login", "Carol@corp.test"],
        ["caról@corp.test", "--first-name", "Carol"],
    ] {
        site.run(&[&["customer", "add"], &args[..]].concat()).ends(77);
    }
    for args in [["x@corp.test", "--login", "0"], ["x@corp.test", "--customer-id", " "], ["no address", "--login", "x"]]
    {
        assert_eq!(site.run(&[&["customer", "add"], &args[..]].concat()).status.code(), Some(65), "{args:?}");
    }
    assert_eq!(site.run(&["customer", "list", "--json"]).json().as_array().unwrap().len(), 1);
}
