//! The link mail for an order, as things stand at the moment when it goes out: a token that has been used
//! or revoked, a customer that is gone, an address that has changed are no reason for a mail any more.

use jiff::Timestamp;

use crate::clock;
use crate::db::Databases;
use crate::engine::Engine;
use crate::engine::portal_url;
use crate::engine::token_facts::{Binding, Facts, language, look};
use crate::link::compose::{self, LinkMail, Ready};
use crate::link::notice::{self, Notice};
use crate::link::order::{Kept, Occasion};
use crate::link::template::{Templates, Texts, Values};
use crate::log::Log;
use crate::ticket::Unusable;
use crate::token::{self, Answer, CustomerStanding, State};

/// What an order comes to.
pub enum Letter {
    /// A mail.
    Mail(Ready),
    /// None any more; why.
    Never(String),
    /// None yet; why.
    NotYet(String),
}

/// The mail for an order.
pub fn write(engine: &Engine, log: &Log, templates: &Templates, dbs: &mut Databases, order: &Kept) -> Letter {
    let Some(secret) = &order.secret else {
        return Letter::Never("it holds no token".to_owned());
    };
    let facts = match look(engine, dbs, secret, Binding::Write) {
        Ok(Some(facts)) => facts,
        Ok(None) => return Letter::Never("its token is gone".to_owned()),
        // One source that is away must not hold up the customers of the others; nor is a ticket gone that cannot be seen.
        Err(error) => return Letter::NotYet(format!("its customer or ticket cannot be looked up: {error}")),
    };
    let now = clock::now();
    if facts.token.state == State::Pending && !token::counts_as_active(&facts.token, now) {
        return Letter::NotYet("its mail has not been taken yet".to_owned());
    }
    let link = match link(engine, order, &facts, now) {
        Ok(link) => link,
        Err(why) => return Letter::Never(why),
    };
    let language = language(engine, dbs, &facts);
    let wording = Wording { engine, order, facts: &facts, link: &link, language: language.as_deref() };
    let texts = match wording.texts(log, templates, dbs) {
        Ok(texts) => texts,
        Err(why) => return Letter::NotYet(why),
    };
    let mail = &engine.config.mail;
    let Some(from) = &mail.from else {
        return Letter::NotYet("mail.from is empty".to_owned());
    };
    let composed = compose::compose(&LinkMail {
        from,
        from_name: &mail.from_name,
        to: &order.recipient,
        texts: &texts,
        in_reply_to: order.message_id.as_deref(),
        identity: &identity(order),
        at: now,
    });
    composed.map_or_else(|error| Letter::Never(error.to_string()), Letter::Mail)
}

/// The Message-ID of an order's mail, where it could be made now.
pub fn message_id(engine: &Engine, order: &Kept) -> Option<String> {
    engine.config.mail.from.as_ref().map(|from| compose::message_id(from, &identity(order)))
}

/// What each try of an order has, and no other order. Its number would not do: its place in the queue may change.
fn identity(order: &Kept) -> String {
    let token = order.token_id.map_or_else(|| format!("order {}", order.id), |id| id.to_string());
    format!("{} {token}", order.created_at.as_second())
}

/// The link, if it would open something: the customer gets no mail for one that would not. Whether it
/// holds a token comes with it.
fn link(engine: &Engine, order: &Kept, facts: &Facts, now: Timestamp) -> Result<(String, bool), String> {
    if let Some(why) = in_vain(engine, order, facts, now) {
        return Err(why.to_owned());
    }
    let config = &engine.config;
    if facts.standing == CustomerStanding::HasPassword {
        let number = facts.token.ticket_number.as_deref();
        let page =
            number.map_or_else(|| portal_url::overview(config), |number| portal_url::ticket_page(config, number));
        let plain = page.ok_or("the customer has a password by now, and one_time_auth.portal_url is empty")?;
        return Ok((plain, false));
    }
    let secret = order.secret.as_ref().ok_or("it holds no token")?;
    let link = portal_url::link(config, secret).ok_or("one_time_auth.link_url is empty")?;
    Ok((link, true))
}

