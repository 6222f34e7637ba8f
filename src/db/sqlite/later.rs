//! Transactions that wait in turn for the lock, and for the disk once they have given it back.
//!
//! SQLite's own commit, with `synchronous = FULL`, keeps all others waiting until the disk has the log. Here the log is
//! synced by this process when the next one is writing already, and before anybody is told. The turns are a lock of
//! their own, on the log, which SQLite does not lock: whoever waits for it begins nothing in vain. What stands in the log counts only with all that stands before it, so a power failure takes away
//! the end of it and leaves no hole. (`NORMAL`: SQLite itself syncs the head of a log that begins anew, and its folder,
//! and the log before it is folded.)
//!
//! Others may see what is not on the disk yet, so whoever builds on what he saw syncs, too, unless the log has long been
//! at rest.

use std::fs::{File, TryLockError};
use std::io;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{Connection, LOG_PAGES, busy};
use crate::db::{Error, Kind};

/// A log that nobody has written for so long is on the disk: whoever wrote last has synced it, or, if he was killed,
/// the system has, which does so within half a minute.
const AT_REST: Duration = Duration::from_mins(2);

/// The size, in bytes, of a log of [`LOG_PAGES`].
const LOG_BYTES: u64 = 500 * 4096;

/// So many pages of a long log have to wait to be folded, for a sync of log and file each time.
const WORTH_IT: i64 = 100;

impl Connection {
    /// Begins a transaction that is to be ended by [`Connection::commit_and_sync`] or `rollback`. It is [`Kind::Busy`]
    /// after the time that a statement waits for others, and a fifth of that for its turn.
    pub(in crate::db) fn begin_in_turn(&mut self) -> Result<(), Error> {
        let log = self.open_log()?;
        await_turn(&log, self.busy / 5);
        self.turn = Some(log);
        let begun =
            self.batch("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0").and_then(|()| self.begin());
        begun.inspect_err(|_| self.rollback())
    }

    /// Commits, lets the next one write, and waits until all that was committed, here and by others, is on the disk.
    ///
    /// After a failure the system may forget what it could not write, and say yes the next time. So the log is then
    /// folded into the file: that writes it once more.
    pub(in crate::db) fn commit_and_sync(&mut self) -> Result<(), Error> {
        self.commit().inspect_err(|_| self.rollback())?;
        let log = self.turn.take().map_or_else(|| self.open_log(), Ok)?;
        let _ = log.unlock();
        self.write_as_usual()?;
        let synced = log.sync_data().map_err(|error| self.log_error(&error));
        let is_folded = || self.checkpoint("FULL").is_some_and(|(pages, folded)| pages == folded);
        let synced = synced.or_else(|error| if is_folded() { Ok(()) } else { Err(error) });
        if synced.is_ok() {
            self.fold_grown_log();
        }
        synced
    }

    /// Gives the turn to the next one, whatever became of the transaction.
    pub(super) fn end_turn(&mut self) {
        if self.turn.take().is_some() {
            drop(self.write_as_usual());
        }
    }

    /// The same wait for a connection that has only read.
    pub(in crate::db) fn sync_what_others_wrote(&self, now: Timestamp) -> Result<(), Error> {
        if self.log_rests(now.into()) {
            return Ok(());
        }
        self.open_log()?.sync_data().map_err(|error| self.log_error(&error))
    }

    /// Whether nothing is in the log, or nobody has written it for long; one from the future may be new.
    fn log_rests(&self, now: SystemTime) -> bool {
        match self.log_path().map(std::fs::metadata) {
            Some(Ok(log)) if log.len() == 0 => true,
            Some(Ok(log)) => log.modified().is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age > AT_REST)),
            Some(Err(error)) => error.kind() == io::ErrorKind::NotFound,
            None => false,
        }
    }

    /// A second descriptor of the log: SQLite has no lock on it that closing one would take away.
    fn open_log(&self) -> Result<File, Error> {
        File::open(self.log_path().unwrap_or_default()).map_err(|error| self.log_error(&error))
    }

    fn log_error(&self, error: &io::Error) -> Error {
        let kind = if error.kind() == io::ErrorKind::StorageFull { Kind::Full } else { Kind::Unavailable };
        Error::new(kind, &self.place, format!("the log beside it: {error}"))
    }

    /// What SQLite does by itself after other commits, here once nobody waits for it: folds a log that has grown, as far
    /// as readers allow. The next writer begins it anew, if he finds all of it folded and nobody reading it.
    fn fold_grown_log(&self) {
        if self.log_size() < LOG_BYTES {
            return;
        }
        // The file does not shrink when it begins anew.
        let wants_it = |(pages, folded)| pages >= LOG_PAGES && pages - folded >= WORTH_IT;
        if self.checkpoint("NOOP").is_some_and(wants_it) {
            self.checkpoint("PASSIVE");
        }
    }

    /// The pages in the log, and those of them that are folded and synced; nothing where others were in the way.
    fn checkpoint(&self, mode: &str) -> Option<(i64, i64)> {
        let sql = format!("PRAGMA wal_checkpoint({mode})");
        let row = self.inner.query_row(&sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        row.ok().and_then(|(busy, pages, folded): (i64, i64, i64)| (busy == 0).then_some((pages, folded)))
    }
}

