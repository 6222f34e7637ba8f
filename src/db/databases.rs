//! The databases of one run: each opened when first asked for, one connection a place.
//!
//! Never leaves a connection open: a process that ends without closing lets SQLite's log grow.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use super::ldap::{self, Place};
use super::{Access, Database, Driver, Error, Url};

/// All connections of one run. Dropping it closes them.
#[derive(Debug)]
pub struct Databases {
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
    pub fn new(access: Access, busy: Duration) -> Self {
        Self {
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
                let mut database = Database::open(url, access, self.busy)?;
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
            Entry::Vacant(entry) => Ok(entry.insert(Database::open(url, Access::ReadOnly, self.busy)?)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Kind, Statements, Value};

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn a_connection_for_reading_cannot_write() {
        let folder = tempfile::tempdir().unwrap();
        let url = Url::Sqlite(folder.path().join("otab.db"));
        let mut dbs = Databases::new(Access::ReadWrite { create: true }, LONG);
        assert_eq!(dbs.reading(&url).unwrap_err().kind(), Kind::Missing);
        let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at) VALUES ('1', 'open', 0, 0)";
        assert_eq!(dbs.get(&url).unwrap().execute(sql, &[]).unwrap(), 1);
        assert_eq!(dbs.reading(&url).unwrap().execute(sql, &[]).unwrap_err().kind(), Kind::ReadOnly);
        dbs.close().unwrap();
    }

    #[test]
    fn a_log_that_mails_leave_stays_small_and_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        let url = Url::Sqlite(path.clone());
        let log = folder.path().join("otab.db-wal");
        let mut left = 0;
        for number in 0..300 {
            let mut dbs = Databases::new(Access::ReadWrite { create: true }, LONG).leaving_logs();
            let values = [number.to_string().into(), Value::Int(0)];
            let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at)
                       VALUES (?, 'open', ?, 0)";
            dbs.get(&url).unwrap().execute(sql, &values).unwrap();
            dbs.close().unwrap();
            let size = std::fs::metadata(&log).map_or(0, |log| log.len());
            assert!(size <= 256 << 10, "{size} bytes after {number}");
            left += usize::from(size > 0);
        }
        assert!(left > 200, "{left}");
        let mut readers = Databases::new(Access::ReadOnly, LONG);
        let row = readers.get(&url).unwrap().row("SELECT COUNT(*) FROM ticket", &[]);
        assert_eq!(row.unwrap().unwrap().int(0).unwrap(), 300);
        let before = std::fs::read(&path).unwrap();
        readers.close().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), before, "a reader changes nothing");
        let mut people = Databases::new(Access::ReadWrite { create: false }, LONG);
        people.get(&url).unwrap();
        people.close().unwrap();
        assert!(!log.exists());
    }

    #[test]
    fn the_log_stays_small_over_300_runs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        let url = Url::Sqlite(path.clone());
        for number in 0..300 {
            let mut dbs = Databases::new(Access::ReadWrite { create: true }, LONG);
            let values = [number.to_string().into(), Value::Int(0)];
            let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at)
                       VALUES (?, 'open', ?, 0)";
            dbs.get(&url).unwrap().execute(sql, &values).unwrap();
            if number % 2 == 0 {
                dbs.close().unwrap();
            }
        }
        assert!(!folder.path().join("otab.db-wal").exists());
        assert!(!folder.path().join("otab.db-shm").exists());
        assert!(std::fs::metadata(path).unwrap().len() < 1 << 20);
    }
}
