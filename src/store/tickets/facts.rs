//! Where ticket facts come from: the same questions to otab's own table and to OTOBO's.

use std::collections::HashMap;

use super::Embedded;
use crate::db::{Databases, Error, Url};
use crate::ticket::{Notification, Otobo, Ticket, Unusable};

/// Where ticket facts come from.
#[derive(Debug, Clone)]
pub enum Facts {
    /// otab's own table.
    Embedded(Embedded),
    /// The helpdesk's tables.
    Otobo(Otobo),
}

impl Facts {
    /// The embedded table of the store at `url`.
    #[must_use]
    pub fn embedded(url: Url) -> Self {
        Self::Embedded(Embedded::new(url))
    }

    /// otab's own table, where it is the one; only there can tickets be changed and listed.
    #[must_use]
    pub fn own(&self) -> Option<&Embedded> {
        match self {
            Self::Embedded(table) => Some(table),
            Self::Otobo(_) => None,
        }
    }

    /// The helpdesk's tables, where they are the source.
    #[must_use]
    pub fn otobo(&self) -> Option<&Otobo> {
        match self {
            Self::Embedded(_) => None,
            Self::Otobo(tables) => Some(tables),
        }
    }

    /// The ticket with this number.
    pub fn by_number(&self, dbs: &mut Databases, number: &str) -> Result<Option<Ticket>, Error> {
        let found = self.by_numbers(dbs, &[number.to_owned()])?;
        Ok(found.into_values().next())
    }

    /// The ticket of the mail with this Message-ID; the oldest of several.
    pub fn by_message_id(&self, dbs: &mut Databases, id: &str) -> Result<Option<Ticket>, Error> {
        let found = self.by_message_ids(dbs, &[id.to_owned()])?;
        Ok(found.into_values().next())
    }

    /// Asks every table that is ever asked; for nothing that is there.
    pub fn probe(&self, dbs: &mut Databases) -> Result<(), Error> {
        self.by_message_id(dbs, "")?;
        match self {
            Self::Embedded(_) => Ok(()),
            Self::Otobo(tables) => tables.probe_history(dbs),
        }
    }

    /// The helpdesk's notification with this number; otab's own table has none.
    pub fn notification(&self, dbs: &mut Databases, id: u32) -> Result<Notification, Unusable> {
        match self {
            Self::Embedded(_) => Err(Unusable::Missing(id)),
            Self::Otobo(tables) => tables.notification(dbs, id),
        }
    }

    /// The tickets with these numbers, by number.
    pub fn by_numbers(&self, dbs: &mut Databases, numbers: &[String]) -> Result<HashMap<String, Ticket>, Error> {
        match self {
            Self::Embedded(table) => table.by_numbers(dbs, numbers),
            Self::Otobo(tables) => tables.by_numbers(dbs, numbers),
        }
    }

    /// The tickets of the mails with these Message-IDs, by Message-ID; the oldest of several.
    pub fn by_message_ids(&self, dbs: &mut Databases, ids: &[String]) -> Result<HashMap<String, Ticket>, Error> {
        match self {
            Self::Embedded(table) => table.by_message_ids(dbs, ids),
            Self::Otobo(tables) => tables.by_message_ids(dbs, ids),
        }
    }
}