/// Waits for the turn, as one waits for SQLite's own lock. Who has waited for long enough, or is where there are no such
/// locks, goes on without: SQLite's lock decides.
///
/// A wait within the system would be no fairer: it wakes all who wait, whenever somebody new was faster than the first
/// of them.
fn await_turn(log: &File, limit: Duration) {
    let mut waits = busy::handler(limit);
    let mut tries = 0..;
    while let Err(TryLockError::WouldBlock) = log.try_lock() {
        if !tries.next().is_some_and(&mut waits) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Access, sqlite};

    const LONG: Duration = Duration::from_mins(1);

    fn open(path: &std::path::Path, busy: Duration) -> Connection {
        Connection::open(path, Access::ReadWrite { create: false }, busy).unwrap()
    }

    #[test]
    fn a_turn_that_does_not_come_is_no_hindrance_where_nobody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        let (mut first, mut late) = (open(&path, LONG), open(&path, Duration::from_millis(50)));
        first.begin_in_turn().unwrap();
        assert_eq!(late.begin_in_turn().unwrap_err().kind(), Kind::Busy);
        // It still has the turn, and does not write.
        first.batch("ROLLBACK").unwrap();
        late.begin_in_turn().unwrap();
        late.commit_and_sync().unwrap();
        first.rollback();
        let mut next = open(&path, LONG);
        next.begin_in_turn().unwrap();
        next.commit_and_sync().unwrap();
    }

    #[test]
    fn a_connection_that_goes_in_the_middle_gives_its_turn_to_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        let mut first = open(&path, LONG);
        first.begin_in_turn().unwrap();
        let waiting = std::thread::spawn(move || {
            let mut second = open(&path, LONG);
            second.begin_in_turn().map(|()| second.commit_and_sync())
        });
        drop(first);
        waiting.join().unwrap().unwrap().unwrap();
    }

    #[test]
    fn after_a_turn_commits_are_synced_by_sqlite_and_fold_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        let mut this = open(&path, LONG);
        for ends in [|this: &mut Connection| this.commit_and_sync().unwrap(), Connection::rollback] {
            this.begin_in_turn().unwrap();
            ends(&mut this);
            assert_eq!(this.pragma::<i64>("synchronous").unwrap(), 2);
            assert_eq!(this.pragma::<i64>("wal_autocheckpoint").unwrap(), LOG_PAGES);
        }
    }
    #[test]
    fn a_log_that_many_turns_have_written_is_folded_now_and_then_and_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        let mut this = open(&path, LONG);
        let (mut begun_anew, mut long) = (0, 0);
        let mut pages = 0;
        for number in 0..1000 {
            this.begin_in_turn().unwrap();
            let sql = "INSERT INTO ticket (tn, state_type, changed_at, created_at) VALUES (?, 'open', 0, 0)";
            this.execute(sql, &[number.to_string().into()]).unwrap();
            this.commit_and_sync().unwrap();
            let (now, done) = this.checkpoint("NOOP").unwrap();
            begun_anew += i32::from(now < pages);
            long += i32::from(now >= LOG_PAGES && done == now);
            pages = now;
        }
        assert!(begun_anew >= 3, "{begun_anew}");
        assert!(long <= begun_anew + 1, "a log is folded once before it begins anew: {long}, {begun_anew}");
        assert!(this.log_size() < LOG_BYTES * 5 / 4, "{}", this.log_size());
    }
}
