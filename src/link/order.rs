//! Orders for link mails: what is to go out, to whom, and how far it has come.

use std::ops::Deref;

use jiff::Timestamp;

use crate::token::Secret;

/// Why a link mail goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// A new mail came in.
    New,
    /// A used link was asked to be renewed.
    Refresh,
}

impl Occasion {
    /// The stored text.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Refresh => "refresh",
        }
    }

    /// The occasion that is stored so.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        if text == Self::Refresh.as_str() { Self::Refresh } else { Self::New }
    }
}

/// A link mail to be sent.
#[derive(Debug, Clone)]
pub struct Order {
    /// The token it brings; the order goes when the token goes.
    pub token_id: Option<i64>,
    /// The token's secret.
    pub secret: Option<Secret>,
    /// The customer's stored address, and nothing else (promise 7).
    pub recipient: String,
    /// The customer's login.
    pub customer: String,
    /// The name of the customer's source.
    pub backend: String,
    /// Why it goes out.
    pub occasion: Occasion,
    /// The customer's language (`de`, `en`), where known.
    pub language: Option<String>,
    /// The Message-ID of the customer's mail, with its `<>`.
    pub message_id: Option<String>,
    /// The ticket, where known.
    pub ticket_number: Option<String>,
}

/// An order as the table holds it.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Its number: its place in the queue.
    pub id: i64,
    /// What is ordered.
    pub order: Order,
    /// When it was ordered.
    pub created_at: Timestamp,
    /// How often it has been tried.
    pub tries: i64,
    /// How often the mail went out whole and no answer came.
    pub unanswered: i64,
    /// What the last try failed with.
    pub last_error: Option<String>,
    /// When it is to be tried next. Until then nobody gets it but the sender that has taken it.
    pub due_at: Timestamp,
}

/// What is ordered is read and never changed.
impl Deref for Kept {
    type Target = Order;

    fn deref(&self) -> &Order {
        &self.order
    }
}
