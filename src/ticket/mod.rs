//! Ticket facts: what otab must know about a ticket to say whether its links still hold.
//!
//! Here they are read from the tables of OTOBO and Znuny; `store::tickets` has those of the embedded table.

mod notification;
mod otobo;
mod survey;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

pub use notification::{Message, Notification, Unusable};
pub use otobo::{ClosedSince, Otobo};
pub use survey::{Product, Setting, TEXTS, Texts, Untrusted, product};

use crate::text::percent;

/// One ticket, as far as otab cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// OTOBO's ticket number (`tn`).
    pub number: String,
    /// The Message-ID of the mail that opened it, with its `<>`. From OTOBO's tables: the one by which it was
    /// looked for, if so.
    pub message_id: Option<String>,
    /// What kind of state it is in.
    pub state_type: StateType,
    /// When it came into that state. From OTOBO's tables: where it is over; else when it was last changed.
    pub changed_at: Timestamp,
    /// The login of its customer user.
    pub customer: Option<String>,
}

impl Ticket {
    /// Whether the ticket says that it is this customer's. One that states nobody is nobody's.
    #[must_use]
    pub fn is_of(&self, login: &str) -> bool {
        self.customer.as_deref() == Some(login)
    }
}

/// The query of a ticket's page in the customer portal. OTOBO separates parameters with `;`.
#[must_use]
pub fn page(number: &str) -> String {
    format!("Action=CustomerTicketZoom;TicketNumber={}", percent::encoded(number))
}

/// OTOBO's seven state types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateType {
    /// `new`
    New,
    /// `open`
    Open,
    /// `closed`
    Closed,
    /// `pending reminder`
    PendingReminder,
    /// `pending auto`
    PendingAuto,
    /// `removed`
    Removed,
    /// `merged`
    Merged,
}

/// A text that names none of the seven state types.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no state type; one of: new, open, closed, pending reminder, pending auto, removed, merged")]
pub struct UnknownStateType;

impl StateType {
    /// All seven.
    pub const ALL: [Self; 7] =
        [Self::New, Self::Open, Self::Closed, Self::PendingReminder, Self::PendingAuto, Self::Removed, Self::Merged];

    /// OTOBO's name for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Open => "open",
            Self::Closed => "closed",
            Self::PendingReminder => "pending reminder",
            Self::PendingAuto => "pending auto",
            Self::Removed => "removed",
            Self::Merged => "merged",
        }
    }

    /// Whether links to such a ticket run out (facts, section 1).
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Removed | Self::Merged)
    }
}

impl FromStr for StateType {
    type Err = UnknownStateType;

    fn from_str(text: &str) -> Result<Self, UnknownStateType> {
        let named = |this: &Self| this.as_str() == text;
        Self::ALL.into_iter().find(named).ok_or(UnknownStateType)
    }
}

impl fmt::Display for StateType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_type_reads_back_and_three_are_over() {
        for state in StateType::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("Closed".parse::<StateType>().is_err());
        let over: Vec<_> = StateType::ALL.into_iter().filter(|s| s.is_over()).collect();
        assert_eq!(over, [StateType::Closed, StateType::Removed, StateType::Merged]);
    }
}
