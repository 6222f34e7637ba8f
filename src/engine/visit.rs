//! What somebody with a link or a session may see: a look changes nothing, a visit uses the token up and begins a session.

use jiff::Timestamp;

use super::Engine;
use super::redeem::{Outcome, Use, Wish, peek, use_token, use_token_and};
use super::token_facts::{Facts, customer_of, language, standing};
use crate::customer::{self, CustomerUser};
use crate::db::Databases;
use crate::session::{Holder, Session};
use crate::store::sessions;
use crate::token::{Answer, CustomerStanding, Secret, TokenFacts};

/// What a link would open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Its ticket.
    Open {
        /// The stored address of who would be signed in.
        address: String,
        /// The ticket's number; `None`: the overview.
        ticket: Option<String>,
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// Nothing: it is used, and a newer one is active.
    Wrong {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// Nothing: it is used, and a new one can be had.
    Used {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// Nothing: there is no such token, or its time is over.
    Over,
}

/// What the use of a link came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A new session.
    New {
        /// For the browser.
        secret: Secret,
        /// Where it leads; `None`: the overview.
        ticket: Option<String>,
    },
    /// The link was used before, by the browser's own session, which goes on.
    Same {
        /// Where it leads.
        ticket: Option<String>,
    },
    /// It opens nothing; never [`View::Open`].
    Shut(View),
}

/// What the wish for a new link came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// A link mail is on order.
    Ordered {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// It could not be recorded.
    Failed {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// The old one has not been used and still works.
    StillGood,
    /// There is none to be had; [`View::Wrong`] or [`View::Over`].
    Shut(View),
}

/// Who a session is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The customer's login.
    pub login: String,
    /// The ticket that they came for; `None`: the overview.
    pub ticket: Option<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// Its last request, as far as that is known.
    pub seen_at: Timestamp,
}

/// The session with this secret, if it is not over and its customer is still good. `seen` is a request that the store
/// need not know of yet.
fn present(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    seen: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Session>, customer::Error> {
    let Some(mut found) = sessions::find(dbs.get(&engine.store)?, secret)? else { return Ok(None) };
    found.seen_at = seen.map_or(found.seen_at, |seen| seen.max(found.seen_at));
    if found.is_over(&engine.session_ends(), now) {
        return Ok(None);
    }
    let customer = customer_of(engine, dbs, &found.holder.backend, &found.holder.customer)?;
    Ok(is_good(&found.holder, customer.as_ref()).then_some(found))
}

/// A customer who was given a password since goes on.
fn is_good(holder: &Holder, customer: Option<&CustomerUser>) -> bool {
    let customer = customer.map(|customer| CustomerUser { has_password: false, ..customer.clone() });
    standing(&holder.email, customer.as_ref()) == CustomerStanding::Good
}

/// Whether the browser that shows a used token is the one that has used it.
fn is_own(
    engine: &Engine,
    dbs: &mut Databases,
    token: &TokenFacts,
    session: Option<&Secret>,
    now: Timestamp,
) -> Result<bool, customer::Error> {
    let Some(secret) = session else { return Ok(false) };
    let found = present(engine, dbs, secret, None, now)?;
    Ok(found.is_some_and(|Session { holder, .. }| {
        holder.backend == token.backend
            && holder.customer == token.customer
            && holder.ticket_number == token.ticket_number
    }))
}

/// What a link would open now. Changes nothing.
pub fn view(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    session: Option<&Secret>,
    now: Timestamp,
) -> Result<View, customer::Error> {
    let Some((facts, answer)) = peek(engine, dbs, secret, now)? else { return Ok(View::Over) };
    if answer == Answer::LinkExpired {
        return Ok(View::Over);
    }
    let language = language(engine, dbs, &facts);
    let Facts { token, customer: Some(customer), .. } = facts else { return Ok(View::Over) };
    if answer == Answer::Valid || is_own(engine, dbs, &token, session, now)? {
        return Ok(View::Open { address: customer.email, ticket: token.ticket_number, language });
    }
    Ok(if answer == Answer::WrongLink { View::Wrong { language } } else { View::Used { language } })
}

/// Uses a link: a new session, or the browser's own if it has used the link before.
pub fn enter(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    session: Option<&Secret>,
    now: Timestamp,
) -> Result<Entry, customer::Error> {
    let new = Secret::generate();
    let used = use_token_and(engine, dbs, secret, Wish::Enter, now, &mut |tx, customer, ticket| {
        if let Some(before) = session {
            sessions::end(tx, before)?;
        }
        let holder = Holder {
            backend: customer.source.clone(),
            customer: customer.login.clone(),
            email: customer.email.clone(),
            ticket_number: ticket.map(str::to_owned),
        };
        sessions::start(tx, &new, &holder, now)
    })?;
    let log = |what: &str| engine.log.info(&format!("door: {}: {what}", named(used.token)));
    let view = match used.answer {
        Outcome::Opened { ticket, .. } => {
            log(&format!("used, ticket {}", ticket.as_deref().unwrap_or("none")));
            return Ok(Entry::New { secret: new, ticket });
        }
        Outcome::Used => View::Used { language: used.language },
        Outcome::WrongLink => View::Wrong { language: used.language },
        Outcome::LinkExpired | Outcome::StillGood | Outcome::NewLink | Outcome::RefreshFailed { .. } => View::Over,
    };
    if view != View::Over
        && let Some((Facts { token, .. }, _)) = peek(engine, dbs, secret, now)?
        && is_own(engine, dbs, &token, session, now)?
    {
        log("shown again in its session");
        return Ok(Entry::Same { ticket: token.ticket_number });
    }
    log(match view {
        View::Wrong { .. } => "used before, a newer one is active",
        View::Used { .. } => "used before",
        View::Over | View::Open { .. } => "expired",
    });
    Ok(Entry::Shut(view))
}

/// Who a session is for, if it still is; `seen` is the last request that nobody has noted before.
pub fn guest(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    seen: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Guest>, customer::Error> {
    let Some(found) = present(engine, dbs, secret, seen, now)? else { return Ok(None) };
    if found.is_stale(now) {
        sessions::seen(dbs.get(&engine.store)?, secret, now)?;
    }
    let Session { holder, created_at, .. } = found;
    Ok(Some(Guest { login: holder.customer, ticket: holder.ticket_number, created_at, seen_at: now }))
}

/// Orders a new link instead of one that is used up.
pub fn renew(
    engine: &Engine,
    dbs: &mut Databases,
    secret: &Secret,
    now: Timestamp,
) -> Result<Renewal, customer::Error> {
    let Use { answer, token, language } = use_token(engine, dbs, secret, Wish::Renew, now)?;
    Ok(match answer {
        Outcome::NewLink => {
            engine.log.info(&format!("door: {}: used before, new link ordered", named(token)));
            Renewal::Ordered { language }
        }
        Outcome::RefreshFailed { why } => {
            engine.log.error(&format!("door: {}: no new link: {why}", named(token)));
            Renewal::Failed { language }
        }
        Outcome::StillGood => Renewal::StillGood,
        Outcome::WrongLink => Renewal::Shut(View::Wrong { language }),
        Outcome::Used | Outcome::LinkExpired | Outcome::Opened { .. } => Renewal::Shut(View::Over),
    })
}

/// How the log names a token.
fn named(token: Option<i64>) -> String {
    token.map_or_else(|| "unknown token".to_owned(), |id| format!("token {id}"))
}
