//! Counts by address, in memory of a fixed size: so many within a time, spread evenly or all at once.
//!
//! Time is an argument. For each client one moment is kept, at which all that they did is forgotten (GCRA).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::peer::Client;

/// Clients that are remembered at most; a few MiB.
const MOST: usize = 65_536;

/// A limit by client.
#[derive(Debug)]
pub(super) struct Rate {
    window: Duration,
    /// What one costs; zero: any number is allowed.
    cost: Duration,
    free_at: Mutex<HashMap<Client, Instant>>,
}

impl Rate {
    /// At most `count` within `window`; 0: any number.
    pub(super) fn new(count: u32, window: Duration) -> Self {
        Self { window, cost: window.checked_div(count).unwrap_or_default(), free_at: Mutex::default() }
    }

    /// Whether it is this limit.
    pub(super) fn allows(&self, count: u32, window: Duration) -> bool {
        let other = Self::new(count, window);
        self.window == other.window && self.cost == other.cost
    }

    /// Whether there is room for one more.
    pub(super) fn has_room(&self, client: Client, now: Instant) -> bool {
        let free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        free_at.get(&client).is_none_or(|at| at.saturating_duration_since(now) + self.cost <= self.window)
    }

    /// Counts one; `false` where there was no room, and then it does not count.
    pub(super) fn admit(&self, client: Client, now: Instant) -> bool {
        if self.cost.is_zero() {
            return true;
        }
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let used = free_at.get(&client).map_or(Duration::ZERO, |at| at.saturating_duration_since(now));
        if used + self.cost > self.window {
            return false;
        }
        if free_at.len() >= MOST {
            make_room(&mut free_at, now);
        }
        free_at.insert(client, now + used + self.cost);
        true
    }
}

/// Forgets who is free anyway; where all have done something lately, the half that has done least: whoever owns
/// that many addresses is stopped by no count.
fn make_room(free_at: &mut HashMap<Client, Instant>, now: Instant) {
    free_at.retain(|_, at| *at > now);
    if free_at.len() >= MOST {
        let mut moments: Vec<Instant> = free_at.values().copied().collect();
        let (_, &mut middle, _) = moments.select_nth_unstable(MOST / 2);
        free_at.retain(|_, at| *at > middle);
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use axum::http::HeaderMap;

    use super::*;
    use crate::portal::peer::{Peer, client};

    fn who(number: u32) -> Client {
        client(Peer(Some(Ipv4Addr::from_bits(number).into())), &HeaderMap::new(), &[])
    }

    #[test]
    fn so_many_at_once_then_one_for_each_part() {
        let rate = Rate::new(4, Duration::from_mins(1));
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let admitted = |seconds| rate.admit(who(1), after(seconds));
        assert!((0..4).all(|_| admitted(0)) && !admitted(0));
        assert!(rate.has_room(who(2), start) && rate.admit(who(2), start));
        assert!(!rate.has_room(who(1), after(14)) && rate.has_room(who(1), after(15)));
        assert!(!admitted(14) && admitted(15) && !admitted(15));
        assert!((0..4).all(|_| admitted(200)) && !admitted(200));
    }

    #[test]
    fn zero_is_no_limit() {
        let rate = Rate::new(0, Duration::from_mins(1));
        assert!((0..1000).all(|_| rate.admit(who(1), Instant::now())) && rate.has_room(who(1), Instant::now()));
    }

    #[test]
    fn memory_is_bounded_and_the_busiest_are_remembered() {
        let rate = Rate::new(10, Duration::from_mins(1));
        let now = Instant::now();
        while rate.admit(who(0), now) {}
        for number in 1..=200_000 {
            assert!(rate.admit(who(number), now));
        }
        assert!(rate.free_at.lock().unwrap().len() <= MOST);
        assert!(!rate.admit(who(0), now));
    }
}
