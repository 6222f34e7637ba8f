//! `otab serve`: a process that stays, and hosts the parts that are configured or named.
//!
//! What runs, and where it listens, is decided at the start: other places may need rights that were given up, and
//! two sets of sockets cannot be exchanged as one. All else follows the configuration: at SIGHUP, and where the
//! store was copied elsewhere, it is read anew by all parts or by none. Each part first reads and opens what the
//! new one names, without effect; only if all of them could, each puts it in force, which cannot fail.

mod backend;
mod bell;
mod crew;
mod manager;
mod part;
mod portal;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::db::{Databases, Url};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
pub use part::Part;
use part::{Begin, Event, Ground, Running};
pub use portal::{logo, pages};

/// How long is waited before a configuration is read once more because the store has moved.
const AFTER_MOVE: Duration = Duration::from_secs(5);

/// Reads a configuration and wires it.
type Load = fn(&Path) -> Result<Engine, Failure>;

/// The host of the parts.
struct Host {
    path: PathBuf,
    load: Load,
    /// What was named on the command line.
    named: Vec<Part>,
    ground: Ground,
    running: Vec<Box<dyn Running>>,
    /// When a move of the store has last had the configuration read.
    followed_at: Option<Instant>,
    /// Why that came to nothing, so that it is logged once.
    logged: String,
}

/// What the host hears.
enum Heard {
    End,
    Reload,
    Event(Event),
}

/// Why the configuration is read.
enum Cause {
    Signal,
    Move,
}

/// Runs the parts until a signal ends them.
pub fn run(path: &Path, named: &[Part], load: Load) -> Done {
    let engine = Arc::new(load(path)?);
    let parts = Part::chosen(named, &engine.config)?;
    let (events, heard) = unbounded_channel();
    let log = Arc::clone(&engine.log);
    let ground = Ground { engine, log, parts, orders: Arc::default(), events };
    // Before any thread: a socket that systemd hands over changes the environment.
    let begins = ground.parts.iter().map(|part| prepare(*part, &ground)).collect::<Result<Vec<_>, _>>()?;
    let runtime = Builder::new_current_thread().enable_io().build();
    let runtime = runtime.ends(Exit::Unavailable, "the runtime cannot be started")?;
    let signals = runtime.block_on(async { Signals::new() }).ends(Exit::Unavailable, "signals")?;
    let running = begins.into_iter().map(|begin| begin()).collect::<Result<Vec<_>, _>>()?;
    let (path, named) = (path.to_owned(), named.to_vec());
    let mut host = Host { path, load, named, ground, running, followed_at: None, logged: String::new() };
    let parts: Vec<_> = host.ground.parts.iter().map(|part| part.name()).collect();
    host.ground.log.info(&format!("serve: running: {}", parts.join(", ")));
    manager::ready(&host.ground.log);
    let ended = host.go_on(&runtime, signals, heard);
    host.end();
    ended.map(|()| Exit::Ok)
}

/// Makes a part ready to start: all that can be refused is, and no thread runs yet.
fn prepare(part: Part, ground: &Ground) -> Result<Begin, Failure> {
    match part {
        Part::Portal => portal::prepare(ground),
        Part::Worker => worker::prepare(ground),
    }
}

/// The store, opened once to see that it opens. A file stays open: the filters beside it then never are the last to
/// close it, and need not begin its log anew, read it through, or fold it in.
fn held_store(engine: &Engine) -> Result<Databases, Failure> {
    let mut dbs = engine.databases(backend::BUSY_TIMEOUT);
    dbs.get(&engine.store)?;
    if matches!(engine.store, Url::Sqlite(_)) {
        return Ok(dbs);
    }
    dbs.close()?;
    Ok(engine.databases(backend::BUSY_TIMEOUT))
}

/// The signals that it listens to.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self, events: &mut UnboundedReceiver<Event>) -> Heard {
        tokio::select! {
            _ = self.terminate.recv() => Heard::End,
            _ = self.interrupt.recv() => Heard::End,
            _ = self.hangup.recv() => Heard::Reload,
            Some(event) = events.recv() => Heard::Event(event),
        }
    }
}

