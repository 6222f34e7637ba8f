//! What `otab check` finds in a helpdesk's database: each finding once, and nothing bad where nothing is.

mod companies;
mod logout;
mod lookup;
mod rights;
mod tags;

use super::helpdesk::{Helpdesk, OPEN};
use super::server::Product;
use super::{PLACES, Place, shared};
use crate::site::Site;

/// A helpdesk whose tickets and customers are on one database.
fn desk(place: Place) -> Helpdesk {
    let desk = Helpdesk::new(place);
    desk.append(&format!("[[customer_user]]\nname = \"CustomerUser\"\nurl = \"{}\"\n", desk.url));
    // The store is made.
    desk.takes(&crate::site::mail(1));
    desk
}

fn customers(desk: &Helpdesk, rows: &[(&str, &str, &str, i64)]) {
    for (login, email, company, valid) in rows {
        desk.execute(
            "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, create_time, \
             create_by, change_time, change_by) VALUES (?, ?, ?, ' ', ' ', ?, '2026-01-01 00:00:00', 1, \
             '2026-01-01 00:00:00', 1)",
            &[(*login).into(), (*email).into(), (*company).into(), (*valid).into()],
        );
    }
}

fn modified(desk: &Helpdesk, name: &str, user: Option<i64>, is_valid: i64, yaml: &str) {
    desk.execute(
        "INSERT INTO sysconfig_modified (sysconfig_default_id, name, user_id, is_valid, effective_value) \
         VALUES (1, ?, ?, ?, ?)",
        &[name.into(), user.into(), is_valid.into(), yaml.into()],
    );
}

const FILTER: &str = "PostMaster::PreFilterModule###000-CreateCustomerUser";

#[test]
fn a_good_helpdesk_has_nothing_bad() {
    for desk in PLACES.map(desk) {
        customers(&desk, &[("dave", "dave@corp.test", "corp", 2)]);
        let checked = desk.check().clean();
        checked.finds("ok", "customers", "customers: 2, of them valid: 1", "");
        checked.finds("ok", "tickets", " answers (", "");
        checked.finds("ok", "package", "switched off", "");
        checked.finds("ok", "agreement", "are the helpdesk's", "");
        let names = [("SQLite", Place::Sqlite), ("PostgreSQL", Place::PostgreSql), ("MariaDB", Place::MariaDb)];
        let name = names.iter().find(|(_, place)| *place == desk.place).unwrap().0;
        checked.finds("ok", "customers", &format!("answers ({name} "), "");
        assert!(!checked.has("note", "customers", ""), "{:#?}", checked.findings);
        assert!(!checked.has("note", "clock", ""), "{:#?}", checked.findings);
    }
}

#[test]
fn a_helpdesk_that_hears_of_no_customers_is_noted() {
    for desk in PLACES.map(desk) {
        let says = "create.after_create is empty";
        desk.check().finds("note", "new customers", says, "deletes the helpdesk's cache of customers");
        let config = desk.read("otab.toml");
        let told = format!("{config}[create]\nafter_create = [\"/bin/true\"]\n");
        desk.write("otab.toml", &told);
        assert!(!desk.check().has("note", "new customers", ""));
        // Nobody is created in the helpdesk where new customers are otab's own.
        let own = "[[customer_user]]\nname = \"Own\"\n[postmaster]\ncustomer_user_backend = \"Own\"\n";
        desk.write("otab.toml", &format!("{config}{own}"));
        assert!(!desk.check().has("note", "new customers", ""));
    }
}

#[test]
fn shared_addresses_and_companies_are_counted() {
    for desk in PLACES.map(desk) {
        customers(
            &desk,
            &[
                ("d1", "Dave@corp.test", "gmx.de", 1),
                ("d2", "dave@corp.test", "GMX.de", 2),
                ("d3", "davé@corp.test", "x", 1),
            ],
        );
        let many: Vec<String> = (0..20).map(|number| format!("m{number}@big.test")).collect();
        for login in &many {
            customers(&desk, &[(login, login, "big", 1)]);
        }
        let checked = desk.check().clean();
        checked.finds("note", "customers", "more than one customer: 1: dave@corp.test (2)", "first valid login");
        checked.finds("note", "customers", "share the customer id big: 20", "company tickets");
        checked.finds("note", "customers", "a company of the helpdesk's: 2: gmx.de (2)", "the address as customer id");
        desk.sql("UPDATE customer_user SET customer_id = login WHERE login = 'm0@big.test'");
        assert!(!desk.check().has("note", "customers", "share the customer id"));
    }
}

#[test]
fn the_packages_own_filter_is_bad_while_it_is_on() {
    for desk in PLACES.map(desk) {
        modified(&desk, FILTER, Some(7), 1, "---\nA: b\n");
        desk.check().clean();
        modified(&desk, FILTER, None, 1, "---\nA: b\n");
        let checked = desk.check().ends(78);
        checked.finds("bad", "package", "switched on", "System Configuration");
        modified(&desk, FILTER, None, 0, "---\nA: b\n");
        desk.check().clean();
        desk.sql("DROP TABLE sysconfig_modified");
        let checked = desk.check().ends(0);
        checked.finds("note", "package", "cannot be read", "GRANT SELECT");
    }
}

