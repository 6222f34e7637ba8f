//! The commands, one file each, and the only place where rooms are wired together.

mod address;
mod check;
mod cli;
mod company;
mod customer;
mod deliver;
mod door_fit;
mod due;
mod envelope;
mod explain;
mod failure;
mod filter;
mod follow_up;
mod import;
mod init;
mod intake;
mod letter;
mod link;
mod mail_path;
mod mint;
mod newcomers;
mod notify;
mod outbox;
mod outgoing;
mod output;
mod people;
mod place;
mod print;
mod purge;
mod record;
mod redeem;
#[cfg(feature = "door")]
mod serve;
mod site;
mod splice;
mod standing;
mod store;
mod ticket;
mod ticket_link;
mod token;
mod token_facts;
mod transport;
mod use_token;
mod wake;
mod watch;
mod whom;

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::config;
use crate::exit::Exit;
use crate::process;
use filter::Next;
use watch::Watch;

/// The limit for the decision until the configuration has been read (`limits.decide`'s default).
const DECIDE: Duration = Duration::from_secs(8);

/// Runs otab with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Neither is worth a mail: what cannot be waited for is said to be unknown, and limits are the system's to give.
    let _ = process::wait_for_children();
    let _ = process::leave_no_core();
    match cli::Otab::try_parse_from(&arguments) {
        Ok(otab) => dispatch(otab),
        Err(error) => misused(&arguments, &error).into(),
    }
}

/// The whole command line as clap knows it, so that a test can hold the manual page against it.
#[must_use]
pub fn command_line() -> clap::Command {
    let mut line = cli::Otab::command();
    line.build();
    line
}

fn dispatch(otab: cli::Otab) -> ExitCode {
    let config = otab.config.as_deref();
    match otab.command {
        None if std::io::stdin().is_terminal() => help().into(),
        None => in_mail_path(config, &cli::Passage::default(), Next::Output),
        Some(cli::Command::Filter(args)) => {
            let next = if args.explain { Next::Explained } else { Next::Output };
            in_mail_path(config, &args.passage, next)
        }
        Some(cli::Command::Deliver(args)) => in_mail_path(config, &args.passage, Next::Command(&args)),
        Some(cli::Command::Outgoing(args)) => outgoing::run(config, &args.command),
        Some(command) => people::run(config, command).into(),
    }
}

fn in_mail_path(config: Option<&Path>, args: &cli::Passage, next: Next<'_>) -> ExitCode {
    mail_path::quiet_panics();
    mail_path::run(std::panic::AssertUnwindSafe(|| {
        let watch = Watch::start(DECIDE);
        let path = config::locate(config, std::env::var_os("OTAB_CONFIG"));
        filter::run(&path, args, next, &watch)
    }))
}

fn help() -> Exit {
    match cli::Otab::command().print_help() {
        Ok(()) => Exit::Ok,
        Err(_) => Exit::IoErr,
    }
}

/// Arguments that clap refuses, and the help and version texts, which it returns as errors, too.
///
/// Which command was meant can't always be told. Whatever is not surely a command for people counts
/// as the mail path: a bounce over a mistyped option would be a lost mail.
fn misused(arguments: &[OsString], error: &clap::Error) -> Exit {
    let words: Vec<_> = arguments.iter().skip(1).map(|a| a.to_string_lossy()).collect();
    let for_people = words.first().is_some_and(|word| cli::FOR_PEOPLE.contains(&word.as_ref()))
        || words.get(2).is_some_and(|word| words[0] == "--config" && cli::FOR_PEOPLE.contains(&word.as_ref()))
        || words
            .get(1)
            .is_some_and(|word| words[0].starts_with("--config=") && cli::FOR_PEOPLE.contains(&word.as_ref()));
    if !error.use_stderr() {
        // `otab filter --help` or `otab -V` in a mail server's settings would lose each mail with a status of 0.
        if !for_people && may_be_a_mail() {
            mail_path::complain("wrong arguments", "--help and --version pass no mail on");
            return Exit::Usage.in_mail_path();
        }
        return if error.print().is_ok() { Exit::Ok } else { Exit::IoErr.in_mail_path() };
    }
    if for_people {
        let _ = error.print();
        return Exit::Usage;
    }
    mail_path::complain("wrong arguments", &error.to_string());
    Exit::Usage.in_mail_path()
}

/// Whether a mail may come on standard input: it is no terminal, and has not ended already. What says nothing within a
/// moment may still bring one.
fn may_be_a_mail() -> bool {
    let mut stdin = std::io::stdin().lock();
    if stdin.is_terminal() {
        return false;
    }
    let moment = Timespec { tv_sec: 1, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&moment)) {
        Ok(0) => true,
        // Closed, or it cannot be read: nothing comes.
        _ => matches!(stdin.read(&mut [0]), Ok(1..)),
    }
}

/// A place where tests of debug builds make a run fail: `OTAB_FAIL_AT=place` panics there, and
/// `OTAB_STALL_AT=place` goes no further.
pub(crate) fn failpoint(place: &str) {
    #[cfg(debug_assertions)]
    {
        while std::env::var_os("OTAB_STALL_AT").is_some_and(|at| at == place) {
            std::thread::park();
        }
        assert!(!is_failpoint(place), "told to fail at {place}");
    }
    let _ = place;
}

/// Whether a test of a debug build asks for a fault here (`OTAB_FAIL_AT=place`).
pub(crate) fn is_failpoint(place: &str) -> bool {
    cfg!(debug_assertions) && std::env::var_os("OTAB_FAIL_AT").is_some_and(|at| at == place)
}
