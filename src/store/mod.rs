//! otab's own tables, and every statement on them.

#[cfg(test)]
mod bench;
mod copied;
pub mod copy;
mod customers;
pub mod link_mails;
pub mod newcomers;
mod open;
pub mod outbox;
pub mod queue;
pub mod sessions;
mod survey;
mod table;
mod tables;
pub mod tickets;
pub mod tokens;
mod tombstone;
mod versions;
pub mod waiting;

pub use open::{create, create_in, databases, is_good, open, open_for_hours};
pub use survey::{Soundness, needs, soundness};
pub use table::Table;
pub use tables::{LEFT, TABLES};
pub use versions::{LATEST, migrate, version};
