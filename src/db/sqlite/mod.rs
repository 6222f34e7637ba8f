//! The SQLite driver: one connection to one file that is otab's.
//!
//! Never opens a file without otab's mark in its header, and never leaves a
//! statement without a busy handler.

mod busy;
mod create;
mod failure;
mod header;
mod log;
mod write_lock;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{OpenFlags, ToSql};

use super::{Access, Error, Kind, Row, Value};
pub use create::{create, create_in};
use failure::failed;
use log::Log;

/// The application id in the header of otab's files: "OTAB".
const APPLICATION_ID: i32 = i32::from_be_bytes(*b"OTAB");

/// The size, in bytes, that a log which a long reader let grow is cut back to.
const LOG_LIMIT: i64 = 4 << 20;

/// The pages in the log from which on it is folded into the file as far as readers allow: two of the four MiB above.
const LOG_PAGES: i64 = 500;

/// After so many steps of SQLite's machine, a query with a time limit looks at the clock: some milliseconds.
const STEPS: i32 = 100_000;

/// So many prepared statements are kept for another time: twice what a mail needs.
const STATEMENTS: usize = 40;

/// One open SQLite connection.
#[derive(Debug)]
pub struct Connection {
    inner: rusqlite::Connection,
    /// The file itself, as SQLite has found it when it was opened, also where its name is a link.
    path: PathBuf,
    /// What errors call it.
    place: String,
    /// How long a statement waits for others.
    busy: Duration,
    /// Whether the header has just said that there is a write-ahead log.
    has_log: bool,
    /// What becomes of the log when the connection is the last to close.
    log: Log,
    /// While a transaction is open.
    write_lock: Option<File>,
}

impl Connection {
    /// Opens a file of otab's, with all its settings, whatever its tables are.
    ///
    /// Readers open it for writing too (and are held back by `query_only`): where nobody else is there, the
    /// log has to be read through, for which SQLite writes beside the file. Where the file may not be written, it
    /// falls back to reading by itself.
    pub(super) fn open(path: &Path, access: Access, busy: Duration) -> Result<Self, Error> {
        let has_log = header::check(path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let place = path.display().to_string();
        let sql = |error: rusqlite::Error| failed(&place, &error);
        let mut inner = rusqlite::Connection::open_with_flags(path, flags).map_err(sql)?;
        // Before anything else: the very first read may find the file locked.
        let handler = Some(busy::handler(busy));
        inner.busy_handler(handler).map_err(sql)?;
        let real = inner.path().map_or_else(|| path.canonicalize(), |real| Ok(PathBuf::from(real)));
        let real = real.map_err(|error| Error::at(path, failure::io_kind(&error), error.to_string()))?;
        let mut this = Self { inner, path: real, place, busy, has_log, log: Log::Folded, write_lock: None };
        this.configure()?;
        if matches!(access, Access::ReadOnly | Access::Trial) {
            this.batch("PRAGMA query_only = ON")?;
            this.log = Log::Left;
            this.fold_log(false)?;
        } else if this.sql(this.inner.is_readonly("main"))? {
            let what = "this user may not write the database file";
            return Err(Error::at(path, Kind::ReadOnly, what));
        }
        this.expect_log()?;
        Ok(this)
    }

    /// A database in memory with these tables. Errors call it by the path.
    fn in_memory(path: &Path, schema: &str) -> Result<Self, Error> {
        let place = path.display().to_string();
        let inner = rusqlite::Connection::open_in_memory().map_err(|error| failed(&place, &error))?;
        let (path, busy) = (path.to_owned(), Duration::ZERO);
        let this = Self { inner, path, place, busy, has_log: false, log: Log::Folded, write_lock: None };
        this.batch(&format!("PRAGMA application_id = {APPLICATION_ID}; {schema}"))?;
        Ok(this)
    }

    /// The same for reading only.
    pub(super) fn stand_in(path: &Path, schema: &str) -> Result<Self, Error> {
        let this = Self::in_memory(path, schema)?;
        this.batch("PRAGMA query_only = ON")?;
        Ok(this)
    }

    /// `secure_delete`: a secret that is no longer needed must not stay in freed pages.
    /// `trusted_schema`, `cell_size_check` and the defensive mode: the file may be damaged, or
    /// changed by others, and must not run code or lead the library astray.
    /// `synchronous = FULL`: a commit is on the disk before others see it. To release the lock before the sync would be
    /// faster with many writers, but they would build on what is lost if the sync fails, and no later one says so.
    fn configure(&self) -> Result<(), Error> {
        self.inner.set_prepared_statement_cache_capacity(STATEMENTS);
        for (setting, wanted) in [
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true),
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        ] {
            self.sql(self.inner.set_db_config(setting, wanted))?;
        }
        self.batch(&format!(
            "PRAGMA cell_size_check = ON;
             PRAGMA synchronous = FULL;
             PRAGMA secure_delete = ON;
             PRAGMA wal_autocheckpoint = {LOG_PAGES};
             PRAGMA journal_size_limit = {LOG_LIMIT};"
        ))
    }

    /// The write-ahead log is set when the file is made. A file that lost it (restored from a dump,
    /// changed by hand) still works, but readers would then block writers: better told than slow.
    fn expect_log(&self) -> Result<(), Error> {
        if self.has_log {
            return Ok(());
        }
        let mode: String = self.pragma("journal_mode")?;
        if mode == "wal" {
            return Ok(());
        }
        let what = format!("journal mode is `{mode}` and not `wal`; run `PRAGMA journal_mode=wal`");
        Err(Error::new(Kind::Other, &self.place, what))
    }

    /// Whether one is open.
    pub(super) fn is_in_transaction(&self) -> bool {
        !self.inner.is_autocommit()
    }

