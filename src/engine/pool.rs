//! Connections that outlive a mail, in a process that stays, and how many mails are decided at the same time.
//!
//! Only servers' connections are kept: opening a file costs less than finding out whether it is still the same, and a
//! directory closes what says nothing for a while.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::db::{self, Databases};
use crate::store;

/// A small pool.
pub struct Pool {
    /// How many may be lent; `None`: any number, and none is kept.
    most: Option<usize>,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    idle: Vec<Databases>,
    lent: usize,
}

/// Databases of a pool. Where they are dropped, they are closed.
pub struct Lent<'a> {
    /// They.
    pub databases: Databases,
    slot: Slot<'a>,
}

/// The right to have databases out, which ends with it.
struct Slot<'a>(&'a Pool);

impl Pool {
    /// For a process that decides one mail: nothing is kept.
    #[must_use]
    pub fn none() -> Self {
        Self { most: None, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Up to `most` sets of connections.
    #[must_use]
    pub fn of(most: usize) -> Self {
        Self { most: Some(most.max(1)), state: Mutex::default(), freed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Plain values, which no panic leaves half-done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Databases that were given back, or those that `open` makes; `None` where all are lent for the whole of `wait`.
    pub fn lend(&self, wait: Duration, open: impl FnOnce() -> Databases) -> Option<Lent<'_>> {
        let most = self.most.unwrap_or(usize::MAX);
        let waited = self.freed.wait_timeout_while(self.state(), wait, |state| state.lent >= most);
        let (mut state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if state.lent >= most {
            return None;
        }
        state.lent += 1;
        let idle = state.idle.pop();
        drop(state);
        let slot = Slot(self);
        let databases = idle.map_or_else(open, |idle| idle.checked(store::is_good));
        Some(Lent { databases, slot })
    }
}

impl Lent<'_> {
    /// Gives them back after work that ended well; otherwise they may hold what was left half-done.
    pub fn give_back(self) -> Result<(), db::Error> {
        let Self { databases, slot } = self;
        if slot.0.most.is_none() {
            return databases.close();
        }
        let (kept, closed) = databases.of_servers();
        slot.0.state().idle.push(kept);
        closed
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.lent -= 1;
        drop(state);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Access;

    fn open() -> Databases {
        store::databases(Access::ReadOnly, Duration::from_secs(1))
    }

    #[test]
    fn no_more_are_lent_than_the_pool_has() {
        let pool = Pool::of(1);
        let first = pool.lend(Duration::ZERO, open).unwrap();
        assert!(pool.lend(Duration::ZERO, open).is_none());
        first.give_back().unwrap();
        drop(pool.lend(Duration::ZERO, open).unwrap());
        assert!(pool.lend(Duration::ZERO, open).is_some());
    }

    #[test]
    fn one_who_waits_gets_what_is_given_back() {
        let pool = Pool::of(1);
        let first = pool.lend(Duration::ZERO, open).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| pool.lend(Duration::from_mins(1), open).is_some());
            first.give_back().unwrap();
            assert!(waits.join().unwrap());
        });
    }
}
