//! Tokens: the secret in a link, its states, and the questions whether it still opens something. Pure.
//!
//! Only a secret's SHA-256 is stored (by `store::tokens`); the secret itself is the outbox's.

mod rules;
mod secret;
mod which;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

pub use rules::{
    AHEAD, Answer, CustomerStanding, Doom, Limits, PENDING, TicketStanding, answer, counts_as_active, doom, is_ahead,
    opens,
};
pub use secret::{MailKey, Secret, SecretError};
pub use which::{SHOWN, Which, WhichError};

/// Where a token stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum State {
    /// Recorded, while the mail has not been taken by the next stage for sure.
    Pending,
    /// Opens its ticket, once.
    Active,
    /// Has been used, or another one of its ticket has.
    Used,
    /// Taken back by a person.
    #[default]
    Revoked,
}

impl State {
    /// All four.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Active, Self::Used, Self::Revoked];

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
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(UnknownState)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A stored token, without its hash.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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

/// A token to be issued.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// The mail it is issued for; `None` for one made by hand or by a renewal.
    pub mail_key: Option<MailKey>,
    /// The customer's login.
    pub customer: String,
    /// The customer's stored address now.
    pub email: String,
    /// The name of the customer's source.
    pub backend: String,
    /// The mail's Message-ID, with its `<>`.
    pub message_id: Option<String>,
    /// The ticket, where it is known.
    pub ticket_number: Option<String>,
    /// Active, or pending until the mail has been taken.
    pub state: State,
}
