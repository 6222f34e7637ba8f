//! The command line: arguments, printing, and the commands for people.

mod args;
mod check;
mod customer;
mod db_arg;
mod import;
mod init;
mod link;
mod outbox;
mod people;
mod print;
mod purge;
mod redeem;
mod store;
mod ticket;
mod token;
mod whom;

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::exit::Exit;
use crate::pipe::{self, Next};
use crate::policy::Envelope;
use crate::process;

/// Runs otab with the process's arguments.
#[must_use]
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    // Neither is worth a mail: what cannot be waited for is said to be unknown, and limits are the system's to give.
    let _ = process::wait_for_children();
    let _ = process::leave_no_core();
    match args::Otab::try_parse_from(&arguments) {
        Ok(otab) => dispatch(otab),
        Err(error) => misused(&arguments, &error).into(),
    }
}

/// The whole command line as clap knows it, so that a test can hold the manual page against it.
#[must_use]
pub fn command_line() -> clap::Command {
    let mut line = args::Otab::command();
    line.build();
    line
}

fn dispatch(otab: args::Otab) -> ExitCode {
    let config = otab.config.as_deref();
    match otab.command {
        None if std::io::stdin().is_terminal() => help().into(),
        None => in_mail_path(config, args::Passage::default(), Next::Output),
        Some(args::Command::Filter(args)) => {
            let next = if args.explain { Next::Explained } else { Next::Output };
            in_mail_path(config, args.passage, next)
        }
        Some(args::Command::Deliver(args::Deliver { passage, command, pass_status })) => {
            in_mail_path(config, passage, Next::Command { command: &command, pass_status })
        }
        Some(args::Command::Outgoing(args)) => pipe::outgoing(config, &args.command),
        Some(command) => people::run(config, command).into(),
    }
}

fn in_mail_path(config: Option<&Path>, passage: args::Passage, next: Next<'_>) -> ExitCode {
    let args::Passage { sender, recipient, backend } = passage;
    pipe::filter(config, &Envelope { sender, recipient }, backend.as_deref(), next)
}

fn help() -> Exit {
    match args::Otab::command().print_help() {
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
    let for_people = words.first().is_some_and(|word| args::FOR_PEOPLE.contains(&word.as_ref()))
        || words.get(2).is_some_and(|word| words[0] == "--config" && args::FOR_PEOPLE.contains(&word.as_ref()))
        || words
            .get(1)
            .is_some_and(|word| words[0].starts_with("--config=") && args::FOR_PEOPLE.contains(&word.as_ref()));
    if !error.use_stderr() {
        // `otab filter --help` or `otab -V` in a mail server's settings would lose each mail with a status of 0.
        if !for_people && may_be_a_mail() {
            pipe::complain("wrong arguments", "--help and --version pass no mail on");
            return Exit::Usage.in_mail_path();
        }
        return if error.print().is_ok() { Exit::Ok } else { Exit::IoErr.in_mail_path() };
    }
    if for_people {
        let _ = error.print();
        return Exit::Usage;
    }
    pipe::complain("wrong arguments", &error.to_string());
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
