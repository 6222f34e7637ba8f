//! Commands for people: finds the configuration, runs one, and says how it ended.
//!
//! Unlike the mail path these end with sysexits' statuses, and tell the whole story on standard error.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use super::args::Command;
use super::whom;
use super::{check, customer, init, link, outbox, purge, redeem, store, ticket, token};
use crate::config::{self, Config};
use crate::engine::redeem::Wish;
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::log::say;
#[cfg(feature = "door")]
use crate::serve;
use crate::worker;

/// Runs one.
pub fn run(config: Option<&Path>, command: Command) -> Exit {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("internal error at {place}; please report it"));
    }));
    // Nothing outlives the closure: what a panic left half done in memory is seen by nobody.
    let done = panic::catch_unwind(AssertUnwindSafe(|| {
        crate::failpoint::at("people");
        dispatch(config, command)
    }));
    match done {
        Ok(Ok(exit)) => exit,
        Ok(Err(failure)) => {
            say(&format!("{:#}", failure.error));
            failure.exit
        }
        // The hook has spoken already.
        Err(_) => Exit::Software,
    }
}

fn dispatch(config: Option<&Path>, command: Command) -> Done {
    match command {
        Command::Filter(_) | Command::Deliver(_) | Command::Outgoing(_) => {
            Err(Failure::new(Exit::Software, "a command of the mail path is none for people"))
        }
        Command::Purge(args) => purge::run(&load(config, None)?, &args),
        Command::Redeem(args) => redeem::run(&load(config, None)?, &args, Wish::Open),
        Command::Refresh(args) => redeem::run(&load(config, None)?, &args, Wish::Renew),
        Command::Link(args) => link::run(&load(config, None)?, &args),
        Command::Notify(args) => worker::notify::run(&load(config, None)?, args.watch),
        #[cfg(feature = "door")]
        Command::Serve(args) => serve::run(&path(config), &args.part, |path| load(Some(path), None)),
        Command::Outbox(group) => outbox::run(&load(config, None)?, group.command),
        Command::Ticket(group) => ticket::run(&load(config, None)?, group.command),
        Command::Customer(group) => customer::run(&load(config, group.command.backend())?, group.command),
        Command::Token(group) => token::run(&load(config, None)?, group.command),
        Command::Store(group) => store::run(&load(config, None)?, group.command),
        Command::Check(args) => {
            // First of all: nothing may be opened as root.
            if let Some(user) = &args.user {
                whom::become_user(user)?;
            }
            check::run(&path(config), &args)
        }
        Command::Init(args) => init::run(&path(config), &args),
    }
}

/// The site of the configuration that is named, or in its place.
fn load(config: Option<&Path>, backend: Option<&str>) -> Result<Engine, Failure> {
    let config = Config::load(&path(config))?;
    let name = backend.unwrap_or(&config.postmaster.customer_user_backend);
    if backend.is_some() && !config.customer_user.iter().any(|source| source.name == name) {
        return Err(Failure::new(Exit::Usage, format!("--backend: no [[customer_user]] is called `{name}`")));
    }
    let log = engine::open_log(&config);
    Engine::new(config, backend, log).ends(Exit::Config, "the configuration cannot be used")
}

/// Where the configuration is.
fn path(config: Option<&Path>) -> PathBuf {
    config::locate(config, std::env::var_os("OTAB_CONFIG"))
}
