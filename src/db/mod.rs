//! One small layer over the databases: SQL is written once, with `?` for its values.
//!
//! SQLite, PostgreSQL, MariaDB and MySQL have the same calls; LDAP directories, which speak no SQL, have their own
//! in `ldap`. This room knows no mail, no customer, no token and no table: its callers say what has to be in a
//! database. It reads no clock, and never writes to an SQLite file that is not otab's.

#[cfg_attr(
    not(feature = "ldap"),
    allow(clippy::zero_sized_map_values, reason = "without the driver, nothing connects")
)]
mod databases;
mod dialect;
mod driver;
mod error;
pub mod ldap;
#[cfg(feature = "mariadb")]
mod mariadb;
#[cfg(feature = "postgresql")]
mod postgresql;
#[cfg_attr(not(any(feature = "mariadb", feature = "postgresql")), allow(dead_code, reason = "for servers only"))]
mod server;
mod shared;
pub mod sqlite;
pub mod survey;
#[cfg_attr(
    not(any(feature = "mariadb", feature = "postgresql", feature = "ldap")),
    allow(dead_code, reason = "for servers only")
)]
mod time_limits;
#[cfg(any(feature = "postgresql", feature = "ldap"))]
mod trust;
mod url;
mod value;
mod zone;

use std::path::Path;
use std::time::Duration;

pub use databases::{Databases, Opener};
pub use dialect::Dialect;
use driver::Driver;
pub use error::{Error, Kind};
pub use server::Server;
use time_limits::TimeLimits;
pub use url::{Url, UrlError};
pub use value::{Row, Value};
pub use zone::{UnknownZone, Zone};

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    ReadWrite {
        /// Whether a database file that is not there is made, by an [`Opener`] that knows what belongs into it.
        /// Nothing is ever made on a server.
        create: bool,
    },
    /// Reading only: every write is refused with [`Kind::ReadOnly`], and nothing is made.
    ReadOnly,
    /// Reading only, with an empty database in the place of one that is not there and would be made:
    /// to say what would happen without making anything.
    Trial,
}

/// Statements, run inside a transaction ([`Tx`]) or each on its own ([`Database`]).
pub trait Statements {
    /// Which SQL is spoken here.
    fn dialect(&self) -> Dialect;

    /// All rows of a query, held in memory: callers limit what they ask for.
    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error>;

    /// Runs a statement that returns nothing; the number of rows it changed.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error>;

    /// The first row of a query, `None` where it has none.
    fn row(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>, Error> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }
}

/// One open connection. Dropping it closes it; `close` also tells whether that went well.
#[derive(Debug)]
pub struct Database {
    driver: Driver,
    /// Whether a transaction was begun that several writes share.
    is_shared: bool,
}

/// An open write transaction; only [`Database::write`] makes one.
#[derive(Debug)]
pub struct Tx<'a> {
    driver: &'a mut Driver,
}

impl Database {
    /// Opens a database that is there, whatever is in it. `busy` is how long one statement waits, in all, for other
    /// writers; with a server, connecting and the first wait in vain stay within it together, and then the connection
    /// is given up.
    pub fn open(url: &Url, access: Access, busy: Duration) -> Result<Self, Error> {
        Self::open_within(url, access, busy, TimeLimits::within(busy))
    }

    /// Opens a database in order to read or write whole tables: a statement may take hours. Only connecting and
    /// waiting for other writers are limited, by `busy`.
    pub fn open_for_hours(url: &Url, access: Access, busy: Duration) -> Result<Self, Error> {
        Self::open_within(url, access, busy, TimeLimits::of_hours(busy))
    }

    /// A database with these tables, in memory and for reading only, instead of a file that is not there.
    pub fn stand_in(path: &Path, schema: &str) -> Result<Self, Error> {
        sqlite::Connection::stand_in(path, schema).map(Driver::Sqlite).map(Self::with)
    }

