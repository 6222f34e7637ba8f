//! Tells the helpdesk of customers that otab has made, by the site's own command (`create.after_create`): OTOBO
//! remembers for a day that somebody is not there.
//!
//! Never runs in the mail path, which only notes them. One run serves all who wait.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, Write};

use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::customer::Error;
use crate::db::{self, Databases};
use crate::engine::{self, Engine, newcomer};
use crate::link::caps;
use crate::log::Log;
use crate::process::{self, Ended};
use crate::store::newcomers::{self, Newcomer};
use crate::store::queue;

/// How long whoever has noted a newcomer may take to make him.
const TO_MAKE: SignedDuration = SignedDuration::from_hours(1);
/// How long after the command's time limit somebody who says nothing is taken for dead.
const MARGIN: SignedDuration = SignedDuration::from_secs(120);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// There is nobody to tell of now.
    Nobody,
    /// Somebody else is at work, and looks again when he is done.
    ByOther,
    /// The command has succeeded, and this process is the one who works at the outbox.
    All,
    /// It has failed, and is tried again later; the same holds.
    Failed,
}

/// Whether the helpdesk knows this customer by now. One who has come since the others were told of is told of here:
/// `holder` is the one who works at the outbox.
pub fn is_known(
    engine: &Engine,
    log: &Log,
    dbs: &mut Databases,
    holder: &str,
    [backend, login]: [&str; 2],
) -> Result<bool, db::Error> {
    if !newcomer::waits(engine, dbs, backend, login)? {
        return Ok(true);
    }
    tell(engine, log, holder)?;
    Ok(!newcomer::waits(engine, dbs, backend, login)?)
}

/// Whether the command has something to do now.
pub fn are_ready(engine: &Engine) -> Result<bool, db::Error> {
    Ok(newcomer::are_announced(engine) && !ready(engine, &mut engine::changing(), clock::now())?.is_empty())
}

/// Tells of all who are ready, and lets others work: whoever came meanwhile, and found this process at work, is told
/// of as well.
pub fn tell_all(engine: &Engine, log: &Log, holder: &str) -> Result<Told, db::Error> {
    let mut came = Told::Nobody;
    loop {
        let told = tell(engine, log, holder);
        if !matches!(told, Ok(Told::Nobody | Told::ByOther)) {
            engine::changing().get(&engine.store)?.write(|tx| queue::release(tx, holder))?;
        }
        match told? {
            Told::Nobody => return Ok(came),
            other @ (Told::ByOther | Told::Failed) => return Ok(other),
            Told::All => came = Told::All,
        }
    }
}

/// Tells of all who are ready. From then on `holder` is the one who works at the outbox, so that the command is not
/// run twice at the same time.
pub fn tell(engine: &Engine, log: &Log, holder: &str) -> Result<Told, db::Error> {
    if !newcomer::are_announced(engine) {
        return Ok(Told::Nobody);
    }
    let create = &engine.config.create;
    let (mut dbs, now) = (engine::changing(), clock::now());
    if ready(engine, &mut dbs, now)?.is_empty() {
        return Ok(Told::Nobody);
    }
    let until = now + create.after_create_timeout + process::GRACE + MARGIN;
    if !dbs.get(&engine.store)?.write(|tx| queue::hold(tx, holder, now, until))? {
        return Ok(Told::ByOther);
    }
    let newcomers = ready(engine, &mut dbs, now)?;
    drop(dbs);
    if newcomers.is_empty() {
        // Somebody else has told of them until now.
        return Ok(Told::All);
    }
    crate::failpoint::at("telling");
    let failure = run(engine, &newcomers).err();
    crate::failpoint::at("told");
    let mut dbs = engine::changing();
    let store = dbs.get(&engine.store)?;
    let Some(why) = failure else {
        store.write(|tx| newcomers::told(tx, &newcomers))?;
        log.info(&format!("create.after_create has succeeded; new customers: {}", newcomers.len()));
        return Ok(Told::All);
    };
    let failures = newcomers::failures(store)? + 1;
    let due = clock::now() + caps::pause(failures);
    store.write(|tx| newcomers::postpone(tx, failures, due))?;
    log.error(&format!("create.after_create has failed, and is tried again at {due}: {why}"));
    Ok(Told::Failed)
}

/// When telling is tried again, where it has failed.
pub fn next_try(engine: &Engine, dbs: &mut Databases, now: Timestamp) -> Result<Option<Timestamp>, db::Error> {
    newcomers::pause(dbs.get(&engine.store)?, now)
}

/// Whom to tell of now: those who are there. One who is not may be made in this moment, and what OTOBO remembers of
/// him after the command would last; after an hour he will not come any more, and the command runs once for him.
fn ready(engine: &Engine, dbs: &mut Databases, now: Timestamp) -> Result<Vec<Newcomer>, db::Error> {
    let store = dbs.get(&engine.store)?;
    if newcomers::pause(store, now)?.is_some() {
        return Ok(Vec::new());
    }
    let mut newcomers = newcomers::noted(store)?;
    newcomers.retain(|one| match engine.directory.by_login(dbs, &one.backend, &one.login) {
        Ok(Some(_)) | Err(Error::UnknownSource(_)) => true,
        Ok(None) => one.created_at < now - TO_MAKE || one.created_at > now + TO_MAKE,
        // His source is away.
        Err(_) => false,
    });
    Ok(newcomers)
}

/// Runs the command, with the logins on its standard input; or why it has not succeeded.
fn run(engine: &Engine, newcomers: &[Newcomer]) -> Result<(), String> {
    let create = &engine.config.create;
    let command: Vec<OsString> = create.after_create.iter().map(OsString::from).collect();
    let input = logins(newcomers).map_err(|error| format!("its input cannot be kept: {error}"))?;
    let finished = process::run_apart(&command, &engine.config.variables, input, create.after_create_timeout)
        .map_err(|error| format!("it cannot be started: {error}"))?;
    match finished.ended {
        Ended::Status(0) => Ok(()),
        ended if finished.said.is_empty() => Err(ended.to_string()),
        ended => Err(format!("{ended}: {}", finished.said.lines().next().unwrap_or_default())),
    }
}

/// The logins, one a line. otab makes none with a line break in it; a store that somebody else has written to may
/// hold one.
fn logins(newcomers: &[Newcomer]) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    let plain = newcomers.iter().filter(|one| !one.login.chars().any(char::is_control));
    let lines: String = plain.flat_map(|one| [one.login.as_str(), "\n"]).collect();
    file.write_all(lines.as_bytes())?;
    file.rewind()?;
    Ok(file)
}
