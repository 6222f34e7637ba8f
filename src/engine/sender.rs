//! Asks the directory about a mail's sender, and creates the customer where that is due.

use super::company;
use super::newcomer;
use super::work::Work;
use crate::customer::{self, Created, CustomerUser, Error, Found, NewCustomer, Refusal, or_blank};
use crate::db::{Database, Databases};
use crate::mail::from::Mailbox;
use crate::mail::{fold, person};
use crate::policy::{Examined, Kind, Person, Sender};

/// What the directory said, for the policy and for the log.
#[derive(Debug)]
pub struct Asked {
    /// For the policy.
    pub sender: Sender,
    /// The customer, where there is a valid one.
    pub customer: Option<CustomerUser>,
    /// For the log and people.
    pub finding: Finding,
}

/// What was found and done.
#[derive(Debug, Clone)]
pub enum Finding {
    /// No certain sender to ask for.
    NotAsked,
    /// A valid customer.
    Known,
    /// Stated by a trusted mail.
    Stated,
    /// A trusted mail states a login that no source knows.
    StatedUnknown,
    /// Created now; with `--explain`: would be.
    Created,
    /// The sender's customer is not valid.
    Invalid,
    /// No customer, and none is created for this kind of mail.
    Nobody,
    /// No customer, and the lists forbid to create one.
    NotAllowed(&'static str),
    /// Somebody else's login, customer id or address.
    Claimed,
    /// A valid customer, whose login is another's in a source that is asked earlier.
    Ambiguous,
    /// Cannot be created, ever.
    Refused(Refusal),
    /// The directory could not be asked, and `on_error` is `deliver`.
    Away(String),
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NotAsked => f.write_str("not asked for"),
            Self::Known => f.write_str("known"),
            Self::Stated => f.write_str("stated by a trusted mail"),
            Self::StatedUnknown => f.write_str("stated by a trusted mail, unknown here"),
            Self::Created => f.write_str("created"),
            Self::Invalid => f.write_str("not valid"),
            Self::Nobody => f.write_str("none"),
            Self::NotAllowed(reason) => write!(f, "none, not created: {reason}"),
            Self::Claimed => f.write_str(
                "none, not created: the address is too much like somebody else's login, customer id or address",
            ),
            Self::Ambiguous => f.write_str("not certain: another source has the same login for somebody else"),
            Self::Refused(refusal) => write!(f, "none, not created: {refusal}"),
            Self::Away(error) => write!(f, "unknown, the directory cannot be asked: {error}"),
        }
    }
}

/// Asks, and creates where that is due. Fails only with what may heal.
pub fn ask(work: &Work<'_>, dbs: &mut Databases, examined: &Examined) -> Result<Asked, Error> {
    // Without protection an untrusted mail's fields may stay, but they vouch for nobody: as in the
    // package, it is the sender who is looked up, created and ticked.
    if let Some(login) = examined.stated.user.as_ref().filter(|_| examined.trusted) {
        return stated(work, dbs, login);
    }
    let Ok(mailbox) = &examined.sender else {
        return Ok(without(Sender::Doubtful, Finding::NotAsked));
    };
    let nobody = match work.engine.directory.find(dbs, &mailbox.address)? {
        Found::Valid(customer) => return known(work, dbs, customer),
        Found::Invalid(_) => Some(Finding::Invalid),
        Found::Nobody => match (&examined.kind, examined.may_create) {
            (Kind::New, Ok(())) => None,
            (Kind::New, Err(refused)) => Some(Finding::NotAllowed(refused.reason())),
            _ => Some(Finding::Nobody),
        },
    };
    match nobody {
        None => newcomer(work, dbs, mailbox),
        Some(_) if work.engine.directory.claimed(dbs, &mailbox.address)?.is_some() => {
            Ok(without(Sender::Doubtful, nobody.unwrap_or(Finding::Claimed)))
        }
        Some(finding) => Ok(without(Sender::Free, finding)),
    }
}

/// OTOBO knows a customer by his login alone, and takes the first source that has it. Where that is
/// another one's, the login would file the mail under somebody else.
fn known(work: &Work<'_>, dbs: &mut Databases, customer: CustomerUser) -> Result<Asked, Error> {
    if work.engine.directory.has_namesake_before(dbs, &customer)? {
        return Ok(without(Sender::Doubtful, Finding::Ambiguous));
    }
    Ok(with(work, customer, Finding::Known))
}

fn stated(work: &Work<'_>, dbs: &mut Databases, login: &str) -> Result<Asked, Error> {
    Ok(match work.engine.directory.by_login_anywhere(dbs, login)? {
        Some(customer) => with(work, customer, Finding::Stated),
        None => without(Sender::Doubtful, Finding::StatedUnknown),
    })
}

