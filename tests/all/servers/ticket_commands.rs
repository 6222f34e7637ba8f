//! What commands make of tickets in OTOBO's own tables: on SQLite, PostgreSQL and MariaDB, and while they are away.

use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;

use super::helpdesk::{CLOSED, Helpdesk, MERGED, OPEN};
use super::server::{Product, Server};
use super::{PLACES, Place};
use crate::site::{CAROL, Ended, mail};

const OLD: &str = "2020-01-01 08:00:00";
const NUMBER: &str = "2026112010000017";

/// A mail of carol's that answers others.
fn answer(id: &str, more: &str) -> Vec<u8> {
    format!("From: {CAROL}\nMessage-ID: <{id}@corp.test>\n{more}\n\nHello\n").into_bytes()
}

/// A site to which carol's first mail has come, and become a ticket.
fn opened(place: Place) -> Helpdesk {
    let desk = Helpdesk::new(place);
    desk.takes(&mail(1));
    desk.ticket(1, NUMBER, OPEN, OLD, OLD);
    desk.article(1, "<1@corp.test>");
    desk
}

#[test]
fn a_link_opens_the_ticket_that_came_of_its_mail() {
    for desk in PLACES.map(opened) {
        let output = desk.feed(&["redeem", "--json", "-"], desk.secrets().remove(0).as_bytes()).says(0);
        let said = output.out();
        assert!(said.contains(NUMBER), "{:?}: {said}", desk.place);
        assert_eq!(desk.bound(), [NUMBER]);
    }
}

#[test]
fn a_ticket_of_somebody_else_binds_no_token() {
    for desk in PLACES.map(opened) {
        desk.sql("UPDATE ticket SET customer_user_id = NULL");
        desk.ends(0, &["purge"]);
        assert_eq!(desk.bound(), [""], "{:?}", desk.place);
        desk.sql("UPDATE ticket SET customer_user_id = 'Carol@corp.test'");
        desk.ends(0, &["purge"]);
        assert_eq!(desk.bound(), [""], "{:?}", desk.place);
    }
}

#[test]
fn tokens_end_with_their_ticket_purged_or_not() {
    for change in ["closed", "merged", "deleted"] {
        for desk in PLACES.map(opened) {
            let what = format!("{:?} {change}", desk.place);
            desk.ends(0, &["purge"]);
            assert_eq!(desk.bound(), [NUMBER], "{what}");
            match change {
                "closed" => desk.sql(&format!("UPDATE ticket SET ticket_state_id = {CLOSED}")),
                "merged" => desk.sql(&format!("UPDATE ticket SET ticket_state_id = {MERGED}")),
                _ => {
                    for table in ["article_data_mime", "article", "ticket"] {
                        desk.sql(&format!("DELETE FROM {table}"));
                    }
                }
            }
            desk.feed(&["redeem", "-"], desk.secrets().remove(0).as_bytes()).says(10);
            desk.ends(0, &["notify"]);
            assert!(desk.log().contains("the time of its ticket or token is over"), "{what}: {}", desk.log());
            desk.ends(0, &["purge"]);
            assert_eq!(desk.count("token"), 0, "{what}");
            let status = if change == "deleted" { 67 } else { 77 };
            desk.ends(status, &["link", "--ticket", NUMBER, "--customer", CAROL]);
        }
    }
}

#[test]
fn deliver_binds_the_token_to_its_commands_ticket() {
    for desk in PLACES.map(Helpdesk::new) {
        let pipe = |name: &str| {
            let path = desk.path(name);
            assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        };
        let (taken, made) = (pipe("taken"), pipe("made"));
        // The command has the mail, and ends once the ticket is there.
        let script = "cat > \"$0\" && cat < \"$1\"";
        let args = ["deliver", "--", "sh", "-c", script, taken.to_str().unwrap(), made.to_str().unwrap()];
        let mut child = desk.command(&args).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(&mail(1)).unwrap();
        let mut text = String::new();
        File::open(taken).unwrap().read_to_string(&mut text).unwrap();
        assert!(text.contains("<1@corp.test>"), "{text}");
        desk.ticket(1, NUMBER, OPEN, OLD, OLD);
        desk.article(1, "<1@corp.test>");
        assert_eq!(desk.bound(), [""], "{:?}", desk.place);
        drop(File::options().write(true).open(made).unwrap());
        child.wait_with_output().unwrap().ends(0);
        assert_eq!(desk.bound(), [NUMBER], "{:?}: {}", desk.place, desk.log());
    }
}

