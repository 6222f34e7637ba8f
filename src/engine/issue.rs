//! Issues a token for a ticket and its customer, for links that no incoming mail has asked for.

use jiff::Timestamp;

use super::Engine;
use crate::customer::CustomerUser;
use crate::db::{self, Databases};
use crate::store::tokens::{self, Issued};
use crate::ticket::Ticket;
use crate::token::{self, NewToken, Secret, State, TicketStanding};

/// A token for the customer's ticket, and its row; `None` where links to that ticket are over. That the
/// customer may have one (valid, without a password, the ticket their own) is the caller's to see.
pub fn issue(
    engine: &Engine,
    dbs: &mut Databases,
    ticket: &Ticket,
    customer: &CustomerUser,
    state: State,
    now: Timestamp,
) -> Result<Option<(Secret, i64)>, db::Error> {
    if !token::opens(TicketStanding::from(ticket), &engine.limits(), now) {
        return Ok(None);
    }
    let secret = Secret::generate();
    let new = NewToken {
        mail_key: None,
        customer: customer.login.clone(),
        email: customer.email.clone(),
        backend: customer.source.clone(),
        message_id: ticket.message_id.clone(),
        ticket_number: Some(ticket.number.clone()),
        state,
    };
    let issued = dbs.get(&engine.store)?.write(|tx| tokens::issue(tx, &new, &secret, now))?;
    let (Issued::New { id } | Issued::Already { id }) = issued;
    Ok(Some((secret, id)))
}
