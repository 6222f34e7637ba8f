//! otab's own tables on a server: checked at every opening, made only when asked, in a database of their own.
//!
//! The helpdesk has a table `ticket` as well. So a database with tables that are not otab's is never touched.

use std::time::Duration;

use super::{Access, Database, Dialect, Error, Kind, Statements, Tx, Url};

/// The version that the statements below make. It counts together with SQLite's.
const VERSION: i64 = 2;

/// How long the making waits for others.
const PATIENCE: Duration = Duration::from_mins(1);

/// Passes a database whose tables are exactly those that this otab knows.
pub(super) fn check(db: &mut Database, url: &Url) -> Result<(), Error> {
    let found = match db.row("SELECT MAX(version) FROM otab_schema", &[]) {
        Ok(row) => row.map(|row| row.opt_int(0)).transpose()?.flatten(),
        // The table is not there.
        Err(error) if error.kind() == Kind::Other => None,
        Err(error) => return Err(error),
    };
    judge(url, found)
}

fn judge(url: &Url, found: Option<i64>) -> Result<(), Error> {
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

/// Makes the tables in an empty database; one that has them is left alone. What was broken off is gone on with.
pub fn make(url: &Url) -> Result<(), Error> {
    let mut db = Database::open_unchecked(url, Access::ReadWrite { create: false }, PATIENCE)?;
    db.write(|tx| make_in(tx, url))?;
    db.close()
}

fn make_in(tx: &mut Tx<'_>, url: &Url) -> Result<(), Error> {
    if count(tx, "= 'otab_schema'")? == 0 && count(tx, "<> 'otab_schema'")? > 0 {
        let what = "holds somebody else's tables; otab's want an empty database of their own";
        return Err(Error::new(Kind::Foreign, url.to_string(), what));
    }
    let schema = match tx.dialect() {
        Dialect::MariaDb => include_str!("schema/mariadb.sql"),
        Dialect::PostgreSql | Dialect::Sqlite => include_str!("schema/postgresql.sql"),
    };
    let code: String = schema.lines().filter(|line| !line.starts_with("--")).flat_map(|line| [line, "\n"]).collect();
    let mut statements = code.split(';').filter(|sql| !sql.trim().is_empty());
    // The first makes the table that says whose the others are.
    if let Some(first) = statements.next() {
        tx.execute(first, &[])?;
    }
    let found = tx.row("SELECT MAX(version) FROM otab_schema", &[])?;
    if let Some(version) = found.map(|row| row.opt_int(0)).transpose()?.flatten() {
        return judge(url, Some(version));
    }
    for sql in statements {
        tx.execute(sql, &[])?;
    }
    tx.execute("INSERT INTO otab_schema (version) VALUES (?)", &[VERSION.into()])?;
    Ok(())
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
