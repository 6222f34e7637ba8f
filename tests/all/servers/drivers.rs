//! The drivers against real servers: values, transactions, time limits, errors.

use std::time::{Duration, Instant};

use otab::db::{Access, Database, Error, Kind, Statements, Value};

use super::server::{Product, Server};
use super::{WRITE, shared, url};

const BUSY: Duration = Duration::from_secs(20);
const BOTH: [Product; 2] = [Product::PostgreSql, Product::MariaDb];

fn open(server: &Server, database: &str) -> Database {
    otab::store::open(&url(&server.url(database)), WRITE, BUSY).unwrap()
}

fn insert(db: &mut impl Statements, login: &str, email: &str) -> Result<u64, Error> {
    db.execute(
        "INSERT INTO customer_user (login, email, customer_id, first_name, last_name, valid_id, create_time, \
         create_by, change_time, change_by) VALUES (?, ?, ?, ' ', ' ', ?, ?, 1, '2026-01-02 03:04:05', ?)",
        // A number for a text column, a text for a number, and a time.
        &[login.into(), email.into(), 7.into(), "1".into(), "2026-11-21 00:00:01".into(), 1.into()],
    )
}

#[test]
fn values_come_back_as_what_the_column_holds() {
    for product in BOTH {
        let mut db = open(shared(product), &shared(product).database());
        insert(&mut db, "c'a\"r\\ol?$1 %_", "ünïcödé \u{1f41f}@corp.test").unwrap();
        let sql = "SELECT login, email, customer_id, valid_id, id, create_time, pw, COUNT(*) OVER () \
                   FROM customer_user WHERE valid_id = ? AND change_time = ? LIMIT ?";
        let values = [1.into(), "2026-01-02 03:04:05".into(), 5.into()];
        let rows = db.rows(sql, &values).unwrap();
        let row = &rows[0];
        assert_eq!(row.text(0).unwrap(), "c'a\"r\\ol?$1 %_", "{product:?}");
        assert_eq!(row.text(1).unwrap(), "ünïcödé \u{1f41f}@corp.test");
        assert_eq!(row.text(2).unwrap(), "7");
        assert_eq!((row.int(3).unwrap(), row.int(4).unwrap(), row.int(7).unwrap()), (1, 1, 1));
        assert_eq!(row.text(5).unwrap(), "2026-11-21 00:00:01");
        assert_eq!(row.opt_text(6).unwrap(), None);
        let sql = "UPDATE customer_user SET valid_id = ? WHERE login LIKE ?";
        // A row that is found counts, also where nothing changes.
        assert_eq!(db.execute(sql, &[Value::Int(1), "c%".into()]).unwrap(), 1);
        db.close().unwrap();
    }
}

#[test]
fn a_text_that_does_not_fit_is_refused_and_never_cut() {
    for product in BOTH {
        let mut db = open(shared(product), &shared(product).database());
        insert(&mut db, "carol", "carol@corp.test").unwrap();
        for (login, email) in [("carol", "x"), (&"l".repeat(192), "x"), ("dave", &"ü".repeat(151))] {
            let error = insert(&mut db, login, email).unwrap_err();
            assert_eq!(error.kind(), Kind::Constraint, "{product:?} {error}");
            assert!(!error.is_transient() && !error.to_string().contains("carol"), "{error}");
        }
        let nul = insert(&mut db, "dave", "carol@corp.test\0.evil.test");
        match product {
            Product::PostgreSql => assert_eq!(nul.unwrap_err().kind(), Kind::Constraint),
            Product::MariaDb => assert_eq!(nul.unwrap(), 1),
        }
        let rows = db.rows("SELECT email FROM customer_user WHERE login <> 'carol'", &[]).unwrap();
        assert!(rows.iter().all(|row| row.text(0).unwrap() == "carol@corp.test\0.evil.test"));
        assert_eq!(insert(&mut db, "\u{1f41f}", "x").unwrap(), 1, "{product:?}");
    }
}

