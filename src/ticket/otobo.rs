//! Ticket facts in OTOBO's and Znuny's own tables (facts, section 5). Only read, ever.

use std::collections::{BTreeSet, HashMap};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use md5::{Digest, Md5};

use super::{StateType, Ticket};
use crate::db::{Databases, Error, Row, Statements, Url, Value, Zone};

/// Most values in one IN list; far below any database's limit.
const LIST: usize = 500;

/// What is read of each ticket. A state that is missing must not make its ticket look gone: hence LEFT.
const COLUMNS: &str = "SELECT t.id, t.tn, y.name, t.change_time, t.customer_user_id";
const STATE: &str =
    "LEFT JOIN ticket_state s ON s.id = t.ticket_state_id LEFT JOIN ticket_state_type y ON y.id = s.type_id";

/// What counts as the time when a ticket was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedSince {
    /// The change into the present state type, by the ticket's history.
    History,
    /// The ticket's last change of any kind, as the package has it.
    ChangeTime,
}

/// A helpdesk's own tickets.
#[derive(Debug, Clone)]
pub struct Otobo {
    pub(super) url: Url,
    pub(super) zone: Zone,
    pub(super) closed_since: ClosedSince,
}

/// A ticket and its row's id there.
struct Found {
    id: i64,
    ticket: Ticket,
}

impl Otobo {
    /// The tickets of the helpdesk's database at `url`, whose times are in `zone`.
    #[must_use]
    pub const fn new(url: Url, zone: Zone, closed_since: ClosedSince) -> Self {
        Self { url, zone, closed_since }
    }

    /// The tickets with these numbers, by number.
    pub fn by_numbers(&self, dbs: &mut Databases, numbers: &[String]) -> Result<HashMap<String, Ticket>, Error> {
        let wanted: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
        let mut tickets = HashMap::new();
        for chunk in numbers.chunks(LIST) {
            let sql = format!("{COLUMNS} FROM ticket t {STATE} WHERE t.tn IN ({})", marks(chunk.len()));
            let values: Vec<Value> = chunk.iter().map(Value::from).collect();
            let rows = dbs.reading(&self.url)?.rows(&sql, &values)?;
            let mut found = rows.iter().map(|row| self.found(row)).collect::<Result<Vec<_>, _>>()?;
            // A collation may call others equal.
            found.retain(|found| wanted.contains(found.ticket.number.as_str()));
            self.date(dbs, &mut found)?;
            tickets.extend(found.into_iter().map(|found| (found.ticket.number.clone(), found.ticket)));
        }
        Ok(tickets)
    }

    /// The tickets that have articles with these Message-IDs, by Message-ID; the oldest of several.
    ///
    /// OTOBO has an index on the sum alone. The text itself is compared here, byte for byte.
    pub fn by_message_ids(&self, dbs: &mut Databases, ids: &[String]) -> Result<HashMap<String, Ticket>, Error> {
        let mut tickets = HashMap::new();
        for chunk in ids.chunks(LIST) {
            let sql = format!(
                "{COLUMNS}, m.a_message_id FROM article_data_mime m JOIN article a ON a.id = m.article_id \
                 JOIN ticket t ON t.id = a.ticket_id {STATE} WHERE m.a_message_id_md5 IN ({}) \
                 ORDER BY t.create_time, t.id",
                marks(chunk.len())
            );
            let values: Vec<Value> = chunk.iter().map(|id| sum(id).into()).collect();
            let mut wanted: BTreeSet<&str> = chunk.iter().map(String::as_str).collect();
            let mut found = Vec::new();
            for row in dbs.reading(&self.url)?.rows(&sql, &values)? {
                // One that is no text is none of those that are asked for.
                let Some(id) = row.opt_text(5).ok().flatten().map(String::from) else { continue };
                if wanted.remove(id.as_str()) {
                    let mut first = self.found(&row)?;
                    first.ticket.message_id = Some(id);
                    found.push(first);
                }
            }
            self.date(dbs, &mut found)?;
            let pairs = found.into_iter().map(|found| found.ticket);
            tickets.extend(pairs.filter_map(|ticket| Some((ticket.message_id.clone()?, ticket))));
        }
        Ok(tickets)
    }

    /// Gives tickets that are over the time since when, where their history counts. One without a history
    /// keeps the time of its last change.
    fn date(&self, dbs: &mut Databases, found: &mut [Found]) -> Result<(), Error> {
        let over = found.iter().filter(|found| found.ticket.state_type.is_over());
        let over: Vec<Value> = over.map(|found| found.id.into()).collect();
        if over.is_empty() || self.closed_since == ClosedSince::ChangeTime {
            return Ok(());
        }
        let mut runs: HashMap<i64, (String, Row)> = HashMap::new();
        for row in self.history(dbs, &over)? {
            let (id, state) = (row.int(0)?, row.text(1)?.into_owned());
            // The first row of each unbroken run stands for it; the last run stays.
            if runs.get(&id).is_none_or(|(before, _)| *before != state) {
                runs.insert(id, (state, row));
            }
        }
        for Found { id, ticket } in found {
            match runs.get(id) {
                Some((state, row)) if state == ticket.state_type.as_str() => ticket.changed_at = self.time(row, 2)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// What happened to these tickets, in the order in which it did: id, state type, time.
    fn history(&self, dbs: &mut Databases, ids: &[Value]) -> Result<Vec<Row>, Error> {
        let sql = format!(
            "SELECT h.ticket_id, y.name, h.create_time FROM ticket_history h JOIN ticket_state s ON s.id = h.state_id \
             JOIN ticket_state_type y ON y.id = s.type_id WHERE h.ticket_id IN ({}) \
             ORDER BY h.ticket_id, h.create_time, h.id",
            marks(ids.len())
        );
        dbs.reading(&self.url)?.rows(&sql, ids)
    }

    /// Asks the history, of no ticket.
    pub fn probe_history(&self, dbs: &mut Databases) -> Result<(), Error> {
        match self.closed_since {
            ClosedSince::History => self.history(dbs, &[0.into()]).map(|_| ()),
            ClosedSince::ChangeTime => Ok(()),
        }
    }

    fn found(&self, row: &Row) -> Result<Found, Error> {
        let ticket = Ticket {
            number: row.text(1)?.into_owned(),
            message_id: None,
            // A type of the site's own is none of the three that end links.
            state_type: row.text(2)?.parse().unwrap_or(StateType::Open),
            changed_at: self.time(row, 3)?,
            customer: row.opt_text(4)?.map(Into::into),
        };
        Ok(Found { id: row.int(0)?, ticket })
    }

    /// A time as OTOBO writes it, without its zone.
    fn time(&self, row: &Row, column: usize) -> Result<Timestamp, Error> {
        let text = row.text(column)?;
        self.zone.read(&text).ok_or_else(|| row.unexpected(column, "a time such as 2026-11-21 12:00:00"))
    }
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// What OTOBO keeps of a Message-ID beside its text.
fn sum(id: &str) -> String {
    HEXLOWER.encode(&Md5::digest(id.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_md5_with_the_angle_brackets() {
        assert_eq!(sum("<a@x>"), sum("<a@x>").to_lowercase());
        assert_eq!(sum(""), "d41d8cd98f00b204e9800998ecf8427e");
        assert_eq!(sum("abc"), "900150983cd24fb0d6963f7d28e17f72");
    }
}
