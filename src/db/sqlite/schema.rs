//! The schema's versions: checked cheaply at every opening, moved forward only when asked.

use std::path::Path;
use std::time::Duration;

use rusqlite::TransactionBehavior;

use super::{Connection, failed};
use crate::db::{Error, Kind, moved};

/// Every version, oldest first: its name, and what makes it out of the one before. The first is version 1.
const VERSIONS: &[(&str, &str)] = &[
    ("start", include_str!("../schema/V1__start.sql")),
    ("link_mails", include_str!("../schema/V2__link_mails.sql")),
    ("newcomers_and_sessions", include_str!("../schema/V3__newcomers_and_sessions.sql")),
    ("link_mails_that_went_out", include_str!("../schema/V4__link_mails_that_went_out.sql")),
];

/// The table of the versions, under the name and in the shape that the crate refinery gave it, which made the stores
/// of otab's first builds: these are read and migrated like all others. Its `checksum` stays empty.
const HISTORY: &str = "CREATE TABLE refinery_schema_history(
             version int4 PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255))";

/// The version of a store, 0 where no step has been finished.
const LATEST: &str = "SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history";

/// Notes that a step has been done.
const DONE: &str = "INSERT INTO refinery_schema_history (version, name, applied_on)
    VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))";

/// How long a migration waits for filters that are at work.
const PATIENCE: Duration = Duration::from_mins(1);

/// Passes a database whose schema is exactly the one this otab knows.
pub(super) fn check(connection: &Connection) -> Result<(), Error> {
    let found = version(connection)?;
    let known = i64::try_from(VERSIONS.len()).unwrap_or(i64::MAX);
    let what = format!("has schema version {found}, this otab knows {known}");
    match found.cmp(&known) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(Error::new(Kind::Older, &connection.place, what)),
        std::cmp::Ordering::Greater => Err(Error::new(Kind::Newer, &connection.place, what)),
    }
}

/// Brings the database at `path` to the schema this otab knows; one that has it is left alone.
pub fn migrate(path: &Path) -> Result<(), Error> {
    let mut connection = Connection::open_any_version(path, PATIENCE)?;
    match check(&connection) {
        Ok(()) => return connection.close(),
        Err(error) if error.kind() == Kind::Older => {}
        Err(error) => return Err(error),
    }
    connection.expect_log()?;
    run(&connection.place, &mut connection.inner)?;
    connection.close()
}

/// Makes the whole schema in an empty database.
pub(super) fn make(place: &str, connection: &mut rusqlite::Connection) -> Result<(), Error> {
    connection.execute_batch(HISTORY).map_err(|error| failed(place, &error))?;
    run(place, connection)
}

/// Runs the versions that are missing, all in one transaction. It takes its turn before it looks: of two migrations at
/// once, the second finds nothing to do.
fn run(place: &str, connection: &mut rusqlite::Connection) -> Result<(), Error> {
    let mut run = || {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = tx.query_row(LATEST, [], |row| row.get(0))?;
        for (version, (name, sql)) in (1_i64..).zip(VERSIONS).filter(|(version, _)| *version > found) {
            tx.execute_batch(sql)?;
            tx.execute(DONE, (version, name))?;
        }
        tx.commit()
    };
    run().map_err(|error| failed(place, &error))
}

/// The version in the database. The mark in the header says it is otab's; without the history it is
/// none that otab has finished.
fn version(connection: &Connection) -> Result<i64, Error> {
    // The usual answer, with one question.
    if let Ok(rows) = connection.rows(LATEST, &[]) {
        return rows.first().map_or(Ok(0), |row| row.int(0));
    }
    let id: i32 = connection.pragma("application_id")?;
    let has =
        |table: &str| Ok(!connection.rows("SELECT 1 FROM sqlite_master WHERE name = ?", &[table.into()])?.is_empty());
    if id != super::APPLICATION_ID || !has("refinery_schema_history")? {
        if id == super::APPLICATION_ID && has(moved::MARK)? {
            return Err(has_moved(connection));
        }
        let what = "is an SQLite database, but not one of otab's";
        return Err(Error::new(Kind::Foreign, &connection.place, what));
    }
    let rows = connection.rows(LATEST, &[])?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}

