//! `[store]` and `[tickets]`: where things are kept.
//!
//! This file never opens a database.

use std::fmt;

use super::names;
use super::problem::complaint;
use super::reader::Table;
use super::secret::masked_url;
use super::secret_source;
use crate::db::{Url, Zone};
use crate::store::tickets::Facts;
use crate::ticket::{ClosedSince, Otobo};

/// `[store]`: otab's own database.
#[derive(Clone)]
pub struct Store {
    /// As written, such as `sqlite:otab.db`. May hold a password: show it with [`masked_url`].
    pub url: String,
    /// Where that is.
    pub place: Url,
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

pub(super) fn store(table: &Table<'_, '_>, secrets: &secret_source::Source<'_>) -> Store {
    let url = table.string("url", names::not_empty);
    let place = database(table, Some(&url), secrets);
    Store {
        // What cannot be used is a problem, with which there is no configuration.
        place: place.unwrap_or_else(|| Url::Sqlite(secrets.folder.to_owned())).as_store(),
        url,
        create: table.boolean("create"),
    }
}

/// The database at `url`, with the password beside it; `None` where there is none, or where it is a problem.
pub(super) fn database(table: &Table<'_, '_>, url: Option<&str>, secrets: &secret_source::Source<'_>) -> Option<Url> {
    let password = secret_source::secret(table, "password", false, secrets, names::not_empty);
    let key = secret_source::key(table, "password");
    let Some(url) = url else {
        if key.is_some() && !table.has("url") {
            let what = "is missing, and there is a password for it";
            table.problem("url", complaint(what, "write it, or remove the password"));
        }
        return None;
    };
    let place = match Url::parse(url, secrets.folder) {
        Ok(place) => place,
        Err(error) => {
            table.problem("url", complaint("cannot be used as a database", error.to_string()));
            return None;
        }
    };
    let (Some(key), Some(password)) = (key, password) else { return Some(place) };
    let with_password = place.with_password(&password);
    if with_password.is_err() {
        let what = "is a password for a url that has one already, or that is not a server's";
        table.problem(&key, complaint(what, "remove it, or correct the url"));
    }
    with_password.ok()
}

/// Where ticket facts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TicketSource {
    Embedded,
    Otobo,
}

/// `[tickets]`.
#[derive(Clone)]
pub struct Tickets {
    pub(super) source: TicketSource,
    /// Where ticket facts come from.
    pub facts: Facts,
    /// The URL of the helpdesk's database as it may be shown; empty where tickets are in the store.
    pub url: String,
    /// OTOBO's time zone (`OTOBOTimeZone`), as written.
    pub time_zone: String,
    /// The same.
    pub zone: Zone,
}

impl fmt::Debug for Tickets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tickets").field("url", &self.url).field("time_zone", &self.time_zone).finish_non_exhaustive()
    }
}

/// The zone of a helpdesk's times, as written and as the system's tables have it.
pub(super) fn time_zone(table: &Table<'_, '_>) -> (String, Zone) {
    let name = table.string("time_zone", |name| {
        names::not_empty(name)?;
        names::time_zone(name)
    });
    let zone = Zone::named(&name).unwrap_or(Zone::UTC);
    (name, zone)
}

pub(super) fn tickets(table: &Table<'_, '_>, store: &Url, secrets: &secret_source::Source<'_>) -> Tickets {
    let source = table.choice("source", |word| match word {
        "otobo" => TicketSource::Otobo,
        _ => TicketSource::Embedded,
    });
    let url = table.optional_string("url", names::not_empty);
    let place = database(table, url.as_deref(), secrets);
    let (time_zone, zone) = time_zone(table);
    let closed_since = table.choice("closed_since", |word| match word {
        "change_time" => ClosedSince::ChangeTime,
        _ => ClosedSince::History,
    });
    match source {
        TicketSource::Otobo if !table.has("url") => {
            let remedy = "write the URL of OTOBO's database, or source = \"embedded\"";
            table.problem("url", complaint("is missing", remedy));
        }
        TicketSource::Embedded if table.has("url") => {
            let what = "is for source = \"otobo\" only, and the source is otab's own table";
            table.problem("url", complaint(what, "write source = \"otobo\", or remove it"));
        }
        _ => {}
    }
    Tickets {
        source,
        facts: match place {
            Some(place) => Facts::Otobo(Otobo::new(place, zone.clone(), closed_since)),
            None => Facts::embedded(store.clone()),
        },
        url: url.as_deref().map(masked_url).unwrap_or_default(),
        time_zone,
        zone,
    }
}
