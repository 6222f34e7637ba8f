//! What one decision is made for and with: what its steps have in common.

use jiff::Timestamp;

use super::Engine;
use crate::token::State;

/// What a decision is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To say what would happen: nothing is recorded.
    Trial,
    /// The mail goes on at once, and its token is active.
    PassOn,
    /// The next stage may still refuse it: its token is pending until [`Engine::settle`].
    HandOver,
}

/// One decision.
pub(super) struct Work<'a> {
    pub(super) engine: &'a Engine,
    pub(super) now: Timestamp,
    pub(super) purpose: Purpose,
    /// How the log names the mail.
    pub(super) name: &'a str,
}

impl Work<'_> {
    /// Whether nothing is written.
    pub(super) fn is_trial(&self) -> bool {
        self.purpose == Purpose::Trial
    }

    /// The state of a new token.
    pub(super) fn state(&self) -> State {
        if self.purpose == Purpose::HandOver { State::Pending } else { State::Active }
    }

    pub(super) fn warn(&self, what: &str) {
        self.engine.log.warning(&format!("{}: {what}", self.name));
    }
}
