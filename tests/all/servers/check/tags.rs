//! Texts of the helpdesk's that still make links of the package's.

use super::super::helpdesk::Helpdesk;
use super::super::{PLACES, Place};
use super::rights::as_visitor;
use super::{FILTER, desk};

const TAG: &str = "<OTOBO_OTACustomerTicketLink>";
const ESCAPED: &str = "&lt;OTOBO_OTACustomerTicketLink&gt;";

/// Tables with names of their own, and the column of their text.
const TABLES: [(&str, &str, &str); 4] = [
    ("auto_response", "text0", "auto response"),
    ("standard_template", "text", "template"),
    ("signature", "text", "signature"),
    ("salutation", "text", "salutation"),
];

fn text(desk: &Helpdesk, table: &str, column: &str, name: &str, text: &str) {
    let sql = format!("INSERT INTO {table} (name, {column}, valid_id) VALUES (?, ?, 1)");
    desk.execute(&sql, &[name.into(), text.into()]);
}

fn notification(desk: &Helpdesk, id: i64, name: &str, texts: &[(&str, &str)]) {
    desk.execute("INSERT INTO notification_event (id, name, valid_id) VALUES (?, ?, 1)", &[id.into(), name.into()]);
    for (language, text) in texts {
        desk.execute(
            "INSERT INTO notification_event_message (notification_id, subject, text, content_type, language) \
             VALUES (?, 'x', ?, 'text/html', ?)",
            &[id.into(), (*text).into(), (*language).into()],
        );
    }
}

#[test]
fn each_text_with_the_packages_tag_is_named() {
    for desk in PLACES.map(desk) {
        let clean = desk.check().clean();
        clean.finds("ok", "package", "no text of the helpdesk's makes its links", "");
        for (table, column, what) in TABLES {
            // Others have none of it, or speak of it.
            text(&desk, table, column, "plain", "Dear <OTOBO_CUSTOMER_REALNAME>, OTOBO_OTACustomerTicketLink");
            desk.check().clean();
            text(&desk, table, column, &format!("text of {table}"), &format!("Open it:\n{TAG}\n"));
            text(&desk, table, column, &format!("html of {table}"), &format!("<p>Open it: {ESCAPED}</p>"));
            let checked = desk.check().ends(78);
            for name in ["text", "html"] {
                checked.finds(
                    "bad",
                    "package",
                    &format!("{what} \"{name} of {table}\""),
                    "write [[OTAB-LINK]] instead",
                );
            }
            assert!(!checked.has("bad", "package", "\"plain\""), "{:#?}", checked.findings);
            desk.sql(&format!("DELETE FROM {table}"));
        }
        notification(&desk, 6, "of old", &[("en", TAG), ("de", ESCAPED)]);
        notification(&desk, 7, "renewed", &[("en", TAG)]);
        notification(&desk, 8, "plain", &[("en", "nothing")]);
        let says = "<OTOBO_OTACustomerTicketLink> is in: notification \"of old\", notification \"renewed\": ";
        desk.check().finds("bad", "package", says, "");
        // In the one for renewed links the tag becomes otab's own link.
        let config = desk.read("otab.toml");
        let own = "[one_time_auth]\ntoken_refresh_notification_id = 7\n";
        desk.write("otab.toml", &config.replace("[one_time_auth]\n", own));
        desk.check().finds("bad", "package", "is in: notification \"of old\": ", "");
        desk.sql("DELETE FROM notification_event_message WHERE notification_id = 6");
        assert!(!desk.check().has("bad", "package", ""));
        // As long as otab makes no links, the package's may well be in use.
        desk.sql(
            "UPDATE notification_event_message SET text = '<OTOBO_OTACUSTOMERTICKETLINK>' WHERE notification_id = 8",
        );
        desk.write("otab.toml", &config.replace("link_url = \"https://help.test/t/{{token}}\"\n", ""));
        desk.check().finds("note", "package", "notification \"plain\", notification \"renewed\"", "[[OTAB-LINK]]");
    }
}

#[test]
fn a_tag_without_the_package_is_a_note() {
    for desk in PLACES.map(desk) {
        text(&desk, "signature", "text", "left over", TAG);
        desk.check().finds("bad", "package", "signature \"left over\"", "");
        desk.sql(&format!("DELETE FROM sysconfig_default WHERE name = '{FILTER}'"));
        let checked = desk.check().clean();
        checked.finds("ok", "package", "its own filter is not there", "");
        let says = "signature \"left over\": the package is not installed, so customers see the tag itself";
        checked.finds("note", "package", says, "take it out, or write [[OTAB-LINK]] instead");
    }
}

#[test]
fn of_two_tables_only_the_unreadable_one_is_named() {
    for place in [Place::PostgreSql, Place::MariaDb] {
        let desk = desk(place);
        let readable = ["auto_response", "standard_template", "signature", "salutation", "notification_event"];
        let rights = readable.map(|table| format!("GRANT SELECT ON {table} TO VISITOR; ")).concat();
        as_visitor(&desk, &rights);
        let says = |checked: &crate::site::Checked| {
            let found = checked.findings.iter().find(|finding| {
                finding["what"] == "package" && finding["says"].as_str().unwrap().contains("for the tag")
            });
            found.map(|found| (found["says"].to_string(), found["remedy"].to_string())).unwrap()
        };
        let (said, remedy) = says(&desk.check());
        assert!(said.starts_with("\"notification_event_message cannot be read"), "{said}");
        assert_eq!(remedy.matches("GRANT ").count(), 1, "{remedy}");
        assert!(remedy.contains("GRANT SELECT ON notification_event_message TO "), "{remedy}");
    }
    for desk in PLACES.map(desk) {
        desk.sql("ALTER TABLE notification_event_message RENAME TO gone");
        let checked = desk.check();
        checked.finds("note", "package", "notification_event_message cannot be read", "look for <OTOBO_OTA");
        let remedy = checked.finds("note", "package", "notification_event_message cannot be read", "");
        assert!(!remedy.contains("GRANT"), "no right makes a table: {remedy}");
        assert!(!checked.has("note", "package", "notification_event, "), "{:#?}", checked.findings);
    }
}

#[test]
fn texts_that_cannot_be_read_are_noted_with_the_grant() {
    for place in [Place::PostgreSql, Place::MariaDb] {
        let desk = desk(place);
        text(&desk, "signature", "text", "all", TAG);
        let rights = "GRANT SELECT ON signature TO VISITOR; GRANT SELECT ON standard_template TO VISITOR;";
        as_visitor(&desk, rights);
        let checked = desk.check();
        checked.finds("bad", "package", "signature \"all\"", "");
        let tables = "auto_response, notification_event, notification_event_message, salutation cannot be read";
        for table in ["auto_response", "notification_event", "notification_event_message", "salutation"] {
            checked.finds("note", "package", tables, &format!("GRANT SELECT ON {table} TO "));
        }
        assert!(!checked.finds("note", "package", tables, "").contains("ON signature"));
    }
    for desk in PLACES.map(desk) {
        desk.sql("ALTER TABLE salutation RENAME TO gone");
        let checked = desk.check().clean();
        checked.finds("note", "package", "salutation cannot be read", "");
    }
}
