//! What is to become of one mail: examined, its sender looked up or created, its token recorded and synced. Everything
//! that can fail happens here, before the first byte goes on.

use std::time::Duration;

use super::follow_up;
use super::named;
use super::newcomer;
use super::pool::Lent;
use super::record::{self, Record};
use super::sender::{self, Asked, Finding};
use super::work::{Purpose, Work};
use super::{Engine, Pool, Report};
use crate::config::OnError;
use crate::db::{self, Databases};
use crate::failpoint;
use crate::mail::edit::Edit;
use crate::mail::header::Header;
use crate::mail::last_look;
use crate::policy::{self, Envelope, Examined, Kind, Rules, Sender, Settled};
use crate::store::link_mails;

/// What is to become of a mail.
#[derive(Debug)]
pub struct Decision {
    /// The edits to its header block, at most one cut a field.
    pub edits: Vec<Edit>,
    /// The token that it earned.
    pub owed: Option<Owed>,
    /// What was found and decided.
    pub report: Report,
    /// Whether the helpdesk has not been told of the mail's customer yet (`create.after_create`).
    pub has_newcomer: bool,
}

/// The token that a mail earned, which may wait for the mail to be taken.
#[derive(Debug, Clone)]
pub struct Owed {
    /// Its number.
    pub token: i64,
    /// The mail's Message-ID, by which its ticket is found.
    pub message_id: Option<String>,
}

/// Why a mail has to wait: what strangers may read of it, and what only the log is told.
#[derive(Debug)]
pub struct Deferred {
    /// A short reason without any detail.
    pub public: &'static str,
    /// The whole story.
    pub detail: String,
    /// As in [`Decision`]: a customer who has been made stays, whatever becomes of the mail.
    pub has_newcomer: bool,
}

impl Deferred {
    /// A failure with its details.
    pub fn new(public: &'static str, detail: impl std::fmt::Display) -> Self {
        Self { public, detail: detail.to_string(), has_newcomer: false }
    }
}

/// Nobody certain, since a database could not answer.
fn away(error: &dyn std::fmt::Display) -> Asked {
    Asked { sender: Sender::Doubtful, customer: None, finding: Finding::Away(error.to_string()) }
}

impl Engine {
    /// Decides on a mail: its header block, the first bytes behind that, and its envelope. `busy` is how long one
    /// statement waits for other writers.
    ///
    /// # Errors
    ///
    /// Something that is needed is away, and `on_error` does not say that the mail goes on all the same; or a fault in
    /// otab itself. Nothing is written of the mail then, and a later try finds what this one recorded.
    pub fn decide(
        &self,
        header: &Header,
        rest: &[u8],
        envelope: &Envelope,
        purpose: Purpose,
        busy: Duration,
    ) -> Result<Decision, Deferred> {
        let rules = self.rules(envelope.recipient.as_deref());
        let examined = policy::examine(header, envelope, &rules);
        failpoint::at("examined");
        let name = named(examined.message_id.as_deref()).to_owned();
        let work = Work { engine: self, now: self.now(), purpose, name: &name };
        let alone = Pool::none();
        let lent = match purpose {
            Purpose::Trial => alone.lend(busy, || self.databases_for_trial(busy)),
            _ => self.pool.lend(busy, || self.databases(busy).leaving_logs()),
        };
        let all_lent = || Deferred::new("too many mails at the same time", "each set of connections is in use");
        work.decide(header, rest, examined, &rules, lent.ok_or_else(all_lent)?)
    }
}

