//! Issuing, binding and renewing: what is written before a link goes out.
//!
//! Everything here runs inside the caller's write transaction, together with the order for the link
//! mail: either both are recorded or neither.

use jiff::Timestamp;

use super::redeem;
use super::redeem::by_id;
use super::row::{TABLE, family, values};
use crate::db::{Error, Statements, Tx};
use crate::ticket::Ticket;
use crate::token::{MailKey, NewToken, Secret, State, TokenFacts};

/// What [`issue`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Issued {
    /// A new token.
    New {
        /// Its row.
        id: i64,
    },
    /// This mail had its token already; nothing was recorded.
    Already {
        /// The row of that token.
        id: i64,
    },
}

const BY_MAIL: &str = "SELECT id FROM token WHERE mail_key = ?";

/// Records a token, once a mail. Other tokens of the mail or ticket stay as they are.
pub fn issue(tx: &mut Tx<'_>, new: &NewToken, secret: &Secret, now: Timestamp) -> Result<Issued, Error> {
    if let Some(key) = &new.mail_key
        && let Some(id) = find(tx, key)?
    {
        return Ok(Issued::Already { id });
    }
    let id = tx.insert(&TABLE.insert(), &values(new, &secret.hash(), now, now))?;
    Ok(Issued::New { id })
}

/// The token that this mail has already: the look before the write, without the write lock.
pub fn find(db: &mut impl Statements, key: &MailKey) -> Result<Option<i64>, Error> {
    let row = db.row(BY_MAIL, &[key.as_str().into()])?;
    row.map(|row| row.int(0)).transpose()
}

/// The mail of a pending token has been taken: it is active from now on. `false` where it was not
/// pending any more.
pub fn activate(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE token SET state = 'active', changed_at = ? WHERE id = ? AND state = 'pending'";
    Ok(tx.execute(sql, &[now.into(), id.into()])? == 1)
}

/// The mail of a pending token has been refused: the token goes, and its order for a link mail.
pub fn withdraw(tx: &mut Tx<'_>, id: i64) -> Result<bool, Error> {
    let sql = "DELETE FROM token WHERE id = ? AND state = 'pending'";
    Ok(tx.execute(sql, &[id.into()])? == 1)
}

