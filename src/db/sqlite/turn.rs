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
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_RDLCK, F_UNLCK, F_WRLCK, SEEK_SET, c_int, c_short, flock, off_t};

/// So often a place that has just been taken by another is no reason to give up.
const TRIES: u32 = 100;

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
            before = taken(&self.log, 0, self.place).unwrap_or(None);
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
        let (mut place, mut before) = (0, None);
        while let Some(one) = taken(log, place, 0).ok()? {
            before = Some(one);
            place = one.checked_add(1)?;
        }
        match set(log, F_WRLCK, place) {
            Ok(()) => return Some((place, before)),
            Err(Errno::EAGAIN | Errno::EACCES) => {}
            Err(_) => return None,
        }
    }
    None
}

/// Waits until nobody has the place, for no longer than `left`; whether that is so.
///
/// The system waits without a limit, so a thread does. One that waits for longer goes with the process, or once the
/// place is free.
fn is_free_within(log: &Arc<File>, place: off_t, left: Duration) -> bool {
    if set(log, F_RDLCK, place).is_ok() {
        return set(log, F_UNLCK, place).is_ok();
    }
    let (sender, receiver) = mpsc::channel();
    let log = Arc::clone(log);
    let wait = move || {
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

/// A place that another has, from `first` on, of so many (0: to the end); one of them, not the first.
fn taken(log: &File, first: off_t, length: off_t) -> nix::Result<Option<off_t>> {
    let mut found = lock(F_WRLCK, first, length);
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
    use std::thread::JoinHandle;

    use super::*;
    use crate::db::sqlite::{Connection, create};
    use crate::db::{Access, Kind};

    const LONG: Duration = Duration::from_mins(1);

    fn some_log() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("otab.db-wal");
        File::create(&log).unwrap();
        (folder, log)
    }

    /// One who takes his place now, and then waits and says his name.
    fn waiter(log: &Path, name: u32, told: &mpsc::Sender<u32>) -> JoinHandle<()> {
        let file = File::options().read(true).write(true).open(log).unwrap();
        let last = || (0..100).take_while(|place| taken(&file, *place, 1).unwrap().is_some()).count();
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

    /// As for what has failed, and for the last of several writes.
    #[test]
    fn a_turn_ends_with_its_transaction_however_that_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        create(&path, 0o600).unwrap();
        let mut db = open(&path, LONG);
        let log = super::super::log::log_of(&path);
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