    #[cfg_attr(
        not(any(feature = "postgresql", feature = "mariadb")),
        allow(unused_variables, reason = "a file knows one limit only")
    )]
    fn open_within(url: &Url, access: Access, busy: Duration, limits: TimeLimits) -> Result<Self, Error> {
        let driver = match url {
            Url::Sqlite(path) => Driver::Sqlite(sqlite::Connection::open(path, access, busy)?),
            #[cfg(feature = "postgresql")]
            Url::PostgreSql(server) => Driver::PostgreSql(postgresql::Connection::open(server, access, limits)?),
            #[cfg(feature = "mariadb")]
            Url::MariaDb(server) => Driver::MariaDb(Box::new(mariadb::Connection::open(server, access, limits)?)),
            Url::Ldap(place) => {
                return Err(Error::new(Kind::Other, place.to_string(), "a directory speaks no SQL"));
            }
            // `Url::parse` has refused such a one before.
            #[cfg(not(all(feature = "postgresql", feature = "mariadb")))]
            other => {
                let what = "this otab was built without the driver";
                return Err(Error::new(Kind::Unavailable, other.to_string(), what));
            }
        };
        Ok(Self::with(driver))
    }

    fn with(driver: Driver) -> Self {
        Self { driver, is_shared: false }
    }

    /// Runs `work` in one transaction that holds the write lock from its first moment: of any number of
    /// processes of otab one at a time is here.
    ///
    /// In SQLite a plain BEGIN would take the lock with the first write, and fail at once where someone
    /// else wrote since the first read. On servers it is a lock by name, which others than otab do not know:
    /// they may write meanwhile, and unique keys decide. `Ok` commits (synced to disk); `Err` undoes everything.
    pub fn write<T, E: From<Error>>(&mut self, work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        if self.is_shared {
            return self.write_shared(work);
        }
        self.driver.begin()?;
        let done = work(&mut Tx { driver: &mut self.driver });
        match done {
            Ok(value) => {
                if let Err(error) = self.driver.commit() {
                    self.driver.rollback();
                    return Err(error.into());
                }
                Ok(value)
            }
            Err(error) => {
                self.driver.rollback();
                Err(error)
            }
        }
    }

    /// As [`Statements::rows`], for a query that may take long: it is broken off, and is [`Kind::Busy`], after the
    /// time that a statement would wait for other writers. (Servers break off every statement after its time.)
    pub fn rows_in_time(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        match &mut self.driver {
            Driver::Sqlite(connection) => connection.rows_in_time(sql, values),
            #[cfg(any(feature = "postgresql", feature = "mariadb"))]
            _ => self.rows(sql, values),
        }
    }

    /// Whether the system lets this user write here at all. Only a file can say no: what a server allows stands in
    /// its catalogues.
    fn takes_writes(&self) -> bool {
        match &self.driver {
            Driver::Sqlite(connection) => connection.takes_writes(),
            #[cfg(any(feature = "postgresql", feature = "mariadb"))]
            _ => true,
        }
    }

    /// Calls `found` with each row of a query without holding them all, however many there are.
    pub fn each(&mut self, sql: &str, found: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        match &mut self.driver {
            #[cfg(feature = "postgresql")]
            Driver::PostgreSql(connection) => connection.each_alone(sql, found),
            other => other.each(sql, found),
        }
    }

    /// Closes the connection; the last one out of an SQLite file folds its log into it, but for a small one that
    /// may stay.
    pub fn close(self) -> Result<(), Error> {
        match self.driver {
            Driver::Sqlite(connection) => connection.close(),
            // These say goodbye when they are dropped.
            #[cfg(any(feature = "postgresql", feature = "mariadb"))]
            _ => Ok(()),
        }
    }
}

impl Statements for Database {
    fn dialect(&self) -> Dialect {
        self.driver.dialect()
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        self.driver.rows(sql, values)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        self.driver.execute(sql, values)
    }
}

impl Tx<'_> {
    /// Runs an INSERT of one row into a table with a counted `id`, which it returns.
    pub fn insert(&mut self, sql: &str, values: &[Value]) -> Result<i64, Error> {
        self.driver.insert(sql, values)
    }

    /// Calls `found` with each row of a query without holding them all, however many there are.
    pub fn each(&mut self, sql: &str, found: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        self.driver.each(sql, found)
    }
}

impl Statements for Tx<'_> {
    fn dialect(&self) -> Dialect {
        self.driver.dialect()
    }

    fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        self.driver.rows(sql, values)
    }

    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        self.driver.execute(sql, values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);

    fn fresh(folder: &tempfile::TempDir) -> Url {
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600, sqlite::THINGS).unwrap();
        Url::Sqlite(path)
    }

    fn open(url: &Url) -> Database {
        Database::open(url, Access::ReadWrite { create: false }, LONG).unwrap()
    }

    fn add(db: &mut impl Statements, name: &str) -> Result<u64, Error> {
        db.execute("INSERT INTO thing (name) VALUES (?)", &[name.into()])
    }

    fn count(db: &mut Database) -> i64 {
        let row = db.row("SELECT COUNT(*) FROM thing", &[]).unwrap().unwrap();
        row.int(0).unwrap()
    }

    #[test]
    fn an_error_undoes_the_whole_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let mut db = open(&fresh(&folder));
        let refused = db.write(|tx| {
            add(tx, "1")?;
            add(tx, "1")
        });
        assert_eq!(refused.unwrap_err().kind(), Kind::Constraint);
        assert_eq!(count(&mut db), 0);
        db.write(|tx| add(tx, "1")).unwrap();
        assert_eq!(count(&mut db), 1);
    }

    #[test]
    fn thirty_two_writers_at_once_all_get_through() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        std::thread::scope(|scope| {
            for thread in 0..32 {
                let url = &url;
                scope.spawn(move || {
                    let mut db = open(url);
                    for round in 0..4 {
                        db.write(|tx| add(tx, &format!("{thread}-{round}"))).unwrap();
                    }
                    db.close().unwrap();
                });
            }
        });
        assert_eq!(count(&mut open(&url)), 128);
    }

    #[test]
    fn a_writer_that_waits_too_long_is_busy_and_transient() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut holder = open(&url);
        let mut other = Database::open(&url, Access::ReadWrite { create: false }, Duration::from_millis(1)).unwrap();
        holder
            .write(|_| {
                let error = other.write(|tx| add(tx, "1")).unwrap_err();
                assert_eq!(error.kind(), Kind::Busy);
                assert!(error.is_transient());
                Ok::<_, Error>(())
            })
            .unwrap();
    }

    #[test]
    fn a_reader_cannot_write_and_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = Database::open(&url, Access::ReadOnly, LONG).unwrap();
        assert_eq!(count(&mut db), 0);
        assert_eq!(add(&mut db, "1").unwrap_err().kind(), Kind::ReadOnly);
        let missing = Url::Sqlite(folder.path().join("missing.db"));
        let error = Database::open(&missing, Access::ReadOnly, LONG).unwrap_err();
        assert_eq!(error.kind(), Kind::Missing);
        assert!(!folder.path().join("missing.db").exists());
    }
}
