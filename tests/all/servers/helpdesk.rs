//! A helpdesk's tickets on each kind of database, and a site that looks there.

use std::path::Path;
use std::time::Duration;

use md5::{Digest, Md5};
use otab::db::{Database, Databases, Statements, Value, Zone};
use otab::store::tickets::Facts;
use otab::ticket::{ClosedSince, Otobo};

use super::{Place, WRITE, new_source, url};
use crate::site::{CAROL, Site};

/// States of a new installation.
pub const NEW: i64 = 1;
pub const CLOSED: i64 = 2;
pub const CLOSED_IN_VAIN: i64 = 3;
pub const OPEN: i64 = 4;
pub const REMOVED: i64 = 5;
pub const MERGED: i64 = 9;

/// A database of OTOBO's, and a site.
pub struct Helpdesk {
    pub place: Place,
    pub site: Site,
    /// Where the tickets are.
    pub url: String,
}

impl std::ops::Deref for Helpdesk {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Helpdesk {
    pub fn new(place: Place) -> Self {
        // The folder of the site is not there yet, and the source may be a file in it.
        Self::at(place, |folder| new_source(place, folder))
    }

    pub fn at(place: Place, source: impl FnOnce(&Path) -> String) -> Self {
        let site = Site::new(
            "[log]\nsyslog = false\nfile = \"otab.log\"\n[one_time_auth]\nlink_url = \"https://help.test/t/{{token}}\"\n\
             portal_url = \"https://help.test/portal\"\n[mail]\nwake = false\ntransport = \"file\"\n\
             from = \"help@desk.test\"\n",
        );
        let url = source(site.folder());
        site.append(&format!("[tickets]\nsource = \"otobo\"\nurl = \"{url}\"\n"));
        let this = Self { place, site, url };
        if place == Place::Sqlite {
            let schema = include_str!("../../schema/otobo.sqlite.sql");
            this.sql("DROP TABLE ticket");
            let code: String = schema.lines().filter(|line| !line.starts_with("--")).flat_map(|l| [l, "\n"]).collect();
            code.split(';').filter(|sql| !sql.trim().is_empty()).for_each(|sql| this.sql(sql));
        }
        this
    }

    pub fn db(&self) -> Database {
        otab::store::open(&url(&self.url), WRITE, Duration::from_mins(1)).unwrap()
    }

    pub fn execute(&self, sql: &str, values: &[Value]) {
        self.db().execute(sql, values).unwrap_or_else(|error| panic!("{:?} {sql}: {error}", self.place));
    }

    pub fn sql(&self, sql: &str) {
        self.execute(sql, &[]);
    }

    /// A ticket of carol's.
    pub fn ticket(&self, id: i64, number: &str, state: i64, created: &str, changed: &str) {
        self.execute(
            "INSERT INTO ticket (id, tn, ticket_state_id, customer_user_id, create_time, change_time) \
             VALUES (?, ?, ?, ?, ?, ?)",
            &[id.into(), number.into(), state.into(), CAROL.into(), created.into(), changed.into()],
        );
    }

    /// A mail that the ticket has.
    pub fn article(&self, ticket: i64, message_id: &str) {
        let sum = data_encoding::HEXLOWER.encode(&Md5::digest(message_id.as_bytes()));
        self.article_with(ticket, message_id, &sum);
    }

    /// A mail whose sum is another's.
    pub fn article_with(&self, ticket: i64, message_id: &str, sum: &str) {
        let mut db = self.db();
        let next = db.row("SELECT COALESCE(MAX(id), 0) + 1 FROM article", &[]).unwrap().unwrap().int(0).unwrap();
        self.execute("INSERT INTO article (id, ticket_id) VALUES (?, ?)", &[next.into(), ticket.into()]);
        self.execute(
            "INSERT INTO article_data_mime (article_id, a_message_id, a_message_id_md5) VALUES (?, ?, ?)",
            &[next.into(), message_id.into(), sum.into()],
        );
    }

    /// Something happened, after which the ticket is in this state.
    pub fn history(&self, ticket: i64, rows: &[(i64, &str)]) {
        for (state, time) in rows {
            self.execute(
                "INSERT INTO ticket_history (name, history_type_id, ticket_id, state_id, create_time) \
                 VALUES ('x', 1, ?, ?, ?)",
                &[ticket.into(), (*state).into(), (*time).into()],
            );
        }
    }

    pub fn facts(&self, zone: &str, closed_since: ClosedSince) -> (Facts, Databases) {
        let tables = Otobo::new(url(&self.url), Zone::named(zone).unwrap(), closed_since);
        (Facts::Otobo(tables), otab::store::databases(WRITE, Duration::from_mins(1)))
    }

    /// The tickets that tokens are bound to.
    pub fn bound(&self) -> Vec<String> {
        self.column("SELECT COALESCE(ticket_number, '') FROM token ORDER BY id")
    }
}
