//! A store to try things on, for the tests of this room.

use std::time::Duration;

use jiff::Timestamp;

use super::tokens::{Issued, TABLE, facts, issue, redeem_in};
use crate::db::{Access, Database, Databases, Error, Statements, Url};
use crate::ticket::{StateType, Ticket};
use crate::token::{NewToken, Secret, State, TokenFacts};

pub(super) struct Store {
    pub(super) folder: tempfile::TempDir,
    pub(super) url: Url,
    pub(super) dbs: Databases,
}

fn connections() -> Databases {
    let access = Access::ReadWrite { create: true };
    crate::store::databases(access, Duration::from_mins(1))
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// An active token of carol's for the mail `<m@x>`.
pub(super) fn new(ticket: Option<&str>) -> NewToken {
    NewToken {
        customer: "carol".to_owned(),
        email: "carol@corp.test".to_owned(),
        backend: "A".to_owned(),
        message_id: Some("<m@x>".to_owned()),
        ticket_number: ticket.map(str::to_owned),
        state: State::Active,
        ..NewToken::default()
    }
}

/// Uses a token up, in a transaction of its own.
pub(super) fn redeem(db: &mut Database, id: i64, now: Timestamp) -> Result<bool, Error> {
    db.write(|tx| redeem_in(tx, id, now))
}

impl Store {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(folder.path().join("otab.db"));
        Self { folder, url, dbs: connections() }
    }

    pub(super) fn db(&mut self) -> &mut Database {
        self.dbs.get(&self.url).unwrap()
    }

    pub(super) fn issue(&mut self, token: &NewToken, second: i64) -> i64 {
        let secret = Secret::generate();
        let issued = self.db().write(|tx| issue(tx, token, &secret, at(second)));
        match issued.unwrap() {
            Issued::New { id } | Issued::Already { id } => id,
        }
    }

    pub(super) fn issue_many(&mut self, token: &NewToken, count: u32) {
        let all =
            self.db().write(|tx| (0..count).try_for_each(|_| issue(tx, token, &Secret::generate(), at(0)).map(drop)));
        all.unwrap();
    }

    pub(super) fn all(&mut self) -> Vec<TokenFacts> {
        let rows = self.db().rows(&format!("{} ORDER BY id", TABLE.select()), &[]);
        rows.unwrap().iter().map(|row| facts(row).unwrap()).collect()
    }

    pub(super) fn token(&mut self, id: i64) -> TokenFacts {
        let found = self.all().into_iter().find(|token| token.id == id);
        found.unwrap()
    }

    pub(super) fn states(&mut self) -> Vec<State> {
        self.all().into_iter().map(|token| token.state).collect()
    }

    pub(super) fn ids(&mut self) -> Vec<i64> {
        self.all().into_iter().map(|token| token.id).collect()
    }

    /// A ticket that the mail `<m@x>` opened; not stored.
    #[allow(clippy::unused_self, reason = "reads as the store's ticket")]
    pub(super) fn ticket(&self, number: &str, customer: Option<&str>) -> Ticket {
        Ticket {
            number: number.to_owned(),
            message_id: Some("<m@x>".to_owned()),
            state_type: StateType::Open,
            changed_at: at(0),
            customer: customer.map(str::to_owned),
        }
    }

    /// Runs `work` on as many connections at once; how many of them said yes.
    pub(super) fn at_once(&self, many: usize, work: impl Fn(&mut Database) -> bool + Sync) -> usize {
        let (work, url) = (&work, &self.url);
        std::thread::scope(|scope| {
            let run = || work(connections().get(url).unwrap());
            let all: Vec<_> = (0..many).map(|_| scope.spawn(run)).collect();
            let won = all.into_iter().filter_map(|thread| thread.join().unwrap().then_some(()));
            won.count()
        })
    }
}
