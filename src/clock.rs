//! The time of day: the one place that asks for it. Everything else gets it as an argument.

use jiff::Timestamp;

/// The present moment, in UTC.
#[must_use]
pub fn now() -> Timestamp {
    #[allow(clippy::disallowed_methods, reason = "this is the one place")]
    Timestamp::now()
}
