//! Orders for link mails that no mail server has taken yet.
//!
//! An order is recorded in the same transaction as its token. Until its mail has been taken it alone
//! holds the secret; what is listed never shows it. This file sends nothing.

use std::ops::Range;
use std::str::FromStr;

use jiff::Timestamp;

use super::table::Table;
use super::tokens;
use crate::db::{self, Row, Statements, Tx, Value};
use crate::link::order::{Kept, Occasion, Order};
use crate::token::{Secret, Which};

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed.
    #[error(transparent)]
    Db(#[from] db::Error),
    /// No mail can be addressed to the recipient. It is not repeated here: it is personal data.
    #[error("no mail can be addressed to the customer's stored address")]
    Refused,
}

impl Error {
    /// Whether trying again later makes sense.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Db(error) => error.is_transient(),
            Self::Refused => false,
        }
    }
}

/// The table: the place in the queue, what the order is, when it is due.
pub(super) const TABLE: Table = Table {
    name: "outbox",
    columns: &[
        "id",
        "token_id",
        "secret",
        "recipient",
        "customer",
        "backend",
        "occasion",
        "language",
        "message_id",
        "ticket_number",
        "created_at",
        "tries",
        "unanswered",
        "last_error",
        "due_at",
    ],
};

/// What an order is, besides its place in the queue: all that moves with it.
pub(super) const CONTENT: Range<usize> = 1..14;

/// Records an order, due at `due`; its number.
///
/// A recipient that lettre, which will send the mail, cannot address is refused now: it would never
/// leave the outbox, and its secret would lie there for good.
pub fn order(tx: &mut Tx<'_>, order: &Order, now: Timestamp, due: Timestamp) -> Result<i64, Error> {
    lettre::Address::from_str(&order.recipient).map_err(|_| Error::Refused)?;
    let id = tx.insert(
        &TABLE.insert(),
        &[
            order.token_id.into(),
            order.secret.as_ref().map(Secret::expose).into(),
            (&order.recipient).into(),
            (&order.customer).into(),
            (&order.backend).into(),
            order.occasion.as_str().into(),
            order.language.as_ref().into(),
            order.message_id.as_ref().into(),
            order.ticket_number.as_ref().into(),
            now.into(),
            0.into(),
            0.into(),
            Value::Null,
            due.into(),
        ],
    )?;
    Ok(id)
}

/// Makes the order for a token's first link mail due now, where it was to wait for longer.
pub fn release(tx: &mut Tx<'_>, token_id: i64, now: Timestamp) -> Result<(), db::Error> {
    let sql = "UPDATE outbox SET due_at = ? WHERE token_id = ? AND tries = 0 AND due_at > ?";
    tx.execute(sql, &[now.into(), token_id.into(), now.into()])?;
    Ok(())
}

/// At most `limit` orders, the next due first.
pub fn list(db: &mut impl Statements, limit: Option<u32>) -> Result<Vec<Kept>, db::Error> {
    let sql = format!("{} ORDER BY due_at, id LIMIT ?", TABLE.select());
    let rows = db.rows(&sql, &[limit.unwrap_or(u32::MAX).into()])?;
    rows.iter().map(kept).collect()
}

/// That the mail of an order has been taken.
pub(super) const TAKEN: &str =
    "NOT (tries = 0 AND EXISTS (SELECT 1 FROM token WHERE token.id = token_id AND state = 'pending'))";

/// How many orders have been due since `due`, or were tried in vain and are older than that.
pub fn overdue(db: &mut impl Statements, due: Timestamp) -> Result<i64, db::Error> {
    let sql = "SELECT COUNT(*) FROM outbox WHERE due_at <= ? OR (tries > 0 AND created_at <= ?)";
    let row = db.row(sql, &[due.into(), due.into()])?;
    row.map_or(Ok(0), |row| row.int(0))
}

/// Makes an order, or all of them, due now; how many. Those whose mail has not been taken yet (`otab deliver`)
/// are left alone: their tokens open nothing so far.
pub fn retry(tx: &mut Tx<'_>, id: Option<i64>, now: Timestamp) -> Result<u64, db::Error> {
    match id {
        Some(id) => {
            tx.execute(&format!("UPDATE outbox SET due_at = ? WHERE id = ? AND {TAKEN}"), &[now.into(), id.into()])
        }
        None => {
            tx.execute(&format!("UPDATE outbox SET due_at = ? WHERE due_at > ? AND {TAKEN}"), &[now.into(), now.into()])
        }
    }
}

