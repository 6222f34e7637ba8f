//! Clocks that were wrong: what they made is over, and they delete no store.

use std::process::Command;

use crate::site::{Ended, Site, run};

/// What a clock has made that was this many seconds ahead.
fn shift(desk: &Site, table: &str, seconds: i64) {
    desk.sql(&format!("UPDATE {table} SET created_at = created_at + {seconds}"));
}

#[test]
fn a_link_of_a_clock_that_was_ahead_is_over() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    shift(&desk, "token", 400);
    assert_eq!(desk.json(10, &["redeem", &secret])["answer"], "link_expired");
    assert_eq!(desk.json(10, &["refresh", &secret])["answer"], "link_expired");
    // The clocks of two hosts may differ a little.
    shift(&desk, "token", -200);
    assert_eq!(desk.json(0, &["redeem", &secret])["answer"], "valid");
}

#[test]
fn a_newer_link_of_a_fast_clock_stops_no_renewal() {
    let desk = Site::linking();
    let secret = desk.carols_link();
    desk.json(0, &["redeem", &secret]);
    desk.json(12, &["refresh", &secret]);
    desk.sql("UPDATE token SET created_at = created_at + 86400 WHERE state = 'active'; DELETE FROM outbox");
    assert_eq!(desk.json(12, &["refresh", &secret])["answer"], "new_link");
}

/// As many tokens of unknown mails as that, each of them over, created `days` days ago or later.
fn old_tokens(desk: &Site, count: u32, days: u32) {
    desk.sql(&format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {count})
         INSERT INTO token (hash, state, customer, email, backend, created_at, changed_at)
         SELECT 'old' || n, 'active', 'x', 'x@y.test', 'CustomerUser', t, t
         FROM (SELECT n, CAST(strftime('%s') AS INTEGER) - {days} * 86400 - n AS t FROM numbers)"
    ));
}

/// A desk whose store holds that many old tokens, and nothing else.
fn with_old_tokens(count: u32, days: u32) -> Site {
    let desk = Site::linking();
    desk.mails_of_carol(&["1@corp.test"]);
    desk.sql("DELETE FROM outbox; DELETE FROM token");
    old_tokens(&desk, count, days);
    desk
}

#[test]
fn purge_asks_before_a_wrong_clock_empties_the_store() {
    let desk = with_old_tokens(1001, 31);
    let output = desk.run(&["purge"]);
    let told = output.err();
    assert_eq!((output.status.code(), desk.count("token")), (Some(75), 1001), "{told}");
    assert!(told.contains("1001 of 1001") && told.contains("--force"), "{told}");
    desk.logged(&["purge: nothing was deleted", "--force"]);
    assert_eq!(desk.json(0, &["purge", "--dry-run"])["unbound"], 1001);
    assert_eq!(desk.json(0, &["purge", "--force"])["unbound"], 1001);
    assert_eq!(desk.count("token"), 0);
}

#[test]
fn purge_does_its_work_where_the_store_is_in_use() {
    let young = "UPDATE token SET created_at = CAST(strftime('%s') AS INTEGER) WHERE hash = 'old1'";
    let kept = "INSERT INTO ticket VALUES ('7', NULL, 'open', 0, 'x', 0);
                INSERT INTO token (hash, state, customer, email, backend, ticket_number, created_at, changed_at)
                SELECT 'kept' || id, state, customer, email, backend, '7', created_at, changed_at FROM token";
    for (count, days, change, left) in
        [(1000, 31, "", 0), (1001, 29, "", 0), (1001, 31, young, 1), (1001, 31, kept, 1001)]
    {
        let desk = with_old_tokens(count, days);
        desk.sql(change);
        desk.ends(0, &["purge"]);
        assert_eq!(desk.count("token"), left, "{count} {days} {change}");
    }
}

#[test]
fn a_row_from_the_future_does_not_vouch_for_the_clock() {
    let desk = with_old_tokens(1002, 31);
    desk.sql("UPDATE token SET created_at = 4102444800 WHERE hash = 'old1'");
    desk.ends(75, &["purge"]);
    assert_eq!(desk.count("token"), 1002);
}

#[test]
fn at_a_terminal_purge_asks() {
    let desk = with_old_tokens(1001, 31);
    for (answer, status, left) in [("n\n", 75, 1001), ("\n", 75, 1001), ("y\n", 0, 0)] {
        let line = format!("{} --config otab.toml purge", env!("CARGO_BIN_EXE_otab"));
        let mut script = Command::new("script");
        let output = run(script.args(["-qec", &line, "/dev/null"]).current_dir(desk.folder()), answer.as_bytes());
        let told = output.out();
        assert_eq!((output.status.code(), desk.count("token")), (Some(status), left), "{answer:?}: {told}");
        assert!(told.contains("Delete them? [y/N]"), "{told}");
    }
}

#[test]
fn check_says_of_the_newest_row_that_the_clock_is_odd() {
    let desk = Site::linking();
    desk.carols_link();
    let finding = || {
        let findings: serde_json::Value = serde_json::from_slice(&desk.run(&["check", "--json"]).stdout).unwrap();
        findings.as_array().unwrap().iter().find(|finding| finding["what"] == "clock").unwrap().clone()
    };
    assert_eq!(finding()["grade"], "ok");
    shift(&desk, "token", 3600);
    let ahead = finding();
    assert!(ahead["grade"] == "note" && ahead["says"].as_str().unwrap().contains("which is ahead"), "{ahead}");
    shift(&desk, "token", -31 * 86_400 - 3600);
    let behind = finding();
    assert!(behind["grade"] == "note" && behind["says"].as_str().unwrap().contains("30 days ago"), "{behind}");
}
