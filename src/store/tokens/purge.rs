//! Deletes expired tokens without blocking running filters.
//!
//! Tokens are read in chunks without the write lock, their tickets looked up, and only then one short transaction
//! deletes them. Nothing depends on it: expiry is checked at use as well.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::bind;
use super::row::{TABLE, facts};
use crate::db::{Databases, Error, Statements, Tx, Url};
use crate::store::tickets::Facts;
use crate::ticket::Ticket;
use crate::token::{Doom, Limits, TicketStanding, TokenFacts, doom};

/// How many tokens are read at a time.
const CHUNK: u32 = 500;
/// How many are deleted in one transaction: filters wait for that long.
const SLICE: usize = 50;

/// How many tokens were deleted (in a dry run: would be), and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Their ticket has been closed, removed or merged for long enough.
    pub closed: u64,
    /// Their ticket does not exist.
    pub gone: u64,
    /// They were never bound to a ticket.
    pub unbound: u64,
    /// Older than any token may become.
    pub too_old: u64,
}

/// Deletes the tokens of the store at `store` that are over at `now`, and their orders for link mails.
///
/// Unbound tokens whose mail has opened a ticket by now are bound to it first. `pause` is called
/// after each transaction that wrote, with the time for which it held the write lock: sleeping as long
/// lets the waiting filters through. A dry run writes nothing.
pub fn purge(
    dbs: &mut Databases,
    store: &Url,
    tickets: &Facts,
    limits: &Limits,
    now: Timestamp,
    dry_run: bool,
    pause: &mut dyn FnMut(Duration),
) -> Result<Counts, Error> {
    let mut counts = Counts::default();
    let mut after = 0;
    loop {
        let chunk = chunk(dbs, store, after)?;
        let Some(last) = chunk.last() else {
            return Ok(counts);
        };
        after = last.id;
        let plan = plan(dbs, tickets, chunk, limits, now)?;
        if dry_run {
            counts.add(plan.doomed.iter().map(|(_, why)| *why));
            continue;
        }
        for slice in plan.slices() {
            let (begun, deleted) = dbs.get(store)?.write(|tx| {
                // Not before: it may have waited for its turn.
                let begun = Instant::now();
                carry_out(tx, slice).map(|deleted| (begun, deleted))
            })?;
            counts.add(deleted.into_iter());
            pause(begun.elapsed());
        }
    }
}

impl Counts {
    fn add(&mut self, reasons: impl Iterator<Item = Doom>) {
        for why in reasons {
            match why {
                Doom::Closed => self.closed += 1,
                Doom::Gone => self.gone += 1,
                Doom::Unbound => self.unbound += 1,
                Doom::TooOld => self.too_old += 1,
            }
        }
    }
}

/// What is to be done about one chunk.
#[derive(Default)]
struct Plan {
    /// Tickets that unbound tokens belong to.
    bind: Vec<Ticket>,
    /// Tokens that are over, as they will be once bound.
    doomed: Vec<(TokenFacts, Doom)>,
}

/// What is done in one transaction.
#[derive(Clone, Copy)]
enum Slice<'a> {
    Bind(&'a [Ticket]),
    Delete(&'a [(TokenFacts, Doom)]),
}

impl Plan {
    /// Tokens are bound before any is deleted: one that is over by its ticket has to belong to it.
    fn slices(&self) -> impl Iterator<Item = Slice<'_>> {
        let bind = self.bind.chunks(SLICE).map(Slice::Bind);
        bind.chain(self.doomed.chunks(SLICE).map(Slice::Delete))
    }
}

fn chunk(dbs: &mut Databases, store: &Url, after: i64) -> Result<Vec<TokenFacts>, Error> {
    let sql = format!("{} WHERE id > ? ORDER BY id LIMIT ?", TABLE.select());
    let rows = dbs.get(store)?.rows(&sql, &[after.into(), CHUNK.into()])?;
    rows.iter().map(facts).collect()
}

fn plan(
    dbs: &mut Databases,
    tickets: &Facts,
    chunk: Vec<TokenFacts>,
    limits: &Limits,
    now: Timestamp,
) -> Result<Plan, Error> {
    let unbound = |token: &&TokenFacts| token.ticket_number.is_none();
    let numbers = chunk.iter().filter_map(|token| token.ticket_number.clone());
    let by_number = tickets.by_numbers(dbs, &numbers.collect::<Vec<_>>())?;
    let ids = chunk.iter().filter(unbound);
    let ids: Vec<String> = ids.filter_map(|token| token.message_id.clone()).collect();
    let by_message_id = tickets.by_message_ids(dbs, &ids)?;
    let mut plan = Plan::default();
    for mut token in chunk {
        if let Some(ticket) = opened_by(&token, &by_message_id) {
            token.ticket_number = Some(ticket.number.clone());
            if !plan.bind.contains(ticket) {
                plan.bind.push(ticket.clone());
            }
        }
        let ticket = token.ticket_number.as_ref().map(|number| {
            let by_mail = token.message_id.as_ref().and_then(|id| by_message_id.get(id));
            let by_mail = by_mail.filter(|ticket| ticket.number == *number);
            by_number.get(number).or(by_mail)
        });
        let standing = match ticket {
            None => TicketStanding::Unbound,
            Some(None) => TicketStanding::Gone,
            Some(Some(ticket)) => TicketStanding::from(ticket),
        };
        if let Some(why) = doom(&token, standing, limits, now) {
            plan.doomed.push((token, why));
        }
    }
    Ok(plan)
}

