//! The engine behind the portal: its questions, asked by connections that stay open.
//!
//! Connections stay open between questions, without any lock; after an error they are closed, and where a server
//! had gone away meanwhile the question is asked once more. Nothing here knows HTTP.

use std::process::Child;
use std::time::Duration;

use jiff::Timestamp;

use super::part::{Event, Ground};
use crate::customer;
use crate::db::{Access, Databases, Kind};
use crate::engine::{Engine, visit};
use crate::portal::{Backend, Entry, Guest, Renewal, Trouble, View};
use crate::store::sessions;
use crate::token::Secret;
use crate::worker::spawn_notify::{self, Why};

/// How long one statement waits for other writers: a customer waits before their browser.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// One thread's backend.
pub struct EngineBackend {
    ground: Ground,
    dbs: Option<Databases>,
    /// Senders of link mails that have been started, until they have ended.
    woken: Vec<Child>,
}

impl EngineBackend {
    /// No connection yet.
    pub fn new(ground: Ground) -> Self {
        Self { ground, dbs: None, woken: Vec::new() }
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
            self.dbs.get_or_insert_with(|| crate::store::databases(Access::ReadWrite { create: false }, BUSY_TIMEOUT));
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

impl Backend for EngineBackend {
    fn look(&mut self, token: &Secret, session: Option<&Secret>) -> Result<View, Trouble> {
        self.ask(|engine, dbs| visit::view(engine, dbs, token, session, engine.now()))
    }

    fn enter(&mut self, token: &Secret, session: Option<&Secret>) -> Result<Entry, Trouble> {
        self.ask(|engine, dbs| visit::enter(engine, dbs, token, session, engine.now()))
    }

    fn renew(&mut self, token: &Secret) -> Result<Renewal, Trouble> {
        let renewal = self.ask(|engine, dbs| visit::renew(engine, dbs, token, engine.now()))?;
        if matches!(renewal, Renewal::Ordered { .. }) {
            self.wake();
        }
        Ok(renewal)
    }

    fn guest(&mut self, secret: &Secret, seen: Option<Timestamp>) -> Result<Option<Guest>, Trouble> {
        self.ask(|engine, dbs| visit::guest(engine, dbs, secret, seen, engine.now()))
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
