//! What `/auth` knows without asking: sessions whose customer has been looked at within the last minute.
//!
//! Bounded. Time is an argument. A session is kept by the hash of its secret.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::LOOK;
use super::backend::Guest;
use crate::session::{Ends, is_over, is_past};

/// Sessions that are remembered at most.
const MOST: usize = 50_000;

/// Sessions that were good a moment ago.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    kept: HashMap<String, Kept>,
    /// How often something was forgotten.
    forgotten: u64,
}

#[derive(Debug)]
struct Kept {
    guest: Guest,
    looked_at: Timestamp,
}

/// What is known of a session.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Recall {
    /// It is good.
    Good(Guest),
    /// It was, until its last request at this time.
    Ask(Timestamp),
    /// Its time is over.
    Over,
    /// Nothing.
    Unknown,
}

impl Remembered {
    /// What is known of a session that sends a request now.
    pub(super) fn recall(&self, hash: &str, ends: &Ends, now: Timestamp) -> Recall {
        let kept = &mut self.lock().kept;
        let Some(known) = kept.get_mut(hash) else { return Recall::Unknown };
        let Guest { created_at, seen_at, .. } = known.guest;
        if is_over(created_at, seen_at, ends, now) {
            kept.remove(hash);
            return Recall::Over;
        }
        // A look from the future is one before the clock was set back.
        if is_past(known.looked_at, LOOK, now) || known.looked_at > now {
            return Recall::Ask(seen_at);
        }
        known.guest.seen_at = now;
        Recall::Good(known.guest.clone())
    }

    /// To be asked before a session is looked at, for [`Remembered::keep`].
    pub(super) fn before_a_look(&self) -> u64 {
        self.lock().forgotten
    }

    /// A session has been looked at, and is good. It is not kept where one was forgotten since `before`: it may be
    /// this one, which has ended behind the look.
    pub(super) fn keep(&self, hash: &str, guest: Guest, now: Timestamp, before: u64) {
        let Memory { kept, forgotten } = &mut *self.lock();
        if *forgotten != before {
            return;
        }
        if kept.len() >= MOST {
            kept.retain(|_, known| !is_past(known.looked_at, LOOK, now));
            if kept.len() >= MOST {
                // All of them can be asked for again.
                kept.clear();
            }
        }
        kept.insert(hash.to_owned(), Kept { guest, looked_at: now });
    }

    /// A session is good no more.
    pub(super) fn forget(&self, hash: &str) {
        let mut memory = self.lock();
        memory.kept.remove(hash);
        memory.forgotten += 1;
    }

    /// All of them are asked for again: the site has another configuration.
    pub(super) fn clear(&self) {
        let mut memory = self.lock();
        memory.kept.clear();
        memory.forgotten += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const ENDS: Ends = Ends { idle: SignedDuration::from_mins(5), length: SignedDuration::from_mins(10) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn guest(created: i64, seen: i64) -> Guest {
        Guest { login: "carol".to_owned(), ticket: None, created_at: at(created), seen_at: at(seen) }
    }

    #[test]
    fn a_session_is_good_for_a_minute_from_the_last_look() {
        let all = Remembered::default();
        assert_eq!(all.recall("a", &ENDS, at(0)), Recall::Unknown);
        all.keep("a", guest(0, 0), at(0), all.before_a_look());
        assert!(matches!(all.recall("a", &ENDS, at(59)), Recall::Good(_)));
        assert_eq!(all.recall("a", &ENDS, at(60)), Recall::Ask(at(59)));
        assert_eq!(all.recall("a", &ENDS, at(-1)), Recall::Ask(at(59)));
        all.keep("a", guest(0, 60), at(60), all.before_a_look());
        assert!(matches!(all.recall("a", &ENDS, at(61)), Recall::Good(_)));
        all.forget("a");
        assert_eq!(all.recall("a", &ENDS, at(61)), Recall::Unknown);
    }

    #[test]
    fn both_ends_hold_without_asking() {
        let all = Remembered::default();
        all.keep("idle", guest(0, 0), at(299), all.before_a_look());
        assert!(matches!(all.recall("idle", &ENDS, at(299)), Recall::Good(_)));
        all.keep("idle", guest(0, 0), at(300), all.before_a_look());
        assert_eq!(all.recall("idle", &ENDS, at(300)), Recall::Over);
        all.keep("old", guest(0, 599), at(599), all.before_a_look());
        assert!(matches!(all.recall("old", &ENDS, at(599)), Recall::Good(_)));
        assert_eq!(all.recall("old", &ENDS, at(600)), Recall::Over);
        assert_eq!(all.recall("old", &ENDS, at(600)), Recall::Unknown);
    }

    #[test]
    fn memory_is_bounded() {
        let all = Remembered::default();
        for number in 0..(MOST + 10) {
            all.keep(&number.to_string(), guest(0, 0), at(0), all.before_a_look());
        }
        assert!(all.lock().kept.len() <= MOST);
    }

    #[test]
    fn a_session_that_ends_while_looked_at_is_not_kept() {
        let all = Remembered::default();
        let before = all.before_a_look();
        all.forget("a");
        all.keep("a", guest(0, 0), at(0), before);
        assert_eq!(all.recall("a", &ENDS, at(0)), Recall::Unknown);
    }
}
