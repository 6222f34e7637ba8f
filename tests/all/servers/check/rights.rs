//! Each right that is missing, on tables of the helpdesk's and of otab's own.

use super::super::server::Product;
use super::super::{Place, shared};
use super::{Helpdesk, desk};
use crate::site::{Ended, Site, chmod};

/// Gives the visitor just these rights in a desk's database, and has otab come as him.
pub(super) fn as_visitor(desk: &Helpdesk, rights: &str) {
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
    let text = desk.read("otab.toml");
    let path = desk.write("otab.toml", &text.replace(&desk.url, &url));
    // There is a password in it now.
    chmod(path, 0o600);
}

#[test]
fn every_missing_right_is_named_with_its_grant() {
    for (place, preferences) in [
        (Place::PostgreSql, "GRANT INSERT, DELETE ON customer_preferences TO"),
        (Place::MariaDb, "GRANT INSERT, DELETE ON customer_preferences TO"),
    ] {
        let reader = desk(place);
        let all = if place == Place::PostgreSql { "ALL TABLES IN SCHEMA public" } else { "*" };
        as_visitor(&reader, &format!("GRANT SELECT ON {all} TO VISITOR;"));
        let checked = reader.check().ends(69);
        checked.finds("bad", "customers", "INSERT on customer_user is missing", "GRANT INSERT ON customer_user TO");
        checked.finds("bad", "customers", "INSERT, DELETE on customer_preferences", preferences);
        assert!(!checked.has("bad", "tickets", ""), "{:#?}", checked.findings);
        if place == Place::PostgreSql {
            let remedy = "GRANT USAGE ON SEQUENCE public.customer_user_id_seq TO";
            checked.finds("bad", "customers", "customer_user_id_seq", remedy);
        }
        // A source in which nobody is created needs no more.
        let text = reader.read("otab.toml");
        let second = "[[customer_user]]\nname = \"Own\"\n[postmaster]\ncustomer_user_backend = \"Own\"\n";
        reader.write("otab.toml", &format!("{text}{second}"));
        reader.check().clean();

        let nobody = desk(place);
        as_visitor(&nobody, "GRANT SELECT ON customer_preferences TO VISITOR;");
        let checked = nobody.check().ends(69);
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
        creator.check().clean();
        creator.takes(b"From: eve@corp.test\nTo: help@desk.test\nSubject: x\n\nx\n");
        let output = creator.ends(0, &["customer", "list"]);
        assert!(output.contains("eve@corp.test"));
    }
}

#[test]
fn rights_by_a_role_count_and_those_on_columns_do_not() {
    let role = desk(Place::MariaDb);
    let grants = "CREATE ROLE makers; GRANT INSERT ON customer_user TO makers; \
                  GRANT INSERT, DELETE ON customer_preferences TO makers; GRANT SELECT ON * TO VISITOR; \
                  GRANT makers TO VISITOR; SET DEFAULT ROLE makers FOR VISITOR;";
    as_visitor(&role, grants);
    role.check().clean();
    for (place, all) in [(Place::MariaDb, "*"), (Place::PostgreSql, "ALL TABLES IN SCHEMA public")] {
        let some = desk(place);
        as_visitor(
            &some,
            &format!("GRANT SELECT ON {all} TO VISITOR; GRANT INSERT (login, email) ON customer_user TO VISITOR;"),
        );
        some.check().finds("bad", "customers", "INSERT on customer_user is missing", "GRANT INSERT ON customer_user");
    }
}

/// All that a visitor needs to create customers, but for the sequences of columns.
const CREATES: &str = "GRANT SELECT ON ALL TABLES IN SCHEMA public TO VISITOR; GRANT INSERT ON customer_user TO VISITOR; \
    GRANT INSERT, DELETE ON customer_preferences TO VISITOR; GRANT USAGE ON SEQUENCE customer_user_id_seq TO VISITOR; \
    GRANT USAGE ON SCHEMA public TO VISITOR;";

