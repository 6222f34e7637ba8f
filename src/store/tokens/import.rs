//! Takes over the tokens of OTOBO's package: its table `ota_tokens` (facts, section 1), so that links which
//! customers have already go on working.
//!
//! The table is only read. Of each secret the SHA-256 is kept. What is not beyond doubt is left out and counted.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::row::{TABLE, values};
use crate::db::{Database, Dialect, Error, Row, Statements, Tx, Value, Zone};
use crate::store::table::places;
use crate::ticket::Ticket;
use crate::token::{NewToken, Secret, State};

/// How many tokens are judged at a time.
const CHUNK: usize = 500;
/// The length of the package's secrets, and the most bytes of a number and a login that OTOBO has.
const LENGTH: usize = 24;
const LONGEST_NUMBER: usize = 190;
const LONGEST_LOGIN: usize = 191;

/// How many of the package's rows came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Taken over, and good for one use.
    pub active: u64,
    /// Taken over as used: a new link can be asked for.
    pub used: u64,
    /// Are here already.
    pub already: u64,
    /// Are here already as active, and have been used at the helpdesk since: they are used here, too, from now on.
    pub used_since: u64,
    /// The same secret stands in an earlier row, for the same ticket and customer.
    pub repeated: u64,
    /// The same secret stands in several rows, for several tickets or customers.
    pub ambiguous: u64,
    /// No secret, number, login, state or time of the package's form.
    pub odd: u64,
    /// The helpdesk knows no such ticket.
    pub no_ticket: u64,
    /// The ticket is somebody else's.
    pub others_ticket: u64,
    /// No source knows the login.
    pub unknown: u64,
    /// The customer is not valid.
    pub invalid: u64,
    /// The customer has a password, and logs in with it.
    pub has_password: u64,
}

/// Who a login is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A valid customer without a password.
    Good {
        /// The name of the source.
        backend: String,
        /// The stored address.
        email: String,
    },
    /// No source has this login.
    Unknown,
    /// Not valid.
    Invalid,
    /// Has a password.
    HasPassword,
}

/// What is asked about the tokens of a chunk.
pub trait Site<E> {
    /// The tickets with these numbers, by number.
    fn tickets(&mut self, numbers: &[String]) -> Result<HashMap<String, Ticket>, E>;
    /// Who the login is.
    fn holder(&mut self, login: &str) -> Result<Holder, E>;
    /// Whether a ticket that is not known does not exist: otab's own table knows only those it was told of.
    fn knows_all_tickets(&self) -> bool;
}

/// A row of the package's, of the right form.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Offer {
    hash: String,
    number: String,
    login: String,
    is_active: bool,
    created_at: Timestamp,
    changed_at: Timestamp,
}

/// Takes over what can be: in the caller's transaction, which holds the store's write lock. The table in `from` is only
/// read; its times are in `zone`.
///
/// Of the tokens that one ticket has in the package at most one is active afterwards, the newest: its rule is that a
/// new one deactivates the others. A token that is here already never becomes active again.
pub fn import<E: From<Error>>(
    tx: &mut Tx<'_>,
    from: &mut Database,
    zone: &Zone,
    site: &mut impl Site<E>,
    now: Timestamp,
) -> Result<Tally, E> {
    let row = tx.row("SELECT MAX(id) FROM token", &[])?;
    let before = row.map(|row| row.opt_int(0)).transpose()?.flatten().unwrap_or(0);
    let mut importer =
        Importer { tx, site, before, now, tally: Tally::default(), group: Vec::new(), chunk: Vec::new() };
    let sql = select(from.dialect());
    let mut failed = None;
    let read = from.each(&sql, &mut |row| {
        let Some(offer) = offer(&row, zone, now) else {
            importer.tally.odd += 1;
            return Ok(());
        };
        importer.take(offer).map_err(|error| {
            failed = Some(error);
            // Never shown: the one above is.
            row.unexpected(0, "what could be taken over")
        })
    });
    if let Some(error) = failed {
        return Err(error);
    }
    read?;
    importer.settle_group()?;
    importer.settle_chunk()?;
    Ok(importer.tally)
}

