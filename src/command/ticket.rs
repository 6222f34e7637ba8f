//! `otab ticket`: the ticket facts that otab keeps itself. Of a helpdesk's own tickets it shows one, and no more.

use jiff::Timestamp;
use serde_json::json;

use super::cli;
use super::failure::{Done, Ends, Failure};
use super::people;
use super::print;
use super::site::{self, Site};
use crate::clock;
use crate::db::{Databases, Kind};
use crate::exit::Exit;
use crate::store::tickets::Embedded;
use crate::store::tokens;
use crate::ticket::{StateType, Ticket};

/// The width of OTOBO's column for ticket numbers.
const NUMBER: usize = 50;
/// The longest line of a header (RFC 5322, section 2.1.1).
const MESSAGE_ID: usize = 998;

/// Runs it.
pub fn run(site: &Site, command: cli::Ticket) -> Done {
    match command {
        cli::Ticket::Add { number, message_id, customer, state, at } => {
            let ticket = Ticket {
                number: valid_number(number)?,
                message_id: message_id.as_deref().map(with_brackets).transpose()?,
                state_type: state_type(&state)?,
                changed_at: at.unwrap_or_else(clock::now),
                customer,
            };
            add(site, &ticket)
        }
        cli::Ticket::Close { number, state, at } => {
            let state = state_type(&state)?;
            if !state.is_over() {
                let what = format!("`{state}` is no state that closes a ticket: closed, removed or merged");
                return Err(Failure::new(Exit::DataErr, what));
            }
            set_state(site, &number, state, at)
        }
        cli::Ticket::Reopen { number, at } => set_state(site, &number, StateType::Open, at),
        cli::Ticket::List { json } => list(site, json),
        cli::Ticket::Show { number, json } => show(site, &number, json),
    }
}

/// otab's own table: nothing else is ever changed, or listed from one end to the other.
fn own(site: &Site) -> Result<&Embedded, Failure> {
    let what = "tickets.source is \"otobo\": the tickets are the helpdesk's own, and change there; only `otab ticket show` \
                is for them";
    site.tickets.own().ok_or_else(|| Failure::new(Exit::Usage, what))
}

fn add(site: &Site, ticket: &Ticket) -> Done {
    let table = own(site)?;
    let mut dbs = people::adding(site);
    table.add(&mut dbs, ticket, clock::now()).map_err(|error| match error.kind() {
        Kind::Constraint => Failure::new(Exit::CantCreate, format!("ticket {} is there already", ticket.number)),
        _ => error.into(),
    })?;
    // Not one transaction with the above: where a kill falls between, purge or the use binds it.
    let bound = dbs.get(&site.store)?.write(|tx| tokens::bind(tx, ticket))?;
    drop(dbs);
    let done = format!("ticket {} added; tokens bound to it: {bound}", ticket.number);
    site::open_log(&site.config).info(&done);
    print::line(&done)?;
    Ok(Exit::Ok)
}

fn set_state(site: &Site, number: &str, state: StateType, at: Option<Timestamp>) -> Done {
    let table = own(site)?;
    let at = at.unwrap_or_else(clock::now);
    let mut dbs = people::changing();
    if !table.set_state(&mut dbs, number, state, at)? {
        return Err(unknown(number));
    }
    let ticket = find(site, &mut dbs, number)?;
    drop(dbs);
    let done = format!("ticket {} is {} since {}", ticket.number, ticket.state_type, ticket.changed_at);
    site::open_log(&site.config).info(&done);
    print::line(&done)?;
    Ok(Exit::Ok)
}

fn list(site: &Site, json: bool) -> Done {
    let tickets = own(site)?.list(&mut people::reading(), None)?;
    if json {
        print::json(&tickets.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let rows = tickets.into_iter().map(|ticket| {
            let or_none = Option::unwrap_or_default;
            let state = ticket.state_type.to_string();
            [ticket.number, state, ticket.changed_at.to_string(), or_none(ticket.customer), or_none(ticket.message_id)]
        });
        print::table(["NUMBER", "STATE", "CHANGED", "CUSTOMER", "MESSAGE-ID"], rows.collect())?;
    }
    Ok(Exit::Ok)
}

fn show(site: &Site, number: &str, json: bool) -> Done {
    let ticket = find(site, &mut people::reading(), number)?;
    if json {
        print::json(&as_json(&ticket))?;
    } else {
        print::pairs(&[
            ("number", ticket.number),
            ("state", ticket.state_type.to_string()),
            ("changed", ticket.changed_at.to_string()),
            ("customer", ticket.customer.unwrap_or_default()),
            ("message-id", ticket.message_id.unwrap_or_default()),
        ])?;
    }
    Ok(Exit::Ok)
}

fn as_json(ticket: &Ticket) -> serde_json::Value {
    json!({
        "number": ticket.number, "state": ticket.state_type.as_str(), "changed": ticket.changed_at.to_string(),
        "customer": ticket.customer, "message_id": ticket.message_id,
    })
}

fn find(site: &Site, dbs: &mut Databases, number: &str) -> Result<Ticket, Failure> {
    site.tickets.by_number(dbs, number)?.ok_or_else(|| unknown(number))
}

fn unknown(number: &str) -> Failure {
    Failure::new(Exit::NoUser, format!("there is no ticket `{}`", crate::log::clean(number)))
}

/// OTOBO's number generators make digits; sites with one of their own may have letters in them.
fn valid_number(number: String) -> Result<String, Failure> {
    if number.is_empty() || number.len() > NUMBER || !number.bytes().all(|byte| byte.is_ascii_graphic()) {
        let what = format!("no ticket number: 1 to {NUMBER} printable ASCII characters without blanks");
        return Err(Failure::new(Exit::DataErr, what));
    }
    Ok(number)
}

/// Tokens hold Message-IDs with their `<>`; shells make people leave them out.
fn with_brackets(id: &str) -> Result<String, Failure> {
    let bare = id.strip_prefix('<').and_then(|id| id.strip_suffix('>')).unwrap_or(id);
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '<' || c == '>';
    if bare.is_empty() || bare.len() > MESSAGE_ID || bare.contains(odd) {
        return Err(Failure::new(Exit::DataErr, "no Message-ID: text without blanks, with or without <>"));
    }
    Ok(format!("<{bare}>"))
}

fn state_type(text: &str) -> Result<StateType, Failure> {
    text.parse().ends(Exit::DataErr, "the state type")
}
