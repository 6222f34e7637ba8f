//! `[store]`, `[[customer_user]]` and `[tickets]`: where things are kept.
//!
//! This file never opens a database; whether a URL leads anywhere is the business of `db`.

use std::fmt;

use super::names;
use super::problem::complaint;
use super::reader::Table;
use super::secret::masked_url;

/// `[store]`: otab's own database.
#[derive(Clone)]
pub struct Store {
    /// As written, such as `sqlite:otab.db`. May hold a password: show it with [`masked_url`].
    pub url: String,
    /// Whether a missing database file is made.
    pub create: bool,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("url", &masked_url(&self.url)).field("create", &self.create).finish()
    }
}

pub(super) fn store(table: &Table<'_, '_>) -> Store {
    Store { url: table.string("url", "sqlite:otab.db", names::not_empty), create: table.boolean("create", false) }
}

/// One `[[customer_user]]` entry: a customer source.
#[derive(Clone)]
pub struct CustomerSource {
    /// Its name, which is also its name in `postmaster.customer_user_backend`. Unique.
    pub name: String,
    /// Its database, as written; `None`: the store's own file. May hold a password.
    pub url: Option<String>,
}

impl fmt::Debug for CustomerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerSource")
            .field("name", &self.name)
            .field("url", &self.url.as_deref().map(masked_url))
            .finish()
    }
}

/// The sources in the order in which they are asked: never none.
pub(super) fn customer_user(root: &Table<'_, '_>) -> Vec<CustomerSource> {
    let taken = std::cell::RefCell::new(Vec::new());
    let sources = root.tables("customer_user", |entry| {
        let name = entry.required_string("name", names::not_empty);
        let url = entry.optional_string("url", names::not_empty);
        // All keys are read before the first `?`: a key that nobody asks for is unknown.
        let name = name?;
        if taken.borrow().contains(&name) {
            let remedy = "give each customer source a name of its own";
            entry.problem("name", complaint("is taken already", remedy));
        }
        taken.borrow_mut().push(name.clone());
        Some(CustomerSource { name, url })
    });
    if root.has("customer_user") {
        return sources;
    }
    vec![CustomerSource { name: "CustomerUser".to_owned(), url: None }]
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
