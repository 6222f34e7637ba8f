//! Writing in turn: who comes later waits behind who came before, wakes once, and only then asks SQLite for its lock.
//!
//! SQLite knows no queue: who waits there asks again and again, and may ask for long while others are luckier. Here each
//! process takes a place in a row, the byte of that number in the log, and locks it; then it waits until the lock on the
//! place before its own is gone. The system gives up all locks of a process that ends, however it ends.
//!
//! A turn is a courtesy, which no promise rests on: SQLite's own lock decides. Where there is none to be had, or it does
//! not come in time, otab asks SQLite without it.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_RDLCK, F_UNLCK, F_WRLCK, SEEK_SET, c_int, c_short, flock, off_t};

use super::log::log_of;
use super::{Connection, busy};
use crate::db::Error;

/// So often a place that has just been taken by another is no reason to give up.
const TRIES: u32 = 100;

impl Connection {
    /// Begins a transaction that writes, in turn with those of other processes. It is [`crate::db::Kind::Busy`] after the time that
    /// a statement waits for others; up to a fifth of that it waits for its turn.
    pub(in crate::db) fn begin(&mut self) -> Result<(), Error> {
        let since = Instant::now();
        self.turn = Turn::take(&log_of(&self.path), self.busy / 5);
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
        self.turn = None;
        Ok(())
    }

    /// One that fails has nothing left to undo: SQLite has rolled back by itself already (disk full, I/O
    /// error), and closing the connection undoes the rest.
    pub(in crate::db) fn rollback(&mut self) {
        drop(self.batch("ROLLBACK"));
        self.turn = None;
    }
}

/// So many threads of this process wait at the same time, some perhaps for one who has stopped. More do without.
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

/// A place in the row. Dropping it lets the next one go on.
#[derive(Debug)]
pub(super) struct Turn {
    log: Arc<File>,
    place: off_t,
}

impl Turn {
    /// Takes a place at the end of the row, and waits for all who were there before, no longer than `limit`. Nothing,
    /// where the log cannot be written to or its file system has no such locks.
    ///
    /// The log is a file that SQLite does not lock, and the locks are those of open files (`F_OFD_SETLK`): to close one
    /// takes no other's away.
    pub(super) fn take(log: &Path, limit: Duration) -> Option<Self> {
        let log = Arc::new(File::options().read(true).write(true).open(log).ok()?);
        let (place, before) = place_in_row(&log)?;
        let turn = Self { log, place };
        turn.wait(before, limit);
        Some(turn)
    }

    /// Whoever gives up waiting leaves a gap, so that there may be others before the one before.
    fn wait(&self, mut before: Option<off_t>, limit: Duration) {
        let since = Instant::now();
        while let Some(place) = before {
            let left = limit.saturating_sub(since.elapsed());
            if left.is_zero() || !is_free_within(&self.log, place, left) {
                return;
            }
            before = taken(&self.log, F_RDLCK, 0, self.place).unwrap_or(None);
        }
    }
}

impl Drop for Turn {
    /// A thread that still waits keeps the file open, and with it the place, were that not given up here.
    fn drop(&mut self) {
        let _ = set(&self.log, F_UNLCK, self.place);
    }
}

/// Locks the first place behind all that are taken; and the last of those.
fn place_in_row(log: &File) -> Option<(off_t, Option<off_t>)> {
    for _ in 0..TRIES {
        let last = last_taken(log).ok()?;
        let place = last.map_or(Some(0), |last| last.checked_add(1))?;
        match set(log, F_WRLCK, place) {
            Ok(()) => return Some((place, last)),
            Err(Errno::EAGAIN) => {}
            Err(_) => return None,
        }
    }
    None
}

/// The last of all places that are taken. The system shows any one from a place on, and looks for it among all: so this
/// asks by doubling and halving.
fn last_taken(log: &File) -> nix::Result<Option<off_t>> {
    let from = |place| taken(log, F_WRLCK, place, 0);
    let Some(mut last) = from(0)? else { return Ok(None) };
    let mut step: off_t = 1;
    let mut free = loop {
        let place = last.checked_add(step).ok_or(Errno::EOVERFLOW)?;
        let Some(one) = from(place)? else { break place };
        (last, step) = (one, step.saturating_mul(2));
    };
    while free - last > 1 {
        let middle = last + (free - last) / 2;
        match from(middle)? {
            Some(one) => last = one,
            None => free = middle,
        }
    }
    Ok(Some(last))
}

