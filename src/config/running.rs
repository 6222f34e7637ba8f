//! `[limits]` and `[log]`: how long otab takes at most, and where it logs what it did.
//!
//! This file only reads and checks settings; it neither waits nor logs.

use std::path::Path;
use std::time::Duration;

use super::names;
use super::problem::complaint;
use super::reader::Table;
use crate::log::Settings;

/// `[limits]`. Whole seconds in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// From the start to the first byte out.
    pub decide: Duration,
    /// Between two pieces of a mail's body.
    pub idle: Duration,
    /// For the command of `otab deliver`. Longer than `decide`.
    pub command: Duration,
    /// For what `otab serve` has under way when it is stopped.
    pub stop: Duration,
}

pub(super) fn limits(table: &Table<'_, '_>) -> Limits {
    let seconds = |key| Duration::from_secs(table.integer(key));
    let limits = Limits {
        decide: seconds("decide"),
        idle: seconds("idle"),
        command: seconds("command"),
        stop: seconds("stop_seconds"),
    };
    if limits.command <= limits.decide {
        let remedy = "write more seconds than in decide; Postfix itself waits 1000";
        table.problem("command", complaint("is no longer than decide", remedy));
    }
    limits
}

/// The facilities that a mail filter may use (RFC 3164, section 4.1.1); `kern` is the kernel's.
fn facility(name: &str) -> u8 {
    match (name, name.strip_prefix("local").and_then(|number| number.parse::<u8>().ok())) {
        (_, Some(number)) => 16 + number,
        ("user", _) => 1,
        ("daemon", _) => 3,
        ("auth", _) => 4,
        _ => 2,
    }
}

/// A folder that is not there is none of its problems, though nothing can be logged there: a log's folder may vanish at any
/// time (a tmpfs, a clean-up), and a mail matters more than a line about it. `otab check` says BAD.
pub(super) fn log(table: &Table<'_, '_>, folder: &Path) -> Settings {
    let socket = |key| folder.join(table.string(key, names::not_empty));
    let file = table.string_or_off("file", names::file);
    Settings {
        stderr: table.boolean("stderr"),
        syslog: table.boolean("syslog"),
        syslog_socket: socket("syslog_socket"),
        facility: table.choice("facility", facility),
        journald: table.boolean("journald"),
        journald_socket: socket("journald_socket"),
        file: file.map(|file| folder.join(file)),
    }
}
