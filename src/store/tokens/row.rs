//! How token rows are read, and which tokens belong together.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::db::{Error, Row, Value};
use crate::store::table::Table;
use crate::token::{AHEAD, MailKey, NewToken, PENDING, TokenFacts};

/// The table of tokens.
pub(in crate::store) const TABLE: Table = Table {
    name: "token",
    columns: &[
        "id",
        "hash",
        "mail_key",
        "state",
        "customer",
        "email",
        "backend",
        "message_id",
        "ticket_number",
        "created_at",
        "changed_at",
    ],
};

/// Holds for tokens that count as active (`token::counts_as_active`), those of a clock that was ahead included; its
/// value is [`pending_until`].
macro_rules! active {
    () => {
        "(state = 'active' OR (state = 'pending' AND (ticket_number IS NOT NULL OR created_at <= ?)))"
    };
}
pub(super) const ACTIVE: &str = active!();

/// Holds for tokens that open something as far as they themselves say (`token::counts_as_active`, and not `token::is_ahead`); its values are
/// [`usable_until`].
pub(super) const USABLE: &str = concat!("(", active!(), " AND created_at <= ?)");

/// Pending tokens issued up to this moment count as active.
pub(super) fn pending_until(now: Timestamp) -> Value {
    let until = now.as_second().saturating_sub(PENDING.as_secs());
    Value::Int(until)
}

/// The values of [`USABLE`].
pub(super) fn usable_until(now: Timestamp) -> [Value; 2] {
    let ahead = now.as_second().saturating_add(AHEAD.as_secs());
    [pending_until(now), Value::Int(ahead)]
}

/// A condition that holds for the tokens of the same ticket and customer, while it is unbound those
/// of the same mail and customer; itself among them. `None` for an unbound one without a Message-ID:
/// it stands alone.
pub(super) fn family(token: &TokenFacts) -> Option<(&'static str, [Value; 2])> {
    let customer = Value::from(&token.customer);
    match (&token.ticket_number, &token.message_id) {
        (Some(number), _) => Some(("ticket_number = ? AND customer = ?", [number.into(), customer])),
        (None, Some(id)) => Some(("ticket_number IS NULL AND message_id = ? AND customer = ?", [id.into(), customer])),
        (None, None) => None,
    }
}

/// The token that a row holds.
pub(in crate::store) fn facts(row: &Row) -> Result<TokenFacts, Error> {
    let state = row.text(3)?.parse();
    Ok(TokenFacts {
        id: row.int(0)?,
        state: state.map_err(|_| row.unexpected(3, "a state"))?,
        customer: row.text(4)?.into_owned(),
        email: row.text(5)?.into_owned(),
        backend: row.text(6)?.into_owned(),
        message_id: row.opt_text(7)?.map(Into::into),
        ticket_number: row.opt_text(8)?.map(Into::into),
        created_at: row.time(9)?,
        changed_at: row.time(10)?,
    })
}

/// The hash in a row.
pub(super) fn hash(row: &Row) -> Result<Cow<'_, str>, Error> {
    row.text(1)
}

/// What a new row holds, besides its id.
pub(super) fn values(
    new: &NewToken,
    hash: &str,
    created_at: Timestamp,
    changed_at: Timestamp,
) -> [Value; TABLE.columns.len() - 1] {
    [
        hash.into(),
        new.mail_key.as_ref().map(MailKey::as_str).into(),
        new.state.as_str().into(),
        (&new.customer).into(),
        (&new.email).into(),
        (&new.backend).into(),
        new.message_id.as_ref().into(),
        new.ticket_number.as_ref().into(),
        created_at.into(),
        changed_at.into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Statements;
    use crate::store::bench::{Store, at, new};
    use crate::token::{State, counts_as_active, is_ahead};

    #[test]
    fn the_database_and_the_rules_agree_what_is_usable() {
        let mut store = Store::new();
        let now = at(1_000_000);
        for state in State::ALL {
            for ticket in [None, Some("1")] {
                for edge in [0, PENDING.as_secs(), -AHEAD.as_secs()] {
                    for age in edge - 1..=edge + 1 {
                        store.issue(&NewToken { state, ..new(ticket) }, now.as_second() - age);
                    }
                }
            }
        }
        let mut holding = |condition: &str, values: &[Value]| -> Vec<i64> {
            let sql = format!("SELECT id FROM token WHERE {condition} ORDER BY id");
            store.db().rows(&sql, values).unwrap().iter().map(|row| row.int(0).unwrap()).collect()
        };
        let (active, usable) = (holding(ACTIVE, &[pending_until(now)]), holding(USABLE, &usable_until(now)));
        let all = store.all();
        let ruled = |holds: fn(&TokenFacts, Timestamp) -> bool| -> Vec<i64> {
            all.iter().filter(|token| holds(token, now)).map(|token| token.id).collect()
        };
        assert_eq!(active, ruled(counts_as_active));
        assert_eq!(usable, ruled(|token, now| counts_as_active(token, now) && !is_ahead(token.created_at, now)));
        assert!(usable.len() < active.len() && active.len() < all.len());
    }

    #[test]
    fn tokens_that_belong_together_are_found_by_an_index() {
        let mut store = Store::new();
        let (bound, unbound) = (store.issue(&new(Some("1")), 0), store.issue(&new(None), 0));
        for (id, indexes) in
            [(bound, ["token_ticket_number", "token_customer"]), (unbound, ["token_message_id", "token_ticket_number"])]
        {
            let token = store.token(id);
            let (condition, values) = family(&token).unwrap();
            let sql = format!("EXPLAIN QUERY PLAN {} WHERE {condition}", TABLE.select());
            let plan = store.db().rows(&sql, &values).unwrap();
            let plan = plan[0].text(3).unwrap().into_owned();
            assert!(indexes.iter().any(|name| plan.contains(name)), "{plan}");
        }
    }
}