#[test]
fn settings_that_differ_on_both_sides_are_noted() {
    for desk in PLACES.map(desk) {
        modified(&desk, "Ticket::Hook", None, 1, "--- Case#\n");
        modified(&desk, "SystemID", None, 1, "--- 77\n");
        desk.sql("UPDATE sysconfig_default SET name = 'OTRSTimeZone' WHERE name = 'OTOBOTimeZone'");
        desk.append("[postmaster]\nheader_prefix = \"X-OTRS-\"\n");
        modified(&desk, "OTRSTimeZone", None, 1, "--- Europe/Berlin\n");
        let checked = desk.check().clean();
        checked.finds("note", "agreement", "Ticket::Hook is \"Case#\"", "postmaster.ticket_hook = \"Case#\"");
        checked.finds("note", "agreement", "SystemID is \"77\"", "postmaster.system_id = \"77\"");
        checked.finds("note", "agreement", "OTRSTimeZone is \"Europe/Berlin\"", "tickets.time_zone");
        assert!(!checked.has("note", "agreement", "HookDivider"));
    }
}

#[test]
fn a_prefix_of_another_helpdesk_is_bad_both_ways() {
    let [otobo, znuny] =
        ["[postmaster]\nheader_prefix = \"X-OTOBO-\"\n", "[postmaster]\nheader_prefix = \"X-OTRS-\"\n"];
    for desk in PLACES.map(desk) {
        // The default.
        desk.check().finds("ok", "header prefix", "X-OTOBO- is what OTOBO reads", "");
        let plain = desk.read("otab.toml");
        let with = |settings: &str| {
            desk.write("otab.toml", &format!("{plain}{settings}"));
            desk.check()
        };
        let wrong = with(znuny).ends(78);
        wrong.finds("bad", "header prefix", "this helpdesk is OTOBO", "header_prefix = \"X-OTOBO-\"");
        desk.sql("UPDATE sysconfig_default SET name = 'OTRSTimeZone' WHERE name = 'OTOBOTimeZone'");
        // What a migration has left behind does not count.
        modified(&desk, "OTOBOTimeZone", None, 1, "--- UTC\n");
        for settings in ["", otobo] {
            let wrong = with(settings).ends(78);
            wrong.finds("bad", "header prefix", "this helpdesk is Znuny", "header_prefix = \"X-OTRS-\"");
        }
        let right = with(znuny).clean();
        right.finds("ok", "header prefix", "X-OTRS- is what Znuny reads", "");
        // Customers are enough to tell by.
        let (tickets, _) = plain.split_once("[tickets]").unwrap();
        let customers = &plain[plain.find("[[customer_user]]").unwrap()..];
        desk.write("otab.toml", &format!("{tickets}{customers}"));
        desk.check().finds("bad", "header prefix", "this helpdesk is Znuny", "X-OTRS-");
        // Both, neither, and nothing to read.
        desk.write("otab.toml", &plain);
        for sql in [
            "INSERT INTO sysconfig_default (id, name, is_valid, effective_value) VALUES (999, 'OTOBOTimeZone', 1, 'UTC')",
            "DELETE FROM sysconfig_default WHERE name IN ('OTOBOTimeZone', 'OTRSTimeZone')",
            "DROP TABLE sysconfig_default",
        ] {
            desk.sql(sql);
            let unknown = desk.check().clean();
            unknown.finds("note", "header prefix", "not known", "X-OTOBO- is what OTOBO reads");
        }
    }
    // otab's own store is not a helpdesk's.
    let checked = Site::new("").check();
    assert!(!checked.findings.iter().any(|finding| finding["what"] == "header prefix"), "{:#?}", checked.findings);
}

#[test]
fn mail_accounts_without_trust_are_noted() {
    for desk in PLACES.map(desk) {
        let account = |login: &str, trusted: i64, valid: i64| {
            desk.execute(
                "INSERT INTO mail_account (login, host, account_type, queue_id, trusted, valid_id) \
                 VALUES (?, 'imap.test', 'IMAPS', 1, ?, ?)",
                &[login.into(), trusted.into(), valid.into()],
            );
        };
        account("open", 0, 1);
        account("trusted", 1, 1);
        account("gone", 0, 2);
        for (address, valid) in [("help@desk.test", 1_i64), ("old@desk.test", 2), ("Sales@desk.test", 1)] {
            desk.execute(
                "INSERT INTO system_address (value0, value1, valid_id) VALUES (?, 'Desk', ?)",
                &[address.into(), valid.into()],
            );
        }
        let checked = desk.check().clean();
        checked.finds("note", "mail accounts", "open at imap.test", "Trusted: Yes");
        assert_eq!(checked.findings.iter().filter(|finding| finding["what"] == "mail accounts").count(), 1);
        checked.finds("note", "own addresses", "own_addresses: help@desk.test, Sales@desk.test", "add them");
        desk.append("[postmaster]\nown_addresses = [\"help@desk.test\", \"sales@desk.test\"]\n");
        assert!(!desk.check().has("note", "own addresses", ""));
    }
}

