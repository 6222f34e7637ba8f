//! The Message-IDs of the link mails that a mail server was given, or may have been.
//!
//! Programs answer mails without saying so. Such an answer would earn a link mail, which the program would answer
//! again. What counts is that otab sent the mail: that a Message-ID looks like otab's is anybody's to arrange.

use jiff::{SignedDuration, Timestamp};

use super::table::{Table, places};
use crate::db::{Error, Statements, Tx, Value};

/// The table.
pub(super) const TABLE: Table = Table { name: "link_mail", columns: &["message_id", "sent_at"] };

/// How long an answer is recognised. Programs answer within minutes, and people within weeks.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Notes that a mail with this Message-ID is about to go out. Before it does: it may be answered at once.
pub fn note(tx: &mut Tx<'_>, message_id: &str, now: Timestamp) -> Result<(), Error> {
    if tx.row("SELECT 1 FROM link_mail WHERE message_id = ?", &[message_id.into()])?.is_some() {
        let sql = "UPDATE link_mail SET sent_at = ? WHERE message_id = ?";
        return tx.execute(sql, &[now.into(), message_id.into()]).map(drop);
    }
    tx.execute(&TABLE.insert(), &[message_id.into(), now.into()]).map(drop)
}

/// Whether one of these Message-IDs, each with its `<>`, is a link mail's.
pub fn knows(db: &mut impl Statements, message_ids: &[String]) -> Result<bool, Error> {
    if message_ids.is_empty() {
        return Ok(false);
    }
    let places = places(message_ids.len());
    let values: Vec<Value> = message_ids.iter().map(Into::into).collect();
    let sql = format!("SELECT 1 FROM link_mail WHERE message_id IN ({places}) LIMIT 1");
    Ok(db.row(&sql, &values)?.is_some())
}

/// Forgets those that nobody answers any more; how many. A dry run counts them.
pub fn forget(db: &mut impl Statements, now: Timestamp, dry_run: bool) -> Result<u64, Error> {
    TABLE.delete(db, "sent_at <= ?", &[(now - KEPT).into()], dry_run)
}
