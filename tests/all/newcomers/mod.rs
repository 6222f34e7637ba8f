//! Customers that otab has made: the helpdesk is told of each before his first link mail goes out, whoever dies when.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod death;
mod failures;
mod story;

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use otab::db::{Access, Database, Statements};

use crate::servers::server::Product;
use crate::servers::{Place, shared, url};
use crate::site::{Site, run};

/// Tells of each newcomer: `told`, where he is there and has no mail yet; `late` where he has one; `early` where
/// he is not there yet. Then does what the file `then` says.
const TELL: &str = r#"
cd "$1" && while read -r login; do
    if ! "$2" --config otab.toml customer show "$login" > /dev/null 2>&1; then echo "early $login"
    elif grep -qs "^To: $login" mails/*; then echo "late $login"
    else echo "told $login"
    fi >> events
done
echo run >> events
. ./then
"#;

/// A helpdesk whose link mails go into the folder `mails`.
pub struct Desk {
    pub place: Place,
    pub site: Site,
    store: String,
}

impl Desk {
    /// `mail` is the rest of `[mail]`.
    pub fn new(place: Place, mail: &str) -> Self {
        let site = Site::new("");
        let (store, create) = match place {
            Place::Sqlite => (format!("sqlite:{}", site.path("otab.db").display()), true),
            Place::PostgreSql => (empty(Product::PostgreSql), false),
            Place::MariaDb => (empty(Product::MariaDb), false),
        };
        let tell = site.write("tell", TELL);
        site.write("then", "");
        let command = ["/bin/sh", tell.to_str().unwrap(), site.folder().to_str().unwrap(), env!("CARGO_BIN_EXE_otab")];
        site.write(
            "otab.toml",
            &format!(
                "[store]\nurl = \"{store}\"\ncreate = {create}\n[log]\nsyslog = false\nfile = \"otab.log\"\n\
                 [limits]\ndecide = 60\n[one_time_auth]\nlink_url = \"https://help.test/t/{{{{token}}}}\"\n\
                 [create]\nafter_create = {command:?}\nafter_create_timeout = 30\n\
                 [mail]\nfrom = \"help@desk.test\"\nper_domain = 0\n{mail}"
            ),
        );
        let desk = Self { place, site, store };
        if !create {
            desk.ends(0, &["store", "migrate"]);
        }
        desk
    }

    /// Link mails leave as files, when `otab notify` is called.
    pub fn quiet(place: Place) -> Self {
        Self::new(place, "wake = false\ntransport = \"file\"\n")
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Site::otab();
        command.arg("--config").arg(self.site.path("otab.toml")).args(args);
        command
    }

    /// Runs it; it has to end with this status.
    pub fn ends(&self, status: i32, args: &[&str]) -> Output {
        let output = run(&mut self.command(args), b"");
        assert_eq!(output.status.code(), Some(status), "{:?} {args:?}: {output:?} {}", self.place, self.log());
        output
    }

    /// What the command does once it has told of all.
    pub fn then(&self, shell: &str) {
        self.site.write("then", shell);
    }

    pub fn filter(&self, name: &str) {
        let output = run(&mut self.command(&["filter"]), &mail_of(name));
        assert!(output.status.success(), "{:?} {output:?} {}", self.place, self.log());
    }

    /// A filter that has the mail, and goes on or not as `environment` says.
    pub fn spawn(&self, name: &str, environment: &[(&str, &str)]) -> Child {
        let mut command = self.command(&["filter"]);
        command.envs(environment.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), &mail_of(name)).unwrap();
        child
    }

    fn db(&self) -> Database {
        otab::store::open(&url(&self.store), Access::ReadWrite { create: false }, Duration::from_mins(1)).unwrap()
    }

    pub fn sql(&self, sql: &str) {
        self.db().execute(sql, &[]).unwrap();
    }

    pub fn count(&self, table: &str) -> i64 {
        // Before the first mail there is no file.
        let Ok(mut db) = otab::store::open(&url(&self.store), Access::ReadOnly, Duration::from_mins(1)) else {
            return 0;
        };
        db.row(&format!("SELECT COUNT(*) FROM {table}"), &[]).unwrap().unwrap().int(0).unwrap()
    }

    /// Everything is due, as if its pause were over, and the sender gone if there is one.
    pub fn later(&self) {
        self.sql("UPDATE outbox SET due_at = 0");
        self.sql("DELETE FROM worker");
    }

    pub fn events(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.site.path("events")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    pub fn mails(&self) -> usize {
        std::fs::read_dir(self.site.path("mails")).map_or(0, Iterator::count)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.site.path("otab.log")).unwrap_or_default()
    }

    /// Whether some line of the log holds all of these words.
    pub fn logged(&self, words: &[&str]) {
        let log = self.log();
        assert!(log.lines().any(|line| words.iter().all(|word| line.contains(word))), "{words:?}: {log}");
    }

    /// Each of these was told of when he was there and had no mail.
    pub fn assert_told(&self, names: &[&str]) {
        let events = self.events();
        for name in names {
            let of_his = events.iter().filter(|event| event.ends_with(&format!(" {name}@corp.test")));
            let first = of_his.map(|event| event.split(' ').next().unwrap()).find(|word| *word != "early");
            assert_eq!(first, Some("told"), "{:?} {name}: {events:?} {}", self.place, self.log());
        }
    }
}

fn empty(product: Product) -> String {
    shared(product).url(&shared(product).empty_database())
}

pub fn mail_of(name: &str) -> Vec<u8> {
    format!("From: <{name}@corp.test>\nTo: help@desk.test\nSubject: help\nMessage-ID: <{name}@corp.test>\n\nHello\n")
        .into_bytes()
}
