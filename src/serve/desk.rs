//! The site behind the door: the door's questions, answered by the rules that `otab redeem` goes by.
//!
//! Connections stay open between questions, without any lock; after an error they are closed, and where a server
//! had gone away meanwhile the question is asked once more. Nothing here knows HTTP.

use std::process::Child;
use std::time::Duration;

use jiff::Timestamp;

use super::part::{Event, Ground};
use crate::clock;
use crate::customer::{self, CustomerUser};
use crate::db::{Access, Databases, Kind};
use crate::engine::Engine;
use crate::engine::redeem::{Outcome, Wish, peek, use_token, use_token_and};
use crate::engine::token_facts::{Facts, customer_of, language, standing};
use crate::session::{Ends, Holder, Session};
use crate::store::sessions;
use crate::token::{Answer, CustomerStanding, Secret, TokenFacts};
use crate::web::{Desk, Entry, Guest, Renewal, Trouble, View};
use crate::worker::spawn_notify::{self, Why};

/// How long one statement waits for other writers: a customer waits before his browser.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// One thread's desk.
pub struct SiteDesk {
    ground: Ground,
    ends: Ends,
    dbs: Option<Databases>,
    /// Senders of link mails that have been started, until they have ended.
    woken: Vec<Child>,
}

impl SiteDesk {
    /// No connection yet.
    pub fn new(ground: Ground) -> Self {
        let ends = ground.engine.session_ends();
        Self { ground, ends, dbs: None, woken: Vec::new() }
    }

    /// Asks, by the connections that are open.
    fn ask<T>(
        &mut self,
        mut question: impl FnMut(&Engine, &mut Databases) -> Result<T, customer::Error>,
    ) -> Result<T, Trouble> {
        let was_open = self.dbs.is_some();
        match self.try_ask(&mut question) {
            Err(error) if was_open && is_gone(&error) => self.try_ask(&mut question),
            other => other,
        }
        .map_err(|error| {
            self.ground.log.error(&format!("door: {error}"));
            let store = &self.ground.engine.store;
            if !matches!(&error, customer::Error::Db { error, .. } if error.kind() == Kind::Moved) {
                return Trouble::Away;
            }
            let _ = self.ground.events.send(Event::Moved(store.clone()));
            Trouble::Moved
        })
    }

    fn try_ask<T>(
        &mut self,
        question: &mut impl FnMut(&Engine, &mut Databases) -> Result<T, customer::Error>,
    ) -> Result<T, customer::Error> {
        let dbs =
            self.dbs.get_or_insert_with(|| crate::store::databases(Access::ReadWrite { create: false }, PATIENCE));
        let answer = question(&self.ground.engine, dbs);
        if answer.is_err() {
            self.dbs = None;
        }
        answer
    }

    /// Has a link mail sent that has just been ordered. Where a worker sends them, it does: at once if it is a part of
    /// this process, else with its next look, and not by a process that may do no more than the portal.
    fn wake(&mut self) {
        let Ground { engine, log, orders, .. } = &self.ground;
        self.woken.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        if engine.config.door.notify {
            orders.ring();
        } else {
            self.woken.extend(spawn_notify::sender(&engine.config, log, Why::Order));
        }
    }
}

/// Whether an error may come of a connection that was left alone for too long.
fn is_gone(error: &customer::Error) -> bool {
    matches!(error, customer::Error::Db { error, .. } if matches!(error.kind(), Kind::Unavailable | Kind::Damaged | Kind::Other))
}

impl Desk for SiteDesk {
    fn look(&mut self, token: &Secret, session: Option<&Secret>) -> Result<View, Trouble> {
        let ends = self.ends;
        self.ask(|engine, dbs| view(engine, dbs, &ends, token, session, clock::now()))
    }

    fn enter(&mut self, token: &Secret, session: Option<&Secret>) -> Result<Entry, Trouble> {
        let ends = self.ends;
        let entry = self.ask(|engine, dbs| enter(engine, dbs, &ends, token, session, clock::now()))?;
        let (said, entry) = entry;
        self.ground.log.info(&format!("door: {said}"));
        Ok(entry)
    }

    fn renew(&mut self, token: &Secret) -> Result<Renewal, Trouble> {
        let used = self.ask(|engine, dbs| use_token(engine, dbs, token, Wish::Renew, clock::now()))?;
        let name = used.token.map_or_else(|| "unknown token".to_owned(), |id| format!("token {id}"));
        let language = used.language;
        Ok(match used.answer {
            Outcome::NewLink => {
                self.ground.log.info(&format!("door: {name}: used before, new link ordered"));
                self.wake();
                Renewal::Ordered { language }
            }
            Outcome::RefreshFailed { why } => {
                self.ground.log.error(&format!("door: {name}: no new link: {why}"));
                Renewal::Failed { language }
            }
            Outcome::StillGood => Renewal::StillGood,
            Outcome::WrongLink => Renewal::Shut(View::Wrong { language }),
            Outcome::Used | Outcome::LinkExpired | Outcome::Opened { .. } => Renewal::Shut(View::Over),
        })
    }

