//! Each table's columns, said once; statements that name all of them are made of that.

use super::{customers, link_mails, newcomers, outbox, queue, sessions, tickets, tokens};

/// A table of otab's, as all three kinds of databases have it.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// All its columns, in the order in which rows are read and written. An `id` comes first, where numbers are given
    /// out.
    pub columns: &'static [&'static str],
}

/// The tables that move, each behind those that it refers to. The leases in `worker` do not: whoever holds one
/// works at the old place.
pub const TABLES: [Table; 9] = [
    customers::TABLE,
    customers::PREFERENCES,
    tickets::TABLE,
    tokens::TABLE,
    outbox::TABLE,
    queue::SENT,
    link_mails::TABLE,
    newcomers::TABLE,
    sessions::TABLE,
];

/// The one of otab's tables that does not move.
pub const LEFT: &str = "worker";

impl Table {
    pub(super) fn has_id(&self) -> bool {
        self.columns.first() == Some(&"id")
    }

    /// Asks for all columns, in their order.
    pub(super) fn select(&self) -> String {
        self.select_from("")
    }

    /// The same of the table whose name begins so.
    pub(super) fn select_from(&self, prefix: &str) -> String {
        format!("SELECT {} FROM {prefix}{}", self.columns.join(", "), self.name)
    }

    /// Writes a new row, all columns but the `id`, which the database gives.
    pub(super) fn insert(&self) -> String {
        self.insert_rows(1)
    }

    /// The same for so many rows.
    pub(super) fn insert_rows(&self, rows: usize) -> String {
        write(self.name, &self.columns[usize::from(self.has_id())..], rows)
    }

    /// The same for one row of the table whose name begins so.
    pub(super) fn insert_into(&self, prefix: &str) -> String {
        write(&format!("{prefix}{}", self.name), &self.columns[usize::from(self.has_id())..], 1)
    }

    /// Writes so many rows as they are, with the `id` that they have.
    pub(super) fn insert_whole(&self, rows: usize) -> String {
        write(self.name, self.columns, rows)
    }
}

fn write(name: &str, columns: &[&str], rows: usize) -> String {
    let one = format!("({})", places(columns.len()));
    format!("INSERT INTO {name} ({}) VALUES {}", columns.join(", "), vec![one; rows].join(", "))
}

/// So many places for values.
pub(super) fn places(values: usize) -> String {
    vec!["?"; values].join(", ")
}
