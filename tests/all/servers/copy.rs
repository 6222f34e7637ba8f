//! `otab store copy` between stores of every kind: what arrives, what is refused, and what the old store is then.

use std::collections::BTreeSet;
use std::time::Duration;

use otab::db::{Access, Statements};
use otab::store::{LEFT, TABLES};

use super::server::Product;
use super::store::{database, host, hosts};
use super::{PLACES, Place, WRITE, new_store, shared, url};
use crate::site::{Ended, Site, mail, run};

/// A store with rows in every table, and texts that are easily changed on the way.
pub fn filled(place: Place) -> Site {
    let (first, _second) = hosts(place);
    for number in 0..3 {
        assert_eq!(first.filter(&mail(number)).status.code(), Some(0));
    }
    let mut db = otab::store::open(&url(&first.store), WRITE, Duration::from_mins(1)).unwrap();
    for sql in [
        "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) VALUES ('a', 'k', NULL)",
        "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) VALUES ('a', 'k', NULL)",
        "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) VALUES ('a ', 'K', '')",
        "INSERT INTO ticket (tn, message_id, state_type, changed_at, customer_user_id, created_at) \
         VALUES ('2026 ', '<Ünder@x>', 'pending auto', -5, NULL, 9223372036854775807)",
        "INSERT INTO sent (recipient, domain, sent_at) VALUES ('a@b.test', 'b.test', 1)",
        "INSERT INTO sent (recipient, domain, sent_at) VALUES ('a@b.test', 'b.test', 1)",
        "INSERT INTO worker (task, holder, until) VALUES ('outbox', 'long gone', 1)",
        "INSERT INTO link_mail (message_id, sent_at) VALUES ('<otab.0@x.test>', 5)",
        "INSERT INTO newcomer (backend, customer, created_at) VALUES ('CustomerUser', 'ǆ \u{1f512}', 7)",
        "INSERT INTO session (hash, backend, customer, email, ticket_number, created_at, seen_at) \
         VALUES ('00ff', 'CustomerUser', 'carol', 'carol@corp.test', NULL, 1, 2)",
        "UPDATE token SET id = 900 WHERE id = 2",
    ] {
        // One order refers to the token that gets another number.
        let _ = db.execute("DELETE FROM outbox WHERE token_id = 2", &[]).unwrap();
        db.execute(sql, &[]).unwrap();
    }
    drop(db);
    first
}

/// Everything that moves, as text, in an order of our own.
fn contents(store: &str, prefix: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let sqlite = store.starts_with("sqlite:") && !prefix.is_empty();
    assert!(!sqlite, "a retired file is not opened by the driver");
    let mut db = otab::store::open(&url(store), Access::ReadOnly, Duration::from_mins(1)).unwrap();
    for table in &TABLES {
        let sql = format!("SELECT {} FROM {prefix}{}", table.columns.join(", "), table.name);
        for row in db.rows(&sql, &[]).unwrap() {
            let cells = (0..table.columns.len()).map(|column| format!("{:?}", row.opt_text(column).unwrap()));
            lines.push(format!("{} {}", table.name, cells.collect::<Vec<_>>().join("|")));
        }
    }
    lines.sort();
    lines
}

/// The same host with its configuration pointing to the new place.
pub fn pointing_to(store: &str) -> Site {
    let there = host(store);
    if store.starts_with("sqlite:") {
        there.configure("create = true", "create = false");
    }
    there
}

/// A place for a copy, in the host's own folder where it is a file.
pub fn target(from: &Site, place: Place) -> String {
    match place {
        Place::Sqlite => format!("sqlite:{}", from.path("copy.db").display()),
        _ => new_store(place),
    }
}

pub fn told(output: &std::process::Output) -> String {
    output.err() + &output.out()
}

