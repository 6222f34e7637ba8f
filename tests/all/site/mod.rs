//! A site of its own for each test: a folder with a configuration, a store, and what otab does there. The one builder of
//! all tests; `ended` reads what came of a run, `read` reads link mails.

mod checked;
mod ended;
mod parents;
mod read;

use std::borrow::BorrowMut;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use otab::db::{Access, Database, Statements, Url};
use rusqlite::types::ValueRef;
use serde_json::Value;

pub use checked::Checked;
pub use ended::{Ended, is_one_harmless_line};
pub use parents::{ignoring_sigchld, with_cores};
pub use read::{Read, mail, mail_from};

/// The customer of most tests.
pub const CAROL: &str = "carol@corp.test";

/// A log in a file of the site's.
pub const LOGGED: &str = "[log]\nsyslog = false\nfile = \"otab.log\"\n";

/// A folder with a configuration; it goes with the test.
pub struct Site {
    folder: tempfile::TempDir,
    /// The URL of its store.
    pub store: String,
}

impl Site {
    /// A site on the embedded default, with more configuration behind it. The log is off, unless
    /// `more` says otherwise.
    pub fn new(more: &str) -> Self {
        Self::at("sqlite:otab.db", more)
    }

    /// A site whose store is there. A file is made by the first mail; on a server nothing is.
    pub fn at(store: &str, more: &str) -> Self {
        let mut site = Self::empty();
        let is_file = store.starts_with("sqlite:");
        let log = if more.contains("[log]") { "" } else { "[log]\nsyslog = false\n" };
        let url = if store == "sqlite:otab.db" { String::new() } else { format!("url = \"{store}\"\n") };
        let text = format!("[store]\n{url}create = {is_file}\n{log}{more}");
        if !url.is_empty() {
            store.clone_into(&mut site.store);
        }
        site.write("otab.toml", &text);
        site
    }

