//! A datagram socket of a log daemon on this machine, asked without waiting.
//!
//! Why not the crate `syslog`: its default socket blocks, so a daemon that is stopped or swamped
//! would hold up mail; given a socket of our own it still connects once, so that a daemon's restart
//! silences it for good; and its time is UTC in programs with threads. What is left is one
//! `format!`. This file knows nothing of what it sends.

use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

/// A daemon's queue is short (`net.unix.max_dgram_qlen`, often 10 datagrams), and fifty filters at
/// once fill it for a moment. So a full queue is given this many pauses before a line is lost.
const TRIES: u8 = 10;
/// The length of one pause. All pauses together cost a mail 50 ms, and once only: patience grows
/// back when the daemon takes something.
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Debug)]
pub(super) struct Socket {
    own: UnixDatagram,
    path: PathBuf,
    patience: AtomicU8,
}

impl Socket {
    /// `None` when the system has no socket left, which no log is worth failing for.
    pub(super) fn new(path: &Path) -> Option<Self> {
        let socket = UnixDatagram::unbound().ok()?;
        socket.set_nonblocking(true).ok()?;
        Some(Self { own: socket, path: path.to_owned(), patience: AtomicU8::new(TRIES) })
    }

    /// Sends one datagram, or loses it.
    pub(super) fn send(&self, text: &str) {
        loop {
            // By path each time, not connected: a daemon that was restarted has a new socket.
            match self.own.send_to(text.as_bytes(), &self.path) {
                Ok(_) => self.patience.store(TRIES, Ordering::Relaxed),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock && self.has_patience() => {
                    std::thread::sleep(PAUSE);
                    continue;
                }
                Err(_) => {}
            }
            return;
        }
    }

    fn has_patience(&self) -> bool {
        let less = |left: u8| left.checked_sub(1);
        self.patience.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_daemon_that_reads_nothing_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let stalled = UnixDatagram::bind(&path).unwrap();
        let socket = Socket::new(&path).unwrap();
        let start = Instant::now();
        for _ in 0..2000 {
            socket.send("line");
        }
        // 2000 pauses would take ten seconds; a blocking socket would never end.
        assert!(start.elapsed() < Duration::from_secs(5));
        assert!(!socket.has_patience());

        // It wakes up, and is heard again.
        stalled.set_nonblocking(true).unwrap();
        let mut buffer = [0; 16];
        while stalled.recv(&mut buffer).is_ok() {}
        socket.send("awake");
        assert_eq!(stalled.recv(&mut buffer).unwrap(), 5);
        assert!(socket.has_patience());
    }
}
