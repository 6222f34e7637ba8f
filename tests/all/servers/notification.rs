//! Renewed links with the text of one of the helpdesk's notifications, on each kind of database.

use super::helpdesk::{Helpdesk, OPEN};
use super::{PLACES, Place};
use crate::site::{CAROL, Read, mail};

const DAY: &str = "2026-01-01 08:00:00";

/// A helpdesk with the notification 7, and carol's ticket, whose link has been used and renewed: the new link waits.
fn renewed(place: Place, valid: i64, messages: &[(&str, &str, &str, &str)]) -> Helpdesk {
    let desk = Helpdesk::new(place);
    let text = desk.read("otab.toml");
    desk.site
        .write("otab.toml", &text.replace("[one_time_auth]\n", "[one_time_auth]\ntoken_refresh_notification_id = 7\n"));
    desk.execute("INSERT INTO notification_event (id, name, valid_id) VALUES (7, 'new link', ?)", &[valid.into()]);
    for (language, kind, subject, body) in messages {
        desk.execute(
            "INSERT INTO notification_event_message (notification_id, subject, text, content_type, language) \
             VALUES (7, ?, ?, ?, ?)",
            &[(*subject).into(), (*body).into(), (*kind).into(), (*language).into()],
        );
    }
    desk.takes(&mail(1));
    desk.ticket(1, "2026112110000017", OPEN, DAY, DAY);
    desk.article(1, "<1@corp.test>");
    desk.ends(0, &["notify"]);
    let secret =
        only(&desk).part(0).lines().find_map(|line| line.strip_prefix("https://help.test/t/").map(str::to_owned));
    std::fs::remove_dir_all(desk.path("mails")).unwrap();
    let secret = secret.unwrap();
    desk.ends(0, &["redeem", &secret]);
    desk.ends(12, &["redeem", &secret]);
    desk
}

fn only(desk: &Helpdesk) -> Read {
    let mails: Vec<_> = std::fs::read_dir(desk.path("mails")).unwrap().map(|mail| mail.unwrap().path()).collect();
    assert_eq!(mails.len(), 1, "{}", desk.log());
    Read::new(&std::fs::read(&mails[0]).unwrap())
}

const ENGLISH: (&str, &str, &str, &str) = (
    "en",
    "text/html",
    "Ticket <OTOBO_TICKET_TicketNumber>: <OTOBO_TICKET_Title>",
    "Dear &lt;OTOBO_CUSTOMER_REALNAME&gt;,<br/>go <a href=\"&lt;OTOBO_OTACustomerTicketLink&gt;\">there</a>.",
);
const GERMAN: (&str, &str, &str, &str) =
    ("de", "text/plain", "Ihr Zugang", "Grüße <OTRS_CUSTOMER_BODY[3]>\n\n<OTRS_OTACustomerTicketLink>\n");

#[test]
fn a_renewed_link_has_the_helpdesks_own_words() {
    for place in PLACES {
        let desk = renewed(place, 1, &[GERMAN, ENGLISH]);
        let link = format!("https://help.test/t/{}", desk.secrets().remove(0));
        desk.ends(0, &["notify"]);
        let mail = only(&desk);
        assert_eq!(mail.field("Subject"), "Ticket 2026112110000017: -", "{place:?} {}", desk.log());
        assert_eq!(mail.field("To"), CAROL);
        assert!(mail.part(1).contains(&format!("Dear -,<br/>go <a href=\"{link}\">there</a>.")), "{}", mail.part(1));
        assert!(mail.part(0).contains("go there.") && mail.part(0).contains(&link), "{}", mail.part(0));
        assert!(!mail.raw.contains("OTOBO_"), "{}", mail.raw);

        let desk = renewed(place, 1, &[GERMAN, ENGLISH]);
        let sql = "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) VALUES (?, ?, ?)";
        desk.database().execute(sql, [CAROL, "UserLanguage", "de"]).unwrap();
        desk.ends(0, &["notify"]);
        let mail = only(&desk);
        assert_eq!((mail.field("Subject"), mail.field("Content-Language")), ("Ihr Zugang", "de"), "{place:?}");
        assert!(mail.part(0).starts_with("Grüße -\n\nhttps://help.test/t/"), "{}", mail.part(0));
    }
}

#[test]
fn a_bad_notification_costs_its_words_not_the_link() {
    for place in PLACES {
        let odd = ("en", "text/plain", "two\nlines", "x");
        for (valid, messages, why) in
            [(2, &[ENGLISH][..], "is not valid"), (1, &[], "has no texts"), (1, &[odd], "its subject")]
        {
            let desk = renewed(place, valid, messages);
            desk.ends(0, &["notify"]);
            assert!(only(&desk).part(0).contains("had been used"), "{place:?} {why}");
            assert!(desk.log().contains("by the built-in text") && desk.log().contains(why), "{why}: {}", desk.log());
            if why != "its subject" {
                let told = desk.ends(78, &["check"]);
                assert!(told.contains(why), "{told}");
            }
        }
        let desk = renewed(place, 1, &[ENGLISH]);
        let told = String::from_utf8(desk.command(&["check"]).output().unwrap().stdout).unwrap();
        assert!(told.contains("7 has texts in en"), "{told}");
        desk.sql("DELETE FROM notification_event WHERE id = 7");
        desk.ends(0, &["notify"]);
        assert!(desk.log().contains("has no notification 7"), "{}", desk.log());
    }
}

#[test]
fn without_its_tables_a_renewed_link_waits() {
    for place in PLACES {
        let desk = renewed(place, 1, &[ENGLISH]);
        desk.sql("ALTER TABLE notification_event_message RENAME TO gone");
        desk.ends(0, &["notify"]);
        assert!(!desk.path("mails").exists());
        assert!(desk.log().contains("notification cannot be looked up"), "{}", desk.log());
        desk.sql("ALTER TABLE gone RENAME TO notification_event_message");
        desk.ends(0, &["outbox", "retry"]);
        desk.ends(0, &["notify"]);
        assert!(only(&desk).field("Subject").starts_with("Ticket"), "{place:?}");
    }
}
