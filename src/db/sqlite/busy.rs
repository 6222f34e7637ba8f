//! What a statement does while others hold the lock: sleeps of random length, up to a limit. Writers that have waited in
//! the queue (`write_lock`) hardly ever need it.
//!
//! SQLite's own handler sleeps in steps that are the same for all, so that waiters stay in step. Here each sleep lies
//! anywhere up to a bound that doubles.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// The bound of the first sleep, in microseconds.
const FIRST: u64 = 500;
/// So often it doubles, up to 32 ms.
const DOUBLINGS: u32 = 6;

/// A handler that gives up once one statement has waited for `limit` in all.
pub(super) fn handler(limit: Duration) -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        let left = limit.saturating_sub(since.elapsed());
        if left.is_zero() {
            return false;
        }
        let bound = FIRST << tries.unsigned_abs().min(DOUBLINGS);
        // Each state is keyed anew: chance enough to keep waiters out of step.
        let chance = RandomState::new().build_hasher().finish();
        std::thread::sleep(Duration::from_micros(1 + chance % bound).min(left));
        true
    }
}
