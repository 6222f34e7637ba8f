//! Tokens for people: listing them and taking one back. Never shows a whole hash.

use std::str::FromStr;

use jiff::Timestamp;

use super::TokenFacts;
use super::sql::facts;
use crate::db::{Error, Statements, Tx, Value};

/// How much of a hash is shown, and the least of it that names a token, in hex digits.
const SHOWN: usize = 8;

/// A token in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The first eight hex digits of its hash.
    pub hash: String,
    /// Everything else.
    pub token: TokenFacts,
}

/// How a person names a token: by its row, or by the start of its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The row's number.
    Id(i64),
    /// Eight or more hex digits, in lower case.
    Hash(String),
}

/// A text that names no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name a token by its number, or by the first eight or more hex digits of its hash")]
pub struct WhichError;

impl FromStr for Which {
    type Err = WhichError;

    /// Eight digits or more are the start of a hash; `#12345678` is a number all the same.
    fn from_str(text: &str) -> Result<Self, WhichError> {
        if let Some(number) = text.strip_prefix('#') {
            return number.parse().map(Self::Id).map_err(|_| WhichError);
        }
        if text.len() < SHOWN {
            return text.parse().map(Self::Id).map_err(|_| WhichError);
        }
        let hex = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = hex.then(|| text.to_ascii_lowercase());
        hash.map(Self::Hash).ok_or(WhichError)
    }
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
    let sql = "SELECT id, state, customer, email, backend, message_id, ticket_number, created_at, \
               changed_at, SUBSTR(hash, 1, ?) FROM token ORDER BY id DESC LIMIT ?";
    let shown = i64::try_from(SHOWN).unwrap_or_default();
    let rows = db.rows(sql, &[shown.into(), limit.into()])?;
    rows.iter().map(|row| Ok(Listed { hash: row.text(9)?.into_owned(), token: facts(row)? })).collect()
}

/// How many tokens there are in each state, by the state's name.
pub fn count_by_state(db: &mut impl Statements) -> Result<Vec<(String, i64)>, Error> {
    let rows = db.rows("SELECT state, COUNT(*) FROM token GROUP BY state ORDER BY state", &[])?;
    rows.iter().map(|row| Ok((row.text(0)?.into_owned(), row.int(1)?))).collect()
}

/// When the newest token was issued, of those until then, and how many tokens there are.
pub fn newest(db: &mut impl Statements, until: Timestamp) -> Result<(Option<Timestamp>, i64), Error> {
    let newest = db.row("SELECT MAX(created_at) FROM token WHERE created_at <= ?", &[until.into()])?;
    let count = db.row("SELECT COUNT(*) FROM token", &[])?;
    Ok((newest.map_or(Ok(None), |row| row.opt_time(0))?, count.map_or(Ok(0), |row| row.int(0))?))
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
    use crate::token::State;
    use crate::token::bench::{Store, at, new};

    #[test]
    fn a_token_is_named_by_number_or_start_of_its_hash() {
        assert_eq!("7".parse(), Ok(Which::Id(7)));
        assert_eq!("#12345678".parse(), Ok(Which::Id(12_345_678)));
        assert_eq!("12345678".parse(), Ok(Which::Hash("12345678".into())));
        assert_eq!("BA7816BF8f".parse(), Ok(Which::Hash("ba7816bf8f".into())));
        for text in ["", "ba7816b", "ba7816bg", "%%%%%%%%", &"a".repeat(65)] {
            assert_eq!(text.parse::<Which>(), Err(WhichError), "{text}");
        }
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
