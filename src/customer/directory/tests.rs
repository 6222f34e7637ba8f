//! The directory against real SQLite files, look-alikes and all.

use std::time::Duration;

use super::*;
use crate::db::{Access, Database, Kind, Statements, Url};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

struct Site {
    folder: tempfile::TempDir,
    directory: Directory,
    dbs: Databases,
}

fn connections() -> Databases {
    let access = Access::ReadWrite { create: true };
    crate::store::databases(access, Duration::from_mins(1))
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let source = |name: &str| Source::new(name, Url::Sqlite(folder.path().join(format!("{name}.db"))));
    let directory = Directory::new(vec![source("A"), source("B")]);
    Site { folder, directory, dbs: connections() }
}

impl Site {
    fn open(&mut self, source: &str) -> Result<&mut Database, Error> {
        open(&mut self.dbs, self.directory.source(source)?)
    }

    fn row(&mut self, source: &str, login: &str, email: &str, customer_id: &str, valid: i64) {
        let sql = "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, \
                   valid_id, create_time, create_by, change_time, change_by) \
                   VALUES (?, ?, ?, ' ', ' ', ?, '', 1, '', 1)";
        let values = [login.into(), email.into(), customer_id.into(), valid.into()];
        let db = self.open(source).unwrap();
        db.execute(sql, &values).unwrap();
    }

    fn found(&mut self, address: &str) -> String {
        match self.directory.find(&mut self.dbs, &parse(address)).unwrap() {
            Found::Valid(customer) => format!("{} of {}", customer.login, customer.source),
            Found::Invalid(customer) => format!("invalid {}", customer.login),
            Found::Nobody => "nobody".to_owned(),
        }
    }

    fn claimed(&mut self, address: &str) -> bool {
        let claim = self.directory.claimed(&mut self.dbs, &parse(address));
        claim.unwrap().is_some()
    }

    fn create(&mut self, new: &NewCustomer) -> Result<Created, Error> {
        self.directory.create(&mut self.dbs, "A", new, NOW)
    }

    fn count(&mut self) -> i64 {
        let db = self.open("A").unwrap();
        let row = db.row("SELECT COUNT(*) FROM customer_user", &[]);
        row.unwrap().unwrap().int(0).unwrap()
    }
}

fn parse(address: &str) -> Address {
    Address::parse(address).unwrap()
}

fn new(address: &str) -> NewCustomer {
    NewCustomer {
        address: parse(address),
        customer_id: address.to_owned(),
        first_name: " ".to_owned(),
        last_name: " ".to_owned(),
        preferences: vec![("UserTimeZone".to_owned(), "UTC".to_owned())],
    }
}

#[test]
fn a_stored_look_alike_is_never_taken_for_the_sender() {
    let mut site = site();
    for (number, email) in [
        "caról@corp.test",
        "ｃarol@corp.test",
        "carol@corp.test ",
        " carol@corp.test",
        "carol@corp.test\0",
        "carol@corp.test\0.evil.test",
        "c%@corp.test",
        "c_rol@corp.test",
        "'carol'@corp.test",
    ]
    .into_iter()
    .enumerate()
    {
        site.row("A", &format!("l{number}"), email, "x", 1);
    }
    assert_eq!(site.found("carol@corp.test"), "nobody");
    assert_eq!(site.found("'carol'@corp.test"), "l8 of A");
    assert_eq!(site.found("c%@corp.test"), "l6 of A");
    assert_eq!(site.found("c_rol@corp.test"), "l7 of A");
    site.row("A", "carol", "Carol@CORP.test", "x", 1);
    assert_eq!(site.found("cArol@corp.test"), "carol of A");
}

#[test]
fn the_first_valid_login_of_the_first_source_counts() {
    let mut site = site();
    site.row("B", "aa", "carol@corp.test", "x", 1);
    site.row("A", "a-invalid", "carol@corp.test", "x", 2);
    assert_eq!(site.found("carol@corp.test"), "aa of B");
    site.row("A", "b", "carol@corp.test", "x", 1);
    site.row("A", "B", "CAROL@corp.test", "x", 1);
    assert_eq!(site.found("carol@corp.test"), "B of A");
}

#[test]
fn only_invalid_rows_are_told_apart_from_nobody() {
    let mut site = site();
    site.row("B", "b", "carol@corp.test", "x", 2);
    site.row("A", "a", "carol@corp.test", "x", 3);
    assert_eq!(site.found("carol@corp.test"), "invalid a");
    assert_eq!(site.found("dave@corp.test"), "nobody");
}

#[test]
fn a_look_alike_login_or_customer_id_is_a_claim() {
    for text in [
        "carol@corp.test",
        "CAROL@Corp.Test",
        "caról@corp.test",
        "CARÓL@corp.test",
        "ｃａｒｏｌ@corp.test",
        "carol@corp.test ",
        "  carol@corp.test",
        "carol@corp.test\0",
        "car\u{200b}ol@corp.test",
        "car\tol@corp.test",
    ] {
        let mut by_login = site();
        by_login.row("B", text, "other@corp.test", "x", 2);
        assert!(by_login.claimed("carol@corp.test"), "login {text:?}");
        assert!(by_login.directory.knows(&mut by_login.dbs, "cařol@corp.test").unwrap());
        let mut by_id = site();
        by_id.row("A", "x", "other@corp.test", text, 1);
        assert!(by_id.claimed("carol@corp.test"), "customer id {text:?}");
    }
}