/// Why the link would open nothing, if so. (A customer with a password logs in with it.)
fn in_vain(engine: &Engine, order: &Kept, facts: &Facts, now: Timestamp) -> Option<&'static str> {
    let is_recipient = facts.customer.as_ref().is_some_and(|customer| customer.email == order.recipient);
    let standing = match facts.standing {
        CustomerStanding::HasPassword => CustomerStanding::Good,
        standing => standing,
    };
    let limits = engine.limits();
    let answer = token::answer(Some(&facts.token), facts.ticket, false, standing, &limits, now);
    match (standing, facts.token.state) {
        (CustomerStanding::Gone, _) => Some("its customer is gone"),
        (CustomerStanding::Invalid, _) => Some("its customer is not valid any more"),
        (CustomerStanding::AddressChanged, _) => Some("its customer has another address by now"),
        _ if !is_recipient => Some("its customer has another address by now"),
        (_, State::Used) => Some("its token has been used"),
        (_, State::Revoked) => Some("its token has been revoked"),
        _ if answer != Answer::Valid => Some("the time of its ticket or token is over"),
        _ => None,
    }
}

/// What the words of a mail depend on.
struct Wording<'a> {
    engine: &'a Engine,
    order: &'a Kept,
    facts: &'a Facts,
    link: &'a (String, bool),
    language: Option<&'a str>,
}

impl Wording<'_> {
    /// The words; or why there are none yet.
    fn texts(&self, log: &Log, templates: &Templates, dbs: &mut Databases) -> Result<Texts, String> {
        let id = self.engine.config.one_time_auth.token_refresh_notification;
        let own =
            id.filter(|_| self.order.occasion == Occasion::Refresh).map(|id| self.notification(dbs, id)).transpose()?;
        match own {
            Some(Ok(texts)) => return Ok(texts),
            // The customer waits for his link, and not for these words.
            Some(Err(why)) => log.warning(&format!("link mail {}: by the built-in text: {why}", self.order.id)),
            None => {}
        }
        templates.render(self.order.occasion, &self.languages(), &self.values()).map_err(|error| error.to_string())
    }

    /// The words of the helpdesk's own notification, or why it cannot be used; an error where it cannot be seen.
    fn notification(&self, dbs: &mut Databases, id: u32) -> Result<Result<Texts, String>, String> {
        let notification = match self.engine.tickets.notification(dbs, id) {
            Ok(notification) => notification,
            Err(Unusable::Db(error)) => {
                return Err(format!("the helpdesk's notification cannot be looked up: {error}"));
            }
            Err(other) => return Ok(Err(other.to_string())),
        };
        let languages = notification.messages.iter().map(|message| message.language.as_str());
        let Some(message) = notification.messages.get(notice::choose(languages, &self.languages())) else {
            return Ok(Err(Unusable::Empty(id).to_string()));
        };
        let notice = Notice {
            language: &message.language,
            subject: &message.subject,
            body: &message.body,
            is_html: message.is_html,
        };
        let placeholder = &self.engine.config.postmaster.link_placeholder;
        Ok(notice::render(&notice, &self.values(), placeholder).map_err(|error| error.to_string()))
    }

    fn languages(&self) -> Vec<&str> {
        let configured = self.engine.config.one_time_auth.language.as_str();
        [self.language, self.order.language.as_deref(), Some(configured)].into_iter().flatten().collect()
    }

    fn values(&self) -> Values<'_> {
        let links = &self.engine.config.one_time_auth;
        Values {
            link: &self.link.0,
            ticket_number: self.facts.token.ticket_number.as_deref().unwrap_or_default(),
            site_name: &links.site_name,
            days: links.access_days_after_close,
            one_time: self.link.1,
        }
    }
}
