//! `[limits]` and `[log]`: how long otab takes at most, and where it tells what it did.
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
}

pub(super) fn limits(table: &Table<'_, '_>) -> Limits {
    let seconds = |key, default, most| Duration::from_secs(table.integer(key, default, &(1..=most)));
    let limits = Limits {
        decide: seconds("decide", 8, 60),
        idle: seconds("idle", 300, 3600),
        command: seconds("command", 900, 86_400),
    };
    if limits.command <= limits.decide {
        let remedy = "write more seconds than in decide; Postfix itself waits 1000";
        table.problem("command", complaint("is no longer than decide", remedy));
    }
    limits
}

/// The facilities that a mail filter may use (RFC 3164, section 4.1.1); `kern` is the kernel's.
const FACILITIES: [(&str, u8); 12] = [
    ("mail", 2),
    ("user", 1),
    ("daemon", 3),
    ("auth", 4),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

/// A folder that is not there is none of its problems, though nothing can be logged there: a log's folder may vanish at any
/// time (a tmpfs, a clean-up), and a mail matters more than a line about it. `otab check` says BAD.
pub(super) fn log(table: &Table<'_, '_>, folder: &Path) -> Settings {
    let socket = |key, default| folder.join(table.string(key, default, names::not_empty));
    let file = table.string_or_off("file", names::file);
    Settings {
        stderr: table.boolean("stderr", false),
        syslog: table.boolean("syslog", true),
        syslog_socket: socket("syslog_socket", "/dev/log"),
        facility: table.choice("facility", &FACILITIES),
        journald: table.boolean("journald", false),
        journald_socket: socket("journald_socket", "/run/systemd/journal/socket"),
        file: file.map(|file| folder.join(file)),
    }
}
