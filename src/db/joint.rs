//! Several writes to one SQLite file as one transaction, for which the disk is waited for once.
//!
//! Nothing of it counts before `commit`; a write that fails, and a connection that goes without, take all of it back. It
//! joins no reads, and nothing on servers.

use super::{Database, Dialect, Driver, Error, Kind, Tx};

/// Gives the statements that are likely to come.
pub(super) type Ahead = fn() -> Vec<String>;

/// Whether several [`Database::write`]s are one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Joint {
    /// Each is one of its own.
    Off,
    /// They will be; nothing has been written yet.
    Awaited,
    /// The transaction is open.
    Open,
    /// It was undone: a later write has failed, or the database undid it by itself (disk full, I/O error).
    Lost,
}

impl Database {
    /// Makes all further writes to an SQLite file one transaction, up to `commit`: one wait for the disk. Elsewhere
    /// each stays one of its own. The statements of `ahead`, which are likely to come, are prepared before it begins.
    pub fn write_jointly_from_now(&mut self, ahead: Ahead) {
        if self.driver.dialect() == Dialect::Sqlite {
            self.joint = Joint::Awaited;
            self.ahead = Some(ahead);
        }
    }

    /// One of several writes in a transaction: what fails undoes all of it. After the first one that is as if nothing
    /// had been tried; later, what came before is lost, and nothing more is written.
    ///
    /// A savepoint for each would leave the others, but SQLite then keeps a copy of every page for it.
    pub(super) fn write_jointly<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let is_first = self.joint == Joint::Awaited;
        if is_first {
            for sql in self.ahead.take().map(|ahead| ahead()).unwrap_or_default() {
                self.get_ready(&sql);
            }
            self.driver.begin()?;
            self.joint = Joint::Open;
        }
        self.still_open()?;
        let done = work(&mut Tx { driver: &mut self.driver });
        let done = done.and_then(|value| self.still_open().map(|()| value).map_err(E::from));
        if done.is_err() {
            self.driver.rollback();
            self.joint = if is_first { Joint::Awaited } else { Joint::Lost };
        }
        done
    }

    /// Commits what was written jointly; where nothing was, there is nothing to do. After a failure none of it is
    /// there.
    pub fn commit(&mut self) -> Result<(), Error> {
        if self.joint == Joint::Open || self.joint == Joint::Lost {
            self.still_open()?;
            self.driver.commit().inspect_err(|_| self.driver.rollback())?;
        }
        self.joint = Joint::Off;
        Ok(())
    }

    /// Some failures (disk full, I/O error) make SQLite undo the whole transaction by itself.
    fn still_open(&mut self) -> Result<(), Error> {
        let is_open = match &self.driver {
            Driver::Sqlite(connection) => self.joint == Joint::Open && connection.is_in_transaction(),
            #[cfg(any(feature = "postgresql", feature = "mariadb"))]
            _ => false,
        };
        if is_open {
            return Ok(());
        }
        self.joint = Joint::Lost;
        Err(self.lost())
    }

    fn lost(&self) -> Error {
        let place = match &self.driver {
            Driver::Sqlite(connection) => connection.place(),
            #[cfg(any(feature = "postgresql", feature = "mariadb"))]
            _ => "",
        };
        Error::new(Kind::Other, place, "the transaction was undone by an earlier failure")
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::db::{Access, Statements, Url, sqlite};

    const LONG: Duration = Duration::from_mins(1);

    fn open(url: &Url) -> Database {
        Database::open(url, Access::ReadWrite { create: false }, LONG).unwrap()
    }

    fn add(db: &mut Database, number: &str) -> Result<u64, Error> {
        let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at) VALUES (?, 'open', 0, 0)";
        db.write(|tx| tx.execute(sql, &[number.into()]))
    }

    fn count(db: &mut Database) -> i64 {
        db.row("SELECT COUNT(*) FROM ticket", &[]).unwrap().unwrap().int(0).unwrap()
    }

    fn fresh(folder: &tempfile::TempDir) -> Url {
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        Url::Sqlite(path)
    }

    #[test]
    fn joint_writes_are_seen_by_others_together_and_later_ones_by_themselves() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let (mut db, mut other) = (open(&url), open(&url));
        db.write_jointly_from_now(Vec::new);
        add(&mut db, "1").unwrap();
        add(&mut db, "2").unwrap();
        assert_eq!((count(&mut db), count(&mut other)), (2, 0));
        db.commit().unwrap();
        assert_eq!(count(&mut other), 2);
        add(&mut db, "3").unwrap();
        assert_eq!(count(&mut other), 3);
    }

    #[test]
    fn statements_are_made_ready_before_the_first_write_and_a_bad_one_does_no_harm() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let (mut db, mut other) = (open(&url), open(&url));
        db.write_jointly_from_now(|| vec!["no statement".to_owned(), "SELECT 1".to_owned()]);
        assert!(db.ahead.is_some());
        add(&mut other, "1").unwrap();
        add(&mut db, "2").unwrap();
        assert!(db.ahead.is_none());
        db.commit().unwrap();
        assert_eq!(count(&mut other), 2);
    }

    #[test]
    fn a_first_write_that_fails_is_as_if_it_had_not_been_tried() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        add(&mut db, "1").unwrap();
        db.write_jointly_from_now(Vec::new);
        let both = |tx: &mut Tx<'_>| {
            let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at) VALUES (?, 'open', 0, 0)";
            tx.execute(sql, &["0".into()])?;
            tx.execute(sql, &["1".into()])
        };
        assert_eq!(db.write(both).unwrap_err().kind(), Kind::Constraint);
        add(&mut open(&url), "2").unwrap();
        add(&mut db, "3").unwrap();
        db.commit().unwrap();
        assert_eq!(count(&mut open(&url)), 3);
    }

    #[test]
    fn a_later_write_that_fails_takes_back_the_others_and_lets_nothing_follow() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        db.write_jointly_from_now(Vec::new);
        add(&mut db, "1").unwrap();
        assert_eq!(add(&mut db, "1").unwrap_err().kind(), Kind::Constraint);
        assert!(add(&mut db, "2").is_err());
        assert!(db.commit().is_err());
        assert_eq!(count(&mut open(&url)), 0);
    }

    #[test]
    fn nothing_counts_without_a_commit_and_nothing_is_to_be_committed_without_a_write() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        db.write_jointly_from_now(Vec::new);
        db.commit().unwrap();
        db.write_jointly_from_now(Vec::new);
        add(&mut db, "1").unwrap();
        db.close().unwrap();
        assert_eq!(count(&mut open(&url)), 0);
    }

    #[test]
    fn what_the_database_has_undone_by_itself_is_never_said_to_be_committed() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        db.write_jointly_from_now(Vec::new);
        add(&mut db, "1").unwrap();
        // As after a full disk.
        db.driver.rollback();
        assert!(add(&mut db, "2").is_err());
        assert!(add(&mut db, "3").is_err());
        assert!(db.commit().is_err());
        assert_eq!(count(&mut open(&url)), 0);
    }
}