    fn guest(&mut self, secret: &Secret, seen: Option<Timestamp>) -> Result<Option<Guest>, Trouble> {
        let ends = self.ends;
        self.ask(|engine, dbs| {
            let now = clock::now();
            let Some(found) = present(engine, dbs, &ends, secret, seen, now)? else { return Ok(None) };
            if found.is_stale(now) {
                sessions::seen(dbs.get(&engine.store)?, secret, now)?;
            }
            let Session { holder, created_at, .. } = found;
            Ok(Some(Guest { login: holder.customer, ticket: holder.ticket_number, created_at, seen_at: now }))
        })
    }

    fn leave(&mut self, secret: &Secret) -> Result<(), Trouble> {
        self.ask(|engine, dbs| Ok(sessions::end(dbs.get(&engine.store)?, secret)?)).map(drop)
    }

    fn answers(&mut self) -> Result<(), Trouble> {
        // A question that reads the table, and finds nothing.
        let nobody = Secret::generate();
        self.ask(|engine, dbs| Ok(sessions::find(dbs.get(&engine.store)?, &nobody)?)).map(drop)
    }
}

/// The session with this secret, if it is not over and its customer is still good. `seen` is a request that the store
/// need not know of yet.
fn present(
    engine: &Engine,
    dbs: &mut Databases,
    ends: &Ends,
    secret: &Secret,
    seen: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Session>, customer::Error> {
    let Some(mut found) = sessions::find(dbs.get(&engine.store)?, secret)? else { return Ok(None) };
    found.seen_at = seen.map_or(found.seen_at, |seen| seen.max(found.seen_at));
    if found.is_over(ends, now) {
        return Ok(None);
    }
    let customer = customer_of(engine, dbs, &found.holder.backend, &found.holder.customer)?;
    Ok(is_good(&found.holder, customer.as_ref()).then_some(found))
}

/// Who has been given a password meanwhile goes on.
fn is_good(holder: &Holder, customer: Option<&CustomerUser>) -> bool {
    let customer = customer.map(|customer| CustomerUser { has_password: false, ..customer.clone() });
    standing(&holder.email, customer.as_ref()) == CustomerStanding::Good
}

/// Whether the browser that shows a used token is the one that has used it.
fn is_own(
    engine: &Engine,
    dbs: &mut Databases,
    ends: &Ends,
    token: &TokenFacts,
    session: Option<&Secret>,
    now: Timestamp,
) -> Result<bool, customer::Error> {
    let Some(secret) = session else { return Ok(false) };
    let found = present(engine, dbs, ends, secret, None, now)?;
    Ok(found.is_some_and(|Session { holder, .. }| {
        holder.backend == token.backend
            && holder.customer == token.customer
            && holder.ticket_number == token.ticket_number
    }))
}

fn view(
    engine: &Engine,
    dbs: &mut Databases,
    ends: &Ends,
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
    if answer == Answer::Valid || is_own(engine, dbs, ends, &token, session, now)? {
        return Ok(View::Open { address: customer.email, ticket: token.ticket_number, language });
    }
    Ok(if answer == Answer::WrongLink { View::Wrong { language } } else { View::Used { language } })
}

/// What came of it, and a word for the log.
fn enter(
    engine: &Engine,
    dbs: &mut Databases,
    ends: &Ends,
    secret: &Secret,
    session: Option<&Secret>,
    now: Timestamp,
) -> Result<(String, Entry), customer::Error> {
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
    let name = used.token.map_or_else(|| "unknown token".to_owned(), |id| format!("token {id}"));
    let view = match used.answer {
        Outcome::Opened { ticket, .. } => {
            let shown = ticket.as_deref().unwrap_or("none");
            let said = format!("{name}: used, ticket {shown}");
            return Ok((said, Entry::New { secret: new, ticket }));
        }
        Outcome::Used => View::Used { language: used.language },
        Outcome::WrongLink => View::Wrong { language: used.language },
        Outcome::LinkExpired | Outcome::StillGood | Outcome::NewLink | Outcome::RefreshFailed { .. } => View::Over,
    };
    if view != View::Over
        && let Some((Facts { token, .. }, _)) = peek(engine, dbs, secret, now)?
        && is_own(engine, dbs, ends, &token, session, now)?
    {
        return Ok((format!("{name}: shown again in its session"), Entry::Same { ticket: token.ticket_number }));
    }
    let word = match view {
        View::Wrong { .. } => "used before, a newer one is active",
        View::Used { .. } => "used before",
        View::Over | View::Open { .. } => "expired",
    };
    Ok((format!("{name}: {word}"), Entry::Shut(view)))
}
