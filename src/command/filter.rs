//! `otab filter`: one mail in, one mail out.
//!
//! Everything that can fail happens before the first byte goes out: the mail is examined, its sender
//! looked up or created, the token recorded and synced, the databases closed. Then the header block
//! goes out with its edits, and the body is copied.

use std::cell::Cell;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::cli;
use super::deliver;
use super::explain;
use super::follow_up;
use super::intake::{self, Intake};
use super::mail_path::{self, Deferred};
use super::newcomers;
use super::output::{self, CopyError};
use super::record::{self, Record, Recorded};
use super::site::{self, Site};
use super::standing::{self, Asked, Finding, Mode};
use super::wake::{self, Why};
use super::watch::Watch;
use crate::clock;
use crate::config::{Config, OnError};
use crate::db::{self, Databases};
use crate::log::Log;
use crate::mail::edit::{self, Edit};
use crate::mail::header::{Header, Terminator};
use crate::mail::last_look;
use crate::policy::{self, Envelope, Examined, Kind, Rules, Settled, Standing};
use crate::store::link_mails;
use crate::token::State;

/// Where the mail goes.
#[derive(Clone, Copy)]
pub enum Next<'a> {
    /// To standard output.
    Output,
    /// To standard output, with what was decided on standard error, and nothing recorded.
    Explained,
    /// Into a command's standard input.
    Command(&'a cli::Deliver),
}

/// Passes the mail on standard input on; the status to end with: 0, or the next stage's own, where
/// that is asked for.
pub fn run(path: &Path, args: &cli::Passage, next: Next<'_>, watch: &Watch) -> Result<u8, Deferred> {
    let unusable = |error: &dyn std::fmt::Display| Deferred::new("the configuration cannot be used", error);
    let config = Config::load(path).map_err(|error| unusable(&error))?;
    watch.decide_within(config.limits.decide);
    let log = mail_path::log_to(site::open_log(&config));
    let idle = config.limits.idle;
    let site = Site::new(config, args.backend.as_deref()).map_err(|error| unusable(&format!("{error:#}")))?;
    site.check_backend().map_err(|error| unusable(&error))?;
    let (has_order, has_newcomer) = (Cell::new(false), Cell::new(false));
    let filter = Filter { site: &site, args, next, watch, log, idle, has_order, has_newcomer };
    let status = filter.run();
    if status.is_ok() {
        watch.done();
    }
    // A customer who has been made stays, whatever becomes of the mail.
    let why = match (&status, filter.has_newcomer.get(), filter.has_order.get()) {
        (_, true, _) => Some(Why::Newcomer),
        (Ok(_), _, true) => Some(Why::Order),
        _ => None,
    };
    if let Some(why) = why {
        wake::sender(&site.config, log, why);
    }
    status
}

/// Nobody certain, since a database could not answer.
fn away(error: &dyn std::fmt::Display) -> Asked {
    Asked { standing: Standing::Doubtful, customer: None, finding: Finding::Away(error.to_string()) }
}

/// One run.
pub struct Filter<'a> {
    /// The site.
    pub site: &'a Site,
    args: &'a cli::Passage,
    next: Next<'a>,
    /// The time limits.
    pub watch: &'a Watch,
    /// The log.
    pub log: &'a Log,
    /// How long the mail may stand still.
    pub idle: Duration,
    /// Whether the mail is out, and a link mail may be due for it.
    has_order: Cell<bool>,
    /// Whether the helpdesk has not been told of the mail's customer yet.
    has_newcomer: Cell<bool>,
}

/// What was decided on a mail, and what the log says of it.
struct Decision {
    edits: Vec<Edit>,
    token: Option<Owed>,
    log: String,
}

/// The token that a mail earned, which waits for the mail to be taken.
pub struct Owed {
    /// Its row.
    pub id: i64,
    /// The mail's Message-ID, by which its ticket is found.
    pub message_id: Option<String>,
}

