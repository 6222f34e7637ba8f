//! `otab ticket`: the ticket facts that otab keeps itself. Of a helpdesk's own tickets it shows one, and no more.

use jiff::Timestamp;
use serde_json::json;

use super::args;
use super::print;
use crate::clock;
use crate::db::{Databases, Kind};
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::store::tickets::Embedded;
use crate::store::tokens;
use crate::ticket::{StateType, Ticket};

/// The width of OTOBO's column for ticket numbers.
const NUMBER: usize = 50;
/// The longest line of a header (RFC 5322, section 2.1.1).
const MESSAGE_ID: usize = 998;

/// Runs it.
pub fn run(engine: &Engine, command: args::Ticket) -> Done {
    match command {
        args::Ticket::Add { number, message_id, customer, state, at } => {
            let ticket = Ticket {
                number: valid_number(number)?,
                message_id: message_id.as_deref().map(with_brackets).transpose()?,
                state_type: state_type(&state)?,
                changed_at: at.unwrap_or_else(clock::now),
                customer,
            };
            add(engine, &ticket)
        }
        args::Ticket::Close { number, state, at } => {
            let state = state_type(&state)?;
            if !state.is_over() {
                let what = format!("`{state}` is no state that closes a ticket: closed, removed or merged");
                return Err(Failure::new(Exit::DataErr, what));
            }
            set_state(engine, &number, state, at)
        }
        args::Ticket::Reopen { number, at } => set_state(engine, &number, StateType::Open, at),
        args::Ticket::List { json } => list(engine, json),
        args::Ticket::Show { number, json } => show(engine, &number, json),
    }
}

/// otab's own table: nothing else is ever changed, or listed from one end to the other.
fn own(engine: &Engine) -> Result<&Embedded, Failure> {
    let what = "tickets.source is \"otobo\": the tickets are the helpdesk's own, and change there; only `otab ticket show` \
                is for them";
    engine.tickets.own().ok_or_else(|| Failure::new(Exit::Usage, what))
}

fn add(engine: &Engine, ticket: &Ticket) -> Done {
    let table = own(engine)?;
    let mut dbs = engine.adding();
    table.add(&mut dbs, ticket, clock::now()).map_err(|error| match error.kind() {
        Kind::Constraint => Failure::new(Exit::CantCreate, format!("ticket {} is there already", ticket.number)),
        _ => error.into(),
    })?;
    // Not one transaction with the above: where a kill falls between, purge or the use binds it.
    let bound = dbs.get(&engine.store)?.write(|tx| tokens::bind(tx, ticket))?;
    drop(dbs);
    let done = format!("ticket {} added; tokens bound to it: {bound}", ticket.number);
    engine.log.info(&done);
    print::line(&done)?;
    Ok(Exit::Ok)
}

fn set_state(engine: &Engine, number: &str, state: StateType, at: Option<Timestamp>) -> Done {
    let table = own(engine)?;
    let at = at.unwrap_or_else(clock::now);
    let mut dbs = engine::changing();
    if !table.set_state(&mut dbs, number, state, at)? {
        return Err(unknown(number));
    }
    let ticket = find(engine, &mut dbs, number)?;
    drop(dbs);
    let done = format!("ticket {} is {} since {}", ticket.number, ticket.state_type, ticket.changed_at);
    engine.log.info(&done);
    print::line(&done)?;
    Ok(Exit::Ok)
}

fn list(engine: &Engine, json: bool) -> Done {
    let tickets = own(engine)?.list(&mut engine::reading(), None)?;
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

fn show(engine: &Engine, number: &str, json: bool) -> Done {
    let ticket = find(engine, &mut engine::reading(), number)?;
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

fn find(engine: &Engine, dbs: &mut Databases, number: &str) -> Result<Ticket, Failure> {
    engine.tickets.by_number(dbs, number)?.ok_or_else(|| unknown(number))
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