#[test]
fn every_byte_arrives_and_the_old_store_defers() {
    for from in PLACES {
        for to in PLACES {
            let old = filled(from);
            let before = contents(&old.store, "");
            let to_url = target(&old, to);
            // Opened while the store was in use, and writing after it was retired.
            let mut late = otab::store::open(&url(&old.store), WRITE, Duration::from_mins(1)).unwrap();
            let output = old.run(&["store", "copy", "--to", &to_url]).says(0);
            assert!(told(&output).contains("token"), "{output:?}");
            assert!(output.stderr.is_empty(), "no bar without a terminal: {output:?}");
            assert_eq!(contents(&to_url, ""), before, "{from:?} {to:?}");

            let refused = late.write(|tx| tx.execute("DELETE FROM token", &[])).unwrap_err();
            assert!(refused.is_transient(), "{from:?}: {refused}");
            let refused = late.execute("UPDATE ticket SET changed_at = 0", &[]).unwrap_err();
            assert!(refused.is_transient(), "{from:?}: {refused}");
            drop(late);
            assert_eq!(old.filter(&mail(50)).status.code(), Some(75), "{from:?} {to:?}");
            for args in [&["token", "list"][..], &["store", "migrate"], &["store", "copy", "--to", &to_url]] {
                let said = told(&old.run(args).says(69));
                assert!(said.contains("has moved to") && said.contains("set store.url to it"), "{said}");
            }

            let new = pointing_to(&to_url);
            assert_eq!(new.filter(&mail(1)).status.code(), Some(0));
            assert_eq!(new.count("token"), 3, "the same mail again: {from:?} {to:?}");
            assert_eq!(new.filter(&mail(51)).status.code(), Some(0));
            // SQLite gives out the number behind the highest, too.
            assert_eq!(new.column("SELECT MAX(id) FROM token"), ["901"], "{from:?} {to:?}");
            assert_eq!(new.count("worker"), 0, "leases stay behind");
        }
    }
}

#[test]
fn a_retired_store_can_be_copied_where_asked_for() {
    for from in PLACES {
        let old = filled(from);
        let before = contents(&old.store, "");
        let [first, second] = [target(&old, Place::PostgreSql), target(&old, Place::Sqlite)];
        let not_yet = old.run(&["store", "copy", "--from-retired", "--to", &first]).says(73);
        assert!(told(&not_yet).contains("has not moved"), "{not_yet:?}");
        old.run(&["store", "copy", "--to", &first]).says(0);
        old.run(&["store", "copy", "--from-retired", "--to", &second]).says(0);
        assert_eq!(contents(&second, ""), before);
        // And back again, from the server into one more file.
        let back = format!("sqlite:{}", old.path("back.db").display());
        old.run(&["store", "copy", "--from", &first, "--to", &back]).says(0);
        assert_eq!(contents(&back, ""), before);
    }
}

#[test]
fn a_copy_for_a_trial_leaves_the_old_store_in_use() {
    for from in PLACES {
        let old = filled(from);
        let to = target(&old, Place::MariaDb);
        let output = old.run(&["store", "copy", "--keep", "--json", "--to", &to]).says(0);
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((json["rows"]["token"].as_u64(), json["retired"].as_bool()), (Some(3), Some(false)));
        assert_eq!(old.filter(&mail(60)).status.code(), Some(0));
        assert_eq!(old.count("token"), 4);
        // It is no copy of the store any more.
        let said = told(&old.run(&["store", "copy", "--to", &to]).says(73));
        assert!(said.contains("holds rows already"), "{said}");
        assert_eq!(old.filter(&mail(61)).status.code(), Some(0));
    }
}

#[test]
fn anothers_database_and_the_store_are_no_targets() {
    let old = filled(Place::Sqlite);
    let copy = |to: &str, status: i32| told(&old.run(&["store", "copy", "--to", to]).says(status));
    for product in [Product::PostgreSql, Product::MariaDb] {
        let server = shared(product);
        assert!(copy(&server.url(&server.database()), 69).contains("somebody else's tables"));
        let other = host(&server.url(&server.empty_database()));
        other.run(&["store", "migrate"]).says(0);
        server.client(&database(&other), "DELETE FROM otab_schema WHERE version > 2; DROP TABLE session");
        assert!(copy(&other.store, 69).contains("otab store migrate"));
        assert_eq!(server.client(&database(&other), "SELECT MAX(version) FROM otab_schema"), "2\n", "left as it was");
    }
    let theirs = old.write("theirs.db", "nothing of otab's");
    copy(&format!("sqlite:{}", theirs.display()), 69);
    assert_eq!(std::fs::read(theirs).unwrap(), b"nothing of otab's");
    std::os::unix::fs::symlink(old.path("otab.db"), old.path("link.db")).unwrap();
    copy(&format!("sqlite:{}", old.path("link.db").display()), 64);
    copy("ftp://nowhere", 64);
    copy("postgresql://u:hunter2@127.0.0.1:1/x?sslmode=disable", 69);
    assert_eq!(old.filter(&mail(70)).status.code(), Some(0), "the store is still in use");
}