impl Work<'_> {
    fn decide(
        &self,
        header: &Header,
        rest: &[u8],
        mut examined: Examined,
        rules: &Rules,
        mut lent: Lent<'_>,
    ) -> Result<Decision, Deferred> {
        let dbs = &mut lent.databases;
        examined.kind = self.kind(dbs, &examined)?;
        examined.answers_link_mail = self.answers_link_mail(dbs, &examined)?;
        let mut asked = self.ask(dbs, rules, &examined)?;
        let settle = |asked: &Asked| settle(header, rest, &examined, rules, &asked.sender);
        let mut settled = settle(&asked)?;
        let recorded = self.record(dbs, &examined, &settled, &asked);
        let has_newcomer = !self.is_trial() && self.is_newcomer(dbs, &asked, recorded.as_ref().ok());
        let with_newcomer = |deferred: Deferred| Deferred { has_newcomer, ..deferred };
        let mut recorded = recorded.map_err(with_newcomer)?;
        if let Err(error) = dbs.commit() {
            // No token is there, nor a customer who was to come with it; one who is known keeps their name.
            let is_new = matches!(asked.finding, Finding::Created);
            let without = self.uncommitted(&error).map_err(with_newcomer)?;
            if is_new {
                asked = without;
                settled = settle(&asked).map_err(with_newcomer)?;
            }
            recorded = Record::NOTHING;
        }
        // Before anything goes out: a reader that stalls must not keep SQLite's log from shrinking.
        if let Err(error) = lent.give_back() {
            self.warn(&format!("closing the databases: {error}"));
        }
        failpoint::at("recorded");
        let report = Report::new(header, &rules.trusted, &examined, asked, &settled, recorded.what);
        let owed = recorded.token.map(|token| Owed { token, message_id: examined.message_id });
        Ok(Decision { edits: settled.edits, owed, report, has_newcomer })
    }

    /// What is known of the sender once nothing could be committed: nothing, or what both settings of `on_error` say.
    fn uncommitted(&self, error: &db::Error) -> Result<Asked, Deferred> {
        let engine = self.engine;
        let wishes = [engine.on_error(Some(&engine.backend)), engine.config.postmaster.on_error];
        let wish = if wishes.contains(&OnError::TempFail) { OnError::TempFail } else { OnError::Deliver };
        self.soften(error, wish, "the customer and the token cannot be recorded", || away(error))
    }

    /// What kind of mail it is, by the word of ticket facts, or what `on_error` says where they have none.
    fn kind(&self, dbs: &mut Databases, examined: &Examined) -> Result<Kind, Deferred> {
        follow_up::kind(self.engine, dbs, examined).or_else(|error| {
            let wish = self.engine.config.postmaster.on_error;
            self.soften(&error, wish, "the tickets cannot be looked up", || follow_up::without_facts(examined))
        })
    }

    /// Whether the mail answers a link mail that otab sent. Where nobody can say, it counts as one: programs that answer
    /// without saying so would get one link mail after the other.
    fn answers_link_mail(&self, dbs: &mut Databases, examined: &Examined) -> Result<bool, Deferred> {
        if examined.kind != Kind::New || examined.link_mails.is_empty() {
            return Ok(false);
        }
        let known = dbs.get(&self.engine.store).and_then(|store| link_mails::knows(store, &examined.link_mails));
        known.or_else(|error| {
            let wish = self.engine.config.postmaster.on_error;
            self.soften(&error, wish, "the link mails cannot be looked up", || true)
        })
    }

    /// The directory's word, or what `on_error` says where it has none.
    fn ask(&self, dbs: &mut Databases, rules: &Rules, examined: &Examined) -> Result<Asked, Deferred> {
        let engine = self.engine;
        let answer = sender::ask(self, dbs, examined).and_then(|asked| {
            let marked = rules.protection && asked.sender == Sender::Doubtful;
            Ok((marked && engine.directory.knows(dbs, &rules.marker)?, asked))
        });
        match answer {
            Ok((false, asked)) => Ok(asked),
            Ok((true, _)) => Err(Deferred::new(
                "the configuration cannot be used",
                "postmaster.marker is a customer's login, customer id or address, who would get all doubtful mails: choose another marker",
            )),
            Err(error) => {
                let wish = engine.on_error(error.source_name());
                self.soften(&error, wish, "the customers cannot be looked up", || away(&error))
            }
        }
    }

    /// Records token and order; where that fails and `on_error` lets the mail go on, without them.
    fn record(
        &self,
        dbs: &mut Databases,
        examined: &Examined,
        settled: &Settled,
        asked: &Asked,
    ) -> Result<Record, Deferred> {
        record::record(self, dbs, examined, settled, asked.customer.as_ref()).or_else(|error| {
            let wish = self.engine.config.postmaster.on_error;
            self.soften(&error, wish, "the token cannot be recorded", || Record::NOTHING)
        })
    }

    /// Whether the helpdesk has not been told of the mail's customer yet. The store is only asked where it has
    /// just answered: no mail waits for this.
    fn is_newcomer(&self, dbs: &mut Databases, asked: &Asked, recorded: Option<&Record>) -> bool {
        match (&asked.finding, &asked.customer, recorded.and_then(|record| record.token)) {
            (Finding::Created, ..) => newcomer::are_announced(self.engine),
            (_, Some(customer), Some(_)) => {
                newcomer::waits(self.engine, dbs, &customer.source, &customer.login).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// `on_error`: defer, or go on without.
    fn soften<T>(
        &self,
        error: &dyn std::fmt::Display,
        wish: OnError,
        public: &'static str,
        without: impl FnOnce() -> T,
    ) -> Result<T, Deferred> {
        match wish {
            OnError::TempFail => Err(Deferred::new(public, error)),
            OnError::Deliver => {
                let what = format!("passed on all the same (on_error = deliver): {public}: {error}");
                self.engine.log.error(&format!("{}: {what}", self.name));
                Ok(without())
            }
        }
    }
}

/// The edits, looked at once more before anything is recorded or written.
fn settle(
    header: &Header,
    rest: &[u8],
    examined: &Examined,
    rules: &Rules,
    sender: &Sender,
) -> Result<Settled, Deferred> {
    let mut settled = policy::settle(header, examined, rules, sender);
    if failpoint::is_at("edits") {
        settled.edits.retain(|edit| !matches!(edit, Edit::Cut(_)));
    }
    last_look(header, &settled.edits, &settled.protected, rest)
        .map_err(|fault| Deferred::new("internal error", format!("a fault in otab, please report it: {fault}")))?;
    Ok(settled)
}
