//! The numbers of tokens, none of which is given out twice: not after a token is gone, and not by another store to
//! which all have moved. People and logs name tokens by them.
//!
//! The databases count: SQLite by AUTOINCREMENT, PostgreSQL by a sequence, `InnoDB` by a counter that outlives a
//! restart from MariaDB 10.2.4 and MySQL 8.0 on. Only the move has to tell one where another was.

use jiff::Timestamp;

use super::by_id;
use super::row::{TABLE, values};
use crate::db::{Error, Statements, Tx, Value};
use crate::token::NewToken;

/// The last number that was given out in the table whose name begins so. The next one is skipped for that.
pub(in crate::store) fn last_number(tx: &mut Tx<'_>, prefix: &str) -> Result<i64, Error> {
    let number = tx.insert(&TABLE.insert_rows(prefix, 1), &nobody())?;
    tx.execute(&format!("DELETE FROM {prefix}{} WHERE id = ?", TABLE.name), &[number.into()])?;
    Ok(number - 1)
}

/// Has the table count on from this number: if no token has it, one that opens nothing takes it, up to [`free_number`].
pub(in crate::store) fn hold_number(tx: &mut Tx<'_>, number: i64) -> Result<Option<i64>, Error> {
    if number < 1 || by_id(tx, number)?.is_some() {
        return Ok(None);
    }
    let row: Vec<Value> = [number.into()].into_iter().chain(nobody()).collect();
    tx.execute(&TABLE.insert_whole(1), &row)?;
    Ok(Some(number))
}

/// Takes it out again.
pub(in crate::store) fn free_number(tx: &mut Tx<'_>, number: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM token WHERE id = ?", &[number.into()]).map(drop)
}

/// No secret has this hash.
fn nobody() -> [Value; TABLE.columns.len() - 1] {
    values(&NewToken::default(), "", Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bench::{Store, new};

    #[test]
    fn the_number_of_a_token_that_is_gone_stays_gone() {
        let mut store = Store::new();
        store.issue_many(&new(None), 3);
        store.db().execute("DELETE FROM token WHERE id > 1", &[]).unwrap();
        assert_eq!(store.issue(&new(None), 0), 4);
        let db = store.db();
        assert_eq!(db.write(|tx| last_number(tx, "")).unwrap(), 4);
        for number in [4, 70] {
            let held = db.write(|tx| hold_number(tx, number)).unwrap();
            assert_eq!(held, (number == 70).then_some(70));
            held.map_or(Ok(()), |number| db.write(|tx| free_number(tx, number))).unwrap();
        }
        assert_eq!(store.issue(&new(None), 0), 71);
        assert_eq!(store.ids(), [1, 4, 71]);
    }
}