fn with(work: &Work<'_>, customer: CustomerUser, finding: Finding) -> Asked {
    let person = Person {
        login: customer.login.clone(),
        customer_id: customer.customer_id.clone(),
        in_backend: customer.source == work.engine.backend,
        needs_link: customer.valid && !customer.has_password,
        created: matches!(finding, Finding::Created),
    };
    Asked { sender: Sender::Customer(person), customer: Some(customer), finding }
}

fn without(sender: Sender, finding: Finding) -> Asked {
    Asked { sender, customer: None, finding }
}

/// Whether the address is somebody else's login, customer id or address is asked of each source once: in the one where
/// customers are created, where it decides, by the creating itself.
fn newcomer(work: &Work<'_>, dbs: &mut Databases, mailbox: &Mailbox) -> Result<Asked, Error> {
    let new = new_customer(work, dbs, mailbox)?;
    let new = new.and_then(|new| customer::Entry::from(&new).check().map(|()| new));
    let claim = match &new {
        Ok(_) if !work.is_trial() => {
            work.engine.directory.claimed_elsewhere(dbs, &work.engine.backend, &mailbox.address)?
        }
        _ => work.engine.directory.claimed(dbs, &mailbox.address)?,
    };
    match new {
        _ if claim.is_some() => Ok(without(Sender::Doubtful, Finding::Claimed)),
        Err(refusal) => Ok(without(Sender::Free, Finding::Refused(refusal))),
        Ok(new) if work.is_trial() => {
            let customer = customer::Entry::from(&new).stored_in(work.engine.directory.source(&work.engine.backend)?);
            Ok(with(work, customer, Finding::Created))
        }
        Ok(new) => create(work, dbs, &new),
    }
}

fn create(work: &Work<'_>, dbs: &mut Databases, new: &NewCustomer) -> Result<Asked, Error> {
    newcomer::note(work.engine, dbs, &customer::Entry::from(new).login, work.now)?;
    // Where customers are made in the store itself, one and the token are one transaction, and one wait for the disk; but
    // the helpdesk is told of a newcomer as soon as they are there.
    let unwritten = |error| Error::Db { source_name: work.engine.backend.clone(), error };
    let is_shared = work.engine.directory.source(&work.engine.backend)?.url == work.engine.store
        && !newcomer::are_announced(work.engine);
    if is_shared {
        dbs.get(&work.engine.store).and_then(Database::begin).map_err(unwritten)?;
    }
    let outcome = work.engine.directory.create(dbs, &work.engine.backend, new, work.now);
    if is_shared && !matches!(outcome, Ok(Created::New(_))) {
        dbs.get(&work.engine.store).map_err(unwritten)?.rollback();
    }
    crate::failpoint::at("created");
    match outcome {
        Ok(Created::New(customer)) => Ok(with(work, customer, Finding::Created)),
        Ok(Created::Existing(customer)) if customer.valid => Ok(with(work, customer, Finding::Known)),
        Ok(Created::Existing(_)) => Ok(without(Sender::Free, Finding::Invalid)),
        Err(Error::Refused(Refusal::Claimed { .. })) => Ok(without(Sender::Doubtful, Finding::Claimed)),
        // What stands in the way may be a row that otab does not see as the database does: nobody's name is safe.
        Err(Error::Refused(refusal @ Refusal::Constraint(_))) => {
            Ok(without(Sender::Doubtful, Finding::Refused(refusal)))
        }
        Err(Error::Refused(refusal)) => Ok(without(Sender::Free, Finding::Refused(refusal))),
        Err(error) => Err(error),
    }
}

/// The new customer as the settings want him. A customer id that is the marker would collect the
/// tickets of all doubtful senders.
fn new_customer(
    work: &Work<'_>,
    dbs: &mut Databases,
    mailbox: &Mailbox,
) -> Result<Result<NewCustomer, Refusal>, Error> {
    let (customer_id, unread) = match company::customer_id(work.engine, dbs, &mailbox.address)? {
        Ok(named) => named,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if let Some(why) = unread {
        work.warn(&why);
    }
    if fold(&customer_id) == fold(&work.engine.config.postmaster.marker) {
        return Ok(Err(Refusal::Marker));
    }
    let names = mailbox.display.as_deref().map(|name| person::names(name, 100)).unwrap_or_default();
    Ok(Ok(NewCustomer {
        address: mailbox.address.clone(),
        customer_id,
        first_name: or_blank(Some(names.first)),
        last_name: or_blank(Some(names.last)),
        preferences: work.engine.config.create.preferences.clone().into_iter().collect(),
    }))
}
