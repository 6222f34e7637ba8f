//! All of otab's tables.

use super::table::Table;
use super::{customers, link_mails, newcomers, outbox, queue, sessions, tickets, tokens};

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
