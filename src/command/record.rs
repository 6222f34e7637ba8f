//! Records what a mail earned: a token, and the order for a link mail, in one transaction.

use super::site::Site;
use super::standing::Mode;
use crate::customer::CustomerUser;
use crate::db::{self, Databases};
use crate::link::outbox::{self, Occasion, Order};
use crate::policy::{Examined, Settled};
use crate::token::{self, Issued, MailKey, NewToken, Secret, State};

/// What was recorded.
#[derive(Debug, PartialEq, Eq)]
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
    site: &Site,
    dbs: &mut Databases,
    examined: &Examined,
    settled: &Settled,
    customer: Option<&CustomerUser>,
    mode: Mode,
) -> Result<Recorded, db::Error> {
    let Some(customer) = customer.filter(|_| settled.token) else {
        return Ok(Recorded::Nothing);
    };
    let sender = examined.sender.as_ref().map_or_else(|_| customer.login.clone(), |m| m.address.to_string());
    let key = MailKey::new(&examined.identity, &sender);
    let ticket_number = ticket_of(site, dbs, examined, customer)?;
    let store = dbs.get(&site.store)?;
    if token::seen(store, &key)? {
        return Ok(Recorded::Already);
    }
    if mode.dry_run {
        return Ok(if settled.link_mail { Recorded::Link } else { Recorded::TokenOnly });
    }
    let now = mode.now;
    let secret = Secret::generate();
    let new = NewToken {
        mail_key: Some(key),
        customer: customer.login.clone(),
        email: customer.email.clone(),
        backend: customer.source.clone(),
        message_id: examined.message_id.clone(),
        ticket_number: ticket_number.clone(),
        state: State::Active,
    };
    store.write(|tx| {
        let Issued::New { id } = token::issue(tx, &new, &secret, now)? else {
            return Ok(Recorded::Already);
        };
        if !settled.link_mail {
            return Ok(Recorded::TokenOnly);
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
        match outbox::order(tx, &order, now) {
            Ok(_) => Ok(Recorded::Link),
            Err(outbox::Error::Refused) => Ok(Recorded::TokenOnly),
            Err(outbox::Error::Db(error)) => Err(error),
        }
    })
}

/// The ticket, where one with this Message-ID is known already and is the customer's.
fn ticket_of(
    site: &Site,
    dbs: &mut Databases,
    examined: &Examined,
    customer: &CustomerUser,
) -> Result<Option<String>, db::Error> {
    let Some(id) = &examined.message_id else {
        return Ok(None);
    };
    let ticket = site.tickets.by_message_id(dbs, id)?;
    let theirs = ticket.filter(|t| t.customer.as_deref().is_none_or(|login| login == customer.login));
    Ok(theirs.map(|t| t.number))
}
