//! Using a token up: one conditional UPDATE decides, so of any number of simultaneous uses one wins.
//!
//! Whether it may be used at all is for `rules` to say before; this file never asks about tickets or
//! customers.

use jiff::Timestamp;

use super::row::{ACTIVE, TABLE, USABLE, facts, family, pending_until, usable_until};
use crate::db::{Error, Statements, Tx};
use crate::token::{Secret, TokenFacts};

/// The token with this secret, in whatever state.
pub fn lookup(db: &mut impl Statements, secret: &Secret) -> Result<Option<TokenFacts>, Error> {
    let row = db.row(&format!("{} WHERE hash = ?", TABLE.select()), &[secret.hash().into()])?;
    row.as_ref().map(facts).transpose()
}

/// The token of this number.
pub fn by_id(db: &mut impl Statements, id: i64) -> Result<Option<TokenFacts>, Error> {
    let row = db.row(&format!("{} WHERE id = ?", TABLE.select()), &[id.into()])?;
    row.as_ref().map(facts).transpose()
}

/// Whether another token for the same ticket and customer (unbound: mail and customer) is active.
pub fn others_active(db: &mut impl Statements, token: &TokenFacts, now: Timestamp) -> Result<bool, Error> {
    let Some((condition, values)) = family(token) else {
        return Ok(false);
    };
    let sql = format!("SELECT id FROM token WHERE {condition} AND id <> ? AND {USABLE} LIMIT 1");
    let id = [token.id.into()];
    Ok(db.row(&sql, &[&values[..], &id, &usable_until(now)].concat())?.is_some())
}

/// Uses a token up; `true` for the one caller that did. With it all other active tokens of the same
/// ticket and customer (unbound: mail and customer) become used, in the same transaction.
pub fn redeem_in(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<bool, Error> {
    let sql = format!("UPDATE token SET state = 'used', changed_at = ? WHERE id = ? AND {USABLE}");
    let won = tx.execute(&sql, &[&[now.into(), id.into()][..], &usable_until(now)].concat())? == 1;
    if won {
        use_up_others(tx, id, now)?;
    }
    Ok(won)
}

fn use_up_others(tx: &mut Tx<'_>, id: i64, now: Timestamp) -> Result<(), Error> {
    let token = by_id(tx, id)?;
    if let Some((condition, values)) = token.as_ref().and_then(family) {
        let sql = format!("UPDATE token SET state = 'used', changed_at = ? WHERE {condition} AND {ACTIVE}");
        let values = [vec![now.into()], values.to_vec(), vec![pending_until(now)]].concat();
        tx.execute(&sql, &values)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bench::{Store, at, new, redeem};
    use crate::token::{NewToken, State};

    use State::{Active, Used};

    #[test]
    fn of_a_hundred_uses_at_once_one_wins() {
        let mut store = Store::new();
        let id = store.issue(&new(Some("1")), 0);
        let won = store.at_once(100, |db| redeem(db, id, at(9)).unwrap());
        assert_eq!(won, 1);
        assert_eq!(store.states(), [State::Used]);
        assert_eq!(store.token(id).changed_at, at(9));
    }

    #[test]
    fn one_from_the_future_wins_nothing_and_blocks_none() {
        let mut store = Store::new();
        let (old, ahead) = (store.issue(&new(Some("1")), 0), store.issue(&new(Some("1")), 1000));
        let token = store.token(old);
        assert!(!redeem(store.db(), ahead, at(699)).unwrap());
        assert!(!others_active(store.db(), &token, at(699)).unwrap());
        assert!(others_active(store.db(), &token, at(700)).unwrap());
        // A use takes it along: it must not come to life when its time is there.
        assert!(redeem(store.db(), old, at(1)).unwrap());
        assert_eq!(store.states(), [Used, Used]);
    }

    #[test]
    fn a_use_takes_the_ticket_and_customers_others_too() {
        let mut store = Store::new();
        let id = store.issue(&new(Some("1")), 0);
        store.issue(&new(Some("1")), 0);
        store.issue(&new(Some("2")), 0);
        store.issue(&new(None), 0);
        let dave = NewToken { customer: "dave".to_owned(), ..new(Some("1")) };
        store.issue(&dave, 0);
        let token = store.token(id);
        assert!(others_active(store.db(), &token, at(1)).unwrap());
        assert!(redeem(store.db(), id, at(1)).unwrap());
        assert_eq!(store.states(), [Used, Used, Active, Active, Active]);
        assert!(!others_active(store.db(), &token, at(1)).unwrap());
    }

    #[test]
    fn an_unbound_use_takes_those_of_its_mail() {
        let mut store = Store::new();
        let id = store.issue(&new(None), 0);
        store.issue(&new(None), 0);
        let alone = NewToken { message_id: None, ..new(None) };
        let lone = store.issue(&alone, 0);
        store.issue(&alone, 0);
        assert!(redeem(store.db(), id, at(1)).unwrap());
        assert!(redeem(store.db(), lone, at(1)).unwrap());
        assert_eq!(store.states(), [Used, Used, Used, Active]);
        let lone = store.token(lone);
        assert!(!others_active(store.db(), &lone, at(1)).unwrap());
    }

    #[test]
    fn a_pending_token_opens_with_its_ticket_or_in_time() {
        let pending = |ticket| NewToken { state: State::Pending, ..new(ticket) };
        for (ticket, second, usable) in [(None, 3599, false), (None, 3600, true), (Some("1"), 0, true)] {
            let mut store = Store::new();
            let id = store.issue(&pending(ticket), 0);
            let won = redeem(store.db(), id, at(second)).unwrap();
            assert_eq!(won, usable, "{ticket:?} {second}");
        }
    }

    #[test]
    fn only_the_very_secret_finds_its_token() {
        let mut store = Store::new();
        let secret = Secret::parse("aBc").unwrap();
        let db = store.db();
        db.write(|tx| crate::store::tokens::issue(tx, &new(None), &secret, at(0))).unwrap();
        assert!(lookup(db, &secret).unwrap().is_some());
        let other = Secret::parse("abc").unwrap();
        assert_eq!(lookup(db, &other).unwrap(), None);
    }
}