/// Waits until nobody has the place, for no longer than `left`; whether that is so.
///
/// The system waits without a limit, so a thread does. One that waits for longer goes with the process, or once the
/// place is free.
fn is_free_within(log: &Arc<File>, place: off_t, left: Duration) -> bool {
    if set(log, F_RDLCK, place).is_ok() {
        return set(log, F_UNLCK, place).is_ok();
    }
    let Some(waiting) = Waiting::begin() else { return false };
    let (sender, receiver) = mpsc::channel();
    let log = Arc::clone(log);
    let wait = move || {
        let _waiting = waiting;
        let waited = loop {
            match fcntl(&log, FcntlArg::F_OFD_SETLKW(&lock(F_RDLCK, place, 1))) {
                Err(Errno::EINTR) => {}
                done => break done,
            }
        };
        let _ = sender.send(waited.is_ok() && set(&log, F_UNLCK, place).is_ok());
    };
    let thread = std::thread::Builder::new().stack_size(64 * 1024).spawn(wait);
    thread.is_ok() && receiver.recv_timeout(left) == Ok(true)
}

/// A place that another has, from `first` on, of so many (0: to the end); one of them, not the first. For `F_WRLCK` it
/// may also be one that somebody waits for and looks at just now.
fn taken(log: &File, kind: c_int, first: off_t, length: off_t) -> nix::Result<Option<off_t>> {
    let mut found = lock(kind, first, length);
    fcntl(log, FcntlArg::F_OFD_GETLK(&mut found))?;
    match c_int::from(found.l_type) {
        F_UNLCK => Ok(None),
        // Somebody else's lock, and no place.
        _ if found.l_len != 1 => Err(Errno::EINVAL),
        _ => Ok(Some(found.l_start)),
    }
}

fn set(log: &File, kind: c_int, place: off_t) -> nix::Result<()> {
    fcntl(log, FcntlArg::F_OFD_SETLK(&lock(kind, place, 1))).map(drop)
}