#[test]
fn a_look_alike_of_a_stored_address_is_a_claim() {
    for (stored, address) in [
        ("carol@corp.test", "caról@corp.test"),
        ("caról@corp.test", "carol@corp.test"),
        ("CARÓL@corp.test", "carol@corp.test"),
        ("carol@corp.test ", "carol@corp.test"),
        ("\u{a0}carol@corp.test", "carol@corp.test"),
        ("carol@corp.test\0.evil", "carol@corp.test.evil"),
        ("\0carol@corp.test", "carol@corp.test"),
        ("carol@corp.test\r\n", "carol@corp.test"),
    ] {
        let mut site = site();
        site.row("A", "x", stored, "x", 2);
        let is_behind_a_nul = stored.contains("\0.");
        assert_eq!(site.claimed(address), !is_behind_a_nul, "{stored:?}");
        let refused = site.create(&new(address));
        assert_eq!(matches!(refused, Err(Error::Refused(Refusal::Claimed { .. }))), !is_behind_a_nul, "{stored:?}");
    }
}

#[test]
fn every_column_that_is_searched_is_compared() {
    let mut site = site();
    let source = &mut site.directory.sources[1];
    source.names.search = vec!["phone".to_owned(), "fax".to_owned()];
    for (column, address) in [("email", "ann@corp.test"), ("phone", "ben@corp.test"), ("fax", "cid@corp.test")] {
        site.row("B", address, "", "x", 1);
        let sql = format!("UPDATE customer_user SET {column} = ?, login = ? WHERE login = ?");
        let values = [address.into(), column.into(), address.into()];
        site.open("B").unwrap().execute(&sql, &values).unwrap();
    }
    for address in ["änn@corp.test", "bën@corp.test", "cïd@corp.test", "ann@corp.test"] {
        assert!(site.claimed(address), "{address}");
    }
    assert!(!site.claimed("ben@corp.test") && !site.claimed("cid@corp.test"));
}

#[test]
fn a_plain_login_is_claimed_by_an_accented_sender() {
    let mut site = site();
    site.row("A", "carol@corp.test", "carol@corp.test", "x", 1);
    assert!(site.claimed("caról@corp.test"));
    site.row("A", "hans@müller.test", "other@corp.test", "x", 1);
    assert!(site.claimed("hans@xn--mller-kva.test"));
}

#[test]
fn twenty_first_mails_at_once_make_one_customer() {
    let site = site();
    let made = std::thread::scope(|scope| {
        let run = || {
            let mut dbs = connections();
            let address = new("carol@corp.test");
            site.directory.create(&mut dbs, "A", &address, NOW).unwrap()
        };
        let all: Vec<_> = (0..20).map(|_| scope.spawn(run)).collect();
        let made = all.into_iter().map(|thread| thread.join().unwrap());
        made.filter(|made| matches!(made, Created::New(_))).count()
    });
    assert_eq!(made, 1);
    let mut site = site;
    assert_eq!(site.count(), 1);
    assert_eq!(site.found("carol@corp.test"), "carol@corp.test of A");
}

#[test]
fn refusals_for_good_are_told_apart_and_write_nothing() {
    let mut site = site();
    site.row("A", "CAROL@corp.test", "other@corp.test", "x", 1);
    let refused = site.create(&new("carol@corp.test")).unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Claimed { .. })));
    let long = format!("a@{}.test", ["b"; 30].map(|b| b.repeat(6)).join("."));
    let refused = site.create(&new(&long)).unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::TooLong { .. })));
    for id in ["", "0", "a\0b", "a\nb"] {
        let customer_id = id.to_owned();
        let base = new("dave@corp.test");
        let refused = site.create(&NewCustomer { customer_id, ..base }).unwrap_err();
        assert!(!refused.is_transient(), "{id:?}");
    }
    let entry = Entry::from(&new("CAROL@corp.test"));
    let twice = Entry { login: "CAROL@corp.test".to_owned(), ..entry };
    let refused = site.directory.add(&mut site.dbs, "A", &twice, NOW);
    let refused = refused.unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Constraint(_))));
    assert_eq!(site.count(), 1);
}

#[test]
fn an_unknown_or_absent_source_is_a_passing_error() {
    let mut site = site();
    let unknown = site.directory.by_login(&mut site.dbs, "C", "x").unwrap_err();
    assert!(matches!(unknown, Error::UnknownSource(_)) && unknown.is_transient());
    site.row("A", "carol", "dave@corp.test", "x", 1);
    std::fs::write(site.folder.path().join("B.db"), "not a database").unwrap();
    let found = site.directory.find(&mut site.dbs, &parse("carol@corp.test"));
    let error = found.unwrap_err();
    assert!(error.is_transient());
    assert!(matches!(error, Error::Db { source_name, error } if source_name == "B" && error.kind() == Kind::Foreign));
}

#[test]
fn a_disabled_customer_is_invalid_and_listed() {
    let mut site = site();
    let Site { directory, dbs, .. } = &mut site;
    let entry = Entry::from(&new("carol@corp.test"));
    directory.add(dbs, "A", &entry, NOW).unwrap();
    assert!(directory.disable(dbs, "A", "carol@corp.test", NOW).unwrap());
    assert!(!directory.disable(dbs, "A", "CAROL@corp.test", NOW).unwrap());
    let all = directory.list(dbs, "A", None).unwrap();
    assert!(all.len() == 1 && !all[0].valid);
    assert!(directory.list(dbs, "A", Some(0)).unwrap().is_empty());
    assert_eq!(site.found("carol@corp.test"), "invalid carol@corp.test");
}