impl Filter<'_> {
    fn explains(&self) -> bool {
        matches!(self.next, Next::Explained)
    }

    fn run(&self) -> Result<u8, Deferred> {
        let rules = self.site.rules(self.args.recipient.as_deref());
        let input = output::standard_input().map_err(|e| Deferred::new("the mail cannot be read", e))?;
        let postmaster = &self.site.config.postmaster;
        let intake = intake::read(&input, postmaster.max_header_bytes)
            .map_err(|e| Deferred::new("the mail cannot be read", e))?;
        match intake {
            Intake::Empty => Err(Deferred::new("there is no mail", "standard input is empty")),
            Intake::TooLarge(read) => self.strain(&rules, &read, &input),
            Intake::Block { header, rest } => match Header::parse(header, postmaster.max_header_fields) {
                Ok(header) => self.whole(&rules, &header, &rest, &input),
                Err(crate::mail::header::TooManyFields(header)) => {
                    self.strain(&rules, &[header, rest].concat(), &input)
                }
            },
        }
    }

    /// The usual case: the header block is in memory.
    fn whole(&self, rules: &Rules, header: &Header, rest: &[u8], input: &File) -> Result<u8, Deferred> {
        let decision = self.decide(rules, header, rest)?;
        let has_token = decision.token.is_some();
        let first_line_end = Terminator::of_first_line(if header.bytes().is_empty() { rest } else { header.bytes() });
        let added = edit::added(&decision.edits, first_line_end);
        let mut pieces = edit::pieces(header, &decision.edits, &added, first_line_end);
        pieces.push(rest);
        let status = self.pass_on(decision.token, |output| {
            output::write(output, &pieces).map_err(CopyError::Write)?;
            output::copy(input, output, self.watch)
        })?;
        if !self.explains() {
            self.log.info(&decision.log);
            self.has_order.set(has_token && status == 0);
        }
        Ok(status)
    }

    /// Hands the mail, which `write` writes, to where it goes.
    fn pass_on(
        &self,
        token: Option<Owed>,
        write: impl FnOnce(&mut File) -> Result<(), CopyError>,
    ) -> Result<u8, Deferred> {
        match self.next {
            Next::Output | Next::Explained => {
                let mut output =
                    output::standard_output().map_err(|e| Deferred::new("the mail cannot be written", e))?;
                self.watch.first_byte(self.idle);
                write(&mut output).map_err(half_way)?;
                Ok(0)
            }
            Next::Command(args) => deliver::pass_on(self, args, token, write),
        }
    }

    /// A header block over the limits: stripped as it streams through, under nobody's name.
    fn strain(&self, rules: &Rules, read: &[u8], input: &File) -> Result<u8, Deferred> {
        let guard = policy::stream_guard(rules);
        let new_fields = edit::lines(&policy::new_marker_fields(rules), Terminator::of_first_line(read));
        let mut dropped = 0;
        let status = self.pass_on(None, |output| {
            dropped = output::strain(read, input, output, &guard, new_fields, self.watch)?;
            Ok(())
        })?;
        let line = format!(
            "<>: header block over the limits, passed on as a stream, {dropped} control fields removed, nothing else done"
        );
        if self.explains() {
            explain::say(&line);
        } else {
            self.log.warning(&line);
        }
        Ok(status)
    }

    fn decide(&self, rules: &Rules, header: &Header, rest: &[u8]) -> Result<Decision, Deferred> {
        let envelope = Envelope { sender: self.args.sender.clone(), recipient: self.args.recipient.clone() };
        let mut examined = policy::examine(header, &envelope, rules);
        mail_path::about(examined.message_id.as_deref());
        super::failpoint("examined");
        let state = if matches!(self.next, Next::Command(_)) { State::Pending } else { State::Active };
        let mode = Mode { now: clock::now(), dry_run: self.explains(), state };
        // A fifth of the time is kept back, so that `on_error` can still answer for a locked database.
        let busy = self.watch.left() / 5 * 4;
        let mut dbs = self.databases(mode, busy);

        examined.kind = self.kind(&mut dbs, &examined)?;
        examined.answers_link_mail = self.answers_link_mail(&mut dbs, &examined)?;
        let mut asked = self.ask(&mut dbs, rules, &examined, mode)?;
        let settle = |asked: &Asked| settle(header, rest, &examined, rules, &asked.standing);
        let mut settled = settle(&asked)?;
        let recorded = self.record(&mut dbs, &examined, &settled, &asked, mode);
        if !mode.dry_run {
            self.has_newcomer.set(self.is_newcomer(&mut dbs, &asked, recorded.as_ref().ok()));
        }
        let mut recorded = recorded?;
        if let Err(error) = dbs.commit() {
            // No token is there, nor a customer who was to come with it; one who is known keeps his name.
            let is_new = matches!(asked.finding, Finding::Created);
            let without = self.uncommitted(&examined, &error)?;
            if is_new {
                asked = without;
                settled = settle(&asked)?;
            }
            recorded = Record::NOTHING;
        }
        // Before anything goes out: a reader that stalls must not keep SQLite's log from shrinking.
        if let Err(error) = dbs.close() {
            self.log.warning(&format!("closing the databases: {error}"));
        }
        super::failpoint("recorded");
        if mode.dry_run {
            explain::mail(header, &rules.trusted, &examined, &asked, &settled, recorded.what);
        }
        let log = log_line(&examined, &asked, &settled, recorded.what);
        let token = recorded.token.map(|id| Owed { id, message_id: examined.message_id });
        Ok(Decision { edits: settled.edits, token, log })
    }

    /// The databases of one decision.
    fn databases(&self, mode: Mode, busy: Duration) -> Databases {
        if mode.dry_run {
            return self.site.databases_for_trial(busy);
        }
        self.site.databases(busy).leaving_logs()
    }

    /// What is known of the sender once nothing could be committed: nothing, or what both settings of `on_error` say.
    fn uncommitted(&self, examined: &Examined, error: &db::Error) -> Result<Asked, Deferred> {
        let wishes = [self.site.on_error(Some(&self.site.backend)), self.site.config.postmaster.on_error];
        let wish = if wishes.contains(&OnError::TempFail) { OnError::TempFail } else { OnError::Deliver };
        self.soften(examined, error, wish, "the customer and the token cannot be recorded", || away(error))
    }

    /// What kind of mail it is, by the word of ticket facts, or what `on_error` says where they have none.
    fn kind(&self, dbs: &mut Databases, examined: &Examined) -> Result<Kind, Deferred> {
        follow_up::kind(self.site, dbs, examined).or_else(|error| {
            let wish = self.site.config.postmaster.on_error;
            self.soften(examined, &error, wish, "the tickets cannot be looked up", || {
                follow_up::without_facts(examined)
            })
        })
    }

    /// Whether the mail answers a link mail that otab sent. Where nobody can say, it counts as one: programs that answer
    /// without saying so would get one link mail after the other.
    fn answers_link_mail(&self, dbs: &mut Databases, examined: &Examined) -> Result<bool, Deferred> {
        if examined.kind != Kind::New || examined.link_mails.is_empty() {
            return Ok(false);
        }
        let known = dbs.get(&self.site.store).and_then(|store| link_mails::knows(store, &examined.link_mails));
        known.or_else(|error| {
            let wish = self.site.config.postmaster.on_error;
            self.soften(examined, &error, wish, "the link mails cannot be looked up", || true)
        })
    }

    /// The directory's word, or what `on_error` says where it has none.
    fn ask(&self, dbs: &mut Databases, rules: &Rules, examined: &Examined, mode: Mode) -> Result<Asked, Deferred> {
        let answer = standing::ask(self.site, dbs, examined, mode).and_then(|asked| {
            let marked = rules.protection && asked.standing == Standing::Doubtful;
            Ok((marked && self.site.directory.knows(dbs, &rules.marker)?, asked))
        });
        match answer {
            Ok((false, asked)) => Ok(asked),
            Ok((true, _)) => Err(Deferred::new(
                "the configuration cannot be used",
                "postmaster.marker is a customer's login, customer id or address, who would get all doubtful mails: choose another marker",
            )),
            Err(error) => {
                let wish = self.site.on_error(error.source_name());
                self.soften(examined, &error, wish, "the customers cannot be looked up", || away(&error))
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
        mode: Mode,
    ) -> Result<Record, Deferred> {
        record::record(self.site, dbs, examined, settled, asked.customer.as_ref(), mode).or_else(|error| {
            let wish = self.site.config.postmaster.on_error;
            self.soften(examined, &error, wish, "the token cannot be recorded", || Record::NOTHING)
        })
    }

    /// Whether the helpdesk has not been told of the mail's customer yet. The store is only asked where it has
    /// just answered: no mail waits for this.
    fn is_newcomer(&self, dbs: &mut Databases, asked: &Asked, recorded: Option<&Record>) -> bool {
        match (&asked.finding, &asked.customer, recorded.and_then(|record| record.token)) {
            (Finding::Created, ..) => newcomers::are_told(self.site),
            (_, Some(customer), Some(_)) => {
                newcomers::waits(self.site, dbs, &customer.source, &customer.login).unwrap_or(false)
            }
            _ => false,
        }
    }

    /// `on_error`: defer, or go on without.
    fn soften<T>(
        &self,
        examined: &Examined,
        error: &dyn std::fmt::Display,
        wish: OnError,
        public: &'static str,
        without: impl FnOnce() -> T,
    ) -> Result<T, Deferred> {
        match wish {
            OnError::TempFail => Err(Deferred::new(public, error)),
            OnError::Deliver => {
                let mail = mail_path::named(examined.message_id.as_deref());
                self.log.error(&format!("{mail}: passed on all the same (on_error = deliver): {public}: {error}"));
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
    standing: &Standing,
) -> Result<Settled, Deferred> {
    let mut settled = policy::settle(header, examined, rules, standing);
    if super::is_failpoint("edits") {
        settled.edits.retain(|edit| !matches!(edit, Edit::Cut(_)));
    }
    last_look(header, &settled.edits, &settled.guard, rest)
        .map_err(|fault| Deferred::new("internal error", format!("a fault in otab, please report it: {fault}")))?;
    Ok(settled)
}

/// Reading or writing failed while the mail went by.
pub fn half_way(error: CopyError) -> Deferred {
    let public = match error {
        CopyError::Read(_) => "the mail cannot be read",
        CopyError::Write(_) => "the mail cannot be written",
    };
    Deferred::new(public, error)
}

/// The one line on a mail: its Message-ID first, and no secret.
fn log_line(examined: &Examined, asked: &Asked, settled: &Settled, recorded: Recorded) -> String {
    let id = mail_path::named(examined.message_id.as_deref());
    let sender = match &examined.sender {
        Ok(mailbox) => mailbox.address.to_string(),
        Err(doubt) => format!("none ({})", doubt.reason()),
    };
    let customer = asked.customer.as_ref().map(|c| format!("{} in {}, ", c.login, c.source)).unwrap_or_default();
    format!(
        "{id}: {}{}, sender {sender}, customer {customer}{}, {} removed{}, token {recorded}",
        explain::kind(&examined.kind),
        if examined.answers_link_mail { " (answers a link mail)" } else { "" },
        asked.finding,
        settled.edits.iter().filter(|edit| matches!(edit, Edit::Cut(_))).count(),
        if examined.trusted { ", trusted" } else { "" },
    )
}
