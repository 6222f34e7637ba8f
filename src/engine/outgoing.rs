//! A link for the ticket that an outgoing mail is about: whether it may have one, and its token.
//!
//! A link reaches only the stored address of the ticket's customer (promise 7): they have to be the
//! mail's only recipient, in the envelope and in its fields. In any doubt there is none.

use std::time::Duration;

use super::{Engine, Owed, issue, named, newcomer, portal_url};
use crate::config;
use crate::customer::{self, CustomerUser};
use crate::db::{self, Databases};
use crate::mail::header::{EndFinder, Header};
use crate::mail::replace::Replacement;
use crate::mail::{Address, recipient, trace, value};
use crate::ticket::Ticket;
use crate::token::State;

/// What a mail says about where it goes and which ticket it is about.
#[derive(Debug)]
pub struct Request {
    /// How the log names the mail.
    pub message_id: Option<String>,
    /// The ticket number in the subject.
    pub number: Option<String>,
    /// The one recipient, or why there is none that is certain.
    recipient: Result<Address, &'static str>,
}

/// What comes of it.
#[derive(Debug)]
pub enum Given {
    /// A link with a token that is pending.
    Link {
        /// The link.
        url: String,
        /// It.
        token: Owed,
    },
    /// The ticket's plain address will do.
    Plain(&'static str),
    /// None can be made now.
    Failed(String),
}

/// What is given to a mail, and in which language its recipient reads.
#[derive(Debug)]
pub struct Gift {
    /// The link, or why not.
    pub given: Given,
    /// The customer's preference, where he is the recipient and it is known.
    pub language: Option<String>,
    /// Whether the helpdesk has not been told yet that otab has made him (`create.after_create`).
    pub is_newcomer: bool,
}

impl From<Given> for Gift {
    fn from(given: Given) -> Self {
        Self { given, language: None, is_newcomer: false }
    }
}

/// Reads what a mail says, and its envelope: the only recipient, or why there is not exactly one.
pub fn request(engine: &Engine, envelope: Result<&str, &'static str>, mail: &[u8]) -> Request {
    let end = EndFinder::length(mail);
    let postmaster = &engine.config.postmaster;
    let too_large = end > postmaster.max_header_bytes;
    let header = Header::parse(mail[..if too_large { 0 } else { end }].to_vec(), postmaster.max_header_fields);
    let Ok(header) = header else {
        return Request { message_id: None, number: None, recipient: Err("its header has too many fields") };
    };
    let subjects: Vec<String> = header.texts("Subject").collect();
    let number = match &subjects[..] {
        [subject] => engine.rules(None).ticket_numbers.find(&value::decoded(subject)),
        _ => None,
    };
    Request { message_id: trace::message_id(&header), number, recipient: only_recipient(envelope, &header) }
}

fn only_recipient(envelope: Result<&str, &'static str>, header: &Header) -> Result<Address, &'static str> {
    let address = Address::parse(envelope?).ok_or("its recipient's address is not a plain one")?;
    if !recipient::is_only(header, &address) {
        return Err("its fields do not name that one recipient alone");
    }
    Ok(address)
}

/// Makes a link, where one is due. `busy` is how long one statement waits for other writers.
pub fn give(engine: &Engine, request: &Request, busy: Duration) -> Gift {
    let (number, recipient) = match (&request.number, &request.recipient) {
        (None, _) => return Given::Plain("no ticket number in its subject").into(),
        (_, Err(doubt)) => return Given::Plain(doubt).into(),
        (Some(number), Ok(recipient)) => (number, recipient),
    };
    if engine.config.one_time_auth.link_url.is_none() {
        return Given::Plain("one_time_auth.link_url is not set").into();
    }
    let mut dbs = engine.databases(busy).leaving_logs();
    let gift =
        look_up(engine, &mut dbs, number, recipient).unwrap_or_else(|error| Given::Failed(error.to_string()).into());
    if let Err(error) = dbs.close() {
        let mail = named(request.message_id.as_deref());
        engine.log.warning(&format!("{mail}: closing the databases: {error}"));
    }
    gift
}

fn look_up(engine: &Engine, dbs: &mut Databases, number: &str, recipient: &Address) -> Result<Gift, customer::Error> {
    let Some(ticket) = engine.tickets.by_number(dbs, number)? else {
        return Ok(Given::Plain("no such ticket").into());
    };
    let customer = match &ticket.customer {
        Some(login) => engine.directory.by_login_anywhere(dbs, login)?,
        None => None,
    };
    let Some(customer) = customer.filter(|customer| recipient.is_stated_by(&customer.email)) else {
        return Ok(Given::Plain("its recipient is not the ticket's customer").into());
    };
    let language = engine.directory.preference(dbs, &customer.source, &customer.login, "UserLanguage");
    let language = language.ok().flatten().filter(|tag| !tag.is_empty());
    let given = match minted(engine, dbs, &ticket, &customer) {
        Ok(given) => given,
        Err(error) => Given::Failed(error.to_string()),
    };
    let is_newcomer = newcomer::waits(engine, dbs, &customer.source, &customer.login).unwrap_or(false);
    Ok(Gift { given, language, is_newcomer })
}

/// Records a token and builds its link, where the token would open something now. The token has no
/// mail's key: its secret is not kept, so a second try of the mail needs a token of its own. The first
/// one's is withdrawn.
fn minted(engine: &Engine, dbs: &mut Databases, ticket: &Ticket, customer: &CustomerUser) -> Result<Given, db::Error> {
    if !customer.valid {
        return Ok(Given::Plain("the customer is not valid"));
    }
    if customer.has_password {
        return Ok(Given::Plain("the customer has a password"));
    }
    let Some((secret, token)) = issue::issue(engine, dbs, ticket, customer, State::Pending, engine.now())? else {
        return Ok(Given::Plain("the ticket's time is over"));
    };
    let url = portal_url::link(&engine.config, &secret);
    Ok(url.map_or(Given::Plain("one_time_auth.link_url is not set"), |url| Given::Link {
        url,
        token: Owed { token, message_id: None },
    }))
}

/// What comes where the placeholder is.
#[must_use]
pub fn replacement(config: &config::Config, number: Option<&str>, gift: &Gift) -> Replacement {
    let messages = config.one_time_auth.messages_for(gift.language.as_deref().unwrap_or_default());
    let failed = one_line(&messages.refresh_failed);
    let plain = match number {
        Some(number) => portal_url::ticket_page(config, number),
        None => portal_url::overview(config),
    };
    let plain = plain.unwrap_or_else(|| failed.clone());
    let (words, href) = match &gift.given {
        Given::Link { url, .. } => (url.clone(), url.clone()),
        Given::Plain(_) => (plain.clone(), plain.clone()),
        Given::Failed(_) => (failed, plain.clone()),
    };
    Replacement { words, href, elsewhere: plain, ascii: config::REFRESH_FAILED.to_owned() }
}

/// The same where the configuration cannot be used: the site's own words, as far as they can be read.
#[must_use]
pub fn without_configuration(messages: &config::Messages) -> Replacement {
    let text = one_line(&messages.refresh_failed);
    Replacement { words: text.clone(), href: text.clone(), elsewhere: text, ascii: config::REFRESH_FAILED.to_owned() }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
