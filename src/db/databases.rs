//! The databases of one run: each opened when first asked for, one connection a place.
//!
//! Never leaves a connection open: a process that ends without closing lets SQLite's log grow.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use super::ldap::{self, Place};
use super::{Access, Database, Driver, Error, Url};

/// How a place is opened. Whoever knows the tables checks those that have to be there, and makes them where it may.
pub type Opener = fn(&Url, Access, Duration) -> Result<Database, Error>;

/// All connections of one run. Dropping it closes them.
#[derive(Debug)]
pub struct Databases {
    opener: Opener,
    access: Access,
    busy: Duration,
    /// Where given, only this database may be made (or stood in for) when it is missing.
    made: Option<Url>,
    /// Whether small logs of SQLite files stay when the last connection closes.
    leaves_logs: bool,
    open: HashMap<Url, Database>,
    /// Those for reading only, beside the others: a place may be written to for another purpose.
    reading: HashMap<Url, Database>,
    directories: HashMap<Place, ldap::Connection>,
}

impl Databases {
    /// No connection yet. `busy` is how long one statement waits for other writers.
    #[must_use]
    pub fn new(opener: Opener, access: Access, busy: Duration) -> Self {
        Self {
            opener,
            access,
            busy,
            made: None,
            leaves_logs: false,
            open: HashMap::new(),
            reading: HashMap::new(),
            directories: HashMap::new(),
        }
    }

    /// For the mail path, where each mail is a run of its own: small logs of SQLite files stay for the next one.
    #[must_use]
    pub fn leaving_logs(mut self) -> Self {
        self.leaves_logs = true;
        self
    }

    /// Limits the making of missing databases to this one. A customer source that is not there must
    /// never become an empty one: all its customers would be strangers, and be made anew.
    #[must_use]
    pub fn making_only(mut self, url: &Url) -> Self {
        self.made = Some(url.clone());
        self
    }

    /// Commits the transaction that was begun for several writes, if one was. After a failure, none of it is there.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.open.values_mut().try_for_each(Database::commit)
    }

    fn access(&self, url: &Url) -> Access {
        match self.access {
            access if self.made.as_ref().is_none_or(|made| made == url) => access,
            Access::ReadWrite { .. } => Access::ReadWrite { create: false },
            Access::Trial | Access::ReadOnly => Access::ReadOnly,
        }
    }

    /// The connection to this place, opened now where it was not.
    pub fn get(&mut self, url: &Url) -> Result<&mut Database, Error> {
        let access = self.access(url);
        match self.open.entry(url.clone()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let mut database = (self.opener)(url, access, self.busy)?;
                if self.leaves_logs {
                    database.leave_log();
                }
                Ok(entry.insert(database))
            }
        }
    }

    /// A connection to this place by which nothing can be written, whatever the others are for.
    pub fn reading(&mut self, url: &Url) -> Result<&mut Database, Error> {
        match self.reading.entry(url.clone()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => Ok(entry.insert((self.opener)(url, Access::ReadOnly, self.busy)?)),
        }
    }

    /// The connection to this directory, opened now where it was not.
    pub fn directory(&mut self, place: &Place) -> Result<&mut ldap::Connection, Error> {
        match self.directories.entry(place.clone()) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let connection = ldap::Connection::open(place, self.busy)?;
                Ok(entry.insert(connection))
            }
        }
    }

    /// Those that were left alone for a while: connections that are not good any more are let go, and opened anew when
    /// they are asked for.
    #[must_use]
    pub fn checked(mut self, is_good: fn(&mut Database, &Url) -> bool) -> Self {
        self.open.retain(|url, database| is_good(database, url));
        self.reading.retain(|url, database| is_good(database, url));
        self
    }

    /// These without the connections to files and directories, and how closing the files went. A file may be another
    /// one by the next time, and opening it costs little; a directory closes what says nothing for a while.
    pub fn of_servers(mut self) -> (Self, Result<(), Error>) {
        self.directories.clear();
        let files = |url: &Url, _: &mut Database| matches!(url, Url::Sqlite(_));
        let open = self.open.extract_if(files);
        let closed: Vec<_> = open.chain(self.reading.extract_if(files)).map(|(_, database)| database.close()).collect();
        let first = closed.into_iter().find(Result::is_err).unwrap_or(Ok(()));
        (self, first)
    }

    /// Closes every connection; the first failure is told once all have been tried.
    pub fn close(self) -> Result<(), Error> {
        let mut result = Ok(());
        for (_, database) in self.open.into_iter().chain(self.reading) {
            result = result.and(database.close());
        }
        result
    }
}

impl Database {
    /// Lets an SQLite file keep a small log beside it when this connection is the last one out.
    pub fn leave_log(&mut self) {
        match &mut self.driver {
            Driver::Sqlite(connection) => connection.leave_log(),
            #[cfg(any(feature = "postgresql", feature = "mariadb"))]
            _ => {}
        }
    }
}
