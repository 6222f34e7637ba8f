//! The time limits of the mail path: so long until the first byte goes out, and so long without
//! progress afterwards. Postfix bounces a mail when ITS limit passes, so otab has to give up before.
//!
//! A thread waits and, once a limit has passed, ends the process with 75. It holds the lock while it
//! does, so that no first byte can slip out behind a decision to give up.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::contract;

/// The running limits of one mail.
pub struct Deadline {
    shared: Arc<(Mutex<State>, Condvar)>,
}

struct State {
    phase: Phase,
    started: Instant,
    limit: Duration,
    last_progress: Instant,
    /// When the thread will look by itself, once it waits.
    wakes_at: Option<Instant>,
}

impl State {
    /// From when on the limit that holds now counts; nothing where none does.
    fn since(&self) -> Option<Instant> {
        match self.phase {
            Phase::Deciding => Some(self.started),
            Phase::Copying => Some(self.last_progress),
            Phase::Done => None,
        }
    }

    /// Whether the thread would look too late. To wake it takes a mail longer than most of what it does.
    fn is_to_be_woken(&self) -> bool {
        let ends_at = self.since().and_then(|since| since.checked_add(self.limit));
        ends_at.zip(self.wakes_at).is_some_and(|(ends_at, wakes_at)| ends_at < wakes_at)
    }
}

#[derive(PartialEq, Clone, Copy)]
enum Phase {
    Deciding,
    Copying,
    Done,
}

impl Deadline {
    /// Starts the clock; `decide` counts from now.
    #[must_use]
    pub fn start(decide: Duration) -> Self {
        let now = Instant::now();
        let state = State { phase: Phase::Deciding, started: now, limit: decide, last_progress: now, wakes_at: None };
        let shared = Arc::new((Mutex::new(state), Condvar::new()));
        let watched = Arc::clone(&shared);
        // Without a thread there would be no limit: the mail server's own would bounce the mail.
        let spawned = std::thread::Builder::new().stack_size(64 * 1024).spawn(move || wait(&watched));
        if spawned.is_err() {
            contract::give_up("no thread could be started");
        }
        Self { shared }
    }

    /// Replaces the limit for the decision; it still counts from the start.
    pub fn decide_within(&self, limit: Duration) {
        self.change(|state| state.limit = limit);
    }

    /// How much of the limit is left.
    #[must_use]
    pub fn left(&self) -> Duration {
        let state = lock(&self.shared.0);
        state.limit.saturating_sub(state.started.elapsed())
    }

    /// From now on bytes go out; `idle` is how long the mail may stand still.
    pub fn first_byte(&self, idle: Duration) {
        self.change(|state| {
            state.phase = Phase::Copying;
            state.limit = idle;
            state.last_progress = Instant::now();
        });
    }

    /// Some bytes went on.
    pub fn progress(&self) {
        lock(&self.shared.0).last_progress = Instant::now();
    }

    /// No limit holds any more.
    pub fn done(&self) {
        self.change(|state| state.phase = Phase::Done);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = lock(&self.shared.0);
        change(&mut state);
        if state.is_to_be_woken() {
            self.shared.1.notify_all();
        }
    }
}

fn lock(mutex: &Mutex<State>) -> MutexGuard<'_, State> {
    // A panic elsewhere ends the process with 75 anyway; the state is plain values.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait(shared: &(Mutex<State>, Condvar)) {
    let mut state = lock(&shared.0);
    while let Some(since) = state.since() {
        let left = state.limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            contract::give_up(if state.phase == Phase::Deciding {
                "the time limit has passed"
            } else {
                "the mail stands still"
            });
        }
        state.wakes_at = Instant::now().checked_add(left);
        state = shared.1.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thread_is_woken_only_where_it_waits_too_long() {
        let now = Instant::now();
        let second = Duration::from_secs(1);
        let state =
            |phase, limit, wakes_at| State { phase, started: now, limit, last_progress: now + second, wakes_at };
        let late = Some(now + second * 8);
        assert!(state(Phase::Deciding, second, late).is_to_be_woken());
        assert!(!state(Phase::Deciding, second * 8, late).is_to_be_woken());
        assert!(state(Phase::Copying, second * 6, late).is_to_be_woken());
        assert!(!state(Phase::Copying, second * 300, late).is_to_be_woken());
        assert!(!state(Phase::Done, second, late).is_to_be_woken());
        assert!(!state(Phase::Deciding, second, None).is_to_be_woken());
        assert!(!state(Phase::Deciding, Duration::MAX, late).is_to_be_woken());
    }
}
