//! Writing in turn: who comes later waits before he begins, and nobody waits for the folding of the log.
//!
//! The turns are a lock of their own, on the log, which SQLite does not lock. They are a courtesy: whoever waits has not
//! begun anything in vain, and SQLite's own lock decides. A commit is on the disk before it returns (`synchronous =
//! FULL`), and before others see it. To sync it later, with the lock given back, would be faster with many at once, but a
//! sync that then fails leaves a hole in what others have built on already.

use std::fs::{File, TryLockError};
use std::time::Duration;

use super::{Connection, LOG_PAGES, busy};
use crate::db::Error;

/// The size, in bytes, of a log of [`LOG_PAGES`].
const LOG_BYTES: u64 = 500 * 4096;

/// So many pages of a long log have to wait to be folded, for a sync of log and file each time.
const WORTH_IT: i64 = 100;

impl Connection {
    /// Begins a transaction that is to be ended by [`Connection::commit_in_turn`] or `rollback`. It is
    /// [`crate::db::Kind::Busy`] after the time that a statement waits for others, and a fifth of that for its turn.
    pub(in crate::db) fn begin_in_turn(&mut self) -> Result<(), Error> {
        // SQLite has no lock on its log that closing a second descriptor would take away.
        if let Some(log) = self.log_path().and_then(|path| File::open(path).ok()) {
            await_turn(&log, self.busy / 5);
            self.turn = Some(log);
        }
        let begun = self.batch("PRAGMA wal_autocheckpoint = 0").and_then(|()| self.begin());
        begun.inspect_err(|_| self.rollback())
    }

    /// Commits, lets the next one write, and folds the log if it has grown.
    pub(in crate::db) fn commit_in_turn(&mut self) -> Result<(), Error> {
        self.commit().inspect_err(|_| self.rollback())?;
        self.end_turn();
        self.fold_grown_log();
        Ok(())
    }

    /// Gives the turn to the next one, whatever became of the transaction.
    pub(super) fn end_turn(&mut self) {
        self.turn = None;
        // That it is set can only fail where nothing more can be written.
        drop(self.fold_as_usual());
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
    use crate::db::{Access, Kind, sqlite};

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
        late.commit_in_turn().unwrap();
        first.rollback();
        let mut next = open(&path, LONG);
        next.begin_in_turn().unwrap();
        next.commit_in_turn().unwrap();
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
            second.begin_in_turn().map(|()| second.commit_in_turn())
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
        for ends in [|this: &mut Connection| this.commit_in_turn().unwrap(), Connection::rollback] {
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
            this.commit_in_turn().unwrap();
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
