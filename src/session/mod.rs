//! Sessions of the door: who has come in by a link, in which browser, until when.
//!
//! A browser has the secret; stored is its SHA-256. This room only knows times: its callers check at least once a
//! minute that the customer is still good.

use jiff::{SignedDuration, Timestamp};

use crate::token;

/// How often a session's last request is written, at most.
const NOTED: SignedDuration = SignedDuration::from_mins(1);

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// Without a request.
    pub idle: SignedDuration,
    /// In any case.
    pub length: SignedDuration,
}

/// Whose a session is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The name of the customer's source.
    pub backend: String,
    /// The customer's login.
    pub customer: String,
    /// His stored address when it began.
    pub email: String,
    /// The ticket of the link that he came by; `None`: the overview.
    pub ticket_number: Option<String>,
}

/// A stored session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub holder: Holder,
    /// When it began.
    pub created_at: Timestamp,
    /// Its last request, to the minute.
    pub seen_at: Timestamp,
}

impl Session {
    /// Whether it has ended at `now` by time alone.
    #[must_use]
    pub fn is_over(&self, ends: &Ends, now: Timestamp) -> bool {
        is_over(self.created_at, self.seen_at, ends, now)
    }

    /// Whether its last request has to be written anew.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        is_past(self.seen_at, NOTED, now)
    }
}

/// Whether `length` has passed since `then`.
#[must_use]
pub fn is_past(then: Timestamp, length: SignedDuration, now: Timestamp) -> bool {
    now.duration_since(then) >= length
}

/// Whether a session that began and was last seen then has ended by time alone. One that did so ahead of now is over,
/// too: a clock was wrong, and the session would live on for as long as that clock said.
#[must_use]
pub fn is_over(created_at: Timestamp, seen_at: Timestamp, ends: &Ends, now: Timestamp) -> bool {
    let is_ahead = token::is_ahead(created_at, now) || token::is_ahead(seen_at, now);
    is_ahead || is_past(created_at, ends.length, now) || is_past(seen_at, ends.idle, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: Ends = Ends { idle: SignedDuration::from_mins(30), length: SignedDuration::from_hours(8) };

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_session_ends_by_idleness_or_by_age_to_the_second() {
        for (created, seen, now, over) in [
            (0, 0, 1799, false),
            (0, 0, 1800, true),
            (0, 28_000, 28_799, false),
            (0, 28_000, 28_800, true),
            (300, 300, 0, false),
            (301, 0, 0, true),
            (0, 301, 0, true),
            (86_400 * 400, 86_400 * 400, 0, true),
        ] {
            assert_eq!(is_over(at(created), at(seen), &ENDS, at(now)), over, "{created} {seen} {now}");
        }
        assert!(!is_past(at(0), NOTED, at(59)) && is_past(at(0), NOTED, at(60)));
    }
}