#[test]
fn tables_and_columns_that_are_not_there_are_named() {
    for desk in PLACES.map(desk) {
        desk.sql("ALTER TABLE article_data_mime RENAME COLUMN a_message_id TO other");
        desk.sql("DROP TABLE customer_preferences");
        let checked = desk.check().ends(69);
        checked.finds("bad", "tickets", "article_data_mime has no column a_message_id", "tickets.url");
        checked.finds("bad", "customers", "no table customer_preferences", "[[customer_user]]");
        desk.sql("ALTER TABLE customer_user RENAME COLUMN city TO town");
        desk.check().finds("bad", "customers", "customer_user has no column city", "");
    }
}

#[test]
fn a_missing_index_for_message_ids_is_noted() {
    for desk in PLACES.map(desk) {
        let on = if desk.place == Place::MariaDb { " ON article_data_mime" } else { "" };
        desk.sql(&format!("DROP INDEX article_data_mime_message_id_md5{on}"));
        let checked = desk.check().clean();
        checked.finds("note", "tickets", "a_message_id_md5", "CREATE INDEX");
    }
}

#[test]
fn a_change_in_the_future_means_another_zone() {
    for desk in PLACES.map(desk) {
        let time = |hours: i64| {
            let time = otab::clock::now() + jiff::SignedDuration::from_hours(hours);
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        desk.ticket(1, "1", OPEN, &time(-1), &time(0));
        assert!(!desk.check().has("note", "time zone", ""));
        desk.ticket(2, "2", OPEN, &time(0), &time(2));
        desk.check().finds("note", "time zone", "minutes from now", "OTOBOTimeZone");
    }
}

#[test]
fn a_short_or_wrong_column_is_noted() {
    for (place, short, other) in [
        (
            Place::PostgreSql,
            "ALTER TABLE customer_user ALTER COLUMN email TYPE VARCHAR(40)",
            "ALTER TABLE ticket ALTER COLUMN change_time TYPE TIMESTAMP WITH TIME ZONE",
        ),
        (
            Place::MariaDb,
            "ALTER TABLE customer_user MODIFY email VARCHAR(40) NOT NULL",
            "ALTER TABLE ticket MODIFY change_time DATE NOT NULL",
        ),
    ] {
        let desk = desk(place);
        desk.sql(short);
        let checked = desk.check().clean();
        checked.finds("note", "customers", "customer_user.email takes 40 characters", "refused");
        desk.sql(other);
        let checked = desk.check().ends(69);
        checked.finds("bad", "tickets", "ticket.change_time is of the type", "never alters");
    }
}

#[test]
fn a_clock_that_goes_wrong_is_told() {
    let desk = desk(Place::PostgreSql);
    let database = desk.url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    // A function of this name that is found before the server's own.
    let sql = format!(
        "CREATE FUNCTION clock_timestamp() RETURNS TIMESTAMPTZ LANGUAGE sql AS \
         $$ SELECT pg_catalog.clock_timestamp() + INTERVAL '1 minute' $$; \
         ALTER DATABASE {database} SET search_path = public, pg_catalog"
    );
    shared(Product::PostgreSql).client(&database, &sql);
    let checked = desk.check().clean();
    checked.finds("note", "clock", "ahead of this machine's", "NTP");
    let sql = "CREATE OR REPLACE FUNCTION clock_timestamp() RETURNS TIMESTAMPTZ LANGUAGE sql AS \
               $$ SELECT pg_catalog.clock_timestamp() - INTERVAL '6 minutes' $$";
    shared(Product::PostgreSql).client(&database, sql);
    let checked = desk.check().ends(78);
    checked.finds("bad", "clock", "behind this machine's", "NTP");
}

#[test]
fn a_check_writes_nothing_into_the_helpdesk() {
    for desk in [Place::PostgreSql, Place::MariaDb].map(desk) {
        let product = if desk.place == Place::PostgreSql { Product::PostgreSql } else { Product::MariaDb };
        let database = desk.url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
        let tables = ["customer_user", "customer_preferences", "ticket", "sysconfig_modified", "system_address"];
        let look = || tables.map(|table| shared(product).client(&database, &format!("SELECT * FROM {table}")));
        let next = || match product {
            Product::PostgreSql => shared(product).client(&database, "SELECT last_value FROM customer_user_id_seq"),
            Product::MariaDb => shared(product).client(
                &database,
                "SELECT auto_increment FROM information_schema.tables WHERE table_schema = DATABASE() \
                 AND table_name = 'customer_user'",
            ),
        };
        let before = (look(), next());
        desk.check().clean();
        assert_eq!((look(), next()), before, "{:?}", desk.place);
    }
}
