//! The schema's versions: checked cheaply at every opening, moved forward only when asked.

use std::path::Path;
use std::time::Duration;

use refinery::{Migration, Runner};

use super::{Connection, failed};
use crate::db::{Error, Kind, moved};

/// Every version, oldest first: file name without its folder, and its SQL.
const VERSIONS: &[(&str, &str)] = &[
    ("V1__start", include_str!("../schema/V1__start.sql")),
    ("V2__link_mails", include_str!("../schema/V2__link_mails.sql")),
    ("V3__newcomers_and_sessions", include_str!("../schema/V3__newcomers_and_sessions.sql")),
    ("V4__link_mails_that_went_out", include_str!("../schema/V4__link_mails_that_went_out.sql")),
];

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

/// Runs the versions that are missing, all in one transaction.
pub(super) fn run(place: &str, connection: &mut rusqlite::Connection) -> Result<(), Error> {
    let failed = |error: refinery::Error| unmigrated(place, &error);
    let versions: Vec<Migration> =
        VERSIONS.iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect::<Result<_, _>>().map_err(failed)?;
    Runner::new(&versions)
        .set_grouped(true)
        .set_abort_missing(true)
        .set_abort_divergent(true)
        .run(connection)
        .map_err(failed)?;
    Ok(())
}

/// SQLite's own error, where there is one beneath the crate's: a full disk has to be told as such.
fn unmigrated(place: &str, error: &refinery::Error) -> Error {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(sqlite) = this.downcast_ref::<rusqlite::Error>() {
            return failed(place, sqlite);
        }
        cause = this.source();
    }
    Error::new(Kind::Other, place, error.to_string())
}

/// The version in the database. The mark in the header says it is otab's; without the history it is
/// none that otab has finished.
fn version(connection: &Connection) -> Result<i64, Error> {
    let latest = "SELECT COALESCE(MAX(version), 0) FROM refinery_schema_history";
    // The usual answer, with one question.
    if let Ok(rows) = connection.rows(latest, &[]) {
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
    let rows = connection.rows(latest, &[])?;
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
    fn a_newer_schema_is_refused_also_for_migration() {
        let sql = "INSERT INTO refinery_schema_history (version) VALUES (5)";
        let error = changed(sql).unwrap_err();
        assert_eq!(error.kind(), Kind::Newer);
        assert!(error.to_string().contains("newer"), "{error}");
    }

    #[test]
    fn an_older_schema_names_the_command_that_migrates_it() {
        let error = changed("DELETE FROM refinery_schema_history").unwrap_err();
        assert_eq!(error.kind(), Kind::Older);
        assert!(error.to_string().contains("otab store migrate"), "{error}");
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
        assert_eq!(run("place", &mut small).unwrap_err().kind(), Kind::Full);
    }

    /// The name of such a journal would not be on the disk in time.
    #[test]
    fn an_older_database_without_a_write_ahead_log_is_not_migrated_before_it_has_one() {
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
    fn a_database_that_loses_its_write_ahead_log_after_it_has_passed_once_is_told() {
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

    #[test]
    fn a_store_of_the_version_before_gets_what_it_lacks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("DROP TABLE link_mail; DELETE FROM refinery_schema_history WHERE version = 4").unwrap();
        drop(other);
        migrate(&path).unwrap();
        let store = Connection::open(&path, Access::ReadWrite { create: false }, PATIENCE).unwrap();
        assert!(store.rows("SELECT 1 FROM link_mail", &[]).unwrap().is_empty());
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
