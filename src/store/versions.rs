//! The versions of otab's tables: checked cheaply at every opening, moved forward only when asked, since a new otab must
//! not rewrite the database under running mail.
//!
//! The helpdesk has a table `ticket` as well. So on a server otab's tables want a database of their own, and one with
//! tables that are not otab's is never touched.

use std::fmt::Write;
use std::time::Duration;

use super::tombstone;
use crate::db::{Access, Database, Dialect, Error, Kind, Statements, Tx, Url};

/// Every version, oldest first: its number and name, and what makes it out of the one before. Version 1
/// is for files alone.
const VERSIONS: &[(i64, &str, &str)] = &[
    (1, "start", include_str!("schema/1.sql")),
    (2, "link_mails", include_str!("schema/2.sql")),
    (3, "newcomers_and_sessions", include_str!("schema/3.sql")),
    (4, "link_mails_that_went_out", include_str!("schema/4.sql")),
    (5, "token_numbers_once", include_str!("schema/5.sql")),
];

/// This otab's.
pub const LATEST: i64 = VERSIONS[VERSIONS.len() - 1].0;

/// The table of a file's versions, under the name and in the shape that the crate refinery gave it, which made the stores
/// of otab's first builds: these are read and migrated like all others. Its `checksum` stays empty.
const HISTORY: &str = "CREATE TABLE refinery_schema_history(
             version int4 PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255));";

/// How long a migration waits for filters that are at work.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// The table that holds the version.
pub(super) fn table(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "refinery_schema_history",
        Dialect::PostgreSql | Dialect::MariaDb => "otab_schema",
    }
}

/// Passes a database whose tables are exactly those that this otab knows.
pub(super) fn check(db: &mut Database, url: &Url) -> Result<(), Error> {
    let found = found(db, "")?;
    if found.is_none()
        && let Some(place) = tombstone::place(db)?
    {
        return Err(tombstone::moved(url, &place));
    }
    judge(url, found)
}

/// The version of the tables, whose names begin so; `None` where there is no table of versions.
pub(super) fn found(db: &mut impl Statements, prefix: &str) -> Result<Option<i64>, Error> {
    let sql = format!("SELECT COALESCE(MAX(version), 0) FROM {prefix}{}", table(db.dialect()));
    match db.row(&sql, &[]) {
        Ok(row) => row.map(|row| row.int(0)).transpose(),
        // The table is not there.
        Err(error) if error.kind() == Kind::Other => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn judge(url: &Url, found: Option<i64>) -> Result<(), Error> {
    let (kind, what) = match (found, url) {
        (Some(LATEST), _) => return Ok(()),
        (Some(newer), _) if newer > LATEST => {
            (Kind::Newer, format!("has schema version {newer}, this otab knows {LATEST}"))
        }
        (None, Url::Sqlite(_)) => (Kind::Foreign, "is an SQLite database, but not one of otab's".to_owned()),
        (None, _) => (Kind::Older, "has none of otab's tables yet".to_owned()),
        (Some(older), _) => (Kind::Older, format!("has schema version {older}, this otab knows {LATEST}")),
    };
    Err(Error::new(kind, place(url), what))
}

/// What errors call a store.
pub(super) fn place(url: &Url) -> String {
    match url {
        Url::Sqlite(path) => path.display().to_string(),
        server => server.to_string(),
    }
}

/// The version of the tables, for people.
pub fn version(db: &mut Database) -> Result<i64, Error> {
    found(db, "").map(Option::unwrap_or_default)
}

/// Brings a store to this otab's version, and makes the tables in an empty database on a server. One that has them is
/// left alone. What was broken off is gone on with.
pub fn migrate(url: &Url) -> Result<(), Error> {
    let mut db = Database::open(url, Access::ReadWrite { create: false }, BUSY_TIMEOUT)?;
    match check(&mut db, url) {
        Err(error) if error.kind() == Kind::Older => db.write(|tx| run(tx, url))?,
        other => other?,
    }
    db.close()
}

/// Makes the tables in an empty database on a server. Those that are there have to be of this otab's version: what
/// somebody may still use is not migrated by the way.
pub(super) fn make_where_none(url: &Url) -> Result<(), Error> {
    let mut db = Database::open(url, Access::ReadWrite { create: false }, BUSY_TIMEOUT)?;
    match check(&mut db, url) {
        Err(error) if error.kind() == Kind::Older && version(&mut db)? == 0 => db.write(|tx| run(tx, url))?,
        other => other?,
    }
    db.close()
}

/// Runs the versions that are missing, in one transaction (on MariaDB each CREATE is one). It takes its turn before it
/// looks: of two migrations at once, the second finds nothing to do.
fn run(tx: &mut Tx<'_>, url: &Url) -> Result<(), Error> {
    let dialect = tx.dialect();
    let first = if dialect == Dialect::Sqlite {
        1
    } else {
        make_table(tx, url)?;
        2
    };
    let next = first.max(found(tx, "")?.unwrap_or_default() + 1);
    for (version, name, text) in VERSIONS.iter().filter(|(version, ..)| *version >= next) {
        for sql in statements(text, dialect) {
            tx.execute(&sql, &[])?;
        }
        tx.execute(&done(dialect, *version, name), &[])?;
    }
    Ok(())
}

/// The table of a server's versions. It comes first: it says whose the others are.
fn make_table(tx: &mut Tx<'_>, url: &Url) -> Result<(), Error> {
    let table = table(tx.dialect());
    if count(tx, &format!("= '{table}'"))? == 0 && count(tx, &format!("<> '{table}'"))? > 0 {
        let what = "holds somebody else's tables; otab's want an empty database of their own";
        return Err(Error::new(Kind::Foreign, place(url), what));
    }
    let engine = if tx.dialect() == Dialect::MariaDb { "ENGINE=InnoDB" } else { "" };
    tx.execute(&format!("CREATE TABLE IF NOT EXISTS {table} (version INTEGER NOT NULL) {engine}"), &[]).map(drop)
}

/// The number of tables in this database whose name is as `condition` says.
fn count(tx: &mut Tx<'_>, condition: &str) -> Result<i64, Error> {
    let schema = if tx.dialect() == Dialect::MariaDb { "DATABASE()" } else { "current_schema()" };
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {schema} AND table_name {condition}"
    );
    tx.row(&sql, &[])?.map_or(Ok(0), |row| row.int(0))
}

/// Notes that a version has been made.
fn done(dialect: Dialect, version: i64, name: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!(
            "INSERT INTO refinery_schema_history (version, name, applied_on) \
             VALUES ({version}, '{name}', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
        ),
        Dialect::PostgreSql | Dialect::MariaDb => format!("INSERT INTO otab_schema (version) VALUES ({version})"),
    }
}

