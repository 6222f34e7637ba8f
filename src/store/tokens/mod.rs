//! The table of tokens.
//!
//! A token goes from active to used by one conditional UPDATE and never comes back (promise 8). What a token opens
//! is for `token`'s rules to say.

pub mod import;
mod issue;
mod number;
mod people;
mod purge;
mod redeem;
mod row;

pub use issue::{Issued, activate, bind, find, issue, renew, withdraw};
pub(super) use number::{free_number, hold_number, last_number};
pub use people::{Listed, Revoked, count_by_state, list, newest, revoke, revoke_all_of};
pub use purge::{Counts, purge};
pub use redeem::{by_id, lookup, others_active, redeem_in};
pub(super) use row::TABLE;
#[cfg(test)]
pub(super) use row::facts;
