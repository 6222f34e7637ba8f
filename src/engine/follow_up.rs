//! Asks ticket facts whether a mail is a follow-up, as OTOBO decides it (facts, section 4): by a number in the
//! subject, if there is such a ticket, else by the mails that it answers.
//!
//! otab's own table is not asked: it may know of fewer tickets than there are.

use super::Engine;
use crate::db::{self, Databases};
use crate::policy::{Examined, Kind};

/// The kind of the mail.
pub fn kind(engine: &Engine, dbs: &mut Databases, examined: &Examined) -> Result<Kind, db::Error> {
    if !depends(engine, examined) {
        return Ok(examined.kind.clone());
    }
    if let Kind::FollowUp(number) = &examined.kind
        && engine.tickets.by_number(dbs, number)?.is_some()
    {
        return Ok(examined.kind.clone());
    }
    let mut tickets = engine.tickets.by_message_ids(dbs, &examined.references)?;
    let answered = examined.references.iter().find_map(|id| tickets.remove(id));
    Ok(answered.map_or(Kind::New, |ticket| Kind::FollowUp(ticket.number)))
}

/// The kind where the facts cannot be asked: nothing is made of a mail that may be a follow-up.
pub fn without_facts(examined: &Examined) -> Kind {
    match &examined.kind {
        Kind::New => Kind::Undecided,
        other => other.clone(),
    }
}

/// Whether anything depends on the answer: for a mail without a certain sender nothing is made in any case.
fn depends(engine: &Engine, examined: &Examined) -> bool {
    let names_a_ticket = match examined.kind {
        Kind::Automatic(_) | Kind::Undecided => false,
        Kind::FollowUp(_) => true,
        Kind::New => !examined.references.is_empty(),
    };
    let has_sender = examined.sender.is_ok() || (examined.trusted && examined.stated.user.is_some());
    engine.tickets.own().is_none() && names_a_ticket && has_sender
}
