//! What `otab check` finds in a helpdesk's database: each finding once, and nothing bad where nothing is.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use super::helpdesk::{Helpdesk, OPEN};
use super::server::Product;
use super::{PLACES, Place, shared};
use crate::site::{Site, run};

/// A check's status, and what it found.
struct Checked {
    status: Option<i32>,
    findings: Vec<Value>,
}

impl Checked {
    fn of(site: &Site) -> Self {
        let mut command = Site::otab();
        command.arg("--config").arg(site.path("otab.toml")).args(["check", "--json"]);
        let output = run(&mut command, b"");
        let findings = serde_json::from_slice(&output.stdout);
        Self { status: output.status.code(), findings: findings.unwrap_or_else(|_| panic!("{output:?}")) }
    }

    fn has(&self, grade: &str, what: &str, says: &str) -> bool {
        self.find(grade, what, says).is_some()
    }

    fn find(&self, grade: &str, what: &str, says: &str) -> Option<String> {
        let found = self.findings.iter().find(|finding| {
            finding["grade"] == grade && finding["what"] == what && finding["says"].as_str().unwrap().contains(says)
        });
        found.map(|finding| finding["remedy"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn finds(&self, grade: &str, what: &str, says: &str, remedy: &str) {
        let found = self.find(grade, what, says);
        assert!(found.is_some_and(|found| found.contains(remedy)), "{grade} {what} {says}: {:#?}", self.findings);
    }

    #[track_caller]
    fn is_clean(&self) {
        let rest: Vec<&Value> = self.findings.iter().filter(|finding| finding["grade"] == "bad").collect();
        assert_eq!((self.status, rest.len()), (Some(0), 0), "{:#?}", self.findings);
    }
}

/// A helpdesk whose tickets and customers are on one database.
fn desk(place: Place) -> Helpdesk {
    let desk = Helpdesk::new(place);
    desk.site.append(&format!("[[customer_user]]\nname = \"CustomerUser\"\nurl = \"{}\"\n", desk.url));
    // The store is made.
    desk.ends(0, &["filter"], &crate::site::mail(1));
    desk
}

fn check(desk: &Helpdesk) -> Checked {
    Checked::of(&desk.site)
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
fn a_helpdesk_as_it_should_be_has_nothing_bad_and_says_how_many_customers_there_are() {
    for desk in PLACES.map(desk) {
        customers(&desk, &[("dave", "dave@corp.test", "corp", 2)]);
        let checked = check(&desk);
        checked.is_clean();
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
fn addresses_and_companies_that_several_customers_have_are_counted_and_named() {
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
        many.iter().for_each(|login| customers(&desk, &[(login, login, "big", 1)]));
        let checked = check(&desk);
        checked.is_clean();
        checked.finds("note", "customers", "more than one customer: 1: dave@corp.test (2)", "first valid login");
        checked.finds("note", "customers", "share the customer id big: 20", "company tickets");
        checked.finds("note", "customers", "customer id of several: gmx.de (2)", "create.customer_id");
        desk.sql("UPDATE customer_user SET customer_id = login WHERE login = 'm0@big.test'");
        assert!(!check(&desk).has("note", "customers", "share the customer id"));
    }
}

#[test]
fn the_packages_own_filter_is_bad_while_it_is_on_and_the_newest_row_of_nobodys_counts() {
    for desk in PLACES.map(desk) {
        modified(&desk, FILTER, Some(7), 1, "---\nA: b\n");
        check(&desk).is_clean();
        modified(&desk, FILTER, None, 1, "---\nA: b\n");
        let checked = check(&desk);
        assert_eq!(checked.status, Some(78), "{:#?}", checked.findings);
        checked.finds("bad", "package", "switched on", "System Configuration");
        modified(&desk, FILTER, None, 0, "---\nA: b\n");
        check(&desk).is_clean();
        desk.sql("DROP TABLE sysconfig_modified");
        let checked = check(&desk);
        assert_eq!(checked.status, Some(0), "{:#?}", checked.findings);
        checked.finds("note", "package", "cannot be read", "GRANT SELECT");
    }
}

#[test]
fn settings_that_both_sides_have_are_told_where_they_differ() {
    for desk in PLACES.map(desk) {
        modified(&desk, "Ticket::Hook", None, 1, "--- Case#\n");
        modified(&desk, "SystemID", None, 1, "--- 77\n");
        desk.sql("UPDATE sysconfig_default SET name = 'OTRSTimeZone' WHERE name = 'OTOBOTimeZone'");
        modified(&desk, "OTRSTimeZone", None, 1, "--- Europe/Berlin\n");
        let checked = check(&desk);
        checked.is_clean();
        checked.finds("note", "agreement", "Ticket::Hook is \"Case#\"", "postmaster.ticket_hook = \"Case#\"");
        checked.finds("note", "agreement", "SystemID is \"77\"", "postmaster.system_id = \"77\"");
        checked.finds("note", "agreement", "OTRSTimeZone is \"Europe/Berlin\"", "tickets.time_zone");
        assert!(!checked.has("note", "agreement", "HookDivider"));
    }
}

#[test]
fn mail_accounts_without_trust_and_addresses_of_the_helpdesks_own_are_worth_a_word() {
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
        let checked = check(&desk);
        checked.is_clean();
        checked.finds("note", "mail accounts", "open at imap.test", "Trusted: Yes");
        assert_eq!(checked.findings.iter().filter(|finding| finding["what"] == "mail accounts").count(), 1);
        checked.finds("note", "own addresses", "own_addresses: help@desk.test, Sales@desk.test", "add them");
        desk.site.append("[postmaster]\nown_addresses = [\"help@desk.test\", \"sales@desk.test\"]\n");
        assert!(!check(&desk).has("note", "own addresses", ""));
    }
}

#[test]
fn tables_and_columns_that_are_not_there_are_named() {
    for desk in PLACES.map(desk) {
        desk.sql("ALTER TABLE article_data_mime RENAME COLUMN a_message_id TO other");
        desk.sql("DROP TABLE customer_preferences");
        let checked = check(&desk);
        assert_eq!(checked.status, Some(78), "{:#?}", checked.findings);
        checked.finds("bad", "tickets", "article_data_mime has no column a_message_id", "tickets.url");
        checked.finds("bad", "customers", "no table customer_preferences", "[[customer_user]]");
        desk.sql("ALTER TABLE customer_user RENAME COLUMN city TO town");
        check(&desk).finds("bad", "customers", "customer_user has no column city", "");
    }
}

#[test]
fn an_index_for_message_ids_that_is_gone_is_worth_a_word() {
    for desk in PLACES.map(desk) {
        let on = if desk.place == Place::MariaDb { " ON article_data_mime" } else { "" };
        desk.sql(&format!("DROP INDEX article_data_mime_message_id_md5{on}"));
        let checked = check(&desk);
        checked.is_clean();
        checked.finds("note", "tickets", "a_message_id_md5", "CREATE INDEX");
    }
}

#[test]
fn a_change_that_is_still_to_come_says_that_the_zone_is_another() {
    for desk in PLACES.map(desk) {
        let time = |hours: i64| {
            let time = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours);
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        desk.ticket(1, "1", OPEN, &time(-1), &time(0));
        assert!(!check(&desk).has("note", "time zone", ""));
        desk.ticket(2, "2", OPEN, &time(0), &time(2));
        check(&desk).finds("note", "time zone", "minutes from now", "OTOBOTimeZone");
    }
}

/// Gives the visitor just these rights in a desk's database, and has otab come as him.
fn as_visitor(desk: &Helpdesk, rights: &str) {
    let product = if desk.place == Place::PostgreSql { Product::PostgreSql } else { Product::MariaDb };
    let server = shared(product);
    let database = desk.url.split('?').next().unwrap().rsplit('/').next().unwrap().to_owned();
    let visitor = format!("v_{database}");
    match product {
        Product::PostgreSql => server.client(
            &database,
            &format!("CREATE ROLE {visitor} LOGIN PASSWORD 'hunter2'; {}", rights.replace("VISITOR", &visitor)),
        ),
        Product::MariaDb => server.client(
            &database,
            &format!("CREATE USER {visitor} IDENTIFIED BY 'hunter2'; {}", rights.replace("VISITOR", &visitor)),
        ),
    };
    let url = server.tcp_url("127.0.0.1", &database, "sslmode=disable").replace("visitor:", &format!("{visitor}:"));
    let text = std::fs::read_to_string(desk.site.path("otab.toml")).unwrap();
    let path = desk.site.write("otab.toml", &text.replace(&desk.url, &url));
    // There is a password in it now.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn every_right_that_is_missing_is_named_with_the_grant() {
    for (place, preferences) in [
        (Place::PostgreSql, "GRANT INSERT, DELETE ON customer_preferences TO"),
        (Place::MariaDb, "GRANT INSERT, DELETE ON customer_preferences TO"),
    ] {
        let reader = desk(place);
        let all = if place == Place::PostgreSql { "ALL TABLES IN SCHEMA public" } else { "*" };
        as_visitor(&reader, &format!("GRANT SELECT ON {all} TO VISITOR;"));
        let checked = check(&reader);
        assert_eq!(checked.status, Some(69), "{:#?}", checked.findings);
        checked.finds("bad", "customers", "INSERT on customer_user is missing", "GRANT INSERT ON customer_user TO");
        checked.finds("bad", "customers", "INSERT, DELETE on customer_preferences", preferences);
        assert!(!checked.has("bad", "tickets", ""), "{:#?}", checked.findings);
        if place == Place::PostgreSql {
            let remedy = "GRANT USAGE ON SEQUENCE public.customer_user_id_seq TO";
            checked.finds("bad", "customers", "customer_user_id_seq", remedy);
        }
        // A source in which nobody is created needs no more.
        let text = std::fs::read_to_string(reader.site.path("otab.toml")).unwrap();
        let second = "[[customer_user]]\nname = \"Own\"\n[postmaster]\ncustomer_user_backend = \"Own\"\n";
        reader.site.write("otab.toml", &format!("{text}{second}"));
        check(&reader).is_clean();

        let nobody = desk(place);
        as_visitor(&nobody, "GRANT SELECT ON customer_preferences TO VISITOR;");
        let checked = check(&nobody);
        assert_eq!(checked.status, Some(69), "{:#?}", checked.findings);
        checked.finds(
            "bad",
            "customers",
            "SELECT, INSERT on customer_user",
            "GRANT SELECT, INSERT ON customer_user TO",
        );
        checked.finds("bad", "tickets", "SELECT on ticket is missing", "GRANT SELECT ON ticket TO");
        checked.finds("note", "mail accounts", "cannot be read", "GRANT SELECT ON mail_account");

        let creator = desk(place);
        let more =
            if place == Place::PostgreSql { "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO VISITOR;" } else { "" };
        as_visitor(
            &creator,
            &format!(
                "GRANT SELECT ON {all} TO VISITOR; GRANT INSERT ON customer_user TO VISITOR; \
                 GRANT INSERT, DELETE ON customer_preferences TO VISITOR; {more}"
            ),
        );
        check(&creator).is_clean();
        creator.ends(0, &["filter"], b"From: eve@corp.test\nTo: help@desk.test\nSubject: x\n\nx\n");
        let output = creator.ends(0, &["customer", "list"], b"");
        assert!(String::from_utf8_lossy(&output.stdout).contains("eve@corp.test"));
    }
}

#[test]
fn rights_that_come_by_a_role_count_and_those_on_some_columns_are_not_enough() {
    let role = desk(Place::MariaDb);
    let grants = "CREATE ROLE makers; GRANT INSERT ON customer_user TO makers; \
                  GRANT INSERT, DELETE ON customer_preferences TO makers; GRANT SELECT ON * TO VISITOR; \
                  GRANT makers TO VISITOR; SET DEFAULT ROLE makers FOR VISITOR;";
    as_visitor(&role, grants);
    check(&role).is_clean();
    for (place, all) in [(Place::MariaDb, "*"), (Place::PostgreSql, "ALL TABLES IN SCHEMA public")] {
        let some = desk(place);
        as_visitor(
            &some,
            &format!("GRANT SELECT ON {all} TO VISITOR; GRANT INSERT (login, email) ON customer_user TO VISITOR;"),
        );
        check(&some).finds("bad", "customers", "INSERT on customer_user is missing", "GRANT INSERT ON customer_user");
    }
}

#[test]
fn a_column_that_is_too_short_or_of_another_type_is_told() {
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
        let checked = check(&desk);
        checked.is_clean();
        checked.finds("note", "customers", "customer_user.email takes 40 characters", "refused");
        desk.sql(other);
        let checked = check(&desk);
        assert_eq!(checked.status, Some(78));
        checked.finds("bad", "tickets", "ticket.change_time is of the type", "never alters");
    }
}

/// Twenty thousand customers, as a server makes them by itself.
fn fill(desk: &Helpdesk) {
    let numbers = match desk.place {
        Place::MariaDb => "seq_1_to_20000",
        _ => "generate_series(1, 20000) AS numbers (seq)",
    };
    desk.sql(&format!(
        "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, create_time, create_by, \
         change_time, change_by) SELECT CONCAT('u', seq, '@big.test'), CONCAT('u', seq, '@big.test'), \
         CONCAT('u', seq, '@big.test'), ' ', ' ', 1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1 FROM {numbers}"
    ));
}

#[test]
fn many_customers_and_no_index_that_serves_the_look_up_are_worth_a_word() {
    let desk = desk(Place::PostgreSql);
    fill(&desk);
    check(&desk).finds("note", "customers", "no index serves", "CREATE INDEX ON customer_user (LOWER(email));");
    // One on the column as it is serves nobody.
    desk.sql("CREATE INDEX plain ON customer_user (email)");
    assert!(check(&desk).has("note", "customers", "no index serves"));
    desk.sql("CREATE INDEX ON customer_user (LOWER(email))");
    assert!(!check(&desk).has("note", "customers", "no index serves"));
}

#[test]
fn mariadb_is_said_to_have_no_such_index_before_11_8() {
    let desk = desk(Place::MariaDb);
    fill(&desk);
    let version = shared(Product::MariaDb).client("mysql", "SELECT VERSION()");
    let is_old = version.starts_with("10.") || version.starts_with("11.4");
    desk.sql("CREATE INDEX plain ON customer_user (email)");
    check(&desk).finds("note", "customers", "no index serves", "never alters");
    desk.sql(
        "ALTER TABLE customer_user ADD COLUMN email_lower VARCHAR(150) AS (LOWER(email)), ADD INDEX (email_lower)",
    );
    let found = check(&desk).find("note", "customers", "no index serves");
    assert_eq!(found.is_some(), is_old, "{version}");
    assert!(found.is_none_or(|remedy| remedy.contains("before 11.8 has no index")));
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
    let checked = check(&desk);
    checked.is_clean();
    checked.finds("note", "clock", "ahead of this machine's", "NTP");
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
        check(&desk).is_clean();
        assert_eq!((look(), next()), before, "{:?}", desk.place);
    }
}
