//! How threads that wait are told that there is something to do, or that it is over.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Rung by one, heard by one.
#[derive(Default)]
pub struct Bell {
    state: Mutex<State>,
    heard: Condvar,
}

#[derive(Default)]
struct State {
    is_rung: bool,
    is_over: bool,
}

impl Bell {
    /// There is something to do.
    pub fn ring(&self) {
        self.change(|state| state.is_rung = true);
    }

    /// It is over.
    pub fn end(&self) {
        self.change(|state| state.is_over = true);
    }

    /// Whether it is over.
    pub fn is_over(&self) -> bool {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).is_over
    }

    /// Waits until it rings, at most so long; `true` where it is over.
    pub fn wait(&self, pause: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.heard.wait_timeout_while(state, pause, |state| !state.is_rung && !state.is_over);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.is_rung = false;
        state.is_over
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
        self.heard.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_thread_that_waits_hears_of_work_and_of_the_end() {
        const LONG: Duration = Duration::from_mins(10);
        let bell = Arc::new(Bell::default());
        assert!(!bell.wait(Duration::ZERO));
        bell.ring();
        assert!(!bell.wait(LONG), "rung before it was waited for");
        let other = Arc::clone(&bell);
        let waiting = std::thread::spawn(move || other.wait(LONG));
        bell.end();
        assert!(waiting.join().unwrap() && bell.wait(LONG) && bell.is_over());
    }
}
