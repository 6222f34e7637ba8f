//! Link mails, from the mail that earns one to the mail server that takes it, by the real binary.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "what was measured is told")]

mod caps;
mod death;
mod hand;
mod load;
mod loops;
pub mod peer;
mod peers;
mod postfix;
mod shape;
mod standing;
mod story;
mod tls;
mod wake;

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;

use crate::site::{Site, run};

/// A customer of the desk's.
pub const CAROL: &str = "carol@corp.test";

/// A helpdesk whose link mails go into the folder `mails`, unless it is told otherwise.
pub struct Desk {
    pub site: Site,
}

impl Desk {
    /// Link mails leave as files, when `otab notify` is called.
    pub fn new() -> Self {
        Self::with("wake = false\ntransport = \"file\"\n")
    }

    /// `mail` is the rest of `[mail]`, and more tables.
    pub fn with(mail: &str) -> Self {
        let site = Site::new(&format!(
            "[log]\nsyslog = false\nfile = \"otab.log\"\n[one_time_auth]\nlink_url = \"https://help.test/t/{{{{token}}}}\"\n\
             portal_url = \"https://help.test/otobo/customer.pl\"\nsite_name = \"Hilfe für alle\"\n\
             [mail]\nfrom = \"help@desk.test\"\nfrom_name = \"Hilfe für alle\"\n{mail}"
        ));
        Self { site }
    }

    /// Link mails go to a mail server on loopback, in clear.
    pub fn smtp(port: u16, more: &str) -> Self {
        let server = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n");
        Self::with(&format!("wake = false\n{server}{more}"))
    }

    /// Changes the configuration.
    pub fn configure(&self, old: &str, new: &str) {
        let text = std::fs::read_to_string(self.site.path("otab.toml")).unwrap();
        assert!(text.contains(old), "{text}");
        self.site.write("otab.toml", &text.replace(old, new));
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Site::otab();
        command.arg("--config").arg(self.site.path("otab.toml")).args(args);
        command
    }

    pub fn otab(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs otab and wants this status; what it prints.
    pub fn ends(&self, status: i32, args: &[&str]) -> String {
        let output = self.otab(args);
        assert_eq!(output.status.code(), Some(status), "{args:?}: {output:?} {}", self.log());
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn json(&self, status: i32, args: &[&str]) -> Value {
        serde_json::from_str(&self.ends(status, &[args, &["--json"]].concat())).unwrap()
    }

    pub fn filter(&self, mail: &[u8]) -> Output {
        run(&mut self.command(&["filter"]), mail)
    }

    /// A mail from this address comes in.
    pub fn mail_from(&self, address: &str, id: &str) {
        let output = self.filter(&mail_from(address, id));
        assert!(output.status.success(), "{output:?}");
    }

    /// One mail of carol's for each Message-ID comes in.
    pub fn mails_of_carol(&self, ids: &[&str]) {
        for id in ids {
            self.mail_from(CAROL, id);
        }
    }

    /// `otab notify`; its status.
    pub fn notify(&self) -> i32 {
        self.otab(&["notify"]).status.code().unwrap()
    }

    pub fn sql(&self, sql: &str) {
        self.site.database().execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A value from the database, as text.
    pub fn ask(&self, sql: &str) -> String {
        let row = self.site.database().query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0)).unwrap();
        match row {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => format!("{other:?}"),
        }
    }

    /// Makes every order due, as if its pause were over, and the sender gone if there is one.
    pub fn later(&self) {
        self.sql("UPDATE outbox SET due_at = 0; DELETE FROM worker");
    }

    pub fn orders(&self) -> i64 {
        self.site.count("outbox")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.site.path("otab.log")).unwrap_or_default()
    }

    /// Whether some line of the log holds all of these words.
    pub fn logged(&self, words: &[&str]) {
        let log = self.log();
        assert!(log.lines().any(|line| words.iter().all(|word| line.contains(word))), "{words:?}: {log}");
    }

    /// The link mails in the folder, sorted by when they came.
    pub fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.site.path("mails")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
        files
    }

    /// The last link mail in the folder.
    pub fn last(&self) -> Read {
        let files = self.files();
        Read::new(&std::fs::read(files.last().unwrap_or_else(|| panic!("no mail: {}", self.log()))).unwrap())
    }

    /// The secrets in the outbox, the oldest first.
    pub fn secrets(&self) -> Vec<String> {
        let store = self.site.database();
        let mut statement = store.prepare("SELECT secret FROM outbox ORDER BY id").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// Carol's mail and its ticket 1: the secret of the link that waits.
    pub fn unsent_link(&self) -> String {
        self.mails_of_carol(&["1@corp.test"]);
        self.ends(0, &["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", CAROL]);
        self.secrets().remove(0)
    }

    /// The same, and the link mail is out.
    pub fn carols_link(&self) -> String {
        let secret = self.unsent_link();
        assert_eq!(self.notify(), 0);
        secret
    }
}

pub fn mail_from(address: &str, id: &str) -> Vec<u8> {
    format!("From: Sender-Chosen <{address}>\nTo: help@desk.test\nSubject: sender-chosen\nMessage-ID: <{id}>\n\nsender-chosen\n")
        .into_bytes()
}

/// A mail as Python's email package reads it, and as it is.
pub struct Read {
    pub json: Value,
    pub raw: String,
}

impl Read {
    pub fn new(mail: &[u8]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/read_mail.py");
        let output = run(Command::new("/usr/bin/python3").arg(script), mail);
        assert!(output.status.success(), "{output:?}");
        let json = serde_json::from_slice(&output.stdout).unwrap();
        Self { json, raw: String::from_utf8(mail.to_vec()).unwrap() }
    }

    /// The one field of this name.
    pub fn field(&self, name: &str) -> &str {
        let values = self.json["fields"][name].as_array().unwrap_or_else(|| panic!("no {name}: {}", self.raw));
        assert_eq!(values.len(), 1, "{name}: {}", self.raw);
        values[0].as_str().unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        !self.json["fields"][name].is_null()
    }

    /// The text of a part: 0 is plain, 1 is HTML.
    pub fn part(&self, number: usize) -> &str {
        self.json["parts"][number]["text"].as_str().unwrap()
    }

    /// The link, which stands alone on a line.
    pub fn link(&self) -> &str {
        let mut links = self.part(0).lines().filter(|line| line.starts_with("https://"));
        let link = links.next().unwrap_or_else(|| panic!("{}", self.raw));
        assert!(links.next().is_none() && link.chars().count() < 76, "{}", self.raw);
        link
    }

    /// The token in the link.
    pub fn token(&self) -> &str {
        self.link().strip_prefix("https://help.test/t/").unwrap_or_else(|| panic!("{}", self.raw))
    }
}