#[test]
fn an_error_undoes_the_whole_transaction_on_a_server() {
    for product in BOTH {
        let mut db = open(shared(product), &shared(product).database());
        let refused = db.write(|tx| {
            insert(tx, "carol", "x")?;
            insert(tx, "carol", "x")
        });
        assert_eq!(refused.unwrap_err().kind(), Kind::Constraint);
        let count = |db: &mut Database| db.row("SELECT COUNT(*) FROM customer_user", &[]).unwrap().unwrap().int(0);
        assert_eq!(count(&mut db).unwrap(), 0);
        db.write(|tx| insert(tx, "carol", "x")).unwrap();
        assert_eq!(count(&mut db).unwrap(), 1);
    }
}

#[test]
fn what_postgresql_would_roll_back_in_silence_is_told() {
    let server = shared(Product::PostgreSql);
    let mut db = open(server, &server.database());
    let error = db
        .write(|tx| {
            insert(tx, "carol", "x")?;
            let _ = insert(tx, "carol", "x");
            Ok::<_, Error>(())
        })
        .unwrap_err();
    assert!(error.to_string().contains("has failed"), "{error}");
}

#[test]
fn writers_take_turns_and_a_long_wait_is_an_error() {
    for product in BOTH {
        let server = shared(product);
        let url = url(&server.url(&server.database()));
        std::thread::scope(|scope| {
            for thread in 0..16 {
                let url = &url;
                scope.spawn(move || {
                    let mut db = otab::store::open(url, WRITE, BUSY).unwrap();
                    let add = |tx: &mut otab::db::Tx<'_>| {
                        let row = tx.row("SELECT COUNT(*) FROM customer_user", &[])?.unwrap();
                        // Two who counted at the same moment would make the same login.
                        insert(tx, &row.int(0)?.to_string(), &thread.to_string())
                    };
                    (0..4).for_each(|_| assert_eq!(db.write(add).unwrap(), 1));
                });
            }
        });
        let mut holder = otab::store::open(&url, WRITE, BUSY).unwrap();
        let mut other = otab::store::open(&url, WRITE, Duration::from_secs(2)).unwrap();
        holder
            .write(|tx| {
                assert_eq!(tx.row("SELECT COUNT(*) FROM customer_user", &[])?.unwrap().int(0)?, 64);
                let start = Instant::now();
                let error = other.write(|tx| insert(tx, "late", "x")).unwrap_err();
                assert_eq!(error.kind(), Kind::Busy, "{product:?} {error}");
                assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
                Ok::<_, Error>(())
            })
            .unwrap();
        other.write(|tx| insert(tx, "late", "x")).unwrap();
    }
}

#[test]
fn a_reader_cannot_write_on_a_server() {
    for product in BOTH {
        let server = shared(product);
        let url = url(&server.url(&server.database()));
        for access in [Access::ReadOnly, Access::Trial] {
            let mut db = otab::store::open(&url, access, BUSY).unwrap();
            let error = insert(&mut db, "carol", "x").unwrap_err();
            assert_eq!(error.kind(), Kind::ReadOnly, "{product:?} {error}");
        }
    }
}

#[test]
fn what_is_missing_is_named() {
    for product in BOTH {
        let server = shared(product);
        let mut db = open(server, &server.database());
        for (sql, name) in [("SELECT 1 FROM nowhere", "nowhere"), ("SELECT nothing FROM customer_user", "nothing")] {
            let error = db.rows(sql, &[]).unwrap_err();
            assert_eq!(error.kind(), Kind::Other);
            assert!(error.to_string().contains(name), "{product:?} {error}");
        }
        let error = otab::store::open(&url(&server.url("no_such_database")), WRITE, BUSY).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.to_string().contains("no_such_database"), "{product:?} {error}");
    }
}

#[test]
fn a_slow_statement_is_ended_and_the_next_one_works() {
    for product in BOTH {
        let server = shared(product);
        let limit = Duration::from_secs(2);
        let mut db = otab::store::open(&url(&server.url(&server.database())), WRITE, limit).unwrap();
        let slow = match product {
            Product::PostgreSql => "SELECT 1 FROM (SELECT pg_sleep(60)) AS x",
            Product::MariaDb => "SELECT SLEEP(60)",
        };
        let start = Instant::now();
        let error = db.rows(slow, &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::Busy, "{product:?} {error}");
        assert!(start.elapsed() < limit, "{:?}", start.elapsed());
        assert_eq!(db.row("SELECT 5", &[]).unwrap().unwrap().int(0).unwrap(), 5, "{product:?}");
    }
}
