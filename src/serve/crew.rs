//! Threads whose end is waited for with a limit, which `JoinHandle` cannot do.

use std::convert::Infallible;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;

/// Threads that are waited for together.
pub struct Crew {
    member: Sender<Infallible>,
    gone: Receiver<Infallible>,
}

/// Held by a thread of the crew for as long as it runs.
pub type Member = Sender<Infallible>;

impl Crew {
    /// Nobody yet.
    pub fn new() -> Self {
        let (member, gone) = channel();
        Self { member, gone }
    }

    /// For one more thread.
    pub fn member(&self) -> Member {
        self.member.clone()
    }

    /// Waits until all have ended, at most until then; whether they have.
    pub fn has_ended(self, until: Instant) -> bool {
        drop(self.member);
        let left = until.saturating_duration_since(Instant::now());
        self.gone.recv_timeout(left) == Err(RecvTimeoutError::Disconnected)
    }
}
