//! Commands for people: finds the configuration, runs one, and says how it ended.
//!
//! Unlike the mail path these end with sysexits' statuses, and tell the whole story on standard error.

use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cli::Command;
use super::explain::say;
use super::failure::{Done, Ends, Failure};
#[cfg(feature = "door")]
use super::serve;
use super::site::Site;
use super::use_token::Wish;
use super::whom;
use super::{check, customer, init, link, notify, outbox, purge, redeem, store, ticket, token};
use crate::config::{self, Config};
use crate::db::{Access, Databases};
use crate::exit::Exit;

/// How long one statement waits for other writers: a person or cron is more patient than a mail.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs one.
pub fn run(config: Option<&Path>, command: Command) -> Exit {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        say(&format!("internal error at {place}; please report it"));
    }));
    // Nothing outlives the closure: what a panic left half done in memory is seen by nobody.
    let done = panic::catch_unwind(AssertUnwindSafe(|| {
        super::failpoint("people");
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
        Command::Purge(args) => purge::run(&site(config, None)?, &args),
        Command::Redeem(args) => redeem::run(&site(config, None)?, &args, Wish::Open),
        Command::Refresh(args) => redeem::run(&site(config, None)?, &args, Wish::Renew),
        Command::Link(args) => link::run(&site(config, None)?, &args),
        Command::Notify(args) => notify::run(&site(config, None)?, &args),
        #[cfg(feature = "door")]
        Command::Serve(args) => serve::run(&path(config), &args.part),
        Command::Outbox(group) => outbox::run(&site(config, None)?, group.command),
        Command::Ticket(group) => ticket::run(&site(config, None)?, group.command),
        Command::Customer(group) => customer::run(&site(config, group.command.backend())?, group.command),
        Command::Token(group) => token::run(&site(config, None)?, group.command),
        Command::Store(group) => store::run(&site(config, None)?, group.command),
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
pub fn site(config: Option<&Path>, backend: Option<&str>) -> Result<Site, Failure> {
    let config = Config::load(&path(config))?;
    let name = backend.unwrap_or(&config.postmaster.customer_user_backend);
    if backend.is_some() && !config.customer_user.iter().any(|source| source.name == name) {
        return Err(Failure::new(Exit::Usage, format!("--backend: no [[customer_user]] is called `{name}`")));
    }
    Site::new(config, backend).ends(Exit::Config, "the configuration cannot be used")
}

/// Where the configuration is.
fn path(config: Option<&Path>) -> PathBuf {
    config::locate(config, std::env::var_os("OTAB_CONFIG"))
}

/// Databases for looking only.
pub fn reading() -> Databases {
    Databases::new(Access::ReadOnly, PATIENCE)
}

/// Databases for changing what is there. Never makes a missing one: an empty database would turn a
/// mistyped path into "there is no such thing".
pub fn changing() -> Databases {
    Databases::new(Access::ReadWrite { create: false }, PATIENCE)
}

/// Databases for adding something; a missing one is made where `store.create` allows it.
pub fn adding(site: &Site) -> Databases {
    site.databases(PATIENCE)
}
