//! A store that has moved: its tables have other names, and one more says where it is now.
//!
//! All names change in one step. So an opening finds no version, and looks for the reason only then; a writer that
//! waited for the lock finds no table. Nobody writes what nobody will read. Deletes nothing.

use std::time::Duration;

use super::tables::{LEFT, TABLES};
use super::versions;
use crate::db::{Access, Database, Dialect, Error, Kind, Statements, Tx, Url};

/// What stands before a table's name once its store has moved.
pub(super) const PREFIX: &str = "moved_";
/// The table that says where to.
pub(super) const MARK: &str = "otab_moved";

/// Retires the store of this transaction in favour of the one at `place`, which is shown as it stands. On MariaDB
/// this ends the transaction; one statement gives all tables their names there.
pub(super) fn retire(tx: &mut Tx<'_>, place: &str) -> Result<(), Error> {
    let dialect = tx.dialect();
    let (column, engine) =
        if dialect == Dialect::MariaDb { ("VARBINARY(4000)", "ENGINE=InnoDB") } else { ("TEXT", "") };
    // One may be there of a try that power ended; it means nothing while the version stands in its place.
    tx.execute(&format!("CREATE TABLE IF NOT EXISTS {MARK} (place {column} NOT NULL) {engine}"), &[])?;
    tx.execute(&format!("DELETE FROM {MARK}"), &[])?;
    tx.execute(&format!("INSERT INTO {MARK} (place) VALUES (?)"), &[place.into()])?;
    // The version first: a server so old that power may end it half-way (MariaDB before 10.6) lets nobody in then.
    let names = [versions::table(dialect), LEFT].into_iter().chain(TABLES.iter().map(|table| table.name));
    if dialect == Dialect::MariaDb {
        let pairs: Vec<_> = names.map(|name| format!("{name} TO {PREFIX}{name}")).collect();
        return tx.execute(&format!("RENAME TABLE {}", pairs.join(", ")), &[]).map(drop);
    }
    for name in names {
        tx.execute(&format!("ALTER TABLE {name} RENAME TO {PREFIX}{name}"), &[])?;
    }
    Ok(())
}

/// Where the store has moved to, if it has; asked only where there is no version.
pub(super) fn place(db: &mut impl Statements) -> Result<Option<String>, Error> {
    match db.row(&format!("SELECT place FROM {MARK}"), &[]) {
        Ok(row) => row.map(|row| row.text(0).map(std::borrow::Cow::into_owned)).transpose(),
        // The table is not there.
        Err(error) if error.kind() == Kind::Other => Ok(None),
        Err(error) => Err(error),
    }
}

/// What an opening fails with.
pub(super) fn moved(store: &Url, place: &str) -> Error {
    let what = format!("this store has moved to {place}; set store.url to it");
    Error::new(Kind::Moved, versions::place(store), what)
}

/// Opens a store that has moved, to copy what it held. One that is in use is refused.
pub(super) fn open(url: &Url, busy: Duration) -> Result<Database, Error> {
    let mut db = Database::open_for_hours(url, Access::ReadWrite { create: false }, busy)?;
    let found = versions::found(&mut db, PREFIX)?;
    if found.is_none() {
        return Err(Error::new(Kind::Exists, url.to_string(), "this store has not moved; leave --from-retired away"));
    }
    versions::judge(url, found)?;
    Ok(db)
}
