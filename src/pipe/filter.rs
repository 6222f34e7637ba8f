//! `otab filter` and `otab deliver`: one mail in, one mail out.
//!
//! Everything that can fail happens before the first byte goes out: the engine decides, and has closed its databases.
//! Then the header block goes out with its edits, and the body is copied.

use std::ffi::OsString;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::contract;
use super::deadline::Deadline;
use super::deliver;
use super::intake::{self, Intake};
use super::output::{self, CopyError};
use crate::config::Config;
use crate::engine::{self, Decision, Deferred, Engine, Owed, Purpose};
use crate::log::say;
use crate::mail::edit;
use crate::mail::header::{Header, Terminator, TooManyFields};
use crate::mail::trace;
use crate::policy::{self, Envelope};
use crate::worker::spawn_notify::{self, Why};

/// Where the mail goes.
#[derive(Clone, Copy)]
pub enum Next<'a> {
    /// To standard output.
    Output,
    /// To standard output, with what was decided on standard error, and nothing recorded.
    Explained,
    /// Into a command's standard input.
    Command {
        /// The command and its arguments.
        command: &'a [OsString],
        /// Whether otab ends with the command's status where it is not 0.
        pass_status: bool,
    },
}

/// Passes the mail on standard input on; the status to end with: 0, or the next stage's own, where
/// that is asked for. `backend`: as in [`Engine::new`].
pub fn run(
    path: &Path,
    envelope: &Envelope,
    backend: Option<&str>,
    next: Next<'_>,
    deadline: &Deadline,
) -> Result<u8, Deferred> {
    let unusable = |error: &dyn std::fmt::Display| Deferred::new("the configuration cannot be used", error);
    let config = Config::load(path).map_err(|error| unusable(&error))?;
    deadline.decide_within(config.limits.decide);
    let idle = config.limits.idle;
    let log = engine::open_log(&config);
    contract::log_to(&log);
    let engine = Engine::new(config, backend, log).map_err(|error| unusable(&format!("{error:#}")))?;
    engine.check_backend().map_err(|error| unusable(&error))?;
    let filter = Filter { engine: &engine, envelope, next, deadline, idle };
    let (status, why) = filter.run();
    if status.is_ok() {
        deadline.done();
    }
    if let Some(why) = why {
        spawn_notify::sender(&engine.config, &engine.log, why);
    }
    status
}

/// One run.
pub struct Filter<'a> {
    /// The engine.
    pub engine: &'a Engine,
    envelope: &'a Envelope,
    next: Next<'a>,
    /// The time limits.
    pub deadline: &'a Deadline,
    /// How long the mail may make no progress.
    pub idle: Duration,
}

/// The status to end with, and what a sender of link mails is to be started for.
type Ended = (Result<u8, Deferred>, Option<Why>);

impl Filter<'_> {
    fn explains(&self) -> bool {
        matches!(self.next, Next::Explained)
    }

    fn run(&self) -> Ended {
        match self.read() {
            Ok((Intake::Empty, _)) => (Err(Deferred::new("there is no mail", "standard input is empty")), None),
            Ok((Intake::TooLarge(read), input)) => (self.strain(&read, &input), None),
            Ok((Intake::Block { header, rest }, input)) => {
                match Header::parse(header, self.engine.config.postmaster.max_header_fields) {
                    Ok(header) => self.whole(&header, &rest, &input),
                    Err(TooManyFields(header)) => (self.strain(&[header, rest].concat(), &input), None),
                }
            }
            Err(error) => (Err(Deferred::new("the mail cannot be read", error)), None),
        }
    }

    fn read(&self) -> std::io::Result<(Intake, File)> {
        let input = output::standard_input()?;
        let intake = intake::read(&input, self.engine.config.postmaster.max_header_bytes)?;
        Ok((intake, input))
    }

    /// The usual case: the header block is in memory.
    fn whole(&self, header: &Header, rest: &[u8], input: &File) -> Ended {
        contract::about(trace::message_id(header).as_deref());
        let purpose = match self.next {
            Next::Output => Purpose::PassOn,
            Next::Explained => Purpose::Trial,
            Next::Command { .. } => Purpose::HandOver,
        };
        // A fifth of the time is kept back, so that `on_error` can still answer for a locked database.
        let busy = self.deadline.left() / 5 * 4;
        let decision = self.engine.decide(header, rest, self.envelope, purpose, busy);
        // A customer who has been made stays, whatever becomes of the mail.
        let newcomer = |has: bool| has.then_some(Why::Newcomer);
        match decision {
            Err(deferred) => {
                let why = newcomer(deferred.has_newcomer);
                (Err(deferred), why)
            }
            Ok(decision) => {
                let status = self.write(&decision, header, rest, input);
                let is_ordered = decision.owed.is_some() && !self.explains() && matches!(status, Ok(0));
                (status, newcomer(decision.has_newcomer).or(is_ordered.then_some(Why::Order)))
            }
        }
    }

    fn write(&self, decision: &Decision, header: &Header, rest: &[u8], input: &File) -> Result<u8, Deferred> {
        if self.explains() {
            decision.report.lines().iter().for_each(|line| say(line));
        }
        let first_line_end = Terminator::of_first_line(if header.bytes().is_empty() { rest } else { header.bytes() });
        let added = edit::added(&decision.edits, first_line_end);
        let mut pieces = edit::pieces(header, &decision.edits, &added, first_line_end);
        pieces.push(rest);
        let status = self.pass_on(decision.owed.as_ref(), |output| {
            output::write(output, &pieces).map_err(CopyError::Write)?;
            output::copy(input, output, self.deadline)
        })?;
        if !self.explains() {
            self.engine.log.info(&decision.report.line());
        }
        Ok(status)
    }

    /// Hands the mail, which `write` writes, to where it goes.
    fn pass_on(
        &self,
        owed: Option<&Owed>,
        write: impl FnOnce(&mut File) -> Result<(), CopyError>,
    ) -> Result<u8, Deferred> {
        match self.next {
            Next::Output | Next::Explained => {
                let mut output =
                    output::standard_output().map_err(|e| Deferred::new("the mail cannot be written", e))?;
                self.deadline.first_byte(self.idle);
                write(&mut output).map_err(half_way)?;
                Ok(0)
            }
            Next::Command { command, pass_status } => deliver::pass_on(self, command, pass_status, owed, write),
        }
    }

    /// A header block over the limits: stripped as it streams through, under nobody's name.
    fn strain(&self, read: &[u8], input: &File) -> Result<u8, Deferred> {
        let rules = self.engine.rules(self.envelope.recipient.as_deref());
        let protected = policy::stream_protected(&rules);
        let new_fields = edit::lines(&policy::new_marker_fields(&rules), Terminator::of_first_line(read));
        let mut dropped = 0;
        let status = self.pass_on(None, |output| {
            dropped = output::strain(read, input, output, &protected, new_fields, self.deadline)?;
            Ok(())
        })?;
        let line = format!(
            "<>: header block over the limits, passed on as a stream, {dropped} control fields removed, nothing else done"
        );
        if self.explains() {
            say(&line);
        } else {
            self.engine.log.warning(&line);
        }
        Ok(status)
    }
}

/// Reading or writing failed while the mail went by.
pub fn half_way(error: CopyError) -> Deferred {
    let public = match error {
        CopyError::Read(_) => "the mail cannot be read",
        CopyError::Write(_) => "the mail cannot be written",
    };
    Deferred::new(public, error)
}
