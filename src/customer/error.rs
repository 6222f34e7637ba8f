//! Why a source gave no answer, or refused; temporary errors are kept apart from permanent ones (promise 9).
//!
//! Messages name columns and sources, never a customer's data.

use super::Source;
use crate::db;

/// A failed question to the directory.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database failed; time or an administrator can heal it.
    #[error("customer source `{source_name}`: {error}")]
    Db {
        /// Which source; empty while that is not known yet.
        source_name: String,
        /// What its database said.
        error: db::Error,
    },
    /// A new customer cannot be noted as one whom the helpdesk is to be told of: he is not made.
    #[error("the new customer cannot be noted in the store: {0}")]
    Unnoted(db::Error),
    /// Refused for good: the same would be refused again.
    #[error("refused: {0}")]
    Refused(Refusal),
    /// The configuration names a source that it does not define.
    #[error("no customer source is called `{0}`")]
    UnknownSource(String),
}

/// Why a customer cannot be written, ever.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Longer than OTOBO's column, in characters.
    #[error("the {what} is longer than {limit} characters")]
    TooLong {
        /// Which value.
        what: &'static str,
        /// The column's width.
        limit: usize,
    },
    /// Empty, blank or `0`, which OTOBO takes for absent.
    #[error("the {0} is empty or 0")]
    Empty(&'static str),
    /// Control characters, NUL among them: databases cut there or refuse.
    #[error("the {0} holds a control character")]
    Control(&'static str),
    /// Somebody else's login, customer id or address, broadly compared.
    #[error("the address is too much like somebody else's login, customer id or address in source `{source_name}`")]
    Claimed {
        /// The source that holds the other row.
        source_name: String,
    },
    /// The customer id would be the marker of doubtful mails: all of them would be this customer's.
    #[error("the customer id is postmaster.marker")]
    Marker,
    /// Nobody may be created or changed in this source.
    #[error("the customer source `{0}` is read-only")]
    ReadOnly(String),
    /// The database's own rules.
    #[error("the database's rules: {0}")]
    Constraint(String),
}

impl Error {
    /// Whether trying again later makes sense. A wrong configuration counts: it can be corrected.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::Refused(_))
    }

    /// The source that could not be asked, where it was one.
    #[must_use]
    pub fn source_name(&self) -> Option<&str> {
        match self {
            Self::Db { source_name, .. } => Some(source_name),
            Self::Unnoted(_) | Self::Refused(_) | Self::UnknownSource(_) => None,
        }
    }

    /// The same error, which came from this source.
    pub(super) fn of(self, source: &Source) -> Self {
        match self {
            Self::Db { error, .. } => Self::Db { source_name: source.name.clone(), error },
            other => other,
        }
    }
}

impl From<db::Error> for Error {
    fn from(error: db::Error) -> Self {
        if error.is_transient() {
            Self::Db { source_name: String::new(), error }
        } else {
            Self::Refused(Refusal::Constraint(error.to_string()))
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}
