//! What a statement does while others hold the lock: short sleeps of random length, up to a limit.
//!
//! SQLite's own handler sleeps ever longer, up to a tenth of a second, all waiters in step: with many
//! filters at once the last ones starve. Random short sleeps let each through soon.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// Longest single sleep, in microseconds.
const LONGEST: u64 = 3_000;
/// The same for one who has waited for so long: among many, he is the more likely to be the next.
const LONGEST_OF_PATIENT: u64 = 600;
const PATIENT: Duration = Duration::from_millis(25);

/// A handler that gives up once one statement has waited for `limit` in all.
pub(super) fn handler(limit: Duration) -> impl FnMut(i32) -> bool + Send + 'static {
    let mut since = Instant::now();
    let mut chance = RandomState::new().build_hasher().finish() | 1;
    move |tries| {
        if tries == 0 {
            since = Instant::now();
        }
        let waited = since.elapsed();
        let left = limit.saturating_sub(waited);
        if left.is_zero() {
            return false;
        }
        let longest = if waited > PATIENT { LONGEST_OF_PATIENT } else { LONGEST.min(500 << tries.clamp(0, 8)) };
        std::thread::sleep(Duration::from_micros(100 + next(&mut chance) % longest).min(left));
        true
    }
}

/// Marsaglia's xorshift: chance enough to keep waiters out of step.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