/// Binds the unbound tokens of the ticket's mail and customer to it; how many.
///
/// A ticket that states no customer binds none: a Message-ID is the sender's to choose, and whoever
/// got a copy of a mail could send another with the same one, to get a link to the first one's ticket.
pub fn bind(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<u64, Error> {
    let (Some(message_id), Some(customer)) = (&ticket.message_id, &ticket.customer) else {
        return Ok(0);
    };
    let sql = "UPDATE token SET ticket_number = ? WHERE message_id = ? AND customer = ? AND ticket_number IS NULL";
    tx.execute(sql, &[(&ticket.number).into(), message_id.into(), customer.into()])
}

/// Renews a used token: a new active one for the same customer and ticket (or mail).
///
/// `None` where there is nothing to renew: it is gone, not used, or somebody else has renewed it by
/// now. The transaction holds the write lock, so of any number at once exactly one gets a new one.
pub fn renew(tx: &mut Tx<'_>, id: i64, secret: &Secret, now: Timestamp) -> Result<Option<i64>, Error> {
    let Some(old) = by_id(tx, id)? else { return Ok(None) };
    if old.state != State::Used || redeem::others_active(tx, &old, now)? {
        return Ok(None);
    }
    replace(tx, &old, secret, now).map(Some)
}

/// A new active token in the place of `old`, whatever stands there: all others of its ticket and
/// customer (unbound: its mail and customer) become used. The row of the new one.
fn replace(tx: &mut Tx<'_>, old: &TokenFacts, secret: &Secret, now: Timestamp) -> Result<i64, Error> {
    let (condition, values) = match family(old) {
        Some((condition, values)) => (condition, values.to_vec()),
        None => ("id = ?", vec![old.id.into()]),
    };
    let sql = format!(
        "UPDATE token SET state = 'used', changed_at = ? \
         WHERE state IN ('active', 'pending') AND {condition}"
    );
    tx.execute(&sql, &[vec![now.into()], values].concat())?;
    let new = NewToken {
        customer: old.customer.clone(),
        email: old.email.clone(),
        backend: old.backend.clone(),
        message_id: old.message_id.clone(),
        ticket_number: old.ticket_number.clone(),
        state: State::Active,
        ..NewToken::default()
    };
    match issue(tx, &new, secret, now)? {
        Issued::New { id } | Issued::Already { id } => Ok(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Kind;
    use crate::store::bench::{Store, at, new, redeem};

    use State::{Active, Used};

    #[test]
    fn the_same_mail_is_recorded_once() {
        let mut store = Store::new();
        let mut token = new(None);
        let key = MailKey::new(b"<a@x>", "carol@corp.test");
        token.mail_key = Some(key.clone());
        let db = store.db();
        assert_eq!(find(db, &key).unwrap(), None);
        let mut once = || db.write(|tx| issue(tx, &token, &Secret::generate(), at(0)));
        let first = once().unwrap();
        let second = once().unwrap();
        let Issued::New { id } = first else {
            panic!("{first:?}");
        };
        assert_eq!(second, Issued::Already { id });
        assert!(find(store.db(), &key).unwrap().is_some());
        assert_eq!(store.states(), [State::Active]);
    }

    #[test]
    fn a_secret_is_never_given_out_twice() {
        let mut store = Store::new();
        let secret = Secret::generate();
        let db = store.db();
        db.write(|tx| issue(tx, &new(None), &secret, at(0))).unwrap();
        let twice = db.write(|tx| issue(tx, &new(None), &secret, at(0)));
        assert_eq!(twice.unwrap_err().kind(), Kind::Constraint);
    }

    #[test]
    fn a_ticket_binds_its_mails_and_customers_tokens() {
        let mut store = Store::new();
        let mallory = NewToken { customer: "mallory".to_owned(), ..new(None) };
        let ids = [store.issue(&new(None), 0), store.issue(&mallory, 0)];
        let bound = store.issue(&new(Some("7")), 0);
        let ticket = store.ticket("1", Some("carol"));
        assert_eq!(store.db().write(|tx| bind(tx, &ticket)).unwrap(), 1);
        assert_eq!(store.token(ids[0]).ticket_number.as_deref(), Some("1"));
        assert_eq!(store.token(ids[1]).ticket_number, None);
        assert_eq!(store.token(bound).ticket_number.as_deref(), Some("7"));
        // Without a customer anybody who sent a mail with that Message-ID would get the ticket.
        let anyone = store.ticket("1", None);
        assert_eq!(store.db().write(|tx| bind(tx, &anyone)).unwrap(), 0);
    }

    #[test]
    fn only_pending_tokens_become_active_or_go() {
        let mut store = Store::new();
        let pending = NewToken { state: State::Pending, ..new(None) };
        let (taken, refused) = (store.issue(&pending, 0), store.issue(&pending, 0));
        let db = store.db();
        assert!(db.write(|tx| activate(tx, taken, at(1))).unwrap());
        assert!(!db.write(|tx| activate(tx, taken, at(1))).unwrap());
        assert!(!db.write(|tx| withdraw(tx, taken)).unwrap());
        assert!(db.write(|tx| withdraw(tx, refused)).unwrap());
        assert_eq!(store.states(), [State::Active]);
    }

    #[test]
    fn of_thirty_renewals_at_once_one_wins() {
        for ticket in [Some("1"), None] {
            let mut store = Store::new();
            let id = store.issue(&new(ticket), 0);
            assert!(redeem(store.db(), id, at(1)).unwrap());
            let won = store.at_once(30, |db| {
                let won = db.write(|tx| renew(tx, id, &Secret::generate(), at(2)));
                won.unwrap().is_some()
            });
            assert_eq!(won, 1);
            assert_eq!(store.states(), [State::Used, State::Active]);
            assert_eq!(store.token(id + 1).email, "carol@corp.test");
        }
    }

    #[test]
    fn only_a_used_or_expired_token_is_renewed() {
        let mut store = Store::new();
        let id = store.issue(&new(Some("1")), 0);
        let db = store.db();
        let mut again = |id| db.write(|tx| renew(tx, id, &Secret::generate(), at(2)));
        assert_eq!(again(id).unwrap(), None);
        assert_eq!(again(id + 1).unwrap(), None);
        let sql = "UPDATE token SET state = 'revoked'";
        db.execute(sql, &[]).unwrap();
        let mut again = |id| db.write(|tx| renew(tx, id, &Secret::generate(), at(2)));
        assert_eq!(again(id).unwrap(), None);
    }

    #[test]
    fn replacing_ends_the_others_of_ticket_and_customer() {
        let mut store = Store::new();
        let stranger = NewToken { customer: "dave".to_owned(), ..new(Some("1")) };
        let old = store.issue(&new(Some("1")), 0);
        store.issue(&new(Some("1")), 0);
        store.issue(&stranger, 0);
        store.issue(&new(Some("2")), 0);
        let old = store.token(old);
        let db = store.db();
        db.write(|tx| replace(tx, &old, &Secret::generate(), at(1))).unwrap();
        assert_eq!(store.states(), [Used, Used, Active, Active, Active]);
    }
}