#[test]
fn each_sequence_that_numbers_rows_needs_usage() {
    // As Znuny has it from 7.1 on, and in other ways that come to the same.
    for (column, sequence) in [
        ("ALTER TABLE customer_preferences ADD COLUMN id BIGSERIAL", "public.customer_preferences_id_seq"),
        (
            "CREATE SEQUENCE \"Own numbers\"; ALTER TABLE customer_preferences ADD COLUMN id BIGINT NOT NULL \
             DEFAULT nextval('\"Own numbers\"')",
            "public.\"Own numbers\"",
        ),
        (
            "CREATE SEQUENCE late; ALTER TABLE customer_preferences ADD COLUMN id BIGINT NOT NULL \
             DEFAULT nextval('late'::text)",
            "public.late",
        ),
        (
            "CREATE SEQUENCE sums; ALTER TABLE customer_user ADD COLUMN other BIGINT NOT NULL \
             DEFAULT 10 * nextval('sums') + 1",
            "public.sums",
        ),
    ] {
        let desk = desk(Place::PostgreSql);
        column.split("; ").for_each(|sql| desk.sql(sql));
        as_visitor(&desk, CREATES);
        let mail = b"From: eve@corp.test\nTo: help@desk.test\nSubject: x\n\nx\n";
        desk.feed(&["filter"], mail).says(75);
        let checked = desk.check().ends(69);
        let grant = format!("GRANT USAGE ON SEQUENCE {sequence} TO v_");
        checked.finds("bad", "customers", &format!("USAGE on the sequence {sequence} is missing"), &grant);
        desk.sql(checked.finds("bad", "customers", "USAGE on the sequence", "").trim_end_matches(';'));
        desk.check().clean();
        desk.takes(mail);
    }
    // None of these takes a number that needs a right.
    for column in [
        "ALTER TABLE customer_preferences ADD COLUMN id BIGINT GENERATED BY DEFAULT AS IDENTITY",
        "ALTER TABLE customer_preferences ADD COLUMN id BIGINT GENERATED ALWAYS AS IDENTITY",
        "CREATE SEQUENCE late; ALTER TABLE customer_preferences ALTER COLUMN preferences_value \
         SET DEFAULT CAST(nextval('late') AS TEXT)",
    ] {
        let desk = desk(Place::PostgreSql);
        column.split("; ").for_each(|sql| desk.sql(sql));
        as_visitor(&desk, CREATES);
        desk.check().clean();
        desk.takes(b"From: eve@corp.test\nTo: help@desk.test\nSubject: x\n\nx\n");
    }
}

#[test]
fn the_sequences_of_the_stores_tables_need_usage_too() {
    let (site, database) = with_store(Product::PostgreSql);
    let name = format!("s_{database}");
    let server = shared(Product::PostgreSql);
    server.client(
        &database,
        &format!(
            "CREATE ROLE {name} LOGIN PASSWORD 'hunter2'; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}; \
             GRANT USAGE ON SEQUENCE customer_user_id_seq, token_id_seq TO {name}"
        ),
    );
    let url = server.tcp_url("127.0.0.1", &database, "sslmode=disable").replace("visitor:", &format!("{name}:"));
    let path = site.write("otab.toml", &format!("[store]\nurl = \"{url}\"\n[log]\nsyslog = false\n"));
    chmod(path, 0o600);
    let checked = site.check().ends(69);
    let grant = format!("GRANT USAGE ON SEQUENCE public.outbox_id_seq TO {name};");
    checked.finds("bad", "store", "numbers the rows of outbox", &grant);
    server.client(&database, &grant);
    site.check().clean();
    // The two tables that came later count as well.
    server.client(&database, &format!("REVOKE INSERT ON session, newcomer FROM {name}"));
    let checked = site.check();
    for table in ["session", "newcomer"] {
        checked.finds("bad", "store", &format!("INSERT on {table} is missing"), &format!("GRANT INSERT ON {table} TO"));
    }
}

/// A site whose store is on a server, and the store's database.
fn with_store(product: Product) -> (Site, String) {
    let database = shared(product).empty_database();
    let site = Site::new("");
    let url = shared(product).url(&database);
    site.write("otab.toml", &format!("[store]\nurl = \"{url}\"\n[log]\nsyslog = false\n[mail]\nwake = false\n"));
    site.run(&["store", "migrate"]).ends(0);
    (site, database)
}

#[test]
fn a_store_on_a_server_has_to_be_writable() {
    for (product, all) in [(Product::PostgreSql, "ALL TABLES IN SCHEMA public"), (Product::MariaDb, "*")] {
        let (site, database) = with_store(product);
        let checked = site.check().clean();
        checked.finds("ok", "store", &format!("schema {})", otab::store::LATEST), "");
        checked.finds("ok", "customers", "customers: 0, of them valid: 0", "");
        let name = format!("s_{database}");
        shared(product).client(
            &database,
            &match product {
                Product::PostgreSql => {
                    format!("CREATE ROLE {name} LOGIN PASSWORD 'hunter2'; GRANT SELECT ON {all} TO {name}")
                }
                Product::MariaDb => {
                    format!("CREATE USER {name} IDENTIFIED BY 'hunter2'; GRANT SELECT ON {all} TO {name}")
                }
            },
        );
        let url = shared(product).tcp_url("127.0.0.1", &database, "sslmode=disable");
        let url = url.replace("visitor:", &format!("{name}:"));
        let path = site.write("otab.toml", &format!("[store]\nurl = \"{url}\"\n[log]\nsyslog = false\n"));
        chmod(path, 0o600);
        let checked = site.check().ends(69);
        checked.finds("bad", "store", "INSERT, UPDATE, DELETE on token", "GRANT INSERT, UPDATE, DELETE ON token TO");
        checked.finds("bad", "store", "INSERT, DELETE on sent", "GRANT INSERT, DELETE ON sent TO");
    }
}