/// Gives an order up, and its link with it, unless a mail server may have its mail; `false` where there is none.
pub fn drop(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<bool, db::Error> {
    let Some(row) = tx.row("SELECT token_id, unanswered FROM outbox WHERE id = ?", &[id.into()])? else {
        return Ok(false);
    };
    revoke(tx, row.opt_int(0)?, row.int(1)?, now)?;
    tx.execute("DELETE FROM outbox WHERE id = ?", &[id.into()])?;
    Ok(true)
}

/// Takes back the token of an order that is given up, unless a mail server may have its mail.
pub(super) fn revoke(tx: &mut Tx<'_>, token: Option<i64>, unanswered: i64, now: Timestamp) -> Result<(), db::Error> {
    match token {
        Some(id) if unanswered == 0 => tokens::revoke(tx, &Which::Id(id), now).map(|_| ()),
        _ => Ok(()),
    }
}

/// Gives up the orders of a token that must not reach anybody any more (revoked); how many.
pub fn drop_for_token(db: &mut impl Statements, token_id: i64) -> Result<u64, db::Error> {
    db.execute("DELETE FROM outbox WHERE token_id = ?", &[token_id.into()])
}

pub(super) fn kept(row: &Row) -> Result<Kept, db::Error> {
    Ok(Kept {
        id: row.int(0)?,
        order: Order {
            token_id: row.opt_int(1)?,
            // One that is none (somebody has been at the table) must not stand in the way of all others.
            secret: row.opt_text(2)?.and_then(|text| Secret::parse(&text).ok()),
            recipient: row.text(3)?.into_owned(),
            customer: row.text(4)?.into_owned(),
            backend: row.text(5)?.into_owned(),
            occasion: Occasion::stored(&row.text(6)?),
            language: row.opt_text(7)?.map(Into::into),
            message_id: row.opt_text(8)?.map(Into::into),
            ticket_number: row.opt_text(9)?.map(Into::into),
        },
        created_at: row.time(10)?,
        tries: row.int(11)?,
        unanswered: row.int(12)?,
        last_error: row.opt_text(13)?.map(Into::into),
        due_at: row.time(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bench::Store;
    use crate::store::tokens::{self, Issued, issue, withdraw};
    use crate::token::{NewToken, State};
    fn to(recipient: &str) -> Order {
        Order {
            token_id: None,
            secret: Some(Secret::parse("the-secret-itself").unwrap()),
            recipient: recipient.to_owned(),
            customer: "carol".to_owned(),
            backend: "A".to_owned(),
            occasion: Occasion::New,
            language: None,
            message_id: None,
            ticket_number: None,
        }
    }

    fn token() -> NewToken {
        NewToken { customer: "carol".to_owned(), state: State::Pending, ..NewToken::default() }
    }

    #[test]
    fn an_order_is_listed_and_dropped_without_its_secret() {
        let mut store = Store::new();
        let db = store.db();
        let now = Timestamp::UNIX_EPOCH;
        let id = db.write(|tx| order(tx, &to("carol@corp.test"), now, now)).unwrap();
        let listed = list(db, None).unwrap();
        assert_eq!((listed.len(), listed[0].id), (1, id));
        assert!(!format!("{listed:?}").contains("secret-itself"));
        assert!(db.write(|tx| drop(tx, id, now)).unwrap());
        assert!(!db.write(|tx| drop(tx, id, now)).unwrap());
        let Store { dbs, folder, .. } = store;
        dbs.close().unwrap();
        let file = std::fs::read(folder.path().join("otab.db")).unwrap();
        let secret = b"the-secret-itself";
        assert!(!file.windows(secret.len()).any(|bytes| bytes == secret));
    }

    #[test]
    fn a_recipient_without_address_undoes_the_order() {
        let mut store = Store::new();
        let db = store.db();
        let now = Timestamp::UNIX_EPOCH;
        for recipient in ["", "carol", "carol@corp.test\r\nBcc: x@y.test", "a b@corp.test"] {
            let refused = db.write(|tx| {
                issue(tx, &token(), &Secret::generate(), now)?;
                order(tx, &to(recipient), now, now)
            });
            let refused = refused.unwrap_err();
            assert!(matches!(refused, Error::Refused) && !refused.is_transient());
        }
        assert!(list(db, None).unwrap().is_empty());
        assert!(tokens::list(db, None).unwrap().is_empty());
    }

    #[test]
    fn an_order_goes_with_its_token() {
        let mut store = Store::new();
        let db = store.db();
        let now = Timestamp::UNIX_EPOCH;
        let issued = db.write(|tx| {
            let secret = Secret::generate();
            let issued = issue(tx, &token(), &secret, now)?;
            let Issued::New { id } = issued else {
                return Ok::<_, Error>(0);
            };
            let this = Order { token_id: Some(id), ..to("carol@corp.test") };
            order(tx, &this, now, now)?;
            Ok(id)
        });
        let id = issued.unwrap();
        assert_eq!(list(db, None).unwrap()[0].token_id, Some(id));
        assert!(db.write(|tx| withdraw(tx, id)).unwrap());
        assert!(list(db, None).unwrap().is_empty());
    }
}
