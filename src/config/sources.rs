//! `[store]` and `[tickets]`: where things are kept.
//!
//! This file never opens a database; whether a URL leads anywhere is the business of `db`.

use std::fmt;

use super::given;
use super::names;
use super::problem::complaint;
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
    /// The helpdesk's own tables.
    Otobo,
}

/// Since when a ticket counts as closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClosedSince {
    /// By its history.
    History,
    /// Since its last change.
    ChangeTime,
}

/// `[tickets]`.
#[derive(Clone)]
pub struct Tickets {
    /// Where ticket facts come from.
    pub source: TicketSource,
    /// The helpdesk's database, as written; there where the source is [`TicketSource::Otobo`]. May hold a password.
    pub url: Option<String>,
    /// The password for a `url` that holds none.
    pub password: Option<Secret>,
    /// OTOBO's time zone (`OTOBOTimeZone`), as written.
    pub time_zone: String,
    /// Since when a ticket counts as closed.
    pub closed_since: ClosedSince,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets")
            .field("source", &self.source)
            .field("url", &self.url.as_deref().map(masked_url))
            .field("time_zone", &self.time_zone)
            .field("closed_since", &self.closed_since)
            .finish_non_exhaustive()
    }
}

/// The zone of a helpdesk's times. Whether the system knows it, its tables say.
pub(super) fn time_zone(table: &Table<'_, '_>) -> String {
    table.string("time_zone", "UTC", names::not_empty)
}

pub(super) fn tickets(table: &Table<'_, '_>, secrets: &given::Source<'_>) -> Tickets {
    let tickets = Tickets {
        source: table.choice("source", &[("embedded", TicketSource::Embedded), ("otobo", TicketSource::Otobo)]),
        url: table.optional_string("url", names::not_empty),
        password: given::secret(table, "password", false, secrets, names::not_empty).map(Secret::new),
        time_zone: time_zone(table),
        closed_since: table
            .choice("closed_since", &[("history", ClosedSince::History), ("change_time", ClosedSince::ChangeTime)]),
    };
    match tickets.source {
        TicketSource::Otobo if !table.has("url") => {
            table
                .problem("url", complaint("is missing", "write the URL of OTOBO's database, or source = \"embedded\""));
        }
        TicketSource::Embedded if table.has("url") => {
            let what = "is for source = \"otobo\" only, and the source is otab's own table";
            table.problem("url", complaint(what, "write source = \"otobo\", or remove it"));
        }
        _ => {}
    }
    tickets
}
