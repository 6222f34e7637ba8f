//! Newcomers: customers that otab is about to make, or has made, and that the helpdesk has not been told of yet
//! (`create.after_create`). They stand in the store, and not beside their customers: OTOBO's tables stay as they are.
//!
//! A newcomer is noted before he is made, so that whoever dies in between leaves one too many rather than a
//! customer nobody tells of. This file runs nothing.

use jiff::{SignedDuration, Timestamp};

use super::queue::WORKER_ROW;
use super::table::Table;
use crate::db::{Error, Row, Statements, Tx};

/// Most newcomers that are told of at once.
const MOST: u32 = 1000;

/// Nothing is put off for longer than an hour. What waits for longer than this was put off by a wrong clock.
const FARTHEST: SignedDuration = SignedDuration::from_hours(2);

/// The task in the table of workers: in the place of its holder stands how often telling has failed.
const TASK: &str = "after_create";

/// The table.
pub(super) const TABLE: Table = Table { name: "newcomer", columns: &["backend", "customer", "created_at"] };

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// The name of the source that he is made in.
    pub backend: String,
    /// His login.
    pub login: String,
    /// When he was noted.
    pub created_at: Timestamp,
}

/// Notes one; or, where he is noted already, that he is about to be made once more.
pub fn note(tx: &mut Tx<'_>, backend: &str, login: &str, now: Timestamp) -> Result<(), Error> {
    let sql = "DELETE FROM newcomer WHERE backend = ? AND customer = ?";
    tx.execute(sql, &[backend.into(), login.into()])?;
    tx.execute(&TABLE.insert(), &[backend.into(), login.into(), now.into()])?;
    Ok(())
}

/// Those that are noted, the oldest first, at most 1000.
pub fn noted(db: &mut impl Statements) -> Result<Vec<Newcomer>, Error> {
    let sql = format!("{} ORDER BY created_at, backend, customer LIMIT ?", TABLE.select());
    let rows = db.rows(&sql, &[MOST.into()])?;
    let newcomer = |row: &Row| {
        Ok(Newcomer { backend: row.text(0)?.into_owned(), login: row.text(1)?.into_owned(), created_at: row.time(2)? })
    };
    rows.iter().map(newcomer).collect()
}

/// Whether this customer is one.
pub fn is_noted(db: &mut impl Statements, backend: &str, login: &str) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM newcomer WHERE backend = ? AND customer = ?";
    Ok(db.row(sql, &[backend.into(), login.into()])?.is_some())
}

/// The helpdesk has been told of these; but not of one who was noted once more meanwhile.
pub fn told(tx: &mut Tx<'_>, newcomers: &[Newcomer]) -> Result<(), Error> {
    for newcomer in newcomers {
        let sql = "DELETE FROM newcomer WHERE backend = ? AND customer = ? AND created_at = ?";
        tx.execute(sql, &[(&newcomer.backend).into(), (&newcomer.login).into(), newcomer.created_at.into()])?;
    }
    retry(tx)
}

/// When telling is tried again, where it has failed; `None`: nothing stands in the way of trying now.
pub fn pause(db: &mut impl Statements, now: Timestamp) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT until FROM worker WHERE task = ? AND until > ? AND until <= ?";
    let row = db.row(sql, &[TASK.into(), now.into(), (now + FARTHEST).into()])?;
    row.map(|row| row.time(0)).transpose()
}

/// How often telling has failed since it last succeeded.
pub fn failures(db: &mut impl Statements) -> Result<i64, Error> {
    let row = db.row("SELECT holder FROM worker WHERE task = ?", &[TASK.into()])?;
    let text = row.map(|row| row.text(0).map(String::from)).transpose()?;
    // One that is no number was written by somebody else.
    Ok(text.and_then(|text| text.parse().ok()).unwrap_or(0).max(0))
}

/// Telling has failed so often, and is tried again at `due`.
pub fn postpone(tx: &mut Tx<'_>, failures: i64, due: Timestamp) -> Result<(), Error> {
    retry(tx)?;
    tx.execute(WORKER_ROW, &[TASK.into(), failures.to_string().into(), due.into()])?;
    Ok(())
}

/// Telling is tried at once.
pub fn retry(tx: &mut Tx<'_>) -> Result<(), Error> {
    tx.execute("DELETE FROM worker WHERE task = ?", &[TASK.into()])?;
    Ok(())
}
