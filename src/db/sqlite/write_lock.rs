//! Writers queue, first come, first served, before they ask SQLite for its lock.
//!
//! SQLite has no queue: a writer that waits asks again and again, and may ask for long while others are luckier. With
//! hundreds of filters at once, most of them ask in vain until their time is over. So each first takes a lock of the
//! system (flock) on the log, a file that SQLite itself never locks. The system wakes one waiting process at a time, in
//! their order, and takes the lock from one that ends, however it ends.
//!
//! The queue is a courtesy, which no promise rests on: SQLite's own lock decides. Where there is no such lock, or it does
//! not come in time (its holder was stopped, say), otab asks SQLite without it.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::log::log_of;
use super::{Connection, busy};
use crate::db::Error;

impl Connection {
    /// Begins a transaction that writes. It is [`crate::db::Kind::Busy`] after the time that a statement waits for
    /// others; up to three quarters of that it waits in the queue.
    pub(in crate::db) fn begin(&mut self) -> Result<(), Error> {
        let since = Instant::now();
        self.write_lock = write_lock(&log_of(&self.path), self.busy / 4 * 3);
        self.begin_within(self.busy.saturating_sub(since.elapsed())).inspect_err(|_| self.rollback())
    }

    fn begin_within(&mut self, limit: Duration) -> Result<(), Error> {
        self.wait_for_others(limit)?;
        let begun = self.batch("BEGIN IMMEDIATE");
        self.wait_for_others(self.busy).and(begun)
    }

    /// From now on a statement waits so long for others.
    fn wait_for_others(&mut self, limit: Duration) -> Result<(), Error> {
        let set = self.inner.busy_handler(Some(busy::handler(limit)));
        self.sql(set)
    }

    pub(in crate::db) fn commit(&mut self) -> Result<(), Error> {
        self.batch("COMMIT")?;
        self.write_lock = None;
        Ok(())
    }

    /// One that fails has nothing left to undo: SQLite has rolled back by itself already (disk full, I/O
    /// error), and closing the connection undoes the rest.
    pub(in crate::db) fn rollback(&mut self) {
        drop(self.batch("ROLLBACK"));
        self.write_lock = None;
    }
}

/// The log, locked until it is dropped; nothing where the lock does not come within `limit`, or there is none.
fn write_lock(log: &Path, limit: Duration) -> Option<File> {
    let log = File::open(log).ok()?;
    match log.try_lock() {
        Ok(()) => return Some(log),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(_)) => return None,
    }
    let waiting = Waiting::begin()?;
    let (sender, receiver) = mpsc::channel();
    // The system waits without a limit, so a thread does. When the lock comes too late, nobody takes it from the channel,
    // and it is given back at once.
    let wait = move || {
        let _waiting = waiting;
        if log.lock().is_ok() {
            let _ = sender.send(log);
        }
    };
    std::thread::Builder::new().stack_size(64 * 1024).spawn(wait).ok()?;
    receiver.recv_timeout(limit).ok()
}

/// So many threads of this process wait at the same time. While the holder is stopped, each waits on when its time is
/// over; a process that stays would otherwise have more and more of them.
const THREADS: usize = 32;

/// Threads that wait.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// One of [`THREADS`].
struct Waiting;

impl Waiting {
    fn begin() -> Option<Self> {
        // Made first, since it counts down when it goes.
        let waiting = Self;
        (WAITING.fetch_add(1, Ordering::Relaxed) < THREADS).then_some(waiting)
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sqlite::{THINGS, create};
    use crate::db::{Access, Kind};

    const LONG: Duration = Duration::from_mins(1);

    fn open(path: &Path, busy: Duration) -> Connection {
        Connection::open(path, Access::ReadWrite { create: false }, busy).unwrap()
    }

    #[test]
    fn a_lock_that_does_not_come_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600, THINGS).unwrap();
        let (mut first, mut late) = (open(&path, LONG), open(&path, Duration::from_millis(50)));
        first.begin().unwrap();
        assert_eq!(late.begin().unwrap_err().kind(), Kind::Busy);
        // It still has the lock, and does not write.
        first.batch("ROLLBACK").unwrap();
        late.begin().unwrap();
        late.commit().unwrap();
        first.rollback();
        let mut next = open(&path, LONG);
        next.begin().unwrap();
        next.commit().unwrap();
    }

    #[test]
    fn the_lock_ends_with_its_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600, THINGS).unwrap();
        let mut db = open(&path, LONG);
        let log = log_of(&path);
        let is_free = || File::open(&log).unwrap().try_lock().is_ok();
        db.begin().unwrap();
        assert!(!is_free());
        db.commit().unwrap();
        assert!(is_free());
        db.begin().unwrap();
        db.rollback();
        assert!(is_free());
        db.begin().unwrap();
        drop(db);
        assert!(!log.exists() || is_free());
    }

    #[test]
    fn threads_that_wait_for_a_stopped_process_are_few() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("otab.db-wal");
        assert!(write_lock(&log, LONG).is_none(), "there is no log");
        File::create(&log).unwrap();
        let stopped = write_lock(&log, LONG).unwrap();
        for _ in 0..2 * THREADS {
            assert!(write_lock(&log, Duration::from_millis(1)).is_none());
        }
        // Other tests may have some, or try to.
        assert!(WAITING.load(Ordering::Relaxed) < 2 * THREADS);
        drop(stopped);
        assert!(write_lock(&log, LONG).is_some(), "late ones give it back");
    }
}
