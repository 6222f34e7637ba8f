//! What a statement does while others hold the lock: short sleeps of random length, up to a limit. Writers that have
//! their turn (see `turn`) hardly ever need it.
//!
//! SQLite's own handler sleeps ever longer, up to a tenth of a second, all waiters in step: with many
//! filters at once the last ones starve. Random short sleeps let each through soon.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

/// Longest single sleep, in microseconds.
const LONGEST: u64 = 3_000;
/// Who has waited for longer than this, in microseconds, sleeps the shorter, the longer he has waited: among many, he is
/// the more likely to be the next.
const PATIENT: u64 = 20_000;
/// Shortest sleep, in microseconds.
const SHORTEST: u64 = 100;

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
        let micros = u64::try_from(waited.as_micros()).unwrap_or(u64::MAX);
        let longest = (LONGEST.min(500 << tries.clamp(0, 8)) * PATIENT / micros.max(PATIENT)).max(SHORTEST);
        std::thread::sleep(Duration::from_micros(SHORTEST + next(&mut chance) % longest).min(left));
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
