//! otab's own tables on a server: checked at every opening, made only when asked, in a database of their own.
//!
//! The helpdesk has a table `ticket` as well. So a database with tables that are not otab's is never touched.

use std::time::Duration;

use super::{Access, Database, Dialect, Error, Kind, Patience, Statements, Tx, Url, moved};

/// The version of the last step below. It counts together with SQLite's.
const VERSION: i64 = 4;

/// What makes each version out of the one before: for PostgreSQL, and for MariaDB and MySQL.
const STEPS: [(i64, &str, &str); 3] = [
    (2, include_str!("schema/postgresql-2.sql"), include_str!("schema/mariadb-2.sql")),
    (3, include_str!("schema/postgresql-3.sql"), include_str!("schema/mariadb-3.sql")),
    (VERSION, include_str!("schema/postgresql-4.sql"), include_str!("schema/mariadb-4.sql")),
];

/// How long the making waits for others.
const PATIENCE: Duration = Duration::from_mins(1);

/// Passes a database whose tables are exactly those that this otab knows.
pub(super) fn check(db: &mut Database, url: &Url) -> Result<(), Error> {
    let found = version(db)?;
    if found.is_none()
        && let Some(place) = moved::place(db)?
    {
        return Err(moved::told(&url.to_string(), &place));
    }
    judge(url, found)
}

fn version(db: &mut Database) -> Result<Option<i64>, Error> {
    match db.row("SELECT MAX(version) FROM otab_schema", &[]) {
        Ok(row) => Ok(row.map(|row| row.opt_int(0)).transpose()?.flatten()),
        // The table is not there.
        Err(error) if error.kind() == Kind::Other => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn judge(url: &Url, found: Option<i64>) -> Result<(), Error> {
    let (kind, what) = match found {
        Some(VERSION) => return Ok(()),
        Some(newer) if newer > VERSION => {
            (Kind::Newer, format!("has schema version {newer}, this otab knows {VERSION}"))
        }
        Some(older) => (Kind::Older, format!("has schema version {older}, this otab knows {VERSION}")),
        None => (Kind::Older, "has none of otab's tables yet".to_owned()),
    };
    Err(Error::new(kind, url.to_string(), what))
}

/// Makes the tables in an empty database, or brings those of an older otab to this one's version; those that are
/// at it are left alone. What was broken off is gone on with.
pub fn make(url: &Url) -> Result<(), Error> {
    let mut db = open(url)?;
    db.write(|tx| make_in(tx, url))?;
    db.close()
}

/// Makes the tables in an empty database. Those that are there have to be of this otab's version: what somebody may
/// still use is not migrated by the way.
pub(super) fn make_where_none(url: &Url) -> Result<(), Error> {
    let mut db = open(url)?;
    match version(&mut db)? {
        None => db.write(|tx| make_in(tx, url))?,
        found => judge(url, found)?,
    }
    db.close()
}

fn open(url: &Url) -> Result<Database, Error> {
    Database::open_unchecked(url, Access::ReadWrite { create: false }, PATIENCE, Patience::within(PATIENCE))
}

fn make_in(tx: &mut Tx<'_>, url: &Url) -> Result<(), Error> {
    let has_version = count(tx, "= 'otab_schema'")? > 0;
    if !has_version && count(tx, &format!("= '{}'", moved::MARK))? > 0 {
        let place = moved::place(tx)?.unwrap_or_default();
        return Err(moved::told(&url.to_string(), &place));
    }
    if !has_version && count(tx, "<> 'otab_schema'")? > 0 {
        let what = "holds somebody else's tables; otab's want an empty database of their own";
        return Err(Error::new(Kind::Foreign, url.to_string(), what));
    }
    // It comes first: it says whose the others are.
    let engine = if tx.dialect() == Dialect::MariaDb { "ENGINE=InnoDB" } else { "" };
    tx.execute(&format!("CREATE TABLE IF NOT EXISTS otab_schema (version INTEGER NOT NULL) {engine}"), &[])?;
    let found = tx.row("SELECT MAX(version) FROM otab_schema", &[])?;
    let found = found.map(|row| row.opt_int(0)).transpose()?.flatten();
    if found.is_some_and(|found| found > VERSION) {
        return judge(url, found);
    }
    for (version, postgresql, mariadb) in STEPS {
        if found.is_some_and(|found| found >= version) {
            continue;
        }
        let step = if tx.dialect() == Dialect::MariaDb { mariadb } else { postgresql };
        for sql in statements(step) {
            tx.execute(&sql, &[])?;
        }
        tx.execute("INSERT INTO otab_schema (version) VALUES (?)", &[version.into()])?;
    }
    Ok(())
}

/// The statements of a step, which may be run again where it was broken off.
fn statements(step: &str) -> Vec<String> {
    let code: String = step.lines().filter(|line| !line.starts_with("--")).flat_map(|line| [line, "\n"]).collect();
    code.split(';').filter(|sql| !sql.trim().is_empty()).map(str::to_owned).collect()
}

/// The number of tables in this database whose name is as `condition` says.
fn count(tx: &mut Tx<'_>, condition: &str) -> Result<i64, Error> {
    let schema = match tx.dialect() {
        Dialect::MariaDb => "DATABASE()",
        Dialect::PostgreSql | Dialect::Sqlite => "current_schema()",
    };
    let sql = format!(
        "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = {schema} AND table_name {condition}"
    );
    tx.row(&sql, &[])?.map_or(Ok(0), |row| row.int(0))
}
