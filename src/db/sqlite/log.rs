//! The write-ahead log: what becomes of it when a connection closes.
//!
//! The last connection to close a file folds the log into it and removes it, which takes as long as the write did.
//! So a mail leaves a small log to the next one. It never grows without bounds.

use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;

use super::{Connection, failed};
use crate::db::Error;

/// The size, in bytes, up to which a mail leaves the log behind: some sixty pages, four mails of new customers. Who
/// opens a log that nobody holds reads all of it first, in a tenth of a millisecond or two.
const LOG_LEFT: u64 = 256 << 10;

/// What becomes of the log when the last connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// It is folded into the file and removed.
    Folded,
    /// The same, but a small one stays for the next connection.
    LeftWhileSmall,
    /// It stays, unless it is empty.
    Left,
}

impl Connection {
    /// Lets this connection, when it closes, leave a small log as it is. Folding it into the file takes as long as
    /// writing it: that is for whoever has time, or finds it grown.
    pub(in crate::db) fn leave_log(&mut self) {
        if self.log == Log::Folded {
            self.log = Log::LeftWhileSmall;
        }
    }

    /// Closes the connection; the last one out folds the log into the file and removes it, but for one that may
    /// stay.
    pub(in crate::db) fn close(self) -> Result<(), Error> {
        match self.log {
            Log::LeftWhileSmall if self.log_size() <= LOG_LEFT => self.fold_log(false)?,
            Log::Left if self.log_size() == 0 => self.fold_log(true)?,
            Log::Folded | Log::LeftWhileSmall | Log::Left => {}
        }
        let Self { inner, place, .. } = self;
        inner.close().map_err(|(_, error)| failed(&place, &error))
    }

    /// Whether SQLite folds and removes the log, should this connection be the last to close.
    pub(super) fn fold_log(&self, wish: bool) -> Result<(), Error> {
        self.sql(self.inner.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, !wish)).map(drop)
    }

    /// In bytes; one that cannot be looked at counts as large.
    fn log_size(&self) -> u64 {
        log_of(&self.path).metadata().map_or(u64::MAX, |log| log.len())
    }
}

/// The path of a database's log.
pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    PathBuf::from(log)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;
    use crate::db::Access;
    use crate::db::sqlite::{THINGS, create};

    const INSERT: &str = "INSERT INTO thing (name) VALUES (?)";

    fn opened(path: &Path) -> Connection {
        Connection::open(path, Access::ReadWrite { create: true }, Duration::from_secs(1)).unwrap()
    }

    #[test]
    fn the_log_is_that_of_the_file_that_was_opened() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let (linked, first, second) = (at("otab.db"), at("first.db"), at("second.db"));
        for file in [&first, &second] {
            create(file, 0o600, THINGS).unwrap();
        }
        symlink(&first, &linked).unwrap();
        let db = opened(&linked);
        std::fs::remove_file(&linked).unwrap();
        symlink(&second, &linked).unwrap();
        db.execute(INSERT, &["a".into()]).unwrap();
        assert!(log_of(&first).metadata().unwrap().len() > 0);
        assert_eq!(db.log_size(), log_of(&first).metadata().unwrap().len());
    }
}
