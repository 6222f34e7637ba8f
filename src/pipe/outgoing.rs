//! `otab outgoing`: an outgoing mail on its way to the command that sends it, with a link where it
//! holds the placeholder.
//!
//! The ticket system deletes a mail after a few failed tries, so nothing that otab fails at may stop
//! one: without a link it goes on with a sentence in the link's place, and where otab can do nothing
//! at all, as it came. The status is the command's own. Only a mail that cannot be read to its end, or
//! a command that cannot be started, is a failure of otab's: 75.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use super::{contract, output, recipient};
use crate::config::{self, Config};
use crate::engine::outgoing::{self, Gift, Given, Request};
use crate::engine::{self, Deferred, Engine, Fate, Owed, named};
use crate::failpoint;
use crate::mail::replace::{self, Found};
use crate::mail::transfer::Splice;
use crate::process::{self, Ended};
use crate::worker::spawn_notify::{self, Why};

/// Longest mail that is looked into, in bytes: it is held in memory. A longer one goes on as it came.
const LONGEST: u64 = 64 << 20;

/// Passes the mail on standard input on to the command; the status to end with.
#[must_use]
pub fn run(config: Option<&Path>, command: &[OsString]) -> ExitCode {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        contract::log().error(&format!("outgoing: internal error at {place}"));
    }));
    contract::run(AssertUnwindSafe(|| pass(config, command)))
}

fn pass(config: Option<&Path>, command: &[OsString]) -> Result<u8, Deferred> {
    let engine = panic::catch_unwind(AssertUnwindSafe(|| load(config)));
    let without = match &engine {
        Ok(Ok(engine)) => engine.config.variables.clone(),
        Ok(Err((path, _))) => config::secret_variables(path),
        Err(_) => Vec::new(),
    };
    let unread = |error: io::Error| Deferred::new("the mail cannot be read", error);
    let mut input = output::standard_input().map_err(unread)?;
    let mut mail = Vec::new();
    (&mut input).take(LONGEST + 1).read_to_end(&mut mail).map_err(unread)?;
    if mail.len() as u64 > LONGEST {
        contract::log().warning("outgoing: a mail over 64 MiB goes on as it came");
        let file = spool_rest(&mail, &mut input)?;
        drop(mail);
        return send(command, &without, file).and_then(status);
    }
    // Whatever happens in there, the mail goes on.
    let rewritten = engine.and_then(|engine| panic::catch_unwind(AssertUnwindSafe(|| rewrite(engine, command, &mail))));
    let rewritten = rewritten.unwrap_or_default();
    let spooled = spool(&mail, &rewritten.splices).map_err(|error| Deferred::new("the mail cannot be kept", error));
    drop(mail);
    let sent = spooled.and_then(|file| send(command, &without, file));
    // Where nobody knows whether it has the mail, the link may be needed: its token stays pending.
    if !matches!(sent, Ok(Ended::Unknown(_))) {
        let was_taken = matches!(sent, Ok(Ended::Status(0)));
        let _ = panic::catch_unwind(AssertUnwindSafe(|| rewritten.settle(was_taken)));
    }
    sent.and_then(status)
}

/// Runs the command in otab's place.
fn send(command: &[OsString], without: &[String], mail: File) -> Result<Ended, Deferred> {
    process::stand_aside(command, without, mail).map_err(|error| Deferred::new("the command cannot be started", error))
}

/// The status to end with, where the command has ended so.
fn status(ended: Ended) -> Result<u8, Deferred> {
    match ended {
        Ended::Status(0) => Ok(0),
        Ended::Status(status) => {
            contract::log().warning(&format!("outgoing: the command has failed: {ended}"));
            Ok(status)
        }
        Ended::Unknown(_) => Err(Deferred::new("how the command ended is unknown", ended)),
        ended => Err(Deferred::new("the command has failed", ended)),
    }
}

/// The mail with its changes as a file without a name, at its start: the command has not begun, so
/// that a killed otab never passes half a mail off as a whole one. Where the disk has no room, in
/// memory.
fn spool(mail: &[u8], splices: &[Splice]) -> io::Result<File> {
    let write = |mut file: File| {
        replace::write(mail, splices, &mut file)?;
        file.rewind()?;
        Ok(file)
    };
    tempfile::tempfile().and_then(write).or_else(|_| {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        write(File::from(rustix::fs::memfd_create("mail", flags)?))
    })
}

/// A long mail as a file: what was read of it, and the rest.
fn spool_rest(read: &[u8], input: &mut File) -> Result<File, Deferred> {
    let spooled = tempfile::tempfile().and_then(|mut file| {
        file.write_all(read)?;
        io::copy(input, &mut file)?;
        file.rewind()?;
        Ok(file)
    });
    spooled.map_err(|error| Deferred::new("the mail cannot be read or kept", error))
}

/// What becomes of a mail.
#[derive(Default)]
struct Rewritten {
    splices: Vec<Splice>,
    link: Option<(Arc<Engine>, Token)>,
}

/// The token of a link.
enum Token {
    /// In the mail.
    Issued(Owed),
    /// Perhaps on its way, too late for the mail.
    Late(Receiver<Gift>),
}