/// Rows with the very same secret come one behind the other, whatever the table's collation calls equal. A name
/// behind a dot may be any word, also PostgreSQL's own `user`.
fn select(dialect: Dialect) -> String {
    let order = match dialect {
        Dialect::Sqlite => "o.token COLLATE BINARY",
        Dialect::PostgreSql => "CAST(o.token AS TEXT) COLLATE \"C\"",
        Dialect::MariaDb => "CAST(o.token AS BINARY)",
    };
    format!(
        "SELECT o.token, o.ticket_number, o.user, o.used, o.create_time, o.change_time FROM ota_tokens o ORDER BY {order}"
    )
}

/// What a row offers; `None` for one that the package has not written so.
fn offer(row: &Row, zone: &Zone, now: Timestamp) -> Option<Offer> {
    let text = |column| row.opt_text(column).ok().flatten().map(std::borrow::Cow::into_owned);
    let secret =
        text(0).filter(|text| text.len() == LENGTH && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    let plain =
        |text: &String, longest| !text.is_empty() && text.len() <= longest && !text.chars().any(char::is_control);
    let is_active = match row.opt_int(3).ok().flatten()? {
        2 => true,
        1 => false,
        _ => return None,
    };
    Some(Offer {
        hash: Secret::parse(&secret).ok()?.hash(),
        number: text(1).filter(|text| plain(text, LONGEST_NUMBER))?,
        login: text(2).filter(|text| plain(text, LONGEST_LOGIN * 4))?,
        is_active,
        created_at: zone.read_earlier(&text(4)?)?.min(now),
        changed_at: zone.read_earlier(&text(5)?)?.min(now),
    })
}

struct Importer<'i, 't, S> {
    tx: &'i mut Tx<'t>,
    site: &'i mut S,
    /// The highest id that was there before.
    before: i64,
    now: Timestamp,
    tally: Tally,
    /// Rows with one secret.
    group: Vec<Offer>,
    /// One of each secret.
    chunk: Vec<Offer>,
}

impl<S> Importer<'_, '_, S> {
    fn take<E: From<Error>>(&mut self, offer: Offer) -> Result<(), E>
    where
        S: Site<E>,
    {
        if self.group.first().is_some_and(|first| first.hash != offer.hash) {
            self.settle_group()?;
        }
        // However often a secret stands there, two rows tell all: the one that counts, and one that disagrees.
        let has_room = self.group.len() < 2;
        match self.group.iter_mut().find(|one| one.number == offer.number && one.login == offer.login) {
            Some(same) => {
                same.is_active &= offer.is_active;
                same.created_at = same.created_at.min(offer.created_at);
                same.changed_at = same.changed_at.max(offer.changed_at);
                self.tally.repeated += 1;
            }
            None if has_room => self.group.push(offer),
            None => self.tally.ambiguous += 1,
        }
        Ok(())
    }

    /// All rows of one secret have been read.
    fn settle_group<E: From<Error>>(&mut self) -> Result<(), E>
    where
        S: Site<E>,
    {
        match self.group.len() {
            1 => self.chunk.append(&mut self.group),
            many => {
                self.tally.ambiguous += many as u64;
                self.group.clear();
            }
        }
        if self.chunk.len() >= CHUNK { self.settle_chunk() } else { Ok(()) }
    }

    fn settle_chunk<E: From<Error>>(&mut self) -> Result<(), E>
    where
        S: Site<E>,
    {
        let chunk = std::mem::take(&mut self.chunk);
        let chunk = self.without_known(chunk)?;
        let mut numbers: Vec<String> = chunk.iter().map(|offer| offer.number.clone()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let tickets = self.site.tickets(&numbers)?;
        let mut holders: HashMap<String, Holder> = HashMap::new();
        let mut good = Vec::new();
        for offer in chunk {
            if !self.is_of_its_ticket(&offer, tickets.get(&offer.number)) {
                continue;
            }
            if !holders.contains_key(&offer.login) {
                holders.insert(offer.login.clone(), self.site.holder(&offer.login)?);
            }
            match &holders[&offer.login] {
                Holder::Good { backend, email } => good.push((offer, backend.clone(), email.clone())),
                Holder::Unknown => self.tally.unknown += 1,
                Holder::Invalid => self.tally.invalid += 1,
                Holder::HasPassword => self.tally.has_password += 1,
            }
        }
        Ok(self.record(&good)?)
    }

    fn is_of_its_ticket<E>(&mut self, offer: &Offer, ticket: Option<&Ticket>) -> bool
    where
        S: Site<E>,
    {
        match ticket {
            Some(ticket) if ticket.is_of(&offer.login) => true,
            Some(_) => {
                self.tally.others_ticket += 1;
                false
            }
            None if self.site.knows_all_tickets() => {
                self.tally.no_ticket += 1;
                false
            }
            None => true,
        }
    }

    /// Those that are not here yet. One that is, and has been used at the helpdesk since, is used here as well.
    fn without_known(&mut self, chunk: Vec<Offer>) -> Result<Vec<Offer>, Error> {
        if chunk.is_empty() {
            return Ok(chunk);
        }
        let sql = format!("SELECT hash, state FROM token WHERE hash IN ({})", places(chunk.len()));
        let hashes: Vec<Value> = chunk.iter().map(|offer| (&offer.hash).into()).collect();
        let mut known = HashMap::new();
        for row in self.tx.rows(&sql, &hashes)? {
            known.insert(row.text(0)?.into_owned(), row.text(1)? == State::Active.as_str());
        }
        let mut new = Vec::new();
        for offer in chunk {
            match known.get(&offer.hash) {
                None => new.push(offer),
                Some(true) if !offer.is_active => {
                    let sql = "UPDATE token SET state = 'used', changed_at = ? WHERE hash = ? AND state = 'active'";
                    self.tx.execute(sql, &[self.now.into(), (&offer.hash).into()])?;
                    self.tally.used_since += 1;
                }
                Some(_) => self.tally.already += 1,
            }
        }
        Ok(new)
    }

    /// Writes those that are to be taken over, of each ticket's active ones the newest as active.
    fn record(&mut self, good: &[(Offer, String, String)]) -> Result<(), Error> {
        if good.is_empty() {
            return Ok(());
        }
        let newest = self.newest(good)?;
        let mut rows = Vec::with_capacity(good.len() * TABLE.columns.len());
        for (offer, backend, email) in good {
            let is_active = offer.is_active && newest.contains(offer.hash.as_str());
            if is_active {
                self.tally.active += 1;
            } else {
                self.tally.used += 1;
            }
            let new = NewToken {
                state: if is_active { State::Active } else { State::Used },
                customer: offer.login.clone(),
                email: email.clone(),
                backend: backend.clone(),
                ticket_number: Some(offer.number.clone()),
                ..NewToken::default()
            };
            rows.extend(values(&new, &offer.hash, offer.created_at, offer.changed_at));
        }
        self.tx.execute(&TABLE.insert_rows("", good.len()), &rows).map(drop)
    }

    /// The secrets' hashes that may be active: none has a newer one of its ticket beside it. Of those that an earlier
    /// chunk made active, the ones that are older now become used.
    fn newest<'o>(&mut self, good: &'o [(Offer, String, String)]) -> Result<HashSet<&'o str>, Error> {
        let mut newest: HashMap<&str, &Offer> = HashMap::new();
        for (offer, ..) in good.iter().filter(|(offer, ..)| offer.is_active) {
            let first = newest.entry(&offer.number).or_insert(offer);
            if age(offer) > age(first) {
                *first = offer;
            }
        }
        if newest.is_empty() {
            return Ok(HashSet::new());
        }
        let sql = format!(
            "SELECT id, ticket_number, created_at, hash FROM token WHERE state = 'active' AND id > ? AND ticket_number IN ({})",
            places(newest.len())
        );
        let numbers = newest.keys().map(|number| Value::from(*number));
        let values: Vec<Value> = std::iter::once(self.before.into()).chain(numbers).collect();
        for row in self.tx.rows(&sql, &values)? {
            let (number, hash) = (row.text(1)?, row.text(3)?);
            let Some(offer) = newest.get(number.as_ref()) else { continue };
            if age(offer) > (row.time(2)?, hash.as_ref()) {
                let sql = "UPDATE token SET state = 'used' WHERE id = ?";
                self.tx.execute(sql, &[row.int(0)?.into()])?;
                self.tally.active -= 1;
                self.tally.used += 1;
            } else {
                newest.remove(number.as_ref());
            }
        }
        Ok(newest.into_values().map(|offer| offer.hash.as_str()).collect())
    }
}

/// Later is newer; of two of one second the hash decides, so that each run decides alike.
fn age(offer: &Offer) -> (Timestamp, &str) {
    (offer.created_at, &offer.hash)
}