#[test]
fn a_follow_up_names_a_ticket_or_answers_a_known_mail() {
    for desk in PLACES.map(opened) {
        for (number, more, is_new) in [
            (2, format!("Subject: Re: [Ticket#{NUMBER}] help"), false),
            (3, "Subject: Re: [Ticket#2026112010000099] help".to_owned(), true),
            (4, "Subject: Re: help\nReferences: <1@corp.test> <else@x>".to_owned(), false),
            (5, "Subject: Re: help\nIn-Reply-To: <1@corp.test>".to_owned(), false),
            (6, "Subject: Re: help\nReferences: <1@CORP.test> <else@x>".to_owned(), true),
            (7, "Subject: [Ticket#2026112010000099]\nIn-Reply-To: <1@corp.test>".to_owned(), false),
            (8, "Subject: help\nIn-Reply-To: <1@corp.test>\nPrecedence: bulk".to_owned(), false),
        ] {
            let before = desk.count("token");
            desk.takes(&answer(&number.to_string(), &more));
            assert_eq!(desk.count("token") - before, i64::from(is_new), "{:?} {more}", desk.place);
        }
        let log = desk.log();
        assert_eq!(log.matches(&format!("follow-up to {NUMBER}")).count(), 4, "{log}");
        // A stranger who answers is no new customer.
        let stranger = b"From: dave@corp.test\nMessage-ID: <9@x>\nIn-Reply-To: <1@corp.test>\n\nx\n";
        desk.takes(stranger);
        assert_eq!(desk.count("customer_user"), 1);
    }
}

#[test]
fn with_otabs_table_only_a_number_makes_a_follow_up() {
    let desk = opened(Place::Sqlite);
    let text = desk.read("otab.toml");
    desk.write("otab.toml", text.split("[tickets]").next().unwrap());
    desk.ends(0, &["ticket", "add", NUMBER, "--message-id", "1@corp.test", "--customer", CAROL]);
    desk.takes(&answer("2", "Subject: [Ticket#2026112010000099]"));
    assert_eq!(desk.count("token"), 1);
    desk.takes(&answer("3", "Subject: x\nReferences: <1@corp.test>"));
    assert_eq!(desk.count("token"), 2);
}

#[test]
fn a_helpdesks_tickets_are_shown_and_never_changed() {
    for desk in PLACES.map(opened) {
        for args in [&["add", "1"][..], &["close", NUMBER], &["reopen", NUMBER], &["list"]] {
            let output = desk.feed(&[&["ticket"], args].concat(), b"").says(64);
            let said = output.err();
            assert!(said.contains("tickets.source"), "{said}");
        }
        let output = desk.ends(0, &["ticket", "show", NUMBER]);
        assert!(output.contains(CAROL));
        desk.ends(67, &["ticket", "show", "1"]);
        let output = desk.run(&["check"]);
        let said = output.out();
        assert!(said.lines().any(|line| line.starts_with("ok") && line.contains("tickets")), "{said}");
        desk.sql("DROP TABLE ticket_history");
        let said = desk.ends(69, &["check"]);
        assert!(said.contains("ticket_history") && said.contains("tickets.url"), "{said}");
    }
}

/// A helpdesk whose database goes away and comes back.
enum Away {
    File,
    Server(Server),
}

impl Away {
    fn opened(place: Place) -> (Self, Helpdesk) {
        let (this, desk) = match place {
            Place::Sqlite => (Self::File, Helpdesk::new(place)),
            Place::PostgreSql | Place::MariaDb => {
                let product = if place == Place::MariaDb { Product::MariaDb } else { Product::PostgreSql };
                let server = Server::start(product);
                let name = server.database();
                if product == Product::MariaDb {
                    // Else what was written last may be gone with the server.
                    server.client(&name, "SET GLOBAL innodb_flush_log_at_trx_commit = 1");
                }
                let desk = Helpdesk::at(place, |_| server.url(&name));
                (Self::Server(server), desk)
            }
        };
        desk.takes(&mail(1));
        desk.ticket(1, NUMBER, CLOSED, OLD, OLD);
        desk.article(1, "<1@corp.test>");
        (this, desk)
    }