    /// What errors call the file.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// Whether this user may write the file, whatever the connection is for.
    pub(super) fn takes_writes(&self) -> bool {
        matches!(self.inner.is_readonly("main"), Ok(false))
    }

    fn batch(&self, sql: &str) -> Result<(), Error> {
        self.sql(self.inner.execute_batch(sql))
    }

    pub(super) fn rows(&self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        self.sql(self.try_rows(sql, values))
    }

    /// As `rows`, broken off after the time that a statement waits for others.
    pub(super) fn rows_in_time(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        let (since, limit) = (Instant::now(), self.busy);
        let is_over = move || since.elapsed() > limit;
        let set = self.inner.progress_handler(STEPS, Some(is_over));
        self.sql(set)?;
        let rows = self.rows(sql, values);
        let unset = self.inner.progress_handler(0, None::<fn() -> bool>);
        self.sql(unset)?;
        rows
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        let changed = self
            .inner
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values)));
        Ok(u64::try_from(self.sql(changed)?).unwrap_or(u64::MAX))
    }

    pub(super) fn insert(&self, sql: &str, values: &[Value]) -> Result<i64, Error> {
        self.execute(sql, values)?;
        Ok(self.inner.last_insert_rowid())
    }

    fn try_rows(&self, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.inner.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(rusqlite::params_from_iter(values))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values = (0..columns).map(|i| row.get_ref(i).map(value_of));
            rows.push(Row::new(&self.place, values.collect::<Result<_, _>>()?));
        }
        Ok(rows)
    }

    /// Each row of a query: one is held at a time.
    pub(super) fn each(&self, sql: &str, found: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        let mut statement = self.sql(self.inner.prepare_cached(sql))?;
        let columns = statement.column_count();
        let mut rows = self.sql(statement.query([]))?;
        while let Some(row) = self.sql(rows.next())? {
            let values = (0..columns).map(|i| row.get_ref(i).map(value_of));
            found(Row::new(&self.place, self.sql(values.collect::<Result<_, _>>())?))?;
        }
        Ok(())
    }

    fn pragma<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<T, Error> {
        self.sql(self.inner.pragma_query_value(None, name, |row| row.get(0)))
    }

    fn sql<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|error| failed(&self.place, &error))
    }
}

fn value_of(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Real(number) => Value::Text(number.to_string()),
        ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text.to_owned()),
            Err(_) => Value::Bytes(bytes.to_vec()),
        },
        ValueRef::Blob(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A table for the tests of this room.
#[cfg(test)]
pub(super) const THINGS: &str = "CREATE TABLE thing (name TEXT PRIMARY KEY)";

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_mins(1);
    const WRITE: Access = Access::ReadWrite { create: false };

    fn kind(path: &Path) -> Kind {
        Connection::open(path, WRITE, LONG).unwrap_err().kind()
    }

    #[test]
    fn foreign_files_are_refused_and_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let other = folder.path().join("other.db");
        rusqlite::Connection::open(&other)
            .unwrap()
            .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a);")
            .unwrap();
        let database = std::fs::read(&other).unwrap();
        for (name, bytes) in [
            ("empty", Vec::new()),
            ("short", b"SQLite format 3\0".to_vec()),
            ("text", vec![b'x'; 8192]),
            ("other.db", database),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, &bytes).unwrap();
            for access in [WRITE, Access::ReadWrite { create: true }, Access::ReadOnly] {
                let error = Connection::open(&path, access, LONG).unwrap_err();
                assert_eq!(error.kind(), Kind::Foreign, "{name}: {error}");
            }
            assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
        }
        assert_eq!(kind(folder.path()), Kind::Foreign);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
    }

    #[test]
    fn a_missing_file_is_missing_and_a_wrong_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(kind(&folder.path().join("no.db")), Kind::Missing);
        assert_eq!(kind(&folder.path().join("no/no.db")), Kind::Missing);
        std::fs::write(folder.path().join("file"), "x").unwrap();
        assert_eq!(kind(&folder.path().join("file/no.db")), Kind::Unavailable);
        let error = create(&folder.path().join("no/no.db"), 0o600, THINGS).unwrap_err();
        assert_eq!(error.kind(), Kind::Unavailable);
    }

    #[test]
    fn the_connection_has_every_safe_setting() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600, THINGS).unwrap();
        let db = Connection::open(&path, WRITE, LONG).unwrap();
        for (name, value) in [
            ("synchronous", 2),
            ("foreign_keys", 1),
            ("secure_delete", 1),
            ("trusted_schema", 0),
            ("cell_size_check", 1),
            ("application_id", i64::from(APPLICATION_ID)),
        ] {
            assert_eq!(db.pragma::<i64>(name).unwrap(), value, "{name}");
        }
        assert_eq!(db.pragma::<String>("journal_mode").unwrap(), "wal");
    }

    #[test]
    fn an_endless_query_is_ended_and_the_next_answered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600, THINGS).unwrap();
        let mut db = Connection::open(&path, Access::ReadOnly, Duration::from_millis(50)).unwrap();
        let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n";
        let error = db.rows_in_time(endless, &[]).unwrap_err();
        assert_eq!(error.kind(), Kind::Busy, "{error}");
        assert_eq!(db.rows_in_time("SELECT 1", &[]).unwrap().len(), 1);
    }

    #[test]
    fn text_that_is_not_utf8_fails_only_where_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600, THINGS).unwrap();
        let db = Connection::open(&path, WRITE, LONG).unwrap();
        let sql = "SELECT CAST(x'61ff' AS TEXT), 1.5, 'a' || char(0)";
        let row = &db.rows(sql, &[]).unwrap()[0];
        assert!(row.text(0).is_err());
        assert_eq!(row.text(1).unwrap(), "1.5");
        assert_eq!(row.text(2).unwrap(), "a\0");
    }
}
