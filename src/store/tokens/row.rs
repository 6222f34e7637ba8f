//! How token rows are read, and which tokens belong together.

use jiff::Timestamp;

use crate::db::{Error, Row, Value};
use crate::token::{AHEAD, PENDING, TokenFacts};

/// The columns that [`facts`] reads, in its order.
pub(super) const TOKEN: &str = "SELECT id, state, customer, email, backend, message_id, \
    ticket_number, created_at, changed_at FROM token";

/// Holds for tokens that count as active, those of a clock that was ahead included; its one value is
/// [`pending_until`].
pub(super) const ACTIVE: &str = "(state = 'active' OR (state = 'pending' \
    AND (ticket_number IS NOT NULL OR created_at <= ?)))";

/// Holds for tokens that open something as far as they themselves say; its values are [`usable_until`].
pub(super) const USABLE: &str = "((state = 'active' OR (state = 'pending' \
    AND (ticket_number IS NOT NULL OR created_at <= ?))) AND created_at <= ?)";

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

pub(super) fn facts(row: &Row) -> Result<TokenFacts, Error> {
    let state = row.text(1)?.parse();
    Ok(TokenFacts {
        id: row.int(0)?,
        state: state.map_err(|_| row.unexpected(1, "a state"))?,
        customer: row.text(2)?.into_owned(),
        email: row.text(3)?.into_owned(),
        backend: row.text(4)?.into_owned(),
        message_id: row.opt_text(5)?.map(Into::into),
        ticket_number: row.opt_text(6)?.map(Into::into),
        created_at: row.time(7)?,
        changed_at: row.time(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Statements;
    use crate::store::tokens::bench::{Store, new};

    #[test]
    fn tokens_that_belong_together_are_found_by_an_index() {
        let mut store = Store::new();
        let (bound, unbound) = (store.issue(&new(Some("1")), 0), store.issue(&new(None), 0));
        for (id, indexes) in
            [(bound, ["token_ticket_number", "token_customer"]), (unbound, ["token_message_id", "token_ticket_number"])]
        {
            let token = store.token(id);
            let (condition, values) = family(&token).unwrap();
            let sql = format!("EXPLAIN QUERY PLAN {TOKEN} WHERE {condition}");
            let plan = store.db().rows(&sql, &values).unwrap();
            let plan = plan[0].text(3).unwrap().into_owned();
            assert!(indexes.iter().any(|name| plan.contains(name)), "{plan}");
        }
    }
}
