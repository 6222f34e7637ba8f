//! Uses a token up: the one place that says what a link opens, for `otab redeem` and the web's door.
//!
//! Asks about ticket and customer at every use (promise 8), lets one conditional UPDATE decide, and
//! orders a new link where the rules grant one. It prints nothing, and no answer holds a secret.

use jiff::Timestamp;

use super::Engine;
use super::token_facts::{Binding, Facts, language, look};
use crate::customer::{self, CustomerUser};
use crate::db::{self, Databases, Tx};
use crate::link::order::{Occasion, Order};
use crate::store::{outbox, tokens};
use crate::token::{self, Answer, Secret, TokenFacts};

/// How often a lost race is looked at anew. Each loss means that somebody else has won, so more
/// than a few need somebody who uses the same links all the time.
const TRIES: usize = 5;

/// What the use of a token came to.
#[derive(Debug)]
pub struct Use {
    /// The answer.
    pub answer: Outcome,
    /// The token's number, where there is such a token: for the log.
    pub token: Option<i64>,
    /// The customer's language preference, where known.
    pub language: Option<String>,
}

/// What somebody who shows a token wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To get in, or else to have a new link in the place of one that is used up, as the package has it.
    Open,
    /// To get in, and nothing else.
    Enter,
    /// A new link in the place of one that is used up; one that still works is left as it is.
    Renew,
}

/// The answers.
#[derive(Debug)]
pub enum Outcome {
    /// The token was good, and is used up now.
    Opened {
        /// Who it lets in.
        customer: Box<CustomerUser>,
        /// Which ticket; `None`: the portal's overview.
        ticket: Option<String>,
    },
    /// The token is good, and still is: only a new link was asked for.
    StillGood,
    /// Unknown, or its time is over.
    LinkExpired,
    /// Used, while a newer one is active.
    WrongLink,
    /// Used, and a new link can be had: only asked for by [`Wish::Enter`].
    Used,
    /// Used; a new link mail is on order.
    NewLink,
    /// Used, and no new link could be recorded.
    RefreshFailed {
        /// For the log.
        why: String,
    },
}

/// What has to stand or fall with the use of a token: it is told who gets in, and to which ticket.
pub type Then<'a> = dyn FnMut(&mut Tx<'_>, &CustomerUser, Option<&str>) -> Result<(), db::Error> + 'a;

/// Uses the token with this secret. Fails only where it cannot be told what the token is good for.
pub fn use_token(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    wish: Wish,
    now: Timestamp,
) -> Result<Use, customer::Error> {
    use_token_and(engine, dbs, secret, wish, now, &mut |_, _, _| Ok(()))
}

/// The same, and in the transaction in which the token becomes used, `then`.
pub fn use_token_and(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    wish: Wish,
    now: Timestamp,
    then: &mut Then<'_>,
) -> Result<Use, customer::Error> {
    let mut last = None;
    for _ in 0..TRIES {
        let Some(facts) = look(engine, dbs, secret, Binding::Write)? else {
            return Ok(Use { answer: Outcome::LinkExpired, token: None, language: None });
        };
        let (token, language) = (Some(facts.token.id), language(engine, dbs, &facts));
        if let Some(answer) = decide(engine, dbs, &facts, wish, language.as_deref(), now, then)? {
            return Ok(Use { answer, token, language });
        }
        last = Some((token, language));
    }
    let (token, language) = last.unwrap_or_default();
    let why = "others use the same links at the same moment".to_owned();
    Ok(Use { answer: Outcome::RefreshFailed { why }, token, language })
}

/// What the use of a token would come to now, and what is known about it. Changes nothing.
#[cfg_attr(not(feature = "door"), allow(dead_code, reason = "only the door looks"))]
pub fn peek(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    now: Timestamp,
) -> Result<Option<(Facts, Answer)>, customer::Error> {
    let Some(facts) = look(engine, dbs, secret, Binding::LookOnly)? else { return Ok(None) };
    let answer = answer(engine, dbs, &facts, now)?;
    Ok(Some((facts, answer)))
}

fn answer(engine: &Engine, dbs: &mut Databases, facts: &Facts, now: Timestamp) -> Result<Answer, db::Error> {
    let Facts { token, ticket, standing, .. } = facts;
    let others = tokens::others_active(dbs.get(&engine.store)?, token, now)?;
    Ok(token::answer(Some(token), *ticket, others, *standing, &engine.limits(), now))
}

/// Asks the rules and does what they say; `None` where somebody else was faster, so that what was
/// known holds no more.
fn decide(
    engine: &Engine,
    dbs: &mut Databases,
    facts: &Facts,
    wish: Wish,
    language: Option<&str>,
    now: Timestamp,
    then: &mut Then<'_>,
) -> Result<Option<Outcome>, customer::Error> {
    let Facts { token, customer, .. } = facts;
    let answer = answer(engine, dbs, facts, now)?;
    let store = dbs.get(&engine.store)?;
    let Some(customer) = customer else {
        return Ok(Some(Outcome::LinkExpired));
    };
    Ok(match answer {
        Answer::Valid if wish == Wish::Renew => Some(Outcome::StillGood),
        Answer::Valid => {
            let won = store.write(|tx| {
                let won = tokens::redeem_in(tx, token.id, now)?;
                if won {
                    then(tx, customer, token.ticket_number.as_deref())?;
                }
                Ok::<_, db::Error>(won)
            })?;
            won.then(|| Outcome::Opened { customer: Box::new(customer.clone()), ticket: token.ticket_number.clone() })
        }
        Answer::LinkExpired => Some(Outcome::LinkExpired),
        Answer::WrongLink => Some(Outcome::WrongLink),
        Answer::Renew if wish == Wish::Enter => Some(Outcome::Used),
        Answer::Renew => match renew(store, token, customer, language, now) {
            Ok(true) => Some(Outcome::NewLink),
            Ok(false) => None,
            Err(error) => Some(Outcome::RefreshFailed { why: error.to_string() }),
        },
    })
}

/// A new token and the order for its link mail, both or neither; `false` where somebody else has
/// renewed it by now.
fn renew(
    store: &mut db::Database,
    old: &TokenFacts,
    customer: &CustomerUser,
    language: Option<&str>,
    now: Timestamp,
) -> Result<bool, outbox::Error> {
    store.write(|tx| {
        let secret = Secret::generate();
        let Some(id) = tokens::renew(tx, old.id, &secret, now)? else {
            return Ok(false);
        };
        let order = Order {
            token_id: Some(id),
            secret: Some(secret),
            // As it is stored now; the rules have found it to be the token's.
            recipient: customer.email.clone(),
            customer: customer.login.clone(),
            backend: customer.source.clone(),
            occasion: Occasion::Refresh,
            language: language.map(str::to_owned),
            message_id: old.message_id.clone(),
            ticket_number: old.ticket_number.clone(),
        };
        outbox::order(tx, &order, now, now)?;
        Ok(true)
    })
}
