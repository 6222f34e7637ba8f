//! Records what a mail earned: a token, and the order for a link mail, in one transaction.

use super::work::Work;
use crate::customer::CustomerUser;
use crate::db::{self, Databases};
use crate::link::order::{Occasion, Order};
use crate::policy::{Examined, Settled};
use crate::store::outbox;
use crate::store::tokens::{self, Issued};
use crate::token::{self, MailKey, NewToken, Secret, State};

/// What was recorded, and the token's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// What it came to.
    pub what: Recorded,
    /// The token, of this try or an earlier one.
    pub token: Option<i64>,
}

impl Record {
    /// Nothing was due, or nothing could be recorded.
    pub const NOTHING: Self = Self { what: Recorded::Nothing, token: None };
}

/// What recording came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// Nothing was due.
    Nothing,
    /// A token, and a link mail is on order.
    Link,
    /// A token alone: the mail wants no automatic answer, or the stored address can't be written to.
    TokenOnly,
    /// This mail had its token already.
    Already,
}

impl std::fmt::Display for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "none",
            Self::Link => "new, link mail ordered",
            Self::TokenOnly => "new, no link mail",
            Self::Already => "recorded before",
        })
    }
}

/// Records, or finds that it was recorded by an earlier try of the same mail. In a dry run, says what
/// would be recorded.
pub fn record(
    work: &Work<'_>,
    dbs: &mut Databases,
    examined: &Examined,
    settled: &Settled,
    customer: Option<&CustomerUser>,
) -> Result<Record, db::Error> {
    let Some(customer) = customer.filter(|_| settled.token) else {
        return Ok(Record::NOTHING);
    };
    let sender = examined.sender.as_ref().map_or_else(|_| customer.login.clone(), |m| m.address.to_string());
    let key = MailKey::new(&examined.identity, &sender);
    let ticket_number = ticket_of(work, dbs, examined, customer)?;
    let store = dbs.get(&work.engine.store)?;
    if let Some(id) = tokens::find(store, &key)? {
        return Ok(Record { what: Recorded::Already, token: Some(id) });
    }
    if work.is_trial() {
        let what = if settled.link_mail { Recorded::Link } else { Recorded::TokenOnly };
        return Ok(Record { what, token: None });
    }
    let now = work.now;
    let secret = Secret::generate();
    let new = NewToken {
        mail_key: Some(key),
        customer: customer.login.clone(),
        email: customer.email.clone(),
        backend: customer.source.clone(),
        message_id: examined.message_id.clone(),
        ticket_number: ticket_number.clone(),
        state: work.state(),
    };
    store.write(|tx| {
        let id = match tokens::issue(tx, &new, &secret, now)? {
            Issued::New { id } => id,
            Issued::Already { id } => return Ok(Record { what: Recorded::Already, token: Some(id) }),
        };
        let recorded = |what| Record { what, token: Some(id) };
        if !settled.link_mail {
            return Ok(recorded(Recorded::TokenOnly));
        }
        let order = Order {
            token_id: Some(id),
            secret: Some(secret),
            recipient: new.email.clone(),
            customer: new.customer.clone(),
            backend: new.backend.clone(),
            occasion: Occasion::New,
            language: examined.language.clone(),
            message_id: new.message_id.clone(),
            ticket_number,
        };
        // A pending token's link is due once its mail has been taken, or when it counts as taken.
        let due = if work.state() == State::Pending { now + token::PENDING } else { now };
        match outbox::order(tx, &order, now, due) {
            Ok(_) => Ok(recorded(Recorded::Link)),
            Err(outbox::Error::Refused) => Ok(recorded(Recorded::TokenOnly)),
            Err(outbox::Error::Db(error)) => Err(error),
        }
    })
}

/// The ticket, where otab's own table has one with this Message-ID already, and it is the customer's. OTOBO is not
/// asked: it has no ticket of a mail before it has the mail, and no mail shall wait for that.
fn ticket_of(
    work: &Work<'_>,
    dbs: &mut Databases,
    examined: &Examined,
    customer: &CustomerUser,
) -> Result<Option<String>, db::Error> {
    let Some(id) = examined.message_id.as_ref().filter(|_| work.engine.tickets.own().is_some()) else {
        return Ok(None);
    };
    let ticket = work.engine.tickets.by_message_id(dbs, id)?;
    Ok(ticket.filter(|t| t.is_of(&customer.login)).map(|t| t.number))
}
