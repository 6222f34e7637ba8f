//! What is to be done with a mail, in two pure steps: [`examine`] says what it is, [`settle`] what follows once the
//! directory has answered.
//!
//! What can fail or wait is between the two, in `engine`. So both take values and return values, and their tests
//! are tables. This room never sees a clock, a database or a configuration file.

mod control;
mod creation;
mod examine;
mod follow_up;
mod kind;
mod settle;

pub use control::{Protect, Trusted, new_marker_fields, stream_protected};
pub use creation::Refused;
pub use examine::{Envelope, Examined, Stated, examine};
pub use follow_up::TicketNumbers;
pub use kind::{Automatic, Kind, LOOP_FIELD};
pub use settle::{Person, Sender, Settled, settle};

use crate::mail::{Address, Pattern};

/// The settings that decide.
#[derive(Debug, Clone)]
pub struct Rules {
    /// `postmaster.customer_header_spoof_protection`.
    pub protection: bool,
    /// `postmaster.protect`.
    pub protect: Protect,
    /// `postmaster.header_prefix`: `X-OTOBO-` or `X-OTRS-`.
    pub prefix: String,
    /// `postmaster.set_check_box_name`.
    pub check_box: Option<String>,
    /// `postmaster.link_field`.
    pub link_field: Option<String>,
    /// `postmaster.link_placeholder`.
    pub link_placeholder: String,
    /// `postmaster.marker`.
    pub marker: String,
    /// `[[postmaster.trusted]]`.
    pub trusted: Vec<Trusted>,
    /// `postmaster.own_addresses`, and the address that the mail was delivered to.
    pub own_addresses: Vec<Address>,
    /// `postmaster.ticket_hook` and its companions.
    pub ticket_numbers: TicketNumbers,
    /// `create.allow`; empty: everybody.
    pub allow: Vec<Pattern>,
    /// `create.deny`; wins over `allow`.
    pub deny: Vec<Pattern>,
}