/// Where to is looked up only now: an opening that goes well asks no question more.
fn has_moved(connection: &Connection) -> Error {
    let place = connection.rows(&format!("SELECT place FROM {}", moved::MARK), &[]);
    match place.map(|rows| rows.first().and_then(|row| Some(row.text(0).ok()?.into_owned()))) {
        Ok(place) => moved::told(&connection.place, &place.unwrap_or_default()),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Access;
    use crate::db::sqlite::create;

    fn changed(sql: &str) -> Result<Connection, Error> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch(sql).unwrap();
        drop(other);
        let opened = Connection::open(&path, Access::ReadWrite { create: true }, PATIENCE);
        let migrated = migrate(&path);
        if let Err(error) = &opened
            && error.kind() != Kind::Older
        {
            assert_eq!(migrated.unwrap_err().kind(), error.kind());
        }
        opened
    }

    #[test]
    fn a_file_with_the_mark_but_no_history_is_foreign() {
        let error = changed("DROP TABLE refinery_schema_history").unwrap_err();
        assert_eq!(error.kind(), Kind::Foreign);
    }

    #[test]
    fn a_failed_migration_tells_what_sqlite_said() {
        let mut small = rusqlite::Connection::open_in_memory().unwrap();
        small.execute_batch("PRAGMA max_page_count = 3").unwrap();
        assert_eq!(make("place", &mut small).unwrap_err().kind(), Kind::Full);
    }

    /// The name of such a journal would not be on the disk in time.
    #[test]
    fn an_old_database_gets_its_log_before_it_migrates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA journal_mode = DELETE; DELETE FROM refinery_schema_history").unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = migrate(&path).unwrap_err();
        assert!(error.to_string().contains("PRAGMA journal_mode=wal"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    /// As for the door, which lives on while somebody puts a backup in the store's place.
    #[test]
    fn a_database_that_loses_its_log_later_is_reported() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let open = || Connection::open(&path, Access::ReadWrite { create: false }, PATIENCE);
        open().unwrap().close().unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
        assert!(open().unwrap_err().to_string().contains("PRAGMA journal_mode=wal"));
        other.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        open().unwrap();
    }

    /// As refinery left it: the checksums are its own, over name, number and text.
    #[test]
    fn a_store_of_refinery_is_read_and_migrated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        let sql = "DROP TABLE link_mail; DELETE FROM refinery_schema_history WHERE version = 4; \
                   UPDATE refinery_schema_history SET checksum = '14243397325519318302', \
                   applied_on = '2026-11-20T10:11:12.123456789Z'";
        other.execute_batch(sql).unwrap();
        let open = || Connection::open(&path, Access::ReadWrite { create: false }, PATIENCE);
        assert_eq!(open().unwrap_err().kind(), Kind::Older);
        migrate(&path).unwrap();
        open().unwrap();
        let rows = "SELECT version || ' ' || name || ' ' || COALESCE(checksum, '-') FROM refinery_schema_history";
        let mut rows = other.prepare(rows).unwrap();
        let rows: Vec<String> = rows.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(rows.len(), VERSIONS.len());
        assert_eq!(rows[0], "1 start 14243397325519318302");
        assert_eq!(rows[3], "4 link_mails_that_went_out -");
    }

    #[test]
    fn of_eight_migrations_at_once_none_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("DROP TABLE link_mail; DELETE FROM refinery_schema_history WHERE version = 4").unwrap();
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| migrate(&path))).collect();
            for thread in all {
                thread.join().unwrap().unwrap();
            }
        });
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let before = std::fs::read(&path).unwrap();
        migrate(&path).unwrap();
        migrate(&path).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