/// All that a new file gets.
pub(super) fn whole() -> String {
    up_to(VERSIONS.len())
}

fn up_to(versions: usize) -> String {
    let mut all = HISTORY.to_owned();
    for (version, name, text) in VERSIONS.iter().take(versions) {
        for sql in statements(text, Dialect::Sqlite).chain([done(Dialect::Sqlite, *version, name)]) {
            let _ = write!(all, "{sql};");
        }
    }
    all
}

/// The statements for one product. They are behind a line with its name. (On a server they may be run again where they
/// were broken off.)
fn statements(text: &str, dialect: Dialect) -> impl Iterator<Item = String> {
    let heads = ["-- SQLite", "-- PostgreSQL", "-- MariaDB"];
    let head = match dialect {
        Dialect::Sqlite => heads[0],
        Dialect::PostgreSql => heads[1],
        Dialect::MariaDb => heads[2],
    };
    let lines =
        text.lines().skip_while(move |line| *line != head).skip(1).take_while(move |line| !heads.contains(line));
    let code: String = lines.filter(|line| !line.starts_with("--")).flat_map(|line| [line, "\n"]).collect();
    let all: Vec<String> = code.split(';').filter(|sql| !sql.trim().is_empty()).map(str::to_owned).collect();
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::db::sqlite;
    use crate::store::open;

    const WRITE: Access = Access::ReadWrite { create: true };

    /// A store of so many versions, then changed by others.
    fn store(versions: usize, sql: &str) -> (tempfile::TempDir, PathBuf, Url) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600, &up_to(versions)).unwrap();
        rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
        (folder, path.clone(), Url::Sqlite(path))
    }

    /// How opening such a one of today's version fails; and migrating, unless that helps.
    fn refused(sql: &str) -> Error {
        let (_folder, _, url) = store(VERSIONS.len(), sql);
        let error = open(&url, WRITE, BUSY_TIMEOUT).unwrap_err();
        if error.kind() != Kind::Older {
            assert_eq!(migrate(&url).unwrap_err().kind(), error.kind());
        }
        error
    }

    #[test]
    fn a_newer_schema_is_refused_also_for_migration() {
        let error = refused("INSERT INTO refinery_schema_history (version) VALUES (99)");
        assert_eq!(error.kind(), Kind::Newer);
        assert!(error.to_string().contains("newer"), "{error}");
    }

    #[test]
    fn an_older_schema_names_the_command_that_migrates_it() {
        let error = refused("DELETE FROM refinery_schema_history");
        assert_eq!(error.kind(), Kind::Older);
        assert!(error.to_string().contains("otab store migrate"), "{error}");
    }

    #[test]
    fn a_file_with_the_mark_but_no_history_is_foreign() {
        assert_eq!(refused("DROP TABLE refinery_schema_history").kind(), Kind::Foreign);
    }

    /// The name of such a journal would not be on the disk in time.
    #[test]
    fn without_a_write_ahead_log_nothing_is_migrated() {
        let (_folder, path, url) = store(3, "PRAGMA journal_mode = DELETE");
        let before = std::fs::read(&path).unwrap();
        let error = migrate(&url).unwrap_err();
        assert!(error.to_string().contains("PRAGMA journal_mode=wal"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    /// As for the door, which lives on while somebody puts a backup in the store's place.
    #[test]
    fn a_database_that_loses_its_log_later_is_reported() {
        let (_folder, path, url) = store(VERSIONS.len(), "");
        open(&url, WRITE, BUSY_TIMEOUT).unwrap().close().unwrap();
        let other = rusqlite::Connection::open(&path).unwrap();
        other.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
        assert!(open(&url, WRITE, BUSY_TIMEOUT).unwrap_err().to_string().contains("PRAGMA journal_mode=wal"));
        other.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        open(&url, WRITE, BUSY_TIMEOUT).unwrap();
    }

    /// As refinery left it: the checksums are its own, over name, number and text.
    #[test]
    fn a_store_of_refinery_is_read_and_migrated() {
        let sql = "UPDATE refinery_schema_history SET checksum = '14243397325519318302', \
                   applied_on = '2026-11-20T10:11:12.123456789Z'";
        let (_folder, _, url) = store(3, sql);
        assert_eq!(open(&url, WRITE, BUSY_TIMEOUT).unwrap_err().kind(), Kind::Older);
        migrate(&url).unwrap();
        let mut db = open(&url, WRITE, BUSY_TIMEOUT).unwrap();
        let sql = "SELECT version || ' ' || name || ' ' || COALESCE(checksum, '-') FROM refinery_schema_history";
        let rows = db.rows(sql, &[]).unwrap();
        assert_eq!(rows.len(), VERSIONS.len());
        assert_eq!(rows[0].text(0).unwrap(), "1 start 14243397325519318302");
        assert_eq!(rows[3].text(0).unwrap(), "4 link_mails_that_went_out -");
    }

    /// Whatever version it is of, a store has the same tables and indexes once it is migrated.
    #[test]
    fn each_older_store_becomes_what_a_new_one_is() {
        let schema = |url: &Url| {
            let sql = "SELECT m.name, c.name, c.type, c.\"notnull\" FROM sqlite_master m \
                       LEFT JOIN pragma_table_info(m.name) c ORDER BY 1, 2";
            open(url, WRITE, BUSY_TIMEOUT)
                .unwrap()
                .rows(sql, &[])
                .unwrap()
                .iter()
                .map(|row| row.values().to_vec())
                .collect()
        };
        let (_folder, _, new) = store(VERSIONS.len(), "");
        let wanted: Vec<_> = schema(&new);
        let sql = "INSERT INTO token (id, hash, state, customer, email, backend, created_at, changed_at) \
                       VALUES (7, 'h', 'active', 'c', 'e', 'b', 0, 0); \
                   INSERT INTO outbox (token_id, secret, recipient, customer, backend, occasion, created_at, due_at) \
                       VALUES (7, 'the-secret-itself', 'r', 'c', 'b', 'new', 0, 0)";
        for versions in 1..VERSIONS.len() {
            let (_folder, path, url) = store(versions, sql);
            migrate(&url).unwrap();
            assert_eq!(schema(&url), wanted, "{versions}");
            let mut db = open(&url, WRITE, BUSY_TIMEOUT).unwrap();
            let order = db.row("SELECT token_id, secret FROM outbox", &[]).unwrap().unwrap();
            assert_eq!(order.values(), [7.into(), "the-secret-itself".into()], "{versions}");
            // The order goes with its token, and no page keeps the secret.
            db.execute("DELETE FROM token", &[]).unwrap();
            db.close().unwrap();
            let file = std::fs::read(&path).unwrap();
            assert!(!file.windows(17).any(|bytes| bytes == b"the-secret-itself"), "{versions}");
        }
    }

    #[test]
    fn a_failed_migration_tells_what_sqlite_said() {
        let (_folder, path, url) = store(3, "");
        let before = std::fs::read(&path).unwrap();
        let mut db = Database::open(&url, WRITE, BUSY_TIMEOUT).unwrap();
        db.rows("PRAGMA max_page_count = 1", &[]).unwrap();
        assert_eq!(db.write(|tx| run(tx, &url)).unwrap_err().kind(), Kind::Full);
        db.close().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn of_eight_migrations_at_once_none_fails() {
        let (_folder, _, url) = store(VERSIONS.len() - 1, "");
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|_| scope.spawn(|| migrate(&url))).collect();
            for thread in all {
                thread.join().unwrap().unwrap();
            }
        });
    }

    #[test]
    fn migrating_twice_changes_nothing() {
        let (_folder, path, url) = store(VERSIONS.len(), "");
        let before = std::fs::read(&path).unwrap();
        migrate(&url).unwrap();
        migrate(&url).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
