//! What is known about a token at one moment: its ticket, its customer, and where they stand. For its use,
//! and for the mail that carries it.

use super::Engine;
use crate::customer::{self, CustomerUser};
use crate::db::{self, Databases};
use crate::mail::Address;
use crate::store::tokens;
use crate::token::{CustomerStanding, Secret, TicketStanding, TokenFacts};

/// Whether what is found out may be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    /// A token whose ticket is known by now is bound to it.
    Write,
    /// Nothing changes: whoever only looks may be anybody.
    #[cfg_attr(not(feature = "door"), allow(dead_code, reason = "only the door looks"))]
    LookOnly,
}

/// What is known about a token at one moment.
pub struct Facts {
    /// The token.
    pub token: TokenFacts,
    /// Where its ticket stands.
    pub ticket: TicketStanding,
    /// Its customer, where there is one.
    pub customer: Option<CustomerUser>,
    /// Where he stands.
    pub standing: CustomerStanding,
}

/// Everything the rules ask for.
pub fn look(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    binding: Binding,
) -> Result<Option<Facts>, customer::Error> {
    let Some(mut token) = tokens::lookup(dbs.get(&engine.store)?, secret)? else {
        return Ok(None);
    };
    let ticket = ticket(engine, dbs, &mut token, binding)?;
    let customer = customer_of(engine, dbs, &token.backend, &token.customer)?;
    let standing = standing(&token.email, customer.as_ref());
    Ok(Some(Facts { token, ticket, customer, standing }))
}

/// The customer of a source whom the helpdesk knows by this login.
pub fn customer_of(
    engine: &Engine,
    dbs: &mut Databases,
    backend: &str,
    login: &str,
) -> Result<Option<CustomerUser>, customer::Error> {
    let customer = match engine.directory.by_login(dbs, backend, login) {
        // A source that the configuration names no more vouches for nobody.
        Err(customer::Error::UnknownSource(_)) => None,
        other => other?,
    };
    // Who logs in by his login is the first source's customer for OTOBO: perhaps somebody else by now.
    let first = engine.directory.by_login_anywhere(dbs, login)?;
    Ok(customer.filter(|customer| first.is_some_and(|first| first.source == customer.source)))
}

/// The token's ticket. One that came to be known since the token was issued is bound now, before it
/// is asked which other tokens belong to it.
fn ticket(
    engine: &Engine,
    dbs: &mut Databases,
    token: &mut TokenFacts,
    binding: Binding,
) -> Result<TicketStanding, db::Error> {
    if let Some(number) = &token.ticket_number {
        // One that has become somebody else's is gone for this customer.
        let ticket = engine.tickets.by_number(dbs, number)?.filter(|ticket| ticket.is_of(&token.customer));
        return Ok(ticket.as_ref().map_or(TicketStanding::Gone, TicketStanding::from));
    }
    let Some(id) = &token.message_id else {
        return Ok(TicketStanding::Unbound);
    };
    let ticket = engine.tickets.by_message_id(dbs, id)?.filter(|ticket| ticket.is_of(&token.customer));
    let Some(ticket) = ticket else {
        return Ok(TicketStanding::Unbound);
    };
    if binding == Binding::Write {
        dbs.get(&engine.store)?.write(|tx| tokens::bind(tx, &ticket))?;
    }
    token.ticket_number = Some(ticket.number.clone());
    Ok(TicketStanding::from(&ticket))
}

/// Where a customer stands who had the stored address `email`.
#[must_use]
pub fn standing(email: &str, customer: Option<&CustomerUser>) -> CustomerStanding {
    let same_address =
        |stored: &str| stored == email || Address::parse(email).is_some_and(|address| address.is_stated_by(stored));
    match customer {
        None => CustomerStanding::Gone,
        Some(customer) if !customer.valid => CustomerStanding::Invalid,
        Some(customer) if customer.has_password => CustomerStanding::HasPassword,
        Some(customer) if !same_address(&customer.email) => CustomerStanding::AddressChanged,
        Some(_) => CustomerStanding::Good,
    }
}

/// The customer's preference. Comfort only: where it cannot be read, the site's language will do.
pub fn language(engine: &Engine, dbs: &mut Databases, facts: &Facts) -> Option<String> {
    let customer = facts.customer.as_ref()?;
    let language = engine.directory.preference(dbs, &customer.source, &customer.login, "UserLanguage");
    language.ok().flatten().filter(|tag| !tag.is_empty())
}
