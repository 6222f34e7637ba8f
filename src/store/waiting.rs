//! Orders that the caps leave no room for: they wait, and cost neither the customer their link nor the outbox its size.
//!
//! Anyone can write in a customer's name. If the mails over `per_address` were dropped, ten forged ones an hour would
//! keep that customer without links for good. So the newest order waits, and the older ones of the same customer are
//! merged into it: one link lets a customer in to all of their tickets, and a flood makes one order, not thousands.

use jiff::Timestamp;

use super::outbox::{self, CONTENT, TABLE, TAKEN};
use super::queue;
use crate::db::{Error, Statements, Tx};
use crate::link::caps::{Caps, mailbox};
use crate::link::order::Kept;

/// Why an order waits for its address, as the outbox lists it.
const ADDRESS_FULL: &str = "mail.per_address is reached";

/// The same, for its domain or for all.
const OTHERS_FULL: &str = "mail.per_domain or mail.per_hour is reached";

/// What became of an order whose address has had enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// The newest order of its customer waits, and so many older ones were merged into it.
    Merged {
        /// The order that waits.
        id: i64,
        /// How many were merged.
        older: u64,
    },
    /// As many other customers wait for the same mailbox as may get a mail there in an hour.
    TooMany,
}

/// Lets the newest order of this order's customer wait until `due`, and merges their others into it.
///
/// Customers are not merged with each other, since a link lets in only one. But what follows a `+` is the sender's to
/// choose, and makes customers without end that share a mailbox: of those only so many wait. The mailbox's own address
/// always does.
pub fn for_address(tx: &mut Tx<'_>, order: &Kept, caps: &Caps, due: Timestamp, now: Timestamp) -> Result<Waits, Error> {
    if !is_own_address(&order.recipient) && others_waiting(tx, order)? >= caps.per_address.into() {
        return Ok(Waits::TooMany);
    }
    let (place, merged) = merge(tx, &order.customer, &order.backend, 1, now)?;
    let id = place.unwrap_or(order.id);
    queue::postpone(tx, id, due, ADDRESS_FULL)?;
    Ok(Waits::Merged { id, older: merged })
}

/// Lets this order wait until `due`, and all that are due and wait for the same: this domain's, or all; how many more.
/// One by one they would keep the filters from the database, and fill the log. Of one customer no more wait than may
/// go to an address within an hour.
pub fn for_others(
    tx: &mut Tx<'_>,
    order: &Kept,
    caps: &Caps,
    domain: Option<&str>,
    due: Timestamp,
    now: Timestamp,
) -> Result<u64, Error> {
    queue::postpone(tx, order.id, due, OTHERS_FULL)?;
    let sql = "UPDATE outbox SET due_at = ?, last_error = ? WHERE due_at <= ? AND LOWER(recipient) LIKE ?";
    let recipients = domain.map_or_else(|| "%".to_owned(), |domain| format!("%@{domain}"));
    let more = tx.execute(sql, &[due.into(), OTHERS_FULL.into(), now.into(), recipients.into()])?;
    if caps.per_address == 0 {
        return Ok(more);
    }
    let sql =
        "SELECT customer, backend FROM outbox WHERE last_error = ? GROUP BY customer, backend HAVING COUNT(*) > ?";
    let mut merged = 0;
    for row in tx.rows(sql, &[OTHERS_FULL.into(), caps.per_address.into()])? {
        merged += merge(tx, &row.text(0)?, &row.text(1)?, caps.per_address, now)?.1;
    }
    Ok(more.saturating_sub(merged))
}

/// Keeps the `keep` newest orders of a customer and gives up the others; the last place that is left, and how many
/// orders went.
///
/// The newest get the places of the oldest in the queue: else a customer in whose name somebody goes on writing would
/// always be last. A token goes with its order: nobody has its secret. Left active, it would send each older link of
/// its ticket to a mail that never came. Orders whose mail the next stage has not taken yet are left alone, and so is
/// the token of one that a mail server may have.
fn merge(
    tx: &mut Tx<'_>,
    customer: &str,
    backend: &str,
    keep: u32,
    now: Timestamp,
) -> Result<(Option<i64>, u64), Error> {
    let sql = format!("{} WHERE customer = ? AND backend = ? AND {TAKEN} ORDER BY id", TABLE.select());
    let rows = tx.rows(&sql, &[customer.into(), backend.into()])?;
    let places = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    let keep = usize::try_from(keep).unwrap_or(usize::MAX);
    let Some(older) = rows.len().checked_sub(keep).filter(|older| *older > 0) else {
        return Ok((places.last().copied(), 0));
    };
    for row in &rows[..older] {
        let kept = outbox::kept(row)?;
        outbox::revoke(tx, kept.token_id, kept.unanswered, now)?;
    }
    for place in &places[keep..] {
        tx.execute("DELETE FROM outbox WHERE id = ?", &[(*place).into()])?;
    }
    let sql = format!("UPDATE outbox SET {} = ? WHERE id = ?", TABLE.columns[CONTENT].join(" = ?, "));
    for (place, row) in places.iter().zip(&rows[older..]) {
        let content = &row.values()[CONTENT];
        tx.execute(&sql, &[content, &[(*place).into()]].concat())?;
    }
    Ok((places.get(keep - 1).copied(), u64::try_from(older).unwrap_or_default()))
}

/// Whether an address is the very mailbox that it is counted as.
fn is_own_address(recipient: &str) -> bool {
    let counted = mailbox(recipient);
    recipient.matches('@').count() == 1 && recipient.matches('+').count() == counted.matches('+').count()
}

/// How many orders of other customers wait for this order's mailbox.
fn others_waiting(tx: &mut Tx<'_>, order: &Kept) -> Result<u64, Error> {
    let sql = "SELECT recipient FROM outbox WHERE last_error = ? AND NOT (customer = ? AND backend = ?)";
    let rows = tx.rows(sql, &[ADDRESS_FULL.into(), (&order.customer).into(), (&order.backend).into()])?;
    let wanted = mailbox(&order.recipient);
    let mut waiting = 0;
    for row in &rows {
        let recipient = row.text(0)?;
        waiting += u64::from(!is_own_address(&recipient) && mailbox(&recipient) == wanted);
    }
    Ok(waiting)
}
