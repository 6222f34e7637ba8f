//! Tokens for people: listing them and taking one back. Never shows a whole hash.

use jiff::Timestamp;

use super::row::{TABLE, facts, hash};
use crate::db::{Error, Row, Statements, Tx, Value};
use crate::token::{SHOWN, TokenFacts, Which};

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The first eight hex digits of its hash.
    pub hash: String,
    /// Everything else.
    pub token: TokenFacts,
}

/// What [`revoke`] came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// It opens nothing from now on.
    Done {
        /// Its row.
        id: i64,
    },
    /// It had been revoked before.
    Already {
        /// Its row.
        id: i64,
    },
    /// No token is named so.
    NoSuch,
    /// Several are; nothing was changed.
    Ambiguous,
}

/// At most `limit` tokens, the newest first.
pub fn list(db: &mut impl Statements, limit: Option<u32>) -> Result<Vec<Listed>, Error> {
    let limit = limit.unwrap_or(u32::MAX);
    let rows = db.rows(&format!("{} ORDER BY id DESC LIMIT ?", TABLE.select()), &[limit.into()])?;
    let listed = |row: &Row| Ok(Listed { hash: hash(row)?.chars().take(SHOWN).collect(), token: facts(row)? });
    rows.iter().map(listed).collect()
}

/// How many tokens there are in each state, by the state's name.
pub fn count_by_state(db: &mut impl Statements) -> Result<Vec<(String, i64)>, Error> {
    let rows = db.rows("SELECT state, COUNT(*) FROM token GROUP BY state ORDER BY state", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?.into_owned(), row.int(1)?))).collect()
}

/// When the newest token was issued, of those until then, and how many tokens there are.
pub fn newest(db: &mut impl Statements, until: Timestamp) -> Result<(Option<Timestamp>, i64), Error> {
    TABLE.newest(db, until)
}

/// Takes a token back, whatever its state.
pub fn revoke(tx: &mut Tx<'_>, which: &Which, now: Timestamp) -> Result<Revoked, Error> {
    let (condition, values) = match which {
        Which::Id(id) => ("id = ?", vec![Value::Int(*id)]),
        // A range and not LIKE, which would not use the index; no hex digit sorts after `g`.
        Which::Hash(start) => ("hash >= ? AND hash < ?", vec![start.into(), format!("{start}g").into()]),
    };
    let sql = format!("SELECT id FROM token WHERE {condition} LIMIT 2");
    let id = match tx.rows(&sql, &values)?.as_slice() {
        [] => return Ok(Revoked::NoSuch),
        [row] => row.int(0)?,
        _ => return Ok(Revoked::Ambiguous),
    };
    let sql = "UPDATE token SET state = 'revoked', changed_at = ? WHERE id = ? AND state <> 'revoked'";
    match tx.execute(sql, &[now.into(), id.into()])? {
        0 => Ok(Revoked::Already { id }),
        _ => Ok(Revoked::Done { id }),
    }
}

/// Takes back all tokens of a customer; the numbers of those that were not revoked before.
pub fn revoke_all_of(tx: &mut Tx<'_>, customer: &str, now: Timestamp) -> Result<Vec<i64>, Error> {
    let rows = tx.rows("SELECT id FROM token WHERE customer = ? AND state <> 'revoked'", &[customer.into()])?;
    let ids = rows.iter().map(|row| row.int(0)).collect::<Result<Vec<_>, _>>()?;
    for id in &ids {
        let sql = "UPDATE token SET state = 'revoked', changed_at = ? WHERE id = ?";
        tx.execute(sql, &[now.into(), (*id).into()])?;
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bench::{Store, at, new, redeem};
    use crate::store::tokens::issue;
    use crate::token::{Secret, State};

    #[test]
    fn a_revoked_token_opens_nothing_and_lists_its_hash() {
        let mut store = Store::new();
        let secret = Secret::parse("abc").unwrap();
        let db = store.db();
        db.write(|tx| issue(tx, &new(Some("1")), &secret, at(0))).unwrap();
        let listed = list(db, None).unwrap();
        assert_eq!(listed[0].hash, "ba7816bf");
        let id = listed[0].token.id;
        let mut take = |name: &str| {
            let which = name.parse().unwrap();
            db.write(|tx| revoke(tx, &which, at(1))).unwrap()
        };
        assert_eq!(take("ba7816be"), Revoked::NoSuch);
        assert_eq!(take(&listed[0].hash), Revoked::Done { id });
        assert_eq!(take("1"), Revoked::Already { id });
        assert!(!redeem(store.db(), id, at(2)).unwrap());
        assert_eq!(store.states(), [State::Revoked]);
    }

    #[test]
    fn an_ambiguous_start_changes_nothing() {
        let mut store = Store::new();
        store.issue(&new(None), 0);
        store.issue(&new(None), 0);
        let db = store.db();
        for (id, tail) in [(1, "0"), (2, "1")] {
            let hash = format!("{}{tail}", "a".repeat(63));
            let sql = "UPDATE token SET hash = ? WHERE id = ?";
            db.execute(sql, &[hash.into(), id.into()]).unwrap();
        }
        let which = Which::Hash("a".repeat(8));
        let revoked = db.write(|tx| revoke(tx, &which, at(1)));
        assert_eq!(revoked.unwrap(), Revoked::Ambiguous);
        assert_eq!(store.states(), [State::Active, State::Active]);
        let exact = Which::Hash(format!("{}1", "a".repeat(63)));
        let revoked = store.db().write(|tx| revoke(tx, &exact, at(1)));
        assert_eq!(revoked.unwrap(), Revoked::Done { id: 2 });
    }
}
