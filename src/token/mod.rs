//! Tokens: the secret in a link, its states, and the questions whether it still opens something.
//!
//! Only a secret's SHA-256 is stored here; the secret itself is the outbox's. A token goes from active
//! to used by one conditional UPDATE and never comes back (promise 8). This room knows no mail.

pub mod import;
mod issue;
mod people;
mod purge;
mod redeem;
mod rules;
mod secret;
mod sql;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

pub use issue::{Issued, NewToken, activate, bind, find, issue, renew, replace, withdraw};
pub use people::{Listed, Revoked, Which, WhichError, count_by_state, list, newest, revoke, revoke_all_of};
pub use purge::{Counts, purge};
pub use redeem::{by_id, lookup, others_active, redeem, redeem_in};
pub use rules::{AHEAD, Answer, CustomerStanding, Limits, TicketStanding, answer, counts_as_active, is_ahead, opens};
pub use secret::{MailKey, Secret, SecretError};
pub use sql::PENDING;

/// Where a token stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Recorded, while the mail has not been taken by the next stage for sure.
    Pending,
    /// Opens its ticket, once.
    Active,
    /// Has been used, or another one of its ticket has.
    Used,
    /// Taken back by a person.
    Revoked,
}

impl State {
    /// The stored text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Used => "used",
            Self::Revoked => "revoked",
        }
    }
}

/// A text that names no state of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state of a token; one of: pending, active, used, revoked")]
pub struct UnknownState;

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Pending, Self::Active, Self::Used, Self::Revoked]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownState)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A stored token, without its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenFacts {
    /// The row's number.
    pub id: i64,
    /// Where it stands.
    pub state: State,
    /// The customer's login.
    pub customer: String,
    /// The customer's stored address when the token was issued.
    pub email: String,
    /// The name of the customer's source.
    pub backend: String,
    /// The Message-ID of the mail it was issued for, with its `<>`.
    pub message_id: Option<String>,
    /// The ticket, once known.
    pub ticket_number: Option<String>,
    /// When it was issued.
    pub created_at: Timestamp,
    /// When it last changed its state.
    pub changed_at: Timestamp,
}

#[cfg(test)]
mod bench;
