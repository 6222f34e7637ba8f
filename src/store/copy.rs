//! Copies a store's rows into an empty store of whatever kind, all or nothing, and retires the first.
//!
//! It knows tables, and nothing of what they mean. Nothing is held but some hundreds of rows, and nothing is
//! committed that was not read back and compared.
//!
//! The old store's write lock is held from the first row until it is retired, and everything that writes to a store
//! takes that lock. If power fails between commit and retirement there are two equal stores, and the configuration
//! names the old one: the next run compares and retires it, or finds that mail came in between, and does not.

use std::time::Duration;

use super::copied::{Digest, insert};
use super::table::Table;
use super::tables::TABLES;
use super::tombstone::{self, PREFIX};
use super::{create, open, open_for_hours, tokens, versions};
use crate::db::{Access, Dialect, Error, Kind, Row, Statements, Tx, Url, Value};

/// Most rows and bytes of one statement: well below a server's 65535 values, SQLite's 32766, and any
/// `max_allowed_packet` (MariaDB's default is 16 MiB).
const ROWS: usize = 500;
const BYTES: usize = 256 << 10;

/// What is to be copied.
#[derive(Debug)]
pub struct Order<'a> {
    /// The store that is in use.
    pub from: &'a Url,
    /// Whether it is one that has moved before.
    pub is_retired: bool,
    /// Where its rows go: an empty database on a server, or a file that is made.
    pub to: &'a Url,
    /// The same, as whoever opens the old store is told it: without a password.
    pub place: &'a str,
    /// Whether the old store stays in use.
    pub keep: bool,
    /// How long either store is waited for, where others write.
    pub busy: Duration,
    /// Asked with the old store's lock in hand, where it is to be retired: whether now is the time.
    pub may: fn(&mut Tx<'_>) -> Result<(), Error>,
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Both stores are locked; so many rows are to be copied.
    Begun(u64),
    /// So many more rows of a table are in the target's transaction.
    Written(&'static str, u64),
    /// So many rows were read back.
    Compared(u64),
    /// All rows are as they were; the commit is next.
    Complete,
    /// They are the target's; the old store is retired next.
    Committed,
    /// Nobody can write to the old store any more.
    Retired,
}

/// What it came to.
#[derive(Debug, PartialEq, Eq)]
pub struct Copied {
    /// Each table and its rows.
    pub tables: Vec<(&'static str, u64)>,
    /// The target held exactly these rows already: of a copy that power ended before the old store was retired.
    pub was_there: bool,
}

/// Copies, compares, commits, retires; `tell` hears of each step. An error before [`Step::Committed`] has
/// changed nothing but that the target's tables are there, empty.
pub fn copy(order: &Order<'_>, tell: &mut dyn FnMut(Step)) -> Result<Copied, Error> {
    let access = Access::ReadWrite { create: false };
    let mut from = if order.is_retired {
        tombstone::open(order.from, order.busy)?
    } else {
        open_for_hours(order.from, access, order.busy)?
    };
    let is_new = prepare(order.to)?;
    let done: Result<Copied, Error> = from.write(|source| {
        if !order.keep && !order.is_retired {
            (order.may)(source)?;
        }
        let mut to = open_for_hours(order.to, access, order.busy)?;
        let copied = to.write(|target| fill(source, target, order, tell))?;
        to.close()?;
        tell(Step::Committed);
        if !order.keep && !order.is_retired {
            tombstone::retire(source, order.place).map_err(|error| unretired(order, &error))?;
        }
        Ok(copied)
    });
    match (&done, order.to) {
        // Made a moment ago, for nothing: no row of it was ever committed.
        (Err(error), Url::Sqlite(path)) if is_new && error.kind() != Kind::Moved && !is_filled(order) => {
            let _ = std::fs::remove_file(path);
        }
        (Ok(_), _) if !order.keep => tell(Step::Retired),
        _ => {}
    }
    from.close()?;
    done
}

/// Makes the target's tables where there are none; `true` for a new file.
fn prepare(to: &Url) -> Result<bool, Error> {
    match to {
        Url::Sqlite(path) => match create(path, 0o600) {
            Ok(()) => Ok(true),
            // Whether it is otab's, and empty, is seen once it is open.
            Err(error) if error.kind() == Kind::Exists => Ok(false),
            Err(error) => Err(error),
        },
        server => versions::make_where_none(server).map(|()| false),
    }
}

/// Whether a row stands in a target that was new; one that cannot be looked into counts as filled.
fn is_filled(order: &Order<'_>) -> bool {
    let look = || -> Result<bool, Error> {
        let mut db = open(order.to, Access::ReadOnly, order.busy)?;
        let filled = TABLES.iter().try_fold(0, |sum, table| Ok(sum + count(&mut db, "", table)?));
        db.close()?;
        filled.map(|rows: u64| rows > 0)
    };
    look().unwrap_or(true)
}

/// The rows are safe at their new place, and nobody has been told.
fn unretired(order: &Order<'_>, error: &Error) -> Error {
    let what = format!(
        "the copy in {} is complete, but this store could not be retired: {error}; run the same command again at once",
        order.place
    );
    Error::new(Kind::Unavailable, order.from.to_string(), what)
}

fn fill(
    source: &mut Tx<'_>,
    target: &mut Tx<'_>,
    order: &Order<'_>,
    tell: &mut dyn FnMut(Step),
) -> Result<Copied, Error> {
    let prefix = if order.is_retired { PREFIX } else { "" };
    let last = tokens::last_number(source, prefix)?;
    let counts = TABLES.iter().map(|table| count(source, prefix, table)).collect::<Result<Vec<_>, _>>()?;
    let there = TABLES.iter().map(|table| count(target, "", table)).collect::<Result<Vec<_>, _>>()?;
    let was_there = there.iter().any(|rows| *rows > 0);
    let filled =
        || Error::new(Kind::Exists, order.to.to_string(), "holds rows already; otab copies into an empty store only");
    if was_there && there != counts {
        return Err(filled());
    }
    tell(Step::Begun(counts.iter().sum()));
    for (table, rows) in TABLES.iter().zip(&counts) {
        let here = if was_there {
            digest(source, prefix, table, &mut |_| {})?
        } else {
            carry(source, prefix, target, table, order, tell)?
        };
        let read_back = digest(target, "", table, &mut |rows| tell(Step::Compared(rows)))?;
        if here != read_back || here.rows() != *rows {
            return Err(if was_there { filled() } else { differs(table, order) });
        }
    }
    go_on_counting(target, last)?;
    tell(Step::Complete);
    Ok(Copied { tables: TABLES.iter().map(|table| table.name).zip(counts).collect(), was_there })
}

fn differs(table: &Table, order: &Order<'_>) -> Error {
    let what = format!("table `{}` reads back otherwise than it was written; nothing was committed", table.name);
    Error::new(Kind::Other, order.to.to_string(), what)
}

fn count(db: &mut impl Statements, prefix: &str, table: &Table) -> Result<u64, Error> {
    let row = db.row(&format!("SELECT COUNT(*) FROM {prefix}{}", table.name), &[])?;
    let count = row.map_or(Ok(0), |row| row.int(0))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Every row of one table into the other; what they were.
fn carry(
    source: &mut Tx<'_>,
    prefix: &str,
    target: &mut Tx<'_>,
    table: &Table,
    order: &Order<'_>,
    tell: &mut dyn FnMut(Step),
) -> Result<Digest, Error> {
    let (mut digest, mut batch, mut bytes) = (Digest::default(), Vec::new(), 0);
    let place = order.to.to_string();
    let mut flush = |batch: &mut Vec<Row>, before: u64| {
        insert(target, table, batch, before, &place)?;
        tell(Step::Written(table.name, batch.len() as u64));
        batch.clear();
        Ok::<_, Error>(())
    };
    source.each(&table.select_from(prefix), &mut |row| {
        digest.add(row.values());
        bytes += row.values().iter().map(size).sum::<usize>();
        batch.push(row);
        if batch.len() >= ROWS || bytes >= BYTES {
            bytes = 0;
            let before = digest.rows() - batch.len() as u64;
            flush(&mut batch, before)?;
        }
        Ok(())
    })?;
    let before = digest.rows() - batch.len() as u64;
    flush(&mut batch, before)?;
    Ok(digest)
}

fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Int(_) => 8,
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
    }
}

fn digest(db: &mut Tx<'_>, prefix: &str, table: &Table, tell: &mut dyn FnMut(u64)) -> Result<Digest, Error> {
    let mut digest = Digest::default();
    db.each(&table.select_from(prefix), &mut |row| {
        digest.add(row.values());
        if digest.rows() % ROWS as u64 == 0 {
            tell(ROWS as u64);
        }
        Ok(())
    })?;
    tell(digest.rows() % ROWS as u64);
    Ok(digest)
}

/// The next id comes behind those that were written. PostgreSQL alone does not see to that.
fn go_on_counting(target: &mut Tx<'_>, last_token: i64) -> Result<(), Error> {
    let held = tokens::hold_number(target, last_token)?;
    if target.dialect() == Dialect::PostgreSql {
        for table in TABLES.iter().filter(|table| table.has_id()) {
            let name = table.name;
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{name}', 'id'), COALESCE(MAX(id), 1), MAX(id) IS NOT NULL) FROM {name}"
            );
            target.rows(&sql, &[])?;
        }
    }
    held.map_or(Ok(()), |number| tokens::free_number(target, number))
}