#[test]
fn a_row_that_does_not_fit_is_named_and_none_copied() {
    for (sql, place, named) in [
        ("UPDATE token SET email = 'a' || char(0) WHERE id = 900", Place::PostgreSql, "table `token`, id 900"),
        ("UPDATE token SET email = CAST(x'61ff' AS TEXT) WHERE id = 3", Place::PostgreSql, "table `token`, id 3"),
        ("UPDATE outbox SET last_error = CAST(x'61ff' AS TEXT)", Place::PostgreSql, "table `outbox`, id 1"),
        ("UPDATE ticket SET tn = printf('%.*c', 191, 'x')", Place::MariaDb, "table `ticket`, row 1"),
        ("UPDATE outbox SET last_error = printf('%.*c', 70000, 'x')", Place::MariaDb, "table `outbox`, id 1"),
        ("UPDATE customer_user SET first_name = CAST(x'61ff' AS TEXT)", Place::MariaDb, "table `customer_user`, id 1"),
        (
            "UPDATE customer_user SET create_time = '0000-00-00 00:00:00'",
            Place::PostgreSql,
            "table `customer_user`, id 1",
        ),
        ("UPDATE customer_user SET change_by = 3000000000", Place::PostgreSql, "table `customer_user`, id 1"),
        ("UPDATE customer_user SET change_by = 1.4", Place::MariaDb, "table `customer_user`"),
    ] {
        let old = filled(Place::Sqlite);
        assert!(old.database().execute(sql, []).unwrap() > 0);
        let to = target(&old, place);
        let output = old.run(&["store", "copy", "--to", &to]);
        assert!([Some(65), Some(69)].contains(&output.status.code()), "{sql}: {output:?}");
        assert!(told(&output).contains(named), "{sql}: {output:?}");
        assert_eq!(contents(&to, ""), [""; 0], "{sql}");
        old.run(&["outbox", "drop", "3"]).says(0);
    }
    // What only SQLite is lax about comes through from one file to the next.
    let old = filled(Place::Sqlite);
    old.database().execute("UPDATE token SET email = 'a' || char(0) || 'b'", []).unwrap();
    old.run(&["store", "copy", "--to", &target(&old, Place::Sqlite), "--keep"]).says(0);
}

#[test]
fn passwords_from_file_or_variable_stay_hidden() {
    let old = filled(Place::Sqlite);
    let server = shared(Product::PostgreSql);
    let to = server.url(&server.empty_database());
    let file = old.write("password", "hunter2\n");
    let mut command = old.command(&["store", "copy", "--to", &to, "--json", "--to-password-file"]);
    let output = run(command.arg(&file), b"").ends(0);
    assert!(!told(&output).contains("hunter2"));
    let moved = told(&old.run(&["token", "list"]).says(69));
    assert!(moved.contains("postgresql://otab@") && !moved.contains("hunter2"), "{moved}");

    let old = filled(Place::Sqlite);
    let to = server.url(&server.empty_database()).replace("otab@", "otab:hunter2@");
    let output = old.run(&["store", "copy", "--to", &to]).says(0);
    let moved = told(&output) + &told(&old.run(&["token", "list"]).says(69));
    assert!(moved.contains("otab:***@") && !moved.contains("hunter2"), "{moved}");
    for wrong in [
        &["--to-password-env", "OTAB_TEST_THAT_IS_NOT_SET"][..],
        &["--to-password-file", "/nowhere"],
        &["--from-password-file", "/nowhere"],
    ] {
        let output = run(old.command(&["store", "copy", "--to", &to]).args(wrong), b"");
        assert!([Some(64), Some(66)].contains(&output.status.code()), "{output:?}");
    }
}

#[test]
fn every_column_is_copied_or_left_on_purpose() {
    let (file, _other) = hosts(Place::Sqlite);
    let there = file.column("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
    let there: BTreeSet<_> = there.iter().map(String::as_str).collect();
    let known = TABLES.iter().map(|table| table.name).chain([LEFT, "refinery_schema_history"]);
    assert_eq!(there, known.collect());
    for table in &TABLES {
        let there = file.column(&format!("SELECT name FROM pragma_table_info('{}')", table.name));
        let there: BTreeSet<_> = there.iter().map(String::as_str).collect();
        assert_eq!(there, table.columns.iter().copied().collect(), "{}", table.name);
    }
}