    fn go(&mut self, desk: &Helpdesk) {
        match self {
            Self::File => std::fs::rename(desk.url.trim_start_matches("sqlite:"), desk.path("away")).unwrap(),
            Self::Server(server) => server.kill(),
        }
    }

    fn come(&mut self, desk: &Helpdesk) {
        match self {
            Self::File => std::fs::rename(desk.path("away"), desk.url.trim_start_matches("sqlite:")).unwrap(),
            Self::Server(server) => server.restart(),
        }
    }
}

#[test]
fn while_tickets_are_unseen_nothing_is_opened() {
    for place in PLACES {
        let (mut away, desk) = Away::opened(place);
        away.go(&desk);
        let secret = desk.secrets().remove(0);
        for command in ["redeem", "refresh"] {
            let output = desk.feed(&[command, "-"], secret.as_bytes()).says(69);
            assert!(output.stdout.is_empty(), "{place:?}: {output:?}");
        }
        desk.ends(69, &["purge"]);
        desk.ends(69, &["purge", "--dry-run"]);
        desk.ends(69, &["link", "--ticket", NUMBER, "--customer", CAROL]);
        desk.ends(69, &["ticket", "show", NUMBER]);
        desk.ends(69, &["check"]);
        desk.run(&["notify"]);
        assert!(desk.log().contains("customer or ticket cannot be looked up"), "{place:?}: {}", desk.log());
        assert_eq!((desk.bound(), desk.count("outbox")), (vec![String::new()], 1), "{place:?}");

        // An outgoing mail goes on.
        let outgoing = format!("To: {CAROL}\nSubject: [Ticket#{NUMBER}]\n\n[[OTAB-LINK]]\n");
        let output = desk
            .feed(&["outgoing", "--", "sh", "-c", "cat", "-f", "help@desk.test", CAROL], outgoing.as_bytes())
            .says(0);
        assert!(output.out().contains("[Ticket#"), "{place:?}");
        assert_eq!(desk.count("token"), 1, "{place:?}");

        // The purge makes up for it.
        away.come(&desk);
        desk.feed(&["redeem", "-"], secret.as_bytes()).says(10);
        desk.ends(0, &["purge"]);
        assert_eq!(desk.count("token"), 0, "{place:?}");
    }
}

#[test]
fn a_mail_waits_for_tickets_only_where_it_has_to() {
    for place in PLACES {
        let (mut away, desk) = Away::opened(place);
        away.go(&desk);
        let answers = "Subject: x\nReferences: <1@corp.test>";
        let numbered = format!("Subject: [Ticket#{NUMBER}]");
        for more in [answers, &numbered] {
            let output = desk.feed(&["filter"], &answer("2", more)).says(75);
            let said = output.err();
            assert_eq!(said, "4.3.0 otab defers the mail: the tickets cannot be looked up\n", "{place:?}");
            assert!(output.stdout.is_empty());
        }
        // A new mail, an automatic one, and one of nobody certain.
        desk.takes(&mail(3));
        desk.feed(&["deliver", "--", "true"], &mail(4)).says(0);
        desk.takes(&answer("5", &format!("{answers}\nAuto-Submitted: auto-replied")));
        desk.takes(format!("From: a@x.test, b@x.test\n{answers}\n\nx\n").as_bytes());
        assert_eq!(desk.count("token"), 3, "{place:?}");
        assert!(desk.log().contains("the token's ticket is not known yet"), "{}", desk.log());

        let text = desk.read("otab.toml");
        desk.write("otab.toml", &format!("{text}[postmaster]\non_error = \"deliver\"\n"));
        for more in [answers, &numbered] {
            let output = desk.takes(&answer("6", more));
            assert!(output.stdout.starts_with(b"X-OTOBO-CustomerUser: carol@corp.test\n"), "{output:?}");
        }
        let stranger = format!("From: dave@corp.test\nMessage-ID: <9@x>\n{answers}\n\nx\n");
        desk.takes(stranger.as_bytes());
        assert_eq!((desk.count("token"), desk.count("customer_user")), (3, 1), "{place:?}");
        assert!(desk.log().contains("a follow-up or new"), "{}", desk.log());
    }
}