    /// A folder without a configuration.
    pub fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = format!("sqlite:{}", folder.path().join("otab.db").display());
        Self { folder, store }
    }

    /// A site whose link mails leave as files in the folder `mails`, when `otab notify` is called.
    pub fn linking() -> Self {
        Self::linking_by("wake = false\ntransport = \"file\"\n")
    }

    /// A site with link mails: `mail` is the rest of `[mail]`, and more tables.
    pub fn linking_by(mail: &str) -> Self {
        Self::new(&format!(
            "{LOGGED}[one_time_auth]\nlink_url = \"https://help.test/t/{{{{token}}}}\"\n\
             portal_url = \"https://help.test/otobo/customer.pl\"\nsite_name = \"Hilfe für alle\"\n\
             [mail]\nfrom = \"help@desk.test\"\nfrom_name = \"Hilfe für alle\"\n{mail}"
        ))
    }

    /// The same to a mail server on loopback, in clear.
    pub fn linking_to(port: u16, more: &str) -> Self {
        let server = format!("transport = \"smtp\"\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n");
        Self::linking_by(&format!("wake = false\n{server}{more}"))
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

    /// A file that can be run.
    pub fn program(&self, name: &str, text: &str) -> PathBuf {
        let path = self.write(name, text);
        chmod(&path, 0o755);
        path
    }

    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn append(&self, text: &str) {
        let mut file = std::fs::OpenOptions::new().append(true).open(self.path("otab.toml")).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    /// Changes the configuration.
    #[track_caller]
    pub fn configure(&self, old: &str, new: &str) {
        let text = self.read("otab.toml");
        assert!(text.contains(old), "{text}");
        self.write("otab.toml", &text.replace(old, new));
    }

    /// otab, with none of the caller's environment that could change it.
    pub fn otab() -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_otab"));
        command.env_remove("OTAB_CONFIG").env_remove("OTAB_FAIL_AT");
        command
    }

    /// otab by this site's configuration, in its folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Self::otab();
        command.arg("--config").arg(self.path("otab.toml")).args(args).current_dir(self.folder());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.feed(args, b"")
    }

    pub fn feed(&self, args: &[&str], input: &[u8]) -> Output {
        run(&mut self.command(args), input)
    }

    pub fn filter(&self, mail: &[u8]) -> Output {
        self.feed(&["filter"], mail)
    }

    /// A run that has its input and goes on.
    pub fn spawn(&self, args: &[&str], input: &[u8]) -> Child {
        spawn(&mut self.command(args), input)
    }

    /// Runs otab and wants this status; what it prints.
    #[track_caller]
    pub fn ends(&self, status: i32, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(status), "{args:?} on {}: {output:?} {}", self.store, self.log());
        output.out()
    }

    #[track_caller]
    pub fn json(&self, status: i32, args: &[&str]) -> Value {
        serde_json::from_str(&self.ends(status, &[args, &["--json"]].concat())).unwrap()
    }

    /// `otab check`.
    #[track_caller]
    pub fn check(&self) -> Checked {
        Checked::of(&self.run(&["check", "--json"]))
    }

    /// A mail that passes in silence.
    #[track_caller]
    pub fn takes(&self, mail: &[u8]) -> Output {
        self.filter(mail).ends(0)
    }

    /// A mail from this address comes in.
    #[track_caller]
    pub fn mail_from(&self, address: &str, id: &str) {
        self.takes(&mail_from(address, id));
    }

    /// One mail of carol's for each Message-ID comes in.
    #[track_caller]
    pub fn mails_of_carol(&self, ids: &[&str]) {
        for id in ids {
            self.mail_from(CAROL, id);
        }
    }

    /// `otab notify`; its status.
    pub fn notify(&self) -> i32 {
        self.run(&["notify"]).status.code().unwrap()
    }

    /// The file of an embedded store: in the folder, or where its user shares it.
    pub fn file(&self) -> PathBuf {
        let shared = self.path("otab/otab.db");
        if shared.exists() { shared } else { self.store.trim_start_matches("sqlite:").into() }
    }

    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.file()).unwrap()
    }

    fn is_file(&self) -> bool {
        self.store.starts_with("sqlite:")
    }

    /// Its store, whatever that is on.
    pub fn db(&self) -> Database {
        let url = Url::parse(&self.store, Path::new("/")).unwrap();
        otab::store::open(&url, Access::ReadWrite { create: false }, Duration::from_mins(1)).unwrap()
    }

    #[track_caller]
    pub fn sql(&self, sql: &str) {
        if self.is_file() {
            return self.database().execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        for sql in sql.split(';').filter(|sql| !sql.trim().is_empty()) {
            self.db().execute(sql, &[]).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
    }

    /// The first column of a query, as text.
    #[track_caller]
    pub fn column(&self, sql: &str) -> Vec<String> {
        if self.is_file() {
            let database = self.database();
            let mut found = database.prepare(sql).unwrap();
            return found.query_map([], |row| Ok(cell(row.get_ref(0)?))).unwrap().map(Result::unwrap).collect();
        }
        let rows = self.db().rows(sql, &[]).unwrap();
        rows.iter().map(|row| row.opt_text(0).unwrap().map_or("NULL".to_owned(), Into::into)).collect()
    }

    /// A value from the store, as text.
    #[track_caller]
    pub fn ask(&self, sql: &str) -> String {
        self.column(sql).into_iter().next().unwrap_or_else(|| panic!("nothing for {sql}"))
    }

    /// How many rows a table has; none before the first mail has made it.
    #[track_caller]
    pub fn count(&self, table: &str) -> i64 {
        if self.is_file() && !self.file().exists() {
            return 0;
        }
        self.ask(&format!("SELECT COUNT(*) FROM {table}")).parse().unwrap()
    }

    /// How many customers and tokens there are.
    #[track_caller]
    pub fn counts(&self) -> (i64, i64) {
        (self.count("customer_user"), self.count("token"))
    }

    /// A copy of the database, with what its log holds.
    pub fn backup(&self, into: &Path) {
        self.database().execute_batch(&format!("VACUUM INTO '{}'", into.display())).unwrap();
        rusqlite::Connection::open(into).unwrap().execute_batch("PRAGMA journal_mode = WAL").unwrap();
    }

    /// The states of all tokens, the oldest first.
    pub fn states(&self) -> Vec<String> {
        self.column("SELECT state FROM token ORDER BY id")
    }

    /// The secrets in the outbox, the oldest first.
    pub fn secrets(&self) -> Vec<String> {
        self.column("SELECT secret FROM outbox ORDER BY id")
    }

    pub fn orders(&self) -> i64 {
        self.count("outbox")
    }

    /// Makes every order due, as if its pause were over, and the sender gone if there is one.
    pub fn later(&self) {
        self.sql("UPDATE outbox SET due_at = 0; DELETE FROM worker");
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("otab.log")).unwrap_or_default()
    }

    /// Whether some line of the log holds all of these words.
    #[track_caller]
    pub fn logged(&self, words: &[&str]) {
        let log = self.log();
        assert!(log.lines().any(|line| words.iter().all(|word| line.contains(word))), "{words:?}: {log}");
    }

    /// The link mails in the folder, sorted by when they came.
    pub fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(self.path("mails")) else { return Vec::new() };
        let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        files.sort_by_key(|path| std::fs::metadata(path).unwrap().modified().unwrap());
        files
    }

    /// The last link mail in the folder.
    #[track_caller]
    pub fn last(&self) -> Read {
        let files = self.files();
        Read::new(&std::fs::read(files.last().unwrap_or_else(|| panic!("no mail: {}", self.log()))).unwrap())
    }

    /// Carol's mail and its ticket 1: the secret of the link that waits.
    #[track_caller]
    pub fn unsent_link(&self) -> String {
        self.mails_of_carol(&["1@corp.test"]);
        self.ends(0, &["ticket", "add", "1", "--message-id", "1@corp.test", "--customer", CAROL]);
        self.secrets().remove(0)
    }

    /// The same, and the link mail is out.
    #[track_caller]
    pub fn carols_link(&self) -> String {
        let secret = self.unsent_link();
        assert_eq!(self.notify(), 0);
        secret
    }
}

/// A value as text.
pub fn cell(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => number.to_string(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// What is in a folder, by name.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

pub fn chmod(path: impl AsRef<Path>, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

/// Starts a command with a pipe at each end.
pub fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Starts a command that has its input, and goes on.
pub fn spawn(command: &mut Command, input: &[u8]) -> Child {
    let mut child = piped(command);
    // Who does not read ends before everything is written.
    let _ = child.stdin.take().unwrap().write_all(input);
    child
}

/// Feeds a mail and waits.
pub fn run(mut command: impl BorrowMut<Command>, mail: &[u8]) -> Output {
    let mut child = piped(command.borrow_mut());
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

/// As the version before link mails has left it.
pub fn first_schema(path: &Path) {
    let mut store = rusqlite::Connection::open(path).unwrap();
    let id: i32 = store.query_row("PRAGMA application_id", [], |row| row.get(0)).unwrap();
    drop(store);
    std::fs::remove_file(path).unwrap();
    store = rusqlite::Connection::open(path).unwrap();
    store.pragma_update(None, "application_id", id).unwrap();
    store.pragma_update(None, "journal_mode", "wal").unwrap();
    let sql = include_str!("../../../src/store/schema/1.sql");
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