/// The ticket that an unbound token's mail has opened, for the same customer: as `bind` decides.
fn opened_by<'a>(token: &TokenFacts, by_message_id: &'a HashMap<String, Ticket>) -> Option<&'a Ticket> {
    if token.ticket_number.is_some() {
        return None;
    }
    let ticket = by_message_id.get(token.message_id.as_ref()?)?;
    ticket.is_of(&token.customer).then_some(ticket)
}

/// Binds and deletes; the reasons of those deleted. A token that has been bound to a ticket since it
/// was read stays: what doomed it may not hold any more.
fn carry_out(tx: &mut Tx<'_>, slice: Slice<'_>) -> Result<Vec<Doom>, Error> {
    let mut deleted = Vec::new();
    let doomed = match slice {
        Slice::Bind(tickets) => {
            tickets.iter().try_for_each(|ticket| bind(tx, ticket).map(drop))?;
            return Ok(deleted);
        }
        Slice::Delete(doomed) => doomed,
    };
    for (token, why) in doomed {
        let id = token.id.into();
        let done = match &token.ticket_number {
            Some(number) => tx.execute("DELETE FROM token WHERE id = ? AND ticket_number = ?", &[id, number.into()])?,
            None => tx.execute("DELETE FROM token WHERE id = ? AND ticket_number IS NULL", &[id])?,
        };
        if done == 1 {
            deleted.push(*why);
        }
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bench::{Store, at, new};
    use crate::store::tickets::Embedded;
    use crate::ticket::StateType;
    use crate::token::NewToken;

    const DAY: i64 = 86_400;
    const LIMITS: Limits = Limits { access_days_after_close: 14, unbound_days: 14, max_token_days: 100 };

    fn mail(message_id: &str) -> NewToken {
        NewToken { message_id: Some(message_id.to_owned()), ..new(None) }
    }

    fn run(store: &mut Store, day: i64, dry_run: bool) -> (Counts, u32) {
        let mut pauses = 0;
        let mut pause = |_| pauses += 1;
        let (url, tickets) = (store.url.clone(), Facts::embedded(store.url.clone()));
        let now = at(day * DAY);
        let counts = purge(&mut store.dbs, &url, &tickets, &LIMITS, now, dry_run, &mut pause);
        (counts.unwrap(), pauses)
    }

    fn ticket(store: &mut Store, number: &str, state: StateType, message_id: &str, day: i64) {
        let ticket = Ticket {
            number: number.to_owned(),
            message_id: Some(message_id.to_owned()),
            state_type: state,
            changed_at: at(day * DAY),
            customer: Some("carol".to_owned()),
        };
        let table = Embedded::new(store.url.clone());
        table.add(&mut store.dbs, &ticket, at(day * DAY)).unwrap();
    }

    /// One token of each kind; the number in each name is the row.
    fn mixed() -> Store {
        let mut store = Store::new();
        ticket(&mut store, "open", StateType::Open, "<o@x>", 0);
        ticket(&mut store, "closed", StateType::Closed, "<c@x>", 0);
        ticket(&mut store, "merged", StateType::Merged, "<m@x>", 10);
        store.issue(&new(Some("open")), 0); // 1
        store.issue(&new(Some("closed")), 0); // 2: closed at day 0
        store.issue(&new(Some("merged")), 0); // 3: merged at day 10
        store.issue(&new(Some("nowhere")), 0); // 4: gone
        store.issue(&mail("<u@x>"), 0); // 5: unbound
        store.issue(&mail("<u@x>"), 10 * DAY); // 6: unbound, newer
        store.issue(&mail("<o@x>"), 0); // 7: to be bound to the open one
        store.issue(&mail("<c@x>"), 0); // 8: to be bound to the closed one
        let dave = NewToken { customer: "dave".to_owned(), ..mail("<c@x>") };
        store.issue(&dave, 10 * DAY); // 9: somebody else's Message-ID
        store
    }

    #[test]
    fn what_is_over_goes_and_what_is_not_stays() {
        let mut store = mixed();
        let (counts, pauses) = run(&mut store, 20, false);
        let expected = Counts { closed: 2, gone: 1, unbound: 1, too_old: 0 };
        // One for the tokens that are bound, one for those that go.
        assert_eq!((counts, pauses), (expected, 2));
        assert_eq!(store.ids(), [1, 3, 6, 7, 9]);
        assert_eq!(store.token(7).ticket_number.as_deref(), Some("open"));
        assert_eq!(store.token(9).ticket_number, None);
        assert_eq!(run(&mut store, 20, false), (Counts::default(), 0));
    }

    #[test]
    fn a_token_of_an_open_ticket_goes_only_when_too_old() {
        let mut store = Store::new();
        ticket(&mut store, "open", StateType::PendingAuto, "<o@x>", 0);
        store.issue(&new(Some("open")), 0);
        assert_eq!(run(&mut store, 100, false).0, Counts::default());
        let (counts, _) = run(&mut store, 101, false);
        let expected = Counts { too_old: 1, ..Counts::default() };
        assert_eq!(counts, expected);
    }

    #[test]
    fn many_chunks_are_walked_with_pauses() {
        let mut store = Store::new();
        let token = new(Some("nowhere"));
        store.issue_many(&token, 1100);
        let (counts, pauses) = run(&mut store, 1, false);
        assert_eq!((counts.gone, pauses), (1100, 22));
        assert!(store.ids().is_empty());
    }

    #[test]
    fn a_token_bound_since_it_was_read_stays() {
        let mut store = Store::new();
        let id = store.issue(&mail("<u@x>"), 0);
        let doomed = [(store.token(id), Doom::Unbound)];
        let db = store.db();
        db.execute("UPDATE token SET ticket_number = '1'", &[]).unwrap();
        assert!(db.write(|tx| carry_out(tx, Slice::Delete(&doomed))).unwrap().is_empty());
        assert_eq!(store.ids(), [id]);
    }
}