/// The kinds and `SEEK_SET` are small numbers.
#[allow(clippy::cast_possible_truncation, reason = "0, 1 or 2")]
fn lock(kind: c_int, start: off_t, length: off_t) -> flock {
    flock { l_type: kind as c_short, l_whence: SEEK_SET as c_short, l_start: start, l_len: length, l_pid: 0 }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::{Mutex, MutexGuard, PoisonError};
    use std::thread::JoinHandle;

    use super::*;
    use crate::db::sqlite::create;
    use crate::db::{Access, Kind};

    const LONG: Duration = Duration::from_mins(1);

    /// One test at a time waits: they share the number of threads.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn some_log() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("otab.db-wal");
        File::create(&log).unwrap();
        (folder, log)
    }

    /// One who takes his place now, and then waits and says his name.
    fn waiter(log: &Path, name: u32, told: &mpsc::Sender<u32>) -> JoinHandle<()> {
        let file = File::options().read(true).write(true).open(log).unwrap();
        let last = || (0..100).take_while(|place| taken(&file, F_WRLCK, *place, 1).unwrap().is_some()).count();
        let before = last();
        let (log, told) = (log.to_owned(), told.clone());
        let thread = std::thread::spawn(move || {
            let turn = Turn::take(&log, LONG).unwrap();
            told.send(name).unwrap();
            drop(turn);
        });
        while last() == before {
            std::thread::yield_now();
        }
        thread
    }

    #[test]
    fn who_came_first_is_first_and_nobody_waits_where_nobody_is() {
        let _alone = alone();
        let (_folder, log) = some_log();
        let (told, heard) = mpsc::channel();
        let first = Turn::take(&log, Duration::ZERO).unwrap();
        let waiters: Vec<_> = (1..=8).map(|name| waiter(&log, name, &told)).collect();
        assert!(heard.try_recv().is_err());
        drop(first);
        for waiter in waiters {
            waiter.join().unwrap();
        }
        assert_eq!(heard.try_iter().collect::<Vec<_>>(), (1..=8).collect::<Vec<_>>());
        assert_eq!(Turn::take(&log, Duration::ZERO).unwrap().place, 0, "an empty row begins anew");
    }

    #[test]
    fn who_gives_up_lets_nobody_pass_those_before_him() {
        let _alone = alone();
        let (_folder, log) = some_log();
        let (told, heard) = mpsc::channel();
        let first = Turn::take(&log, LONG).unwrap();
        let impatient = Turn::take(&log, Duration::from_millis(1)).unwrap();
        let waiter = waiter(&log, 3, &told);
        drop(impatient);
        assert!(heard.recv_timeout(Duration::from_millis(50)).is_err());
        drop(first);
        waiter.join().unwrap();
        assert_eq!(heard.try_recv(), Ok(3));
    }

    #[test]
    fn where_others_lock_the_log_or_it_is_not_to_be_written_there_are_no_turns() {
        let (folder, log) = some_log();
        assert!(Turn::take(&folder.path().join("none"), LONG).is_none());
        assert!(Turn::take(folder.path(), LONG).is_none());
        let other = File::options().read(true).write(true).open(&log).unwrap();
        for (first, length) in [(0, 0), (0, 2), (off_t::MAX, 1)] {
            fcntl(&other, FcntlArg::F_OFD_SETLK(&lock(F_WRLCK, first, length))).unwrap();
            assert!(Turn::take(&log, LONG).is_none(), "{first} {length}");
            fcntl(&other, FcntlArg::F_OFD_SETLK(&lock(F_UNLCK, 0, 0))).unwrap();
        }
        assert!(Turn::take(&log, LONG).is_some());
    }

    fn open(path: &Path, busy: Duration) -> Connection {
        Connection::open(path, Access::ReadWrite { create: false }, busy).unwrap()
    }

    #[test]
    fn a_turn_that_does_not_come_is_no_hindrance_where_nobody_writes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let (mut first, mut late) = (open(&path, LONG), open(&path, Duration::from_millis(50)));
        first.begin().unwrap();
        assert_eq!(late.begin().unwrap_err().kind(), Kind::Busy);
        // It still has the turn, and does not write.
        first.batch("ROLLBACK").unwrap();
        late.begin().unwrap();
        late.commit().unwrap();
        first.rollback();
        let mut next = open(&path, LONG);
        next.begin().unwrap();
        next.commit().unwrap();
    }

    #[test]
    fn a_lock_for_reading_is_no_place_that_is_waited_for() {
        let (_folder, log) = some_log();
        let reader = File::open(&log).unwrap();
        set(&reader, F_RDLCK, 0).unwrap();
        let since = Instant::now();
        assert_eq!(Turn::take(&log, LONG).unwrap().place, 1);
        assert!(since.elapsed() < LONG / 2);
    }

    #[test]
    fn the_end_of_a_long_row_with_gaps_is_found() {
        let (_folder, log) = some_log();
        let open = || File::options().read(true).write(true).open(&log).unwrap();
        let mut held = Vec::new();
        for place in [0, 1, 2, 7, 8, 100, 101, 1000] {
            held.push(open());
            set(held.last().unwrap(), F_WRLCK, place).unwrap();
            assert_eq!(last_taken(&open()), Ok(Some(place)));
        }
    }

    #[test]
    fn while_many_threads_wait_for_one_who_has_stopped_the_others_do_without() {
        let _alone = alone();
        let (_folder, log) = some_log();
        let stopped = Turn::take(&log, LONG).unwrap();
        let impatient = || Turn::take(&log, Duration::from_millis(1)).unwrap();
        let late: Vec<Turn> = (0..2 * THREADS).map(|_| impatient()).collect();
        // Other tests may have some, or try to.
        assert!(WAITING.load(Ordering::Relaxed) < 2 * THREADS);
        drop((stopped, late));
        while WAITING.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
    }

    /// As for what has failed, and for the last of several writes.
    #[test]
    fn a_turn_ends_with_its_transaction_however_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let mut db = open(&path, LONG);
        let log = log_of(&path);
        let row_is_empty = || Turn::take(&log, Duration::ZERO).unwrap().place == 0;
        db.begin().unwrap();
        assert!(!row_is_empty());
        db.commit().unwrap();
        assert!(row_is_empty());
        db.begin().unwrap();
        db.rollback();
        assert!(row_is_empty());
        db.begin().unwrap();
        drop(db);
        assert!(!log.exists() || row_is_empty());
    }
}
