//! `otab token import` from the package's table on SQLite, PostgreSQL and MariaDB: what is taken over, and what is not.

use std::collections::BTreeMap;

use otab::db::{Statements, Value};

use super::helpdesk::{CLOSED, Helpdesk, OPEN};
use super::{PLACES, Place};
use crate::site::{CAROL, Ended, Site, run};

const ACTIVE: &str = "SELECT COUNT(*) FROM ota_tokens WHERE used = 2";
const DAY: &str = "2026-10-20 08:00:00";

/// A secret as the package makes them, by its first letter.
fn secret(start: char) -> String {
    format!("{start}23456789012345678901234")
}

fn desk(place: Place) -> Helpdesk {
    let desk = Helpdesk::new(place);
    // On MariaDB as the package makes it: its collation takes `A` for `a`.
    let (user, end) = match place {
        Place::Sqlite => ("user", ""),
        Place::PostgreSql => ("\"user\"", ""),
        Place::MariaDb => ("user", " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
    };
    let time = if place == Place::PostgreSql { "TIMESTAMP" } else { "DATETIME" };
    desk.sql(&format!(
        "CREATE TABLE ota_tokens (token VARCHAR(250), ticket_number VARCHAR(250), {user} VARCHAR(250), \
         used SMALLINT, change_time {time}, create_time {time}){end}"
    ));
    for (id, number, state) in [(1, "10", OPEN), (2, "20", OPEN), (3, "30", CLOSED), (4, "40", OPEN)] {
        desk.ticket(id, number, state, DAY, DAY);
    }
    for login in [CAROL, "gone@corp.test", "pass@corp.test"] {
        ends(&desk, &["customer", "add", login], 0);
    }
    ends(&desk, &["customer", "disable", "gone@corp.test"], 0);
    let sql = "UPDATE customer_user SET pw = 'x' WHERE login = 'pass@corp.test'";
    desk.database().execute(sql, []).unwrap();
    desk
}

fn ends(desk: &Helpdesk, args: &[&str], status: i32) -> std::process::Output {
    let mut command = Site::otab();
    let output = run(command.arg("--config").arg(desk.path("otab.toml")).args(args), b"");
    assert_eq!(output.status.code(), Some(status), "{:?} {args:?}: {output:?}", desk.place);
    output
}

fn row(desk: &Helpdesk, token: &str, ticket: &str, login: &str, used: i64, created: &str) {
    let values: [Value; 6] = [token, ticket, login]
        .map(Value::from)
        .into_iter()
        .chain([used.into()])
        .chain([created, created].map(Value::from))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    desk.execute("INSERT INTO ota_tokens VALUES (?, ?, ?, ?, ?, ?)", &values);
}

/// What is not zero.
fn import(desk: &Helpdesk, args: &[&str]) -> BTreeMap<String, u64> {
    let output = ends(desk, &[&["token", "import", "--json"], args].concat(), 0);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let counts = json["rows"].as_object().unwrap().iter();
    counts.map(|(name, count)| (name.clone(), count.as_u64().unwrap())).filter(|(_, count)| *count > 0).collect()
}

fn counts(expected: &[(&str, u64)]) -> BTreeMap<String, u64> {
    expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
}

fn states(desk: &Helpdesk) -> Vec<String> {
    let database = desk.database();
    let mut found = database.prepare("SELECT state || ' ' || ticket_number FROM token ORDER BY 1").unwrap();
    let rows = found.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[test]
fn links_of_the_package_go_on_and_each_works_once() {
    for desk in PLACES.map(desk) {
        row(&desk, &secret('a'), "10", CAROL, 2, DAY);
        row(&desk, &secret('u'), "20", CAROL, 1, DAY);
        let table = |desk: &Helpdesk| desk.db().row(ACTIVE, &[]).unwrap().unwrap().int(0).unwrap();
        let expected = counts(&[("active", 1), ("used", 1)]);
        assert_eq!(import(&desk, &["--dry-run"]), expected, "{:?}", desk.place);
        assert_eq!(states(&desk), [""; 0], "a dry run writes nothing");
        assert_eq!(import(&desk, &[]), expected);
        assert_eq!(import(&desk, &[]), counts(&[("already", 2)]));

        let opened = ends(&desk, &["redeem", &secret('a'), "--json"], 0);
        assert!(String::from_utf8_lossy(&opened.stdout).contains(CAROL));
        // Letter case counts here, whatever the helpdesk's collation says.
        ends(&desk, &["redeem", &secret('A')], 10);
        // Active in the package still, and used here: it stays used.
        assert_eq!(import(&desk, &[]), counts(&[("already", 2)]));
        ends(&desk, &["redeem", &secret('u')], 12);
        assert_eq!(states(&desk), ["active 20", "used 10", "used 20"], "{:?}", desk.place);
        assert_eq!(table(&desk), 1, "the package's table is only read");
        let listed = ends(&desk, &["token", "list", "--json"], 0);
        assert!(String::from_utf8_lossy(&listed.stdout).contains("2026-10-20T08:00:00Z"), "{listed:?}");
    }
}

#[test]
fn what_is_in_doubt_is_counted_and_no_secret_is_shown() {
    for desk in PLACES.map(desk) {
        desk.sql("UPDATE ticket SET customer_user_id = 'pass@corp.test' WHERE id = 2");
        desk.sql("UPDATE ticket SET customer_user_id = 'gone@corp.test' WHERE id = 3");
        desk.sql("UPDATE ticket SET customer_user_id = 'nobody@corp.test' WHERE id = 4");
        row(&desk, &secret('a'), "10", CAROL, 2, DAY);
        row(&desk, &secret('A'), "10", CAROL, 1, DAY);
        row(&desk, &secret('a'), "10", CAROL, 2, DAY);
        row(&desk, &secret('p'), "20", "pass@corp.test", 2, DAY);
        row(&desk, &secret('g'), "30", "gone@corp.test", 2, DAY);
        row(&desk, &secret('n'), "40", "nobody@corp.test", 2, DAY);
        row(&desk, &secret('x'), "99", CAROL, 2, DAY);
        row(&desk, &secret('o'), "20", CAROL, 2, DAY);
        row(&desk, &secret('c'), "10", "Carol@corp.test", 2, DAY);
        for (ticket, user) in [("10", CAROL), ("20", CAROL), ("10", CAROL), ("30", "gone@corp.test")] {
            row(&desk, &secret('d'), ticket, user, 2, DAY);
        }
        let mut odd = 0;
        for token in ["", "short", &secret('-'), &"x".repeat(250), &format!("{} ", &secret('s')[..23])] {
            row(&desk, token, "10", CAROL, 2, DAY);
            odd += 1;
        }
        for (ticket, user, used) in [("", CAROL, 2), ("10", "", 2), ("10", CAROL, 0), ("10", CAROL, 3)] {
            row(&desk, &secret('s'), ticket, user, used, DAY);
            odd += 1;
        }
        desk.sql("INSERT INTO ota_tokens VALUES (NULL, NULL, NULL, NULL, NULL, NULL)");
        odd += 1;
        if desk.place != Place::PostgreSql {
            row(&desk, &secret('t'), "10", CAROL, 2, "0000-00-00 00:00:00");
            row(&desk, &format!("{}\0", &secret('z')[..23]), "10", CAROL, 2, DAY);
            row(&desk, &secret('z'), "1\u{0}0", CAROL, 2, DAY);
            odd += 3;
        }
        let expected = counts(&[
            ("active", 1),
            ("used", 1),
            ("repeated", 2),
            ("ambiguous", 3),
            ("has_password", 1),
            ("invalid_customer", 1),
            ("unknown_customer", 1),
            ("no_ticket", 1),
            ("others_ticket", 2),
            ("odd", odd),
        ]);
        let shown = ends(&desk, &["token", "import", "--dry-run"], 0);
        assert_eq!(import(&desk, &[]), expected, "{:?}", desk.place);
        assert_eq!(states(&desk), ["active 10", "used 10"]);
        let log = std::fs::read(desk.path("otab.log")).unwrap();
        let database = std::fs::read(desk.path("otab.db")).unwrap();
        for bytes in [&shown.stdout, &shown.stderr, &log, &database] {
            assert!(!bytes.windows(20).any(|bytes| bytes == &secret('a').as_bytes()[1..21]));
        }
        ends(&desk, &["redeem", &secret('p')], 10);
    }
}

#[test]
fn of_a_tickets_tokens_only_the_newest_stays_active() {
    for desk in PLACES.map(desk) {
        // By their secrets the three come in different chunks, the newest in the middle.
        for (start, day) in [('0', "2026-10-01 08:00:00"), ('5', "2026-10-03 08:00:00"), ('z', "2026-10-02 08:00:00")] {
            row(&desk, &secret(start), "10", CAROL, 2, day);
        }
        let many: Vec<String> =
            (0..1300).map(|n| format!("('{n:024}', '20', '{CAROL}', 1, '{DAY}', '{DAY}')")).collect();
        desk.sql(&format!("INSERT INTO ota_tokens VALUES {}", many.join(", ")));
        let more: Vec<String> =
            (0..700).map(|n| format!("('8{n:023}', '20', '{CAROL}', 1, '{DAY}', '{DAY}')")).collect();
        desk.sql(&format!("INSERT INTO ota_tokens VALUES {}", more.join(", ")));
        assert_eq!(import(&desk, &[]), counts(&[("active", 1), ("used", 2002)]), "{:?}", desk.place);
        ends(&desk, &["redeem", &secret('0')], 11);
        ends(&desk, &["redeem", &secret('z')], 11);
        ends(&desk, &["redeem", &secret('5')], 0);
    }
}

#[test]
fn a_token_that_the_helpdesk_used_is_used_here_too() {
    for desk in PLACES.map(desk) {
        row(&desk, &secret('a'), "10", CAROL, 2, DAY);
        import(&desk, &[]);
        desk.sql("UPDATE ota_tokens SET used = 1");
        assert_eq!(import(&desk, &["--dry-run"]), counts(&[("used_since", 1)]));
        assert_eq!(states(&desk), ["active 10"]);
        assert_eq!(import(&desk, &[]), counts(&[("used_since", 1)]));
        assert_eq!(states(&desk), ["used 10"], "{:?}", desk.place);
        assert_eq!(import(&desk, &[]), counts(&[("already", 1)]));
    }
}

#[test]
fn dead_half_way_has_taken_nothing_over() {
    for desk in PLACES.map(desk) {
        desk.append("[one_time_auth.messages.en]\n");
        row(&desk, &secret('a'), "10", CAROL, 2, "2020-01-01 00:00:00");
        desk.sql("UPDATE ticket SET customer_user_id = 'carol@corp.test' WHERE id = 3");
        row(&desk, &secret('b'), "30", CAROL, 2, DAY);
        let mut command = desk.command(&["token", "import"]);
        assert_eq!(run(command.env("OTAB_FAIL_AT", "imported"), b"").status.code(), Some(70));
        assert_eq!(states(&desk), [""; 0]);
        assert_eq!(import(&desk, &["--from", &desk.url]), counts(&[("active", 2)]));
        ends(&desk, &["purge"], 0);
        assert_eq!(states(&desk), ["active 10"], "{:?}: the other ticket has been closed for long", desk.place);
        ends(&desk, &["token", "import", "--from", "sqlite:nowhere.db"], 69);
    }
}

#[test]
fn without_its_tickets_the_database_has_to_be_named() {
    let site = Site::new("");
    let mut command = Site::otab();
    let output = run(command.arg("--config").arg(site.path("otab.toml")).args(["token", "import"]), b"").ends(64);
    assert!(output.err().contains("--from"));
}
