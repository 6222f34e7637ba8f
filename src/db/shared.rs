//! A transaction that several writes to one SQLite file share: one wait for the disk, all or nothing.
//!
//! Whether it is still open is SQLite's own word: a write that fails takes all of it back, and some failures (disk full,
//! I/O error) make SQLite do that by itself. A savepoint for each write would leave the others, but SQLite then keeps a
//! copy of every page for it.

use super::{Database, Dialect, Driver, Error, Kind, Tx};

impl Database {
    /// Begins a transaction of which each further write is a part, up to `commit` or `rollback`; a connection that goes
    /// without either takes it back. On servers there is none: each write stays one of its own.
    pub fn begin(&mut self) -> Result<(), Error> {
        if self.driver.dialect() == Dialect::Sqlite {
            self.driver.begin()?;
            self.is_shared = true;
        }
        Ok(())
    }

    /// One of several writes. After one that fails nothing more is written, and nothing can be committed.
    pub(super) fn write_shared<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.expect_open()?;
        let done = work(&mut Tx { driver: &mut self.driver });
        let done = done.and_then(|value| self.expect_open().map(|()| value).map_err(E::from));
        if done.is_err() {
            self.driver.rollback();
        }
        done
    }

    /// Commits what was begun; where nothing was, there is nothing to do. After a failure none of it is there.
    pub fn commit(&mut self) -> Result<(), Error> {
        if !std::mem::take(&mut self.is_shared) {
            return Ok(());
        }
        self.expect_open()?;
        self.driver.commit().inspect_err(|_| self.driver.rollback())
    }

    /// Takes back what was begun, if anything was.
    pub fn rollback(&mut self) {
        if std::mem::take(&mut self.is_shared) {
            self.driver.rollback();
        }
    }

    fn expect_open(&self) -> Result<(), Error> {
        match &self.driver {
            Driver::Sqlite(connection) if !connection.is_in_transaction() => {
                let what = "the transaction was undone by an earlier failure";
                Err(Error::new(Kind::Other, connection.place(), what))
            }
            _ => Ok(()),
        }
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
        let sql = "INSERT INTO thing (name) VALUES (?)";
        db.write(|tx| tx.execute(sql, &[number.into()]))
    }

    fn count(db: &mut Database) -> i64 {
        db.row("SELECT COUNT(*) FROM thing", &[]).unwrap().unwrap().int(0).unwrap()
    }

    fn fresh(folder: &tempfile::TempDir) -> Url {
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600, sqlite::THINGS).unwrap();
        Url::Sqlite(path)
    }

    #[test]
    fn others_see_shared_writes_together() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let (mut db, mut other) = (open(&url), open(&url));
        db.begin().unwrap();
        add(&mut db, "1").unwrap();
        add(&mut db, "2").unwrap();
        assert_eq!((count(&mut db), count(&mut other)), (2, 0));
        db.commit().unwrap();
        assert_eq!(count(&mut other), 2);
        add(&mut db, "3").unwrap();
        assert_eq!(count(&mut other), 3);
    }

    #[test]
    fn a_write_that_fails_takes_back_all_and_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        db.begin().unwrap();
        add(&mut db, "1").unwrap();
        assert_eq!(add(&mut db, "1").unwrap_err().kind(), Kind::Constraint);
        assert!(add(&mut db, "2").is_err());
        assert!(db.commit().is_err());
        assert_eq!(count(&mut open(&url)), 0);
        add(&mut db, "3").unwrap();
        assert_eq!(count(&mut open(&url)), 1);
    }

    #[test]
    fn nothing_counts_without_a_commit() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        db.commit().unwrap();
        db.begin().unwrap();
        add(&mut db, "1").unwrap();
        db.rollback();
        add(&mut db, "2").unwrap();
        db.begin().unwrap();
        add(&mut db, "3").unwrap();
        db.close().unwrap();
        assert_eq!(count(&mut open(&url)), 1);
    }

    #[test]
    fn what_the_database_has_undone_is_not_committed() {
        let folder = tempfile::tempdir().unwrap();
        let url = fresh(&folder);
        let mut db = open(&url);
        db.begin().unwrap();
        add(&mut db, "1").unwrap();
        // As after a full disk.
        db.driver.rollback();
        assert!(add(&mut db, "2").is_err());
        assert!(db.commit().is_err());
        assert_eq!(count(&mut open(&url)), 0);
    }
}
