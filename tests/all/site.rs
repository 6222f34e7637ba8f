//! A site of its own for each test: a folder with a configuration and, once used, a database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with a configuration; it goes with the test.
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// A site on the embedded default, with more configuration behind it. The log is off, unless
    /// `more` says otherwise.
    pub fn new(more: &str) -> Self {
        let site = Self { folder: tempfile::tempdir().unwrap() };
        let log = if more.contains("[log]") { "" } else { "[log]\nsyslog = false\n" };
        site.write("otab.toml", &format!("[store]\ncreate = true\n{log}{more}"));
        site
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    pub fn append(&self, text: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path("otab.toml")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// otab, with none of the caller's environment that could change it.
    pub fn otab() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otab"));
        command.env_remove("OTAB_CONFIG").env_remove("OTAB_FAIL_AT");
        command
    }

    pub fn filter(&self) -> Command {
        let mut command = Self::otab();
        command.arg("--config").arg(self.path("otab.toml")).arg("filter");
        command
    }

    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path("otab.db")).unwrap()
    }

    /// A copy of the database, with what its log holds.
    pub fn backup(&self, into: &Path) {
        self.database().execute_batch(&format!("VACUUM INTO '{}'", into.display())).unwrap();
        rusqlite::Connection::open(into).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    }

    pub fn count(&self, table: &str) -> i64 {
        self.database().query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }
}

/// A mail of carol's with a Message-ID of its own.
pub fn mail(number: usize) -> Vec<u8> {
    format!("From: Carol Corp <carol@corp.test>\nTo: help@desk.test\nSubject: help {number}\nMessage-ID: <{number}@corp.test>\n\nHello\n")
        .into_bytes()
}

/// Feeds a mail and waits.
pub fn run(command: &mut Command, mail: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mail = mail.to_vec();
    // Beside the reading, since a large mail fills both pipes. A filter that gives up early closes its end.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&mail);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The same command by a parent that changes what its children inherit, and becomes the command.
fn inheriting(python: &str, command: &Command) -> Command {
    let mut parent = Command::new("/usr/bin/python3");
    parent.arg("-c").arg(format!("import os, resource, signal, sys\n{python}\nos.execv(sys.argv[1], sys.argv[1:])"));
    parent.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => parent.env(name, value),
            None => parent.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        parent.current_dir(folder);
    }
    parent
}

/// By a parent that ignores SIGCHLD, as some supervisors do.
pub fn ignoring_sigchld(command: &Command) -> Command {
    inheriting("signal.signal(signal.SIGCHLD, signal.SIG_IGN)", command)
}

/// By a parent that lets it leave core files.
pub fn with_cores(command: &Command) -> Command {
    let python = "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\nassert hard != 0\n\
                  resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))";
    inheriting(python, command)
}

/// As the version before link mails has left it.
pub fn first_schema(path: &Path) {
    let mut store = rusqlite::Connection::open(path).unwrap();
    let id: i32 = store.query_row("PRAGMA application_id", [], |row| row.get(0)).unwrap();
    drop(store);
    std::fs::remove_file(path).unwrap();
    store = rusqlite::Connection::open(path).unwrap();
    store.pragma_update(None, "application_id", id).unwrap();
    store.pragma_update(None, "journal_mode", "wal").unwrap();
    let sql = include_str!("../../src/store/schema/1.sql");
    store.execute_batch(sql).unwrap();
    // As refinery wrote it, which made the stores of that time.
    store
        .execute_batch(
            "CREATE TABLE refinery_schema_history(
                 version int4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255));
             INSERT INTO refinery_schema_history VALUES (1, 'start', '2026-08-01T10:11:12.123456789Z', '1')",
        )
        .unwrap();
}