impl Rewritten {
    fn settle(self, was_taken: bool) {
        let Some((engine, token)) = self.link else { return };
        let (owed, was_taken) = match token {
            Token::Issued(owed) => (owed, was_taken),
            Token::Late(receiver) => match receiver.try_recv() {
                Ok(Gift { given: Given::Link { token, .. }, .. }) => (token, false),
                _ => return,
            },
        };
        let (limit, token) = (engine.config.limits.decide, owed.token);
        let fate = if was_taken { Fate::Taken } else { Fate::Refused };
        let settled = start(move || engine.settle(&owed, fate)).recv_timeout(limit);
        let failure = match settled {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the time limit has passed".to_owned(),
        };
        // It counts as active all the same, since its ticket is known.
        contract::log().warning(&format!("outgoing: token {token} stays pending: {failure}"));
    }
}

/// The engine; else where its configuration should be, and why it cannot be used.
fn load(config: Option<&Path>) -> Result<Arc<Engine>, (PathBuf, anyhow::Error)> {
    let path = config::locate(config, std::env::var_os("OTAB_CONFIG"));
    let engine = Config::load(&path).map_err(anyhow::Error::from).and_then(|config| {
        let log = engine::open_log(&config);
        contract::log_to(&log);
        Engine::new(config, None, log)
    });
    engine.map(Arc::new).map_err(|error| (path, error))
}

/// Finds the placeholder and decides what comes instead.
fn rewrite(engine: Result<Arc<Engine>, (PathBuf, anyhow::Error)>, command: &[OsString], mail: &[u8]) -> Rewritten {
    let started = Instant::now();
    failpoint::at("outgoing");
    let engine = match engine {
        Ok(engine) => engine,
        Err((path, error)) => return without_configuration(&path, mail, &error),
    };
    let request = outgoing::request(&engine, recipient::of(command), mail);
    contract::about(request.message_id.as_deref());
    let name = named(request.message_id.as_deref()).to_owned();
    let found = replace::find(mail, &engine.config.postmaster.link_placeholder);
    for left in &found.left {
        engine.log.info(&format!("{name}: outgoing: {} is left as it is", left.reason()));
    }
    if found.count() == 0 {
        return Rewritten::default();
    }
    let number = request.number.clone();
    let (gift, late) = ask(&engine, request, found.wants_secret(), started);
    if gift.is_newcomer {
        // Nobody reads the mail, and clicks, before OTOBO has sent it.
        spawn_notify::sender(&engine.config, &engine.log, Why::Newcomer);
    }
    engine.log.info(&format!("{name}: outgoing: {}", given(&gift.given, number.as_deref())));
    let splices = found.replaced(&outgoing::replacement(&engine.config, number.as_deref(), &gift));
    let token = match gift.given {
        Given::Link { token, .. } => Some(Token::Issued(token)),
        _ => late.map(Token::Late),
    };
    Rewritten { splices, link: token.map(|token| (engine, token)) }
}

/// The configuration is broken: the site's own words, as far as they can be read.
fn without_configuration(path: &Path, mail: &[u8], error: &anyhow::Error) -> Rewritten {
    contract::log().error(&format!("outgoing: no links: the configuration cannot be used: {error:#}"));
    let (placeholder, messages) = config::last_words(path);
    let found: Found<'_> = replace::find(mail, &placeholder);
    Rewritten { splices: found.replaced(&outgoing::without_configuration(&messages)), link: None }
}

/// Asks for a link within the time limit. An answer that comes too late can be had later.
fn ask(engine: &Arc<Engine>, request: Request, wanted: bool, started: Instant) -> (Gift, Option<Receiver<Gift>>) {
    if !wanted {
        return (Given::Plain("no place where a link could be").into(), None);
    }
    let left = move |limit: Duration| limit.saturating_sub(started.elapsed());
    let limit = engine.config.limits.decide;
    let asked = Arc::clone(engine);
    let answer = start(move || {
        failpoint::at("linked");
        // A fifth of the time is kept back, so that a locked database is logged as such.
        outgoing::give(&asked, &request, left(limit) / 5 * 4)
    });
    match answer.recv_timeout(left(limit)) {
        Ok(gift) => (gift, None),
        Err(mpsc::RecvTimeoutError::Timeout) => {
            (Given::Failed("the time limit has passed".into()).into(), Some(answer))
        }
        Err(mpsc::RecvTimeoutError::Disconnected) => (Given::Failed("internal error".into()).into(), None),
    }
}

/// Works on a thread, which nobody waits for longer than they like. Without a thread there is no answer.
fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    let _ = std::thread::Builder::new().spawn(move || sender.send(work()));
    receiver
}

/// What the log says of it. No address: it holds a secret.
fn given(given: &Given, number: Option<&str>) -> String {
    let ticket = number.map(|number| format!("ticket {number}, ")).unwrap_or_default();
    match given {
        Given::Link { token, .. } => format!("{ticket}link with token {}", token.token),
        Given::Plain(why) => format!("{ticket}plain address: {why}"),
        Given::Failed(why) => format!("{ticket}no link: {why}"),
    }
}
