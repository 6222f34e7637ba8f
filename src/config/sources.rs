//! `[store]` and `[tickets]`: where things are kept.
//!
//! This file never opens a database; whether a URL leads anywhere is the business of `db`.

use std::fmt;

use super::given;
use super::names;
use super::reader::Table;
use super::secret::{Secret, masked_url};

/// `[store]`: otab's own database.
#[derive(Clone)]
pub struct Store {
    /// As written, such as `sqlite:otab.db`. May hold a password: show it with [`masked_url`].
    pub url: String,
    /// The password for a `url` that holds none.
    pub password: Option<Secret>,
    /// Whether a missing database file is made.
    pub create: bool,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("url", &masked_url(&self.url))
            .field("create", &self.create)
            .finish_non_exhaustive()
    }
}

pub(super) fn store(table: &Table<'_, '_>, secrets: &given::Source<'_>) -> Store {
    Store {
        url: table.string("url", "sqlite:otab.db", names::not_empty),
        password: given::secret(table, "password", false, secrets, names::not_empty).map(Secret::new),
        create: table.boolean("create", false),
    }
}

/// Where ticket facts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketSource {
    /// otab's own table, filled by `otab ticket`.
    Embedded,
}

/// `[tickets]`.
#[derive(Debug, Clone)]
pub struct Tickets {
    /// Where ticket facts come from.
    pub source: TicketSource,
}

pub(super) fn tickets(table: &Table<'_, '_>) -> Tickets {
    Tickets { source: table.choice("source", &[("embedded", TicketSource::Embedded)]) }
}