impl Host {
    /// Goes on until it is told to end, or a part fails. Only the waiting is the runtime's: drivers of databases have
    /// runtimes of their own, which cannot be started inside of one.
    fn go_on(
        &mut self,
        runtime: &Runtime,
        mut signals: Signals,
        mut heard: UnboundedReceiver<Event>,
    ) -> Result<(), Failure> {
        loop {
            match runtime.block_on(signals.next(&mut heard)) {
                Heard::End => return Ok(()),
                Heard::Reload => self.reload(&Cause::Signal),
                Heard::Event(Event::Moved(store)) if store == self.ground.engine.store => self.follow(),
                // Somebody has found out late.
                Heard::Event(Event::Moved(_)) => {}
                Heard::Event(Event::Ended(part, error)) => {
                    let why = error.map_or_else(|| "it ended unexpectedly".to_owned(), |error| error.to_string());
                    let what = format!("the {}: {why}", part.name());
                    self.ground.log.error(&format!("serve: {what}"));
                    return Err(Failure::new(Exit::Software, what));
                }
            }
        }
    }

    /// The store has moved: the configuration may say where to by now.
    fn follow(&mut self) {
        if self.followed_at.is_none_or(|at| at.elapsed() >= AFTER_MOVE) {
            self.followed_at = Some(Instant::now());
            self.reload(&Cause::Move);
        }
    }

    fn reload(&mut self, cause: &Cause) {
        let log = Arc::clone(&self.ground.log);
        if matches!(cause, Cause::Signal) {
            manager::reloading(&log);
            self.logged.clear();
        }
        let read = self.read_anew();
        let is_in_force = read.is_ok();
        match read {
            Ok(()) => {
                self.logged.clear();
                self.ground.log.info("serve: the configuration was read anew, and is in force");
            }
            Err(problems) => {
                let mut problems: Vec<String> = problems.iter().map(|failure| format!("{:#}", failure.error)).collect();
                // Two parts may say the same of the store.
                problems.sort();
                problems.dedup();
                let all = problems.join("\n");
                if all != self.logged {
                    all.lines().for_each(|line| log.error(&format!("serve: {line}")));
                    log.error("serve: the configuration was read anew and is refused; the one before is in force");
                    self.logged = all;
                }
            }
        }
        self.running.iter().for_each(|part| part.reloaded(is_in_force));
        if matches!(cause, Cause::Signal) {
            manager::reloaded(&self.ground.log, is_in_force);
        }
    }

    /// Reads the configuration, and all that it names, for all parts; then, if nothing is wrong, puts it in force.
    fn read_anew(&mut self) -> Result<(), Vec<Failure>> {
        let engine = Arc::new((self.load)(&self.path).map_err(|failure| vec![failure])?);
        let log = Arc::clone(&engine.log);
        let mut wrong = self.other_parts(&engine.config);
        let ground = Ground { engine, log, ..self.ground.clone() };
        let mut commits = Vec::new();
        for part in &mut self.running {
            match part.prepare(&ground) {
                Ok(commit) => commits.push(commit),
                Err(more) => wrong.extend(more),
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        for commit in commits {
            commit();
        }
        self.ground = ground;
        Ok(())
    }

    /// The parts that would begin or end with this configuration.
    fn other_parts(&self, config: &crate::config::Config) -> Vec<Failure> {
        let wrong = |part: &Part| match (self.ground.parts.contains(part), part.missing(config)) {
            (true, missing) => missing,
            (false, None) if self.named.is_empty() => {
                Some(format!("the {} is configured now, and does not run; restart otab serve", part.name()))
            }
            (false, _) => None,
        };
        let wrong = Part::value_variants().iter().filter_map(wrong);
        wrong.map(|what| Failure::new(Exit::Config, what)).collect()
    }

    /// Lets what is under way finish within `limits.stop_seconds`.
    fn end(self) {
        let log = self.ground.log;
        manager::stopping(&log);
        let limit = self.ground.engine.config.limits.stop;
        let until = Instant::now() + limit;
        self.running.iter().for_each(|part| part.stop());
        for left in self.running.into_iter().flat_map(|part| part.rest(until)) {
            log.warning(&format!("serve: cut off after {} seconds: {left}", limit.as_secs()));
        }
        log.info("serve: ended");
    }
}
