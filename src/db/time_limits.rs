//! How long a server is waited for: in all, always less than the caller's own limit. After a timeout the connection
//! is dropped, and nothing is tried again in this run.

use std::time::Duration;

/// The parts of the caller's limit. After a wait in vain the connection is given up, so one statement's
/// wait comes on top of the connecting, and no second one.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// To connect, log in and set the session up.
    pub(super) connect: Duration,
    /// For one statement, until otab stops to listen.
    pub(super) statement: Duration,
    /// The same as the server is told it: it gives up a little earlier, and says so.
    pub(super) at_server: Duration,
    /// For the lock of otab's writers.
    pub(super) turn: Duration,
    /// Whether one run may be at work for hours: a session that is idle meanwhile is not to be ended.
    pub(super) is_long: bool,
}

/// A statement that reads or sorts a whole table.
const LONG: Duration = Duration::from_hours(6);

impl TimeLimits {
    pub(super) fn within(busy: Duration) -> Self {
        let at_server = busy / 2;
        Self { connect: busy / 4, statement: busy / 8 * 5, at_server, turn: at_server, is_long: false }
    }

    /// For whole tables: the limits that are meant for mails would end it in the middle. Only connecting and the
    /// wait for its turn are limited as ever, by `busy`.
    pub(super) fn of_hours(busy: Duration) -> Self {
        Self { statement: LONG, at_server: LONG, is_long: true, ..Self::within(busy) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connecting_and_a_statement_share_the_limit() {
        let busy = Duration::from_secs(8);
        let limits = TimeLimits::within(busy);
        assert!(limits.connect + limits.statement < busy);
        assert!(limits.at_server < limits.statement);
    }
}
