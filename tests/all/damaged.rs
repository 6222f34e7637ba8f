//! `otab check` in front of stores that are damaged, or another otab's, or somebody else's.

use std::path::Path;

use crate::site::{Site, chmod, first_schema, mail};

/// How many damaged stores are made.
const DAMAGED: usize = 120;
const PAGE: usize = 4096;

/// The status, and what is bad of the store.
fn check(site: &Site) -> (Option<i32>, Vec<String>, Vec<String>) {
    let found = site.check();
    let bad = found.findings.iter().filter(|finding| finding["what"] == "store" && finding["grade"] == "bad");
    let texts = |key: &str| bad.clone().map(|finding| finding[key].as_str().unwrap().to_owned()).collect();
    (found.status, texts("says"), texts("remedy"))
}

/// A store as mails leave it, with rows of every kind and some hundred pages, and no log beside it.
fn store(site: &Site) -> Vec<u8> {
    site.takes(&mail(1));
    // The same rows in each run: a mail's secret and time are not.
    site.sql("DELETE FROM outbox; DELETE FROM token; DELETE FROM sqlite_sequence; DELETE FROM customer_user; DELETE FROM customer_preferences;
             UPDATE refinery_schema_history SET applied_on = '2026-01-01';
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 900)
             INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, create_time,
                 create_by, change_time, change_by)
             SELECT 'p' || i || '@corp.test', 'p' || i || '@corp.test', 'corp', 'P', 'N', 1, '', 1, '', 1 FROM n;
             INSERT INTO token (hash, mail_key, state, customer, email, backend, message_id, created_at, changed_at)
             SELECT PRINTF('%064d', id * 7919), PRINTF('%064d', id * 104729), 'active', login, email, 'CustomerUser',
                 '<' || id || '@corp.test>', id, id FROM customer_user;
             INSERT INTO outbox (token_id, secret, recipient, customer, backend, occasion, created_at, due_at)
             SELECT id, PRINTF('%0*d', 300 + id, id), email, customer, backend, 'new', 4000000000, 4000000000 FROM token;
             DELETE FROM outbox WHERE id % 5 = 0;
             PRAGMA wal_checkpoint(TRUNCATE);");
    let _ = std::fs::remove_file(site.path("otab.db-shm"));
    let bytes = std::fs::read(site.path("otab.db")).unwrap();
    assert!(bytes.len() / PAGE > 100 && !site.path("otab.db-wal").exists());
    bytes
}

/// Numbers that are the same in each run (`SplitMix64`).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

/// Damages as disks, memory and copies that were broken off make them.
fn damaged(whole: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let pages = bytes.len() / PAGE;
    let page = (1 + chance.below(pages - 1)) * PAGE;
    match chance.below(7) {
        0 => bytes[100 + chance.below(whole.len() - 100)] ^= 1 << chance.below(8),
        1 => {
            let at = 100 + chance.below(whole.len() - 300);
            let length = 1 + chance.below(128);
            bytes[at..at + length].fill_with(|| chance.byte());
        }
        2 => bytes[page..page + PAGE].fill(0),
        3 => bytes[page..page + PAGE].fill_with(|| chance.byte()),
        4 => {
            let other = (1 + chance.below(pages - 1)) * PAGE;
            bytes.copy_within(other..other + PAGE, page);
        }
        5 => bytes.truncate(page),
        // The head of a page, where its cells are found.
        _ => bytes[page + chance.below(64)] = chance.byte(),
    }
    bytes
}

/// Whether SQLite's own longest look finds something.
fn is_corrupt(bytes: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    std::fs::write(&path, bytes).unwrap();
    let says = rusqlite::Connection::open(&path)
        .and_then(|db| db.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)));
    !says.is_ok_and(|says| says == "ok")
}

#[test]
fn every_damaged_store_is_bad() {
    let site = Site::new("");
    let whole = store(&site);
    assert_eq!(check(&site), (Some(0), vec![], vec![]));
    let mut chance = Chance(16);
    let (mut made, mut missed) = (0, Vec::new());
    while made < DAMAGED {
        let bytes = damaged(&whole, &mut chance);
        if !is_corrupt(&bytes) {
            continue;
        }
        made += 1;
        for beside in ["otab.db-wal", "otab.db-shm"] {
            let _ = std::fs::remove_file(site.path(beside));
        }
        std::fs::write(site.path("otab.db"), &bytes).unwrap();
        let (status, bad, remedies) = check(&site);
        if bad.is_empty() || status != Some(69) || !remedies.iter().any(|remedy| remedy.contains(".recover")) {
            missed.push((made, status, bad));
        }
        assert_eq!(std::fs::read(site.path("otab.db")).unwrap(), bytes, "the check changes nothing");
    }
    assert!(missed.is_empty(), "of {made} damaged stores not found: {missed:?}");
}

#[test]
fn a_row_that_refers_to_nothing_is_bad() {
    let site = Site::new("");
    store(&site);
    site.sql("PRAGMA foreign_keys = OFF; DELETE FROM token WHERE id = 2");
    let (status, bad, remedies) = check(&site);
    assert_eq!((status, bad.len()), (Some(69), 1), "{bad:?}");
    assert!(bad[0].contains("row 2 of outbox refers to nothing in token"), "{bad:?}");
    assert!(remedies[0].contains("backup") && remedies[0].contains(".recover"), "{remedies:?}");
}

/// What each is, and what to do: never that the first mail makes a store there.
#[test]
fn another_otabs_store_or_somebody_elses_file_is_bad() {
    type Change = fn(&Site);
    let cases: [(Change, &str, &str); 6] = [
        (|site| first_schema(&site.path("otab.db")), "has schema version 1, this otab knows", "otab store migrate"),
        (
            |site| {
                let sql = "INSERT INTO refinery_schema_history (version, name) VALUES (99, 'x')";
                assert_eq!(site.database().execute(sql, []).unwrap(), 1);
            },
            "has schema version 99, this otab knows",
            "install that version",
        ),
        (|site| other_program(&site.path("otab.db")), "not one of otab's", "set store.url to otab's own file"),
        (
            |site| drop(site.write("otab.db", "Dear diary")),
            "is not an SQLite database",
            "set store.url to otab's own file",
        ),
        (|site| drop(site.write("otab.db", "")), "is empty", "set store.url to otab's own file"),
        (
            |site| {
                std::fs::remove_file(site.path("otab.db")).unwrap();
                std::fs::create_dir(site.path("otab.db")).unwrap();
            },
            "is not a regular file",
            "set store.url to otab's own file",
        ),
    ];
    for (change, says, remedy) in cases {
        let site = Site::new("");
        site.takes(&mail(1));
        change(&site);
        assert_eq!(site.filter(&mail(2)).status.code(), Some(75), "{says}");
        // Whatever the umask was.
        chmod(site.folder(), 0o700);
        let (status, bad, remedies) = check(&site);
        assert_eq!((status, bad.len()), (Some(69), 1), "{says}: {bad:?}");
        assert!(bad[0].contains(says) && remedies[0].contains(remedy), "{bad:?} {remedies:?}");
        assert!(!bad[0].contains("first mail") && !remedies[0].contains("first mail"), "{bad:?} {remedies:?}");
    }
}

fn other_program(path: &Path) {
    std::fs::remove_file(path).unwrap();
    rusqlite::Connection::open(path).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
}
