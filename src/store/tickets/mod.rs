//! Ticket facts in the embedded table, kept by hand or by a script (`otab ticket …`).

mod facts;

use std::collections::HashMap;

use jiff::Timestamp;

use crate::db::{Databases, Error, Row, Statements, Url, Value};
use crate::store::table::{Table, places};
use crate::ticket::{StateType, Ticket};
pub use facts::Facts;

/// The table.
pub(in crate::store) const TABLE: Table = Table {
    name: "ticket",
    columns: &["tn", "message_id", "state_type", "changed_at", "customer_user_id", "created_at"],
};

const MESSAGE_ID: &str = "message_id";

/// Most values in one IN list; far below any database's limit.
const LIST: usize = 500;

/// otab's own table of tickets.
#[derive(Debug, Clone)]
pub struct Embedded {
    url: Url,
}

impl Embedded {
    /// The table in the store at `url`.
    #[must_use]
    pub fn new(url: Url) -> Self {
        Self { url }
    }

    /// The tickets with these numbers, by number.
    pub(super) fn by_numbers(&self, dbs: &mut Databases, numbers: &[String]) -> Result<HashMap<String, Ticket>, Error> {
        let tickets = self.listed(dbs, "tn", numbers)?;
        let pairs = tickets.into_iter().map(|this| (this.number.clone(), this));
        Ok(pairs.collect())
    }

    /// The tickets that mails with these Message-IDs opened, by Message-ID; the oldest of several.
    pub(super) fn by_message_ids(&self, dbs: &mut Databases, ids: &[String]) -> Result<HashMap<String, Ticket>, Error> {
        let mut found = HashMap::new();
        for ticket in self.listed(dbs, MESSAGE_ID, ids)? {
            if let Some(id) = ticket.message_id.clone() {
                found.entry(id).or_insert(ticket);
            }
        }
        Ok(found)
    }

    /// Adds a ticket that was opened at `now`. A number that is there already is refused with
    /// `Kind::Constraint`. The tokens of its mail are bound by `tokens::bind`, which the caller calls.
    pub fn add(&self, dbs: &mut Databases, ticket: &Ticket, now: Timestamp) -> Result<(), Error> {
        let values = [
            (&ticket.number).into(),
            ticket.message_id.as_ref().into(),
            ticket.state_type.as_str().into(),
            ticket.changed_at.into(),
            ticket.customer.as_ref().into(),
            now.into(),
        ];
        // In otab's turn, as everything that is written to the store: `store::copy` relies on it.
        dbs.get(&self.url)?.write(|tx| tx.execute(&TABLE.insert(), &values)).map(drop)
    }

    /// Brings a ticket into a state type; `false` where there is no such ticket. One that is in it
    /// already keeps its time: closing twice must not let its links live longer.
    pub fn set_state(&self, dbs: &mut Databases, number: &str, state: StateType, at: Timestamp) -> Result<bool, Error> {
        let sql = "UPDATE ticket SET state_type = ?, changed_at = ? WHERE tn = ? AND state_type <> ?";
        let values = [state.as_str().into(), at.into(), number.into(), state.as_str().into()];
        let changed = dbs.get(&self.url)?.write(|tx| tx.execute(sql, &values))?;
        Ok(changed == 1 || !self.by_numbers(dbs, &[number.to_owned()])?.is_empty())
    }

    /// At most `limit` tickets, the newest first.
    pub fn list(&self, dbs: &mut Databases, limit: Option<u32>) -> Result<Vec<Ticket>, Error> {
        let sql = format!("{} ORDER BY created_at DESC, tn DESC LIMIT ?", TABLE.select());
        let limit = limit.unwrap_or(u32::MAX);
        let rows = dbs.get(&self.url)?.rows(&sql, &[limit.into()])?;
        rows.iter().map(ticket).collect()
    }

    /// All tickets that have one of `values` in `column`, the oldest first within each chunk.
    fn listed(&self, dbs: &mut Databases, column: &str, values: &[String]) -> Result<Vec<Ticket>, Error> {
        let mut tickets = Vec::new();
        for chunk in values.chunks(LIST) {
            let sql = listing(column, chunk.len());
            let chunk: Vec<Value> = chunk.iter().map(Value::from).collect();
            for row in dbs.get(&self.url)?.rows(&sql, &chunk)? {
                tickets.push(ticket(&row)?);
            }
        }
        Ok(tickets)
    }
}

fn listing(column: &str, values: usize) -> String {
    format!("{} WHERE {column} IN ({}) ORDER BY created_at, tn", TABLE.select(), places(values))
}

fn ticket(row: &Row) -> Result<Ticket, Error> {
    let state = row.text(2)?.parse();
    Ok(Ticket {
        number: row.text(0)?.into_owned(),
        message_id: row.opt_text(1)?.map(Into::into),
        state_type: state.map_err(|_| row.unexpected(2, "a state type"))?,
        changed_at: row.time(3)?,
        customer: row.opt_text(4)?.map(Into::into),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Kind;
    use crate::store::bench::{Store, at};

    fn facts() -> (Store, Embedded, Facts) {
        let store = Store::new();
        let (table, facts) = (Embedded::new(store.url.clone()), Facts::embedded(store.url.clone()));
        (store, table, facts)
    }

    fn opened(number: &str, message_id: &str) -> Ticket {
        Ticket {
            number: number.to_owned(),
            message_id: Some(message_id.to_owned()),
            state_type: StateType::Open,
            changed_at: at(5),
            customer: None,
        }
    }

    #[test]
    fn a_ticket_is_found_by_number_or_oldest_message_id() {
        let (mut store, table, facts) = facts();
        let dbs = &mut store.dbs;
        table.add(dbs, &opened("1", "<a@x>"), at(20)).unwrap();
        table.add(dbs, &opened("2", "<a@x>"), at(10)).unwrap();
        let by_id = facts.by_message_id(dbs, "<a@x>").unwrap().unwrap();
        assert_eq!(by_id.number, "2");
        let one = facts.by_number(dbs, "1").unwrap().unwrap();
        assert_eq!(one, opened("1", "<a@x>"));
        assert_eq!(facts.by_number(dbs, "3").unwrap(), None);
        let error = table.add(dbs, &opened("1", "<b@x>"), at(0));
        assert_eq!(error.unwrap_err().kind(), Kind::Constraint);
        assert_eq!(table.list(dbs, None).unwrap().len(), 2);
        assert_eq!(table.list(dbs, Some(1)).unwrap()[0].number, "1");
    }

    #[test]
    fn closing_twice_keeps_the_first_time() {
        let (mut store, table, facts) = facts();
        let dbs = &mut store.dbs;
        table.add(dbs, &opened("1", "<a@x>"), at(0)).unwrap();
        for second in [30, 40] {
            let closed = table.set_state(dbs, "1", StateType::Closed, at(second));
            assert!(closed.unwrap());
        }
        let ticket = facts.by_number(dbs, "1").unwrap().unwrap();
        assert_eq!((ticket.state_type, ticket.changed_at), (StateType::Closed, at(30)));
        let missing = table.set_state(dbs, "2", StateType::Closed, at(0));
        assert!(!missing.unwrap());
    }
}
