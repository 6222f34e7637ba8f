//! `[postmaster]`: what is protected, what is written into mails, how follow-ups are known.
//!
//! This file only reads and checks settings; it never looks at a mail.

use crate::mail::Address;
use crate::policy::{Protect, Trusted};

use super::names;
use super::pattern;
use super::problem::complaint;
use super::reader::Table;
use super::secret_source;
use super::trusted;

/// The prefix of the fields that otab writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    /// `X-OTOBO-`.
    Otobo,
    /// `X-OTRS-`, which Znuny reads.
    Otrs,
}

impl Prefix {
    /// The prefix as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otobo => "X-OTOBO-",
            Self::Otrs => "X-OTRS-",
        }
    }
}

/// What happens to a mail when something fails that may heal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The mail server keeps it and tries again.
    TempFail,
    /// It goes on, stripped and marked, without customer and token.
    Deliver,
}

impl OnError {
    /// By the word for it.
    pub(super) fn named(word: &str) -> Self {
        if word == "deliver" { Self::Deliver } else { Self::TempFail }
    }
}

/// `[postmaster]`.
#[derive(Debug, Clone)]
pub struct Postmaster {
    /// Whether forged fields are removed, and the customer fields always set.
    pub customer_header_spoof_protection: bool,
    /// Which fields an untrusted mail loses.
    pub protect: Protect,
    /// The customer source in which customer users are created: one of `Config::customer_user`.
    pub customer_user_backend: String,
    /// A check box dynamic field, set for that source's customers.
    pub set_check_box_name: Option<String>,
    /// A text dynamic field that gets the placeholder.
    pub link_field: Option<String>,
    /// The text that `otab outgoing` replaces by the link. Printable ASCII.
    pub link_placeholder: String,
    /// The prefix of the fields that are written.
    pub header_prefix: Prefix,
    /// What stands in the customer fields when nobody certain can. Printable ASCII.
    pub marker: String,
    /// What happens when something fails that may heal.
    pub on_error: OnError,
    /// The longest header block that is held, in bytes.
    pub max_header_bytes: usize,
    /// The most fields that are held.
    pub max_header_fields: usize,
    /// The helpdesk's own addresses: mail from them is automatic.
    pub own_addresses: Vec<Address>,
    /// OTOBO's `Ticket::Hook`. Not empty.
    pub ticket_hook: String,
    /// OTOBO's `Ticket::HookDivider`.
    pub ticket_hook_divider: String,
    /// OTOBO's `SystemID`: digits.
    pub system_id: String,
    /// Secret fields that make a mail trusted.
    pub trusted: Vec<Trusted>,
}

pub(super) fn read(table: &Table<'_, '_>, secrets: &secret_source::Source<'_>) -> Postmaster {
    let postmaster = Postmaster {
        customer_header_spoof_protection: table.boolean("customer_header_spoof_protection"),
        protect: table.choice("protect", |word| match word {
            "customer" => Protect::Customer,
            _ => Protect::All,
        }),
        customer_user_backend: table.string("customer_user_backend", names::not_empty),
        set_check_box_name: table.string_or_off("set_check_box_name", names::dynamic_field),
        link_field: table.string_or_off("link_field", names::dynamic_field),
        link_placeholder: link_placeholder(table),
        header_prefix: table.choice("header_prefix", |word| match word {
            "X-OTRS-" => Prefix::Otrs,
            _ => Prefix::Otobo,
        }),
        marker: table.string("marker", names::marker),
        on_error: table.choice("on_error", OnError::named),
        max_header_bytes: table.integer("max_header_bytes"),
        max_header_fields: table.integer("max_header_fields"),
        own_addresses: table.list("own_addresses", pattern::address),
        ticket_hook: table.string("ticket_hook", names::not_empty),
        ticket_hook_divider: table.string("ticket_hook_divider", names::any),
        system_id: table.string("system_id", names::system_id),
        trusted: table.tables("trusted", |entry| trusted::read(entry, secrets)),
    };
    find_contradictions(table, &postmaster);
    postmaster
}

pub(super) fn link_placeholder(table: &Table<'_, '_>) -> String {
    table.string("link_placeholder", names::placeholder)
}

fn find_contradictions(table: &Table<'_, '_>, postmaster: &Postmaster) {
    let off = !postmaster.customer_header_spoof_protection;
    if off && postmaster.protect == Protect::Customer {
        table.problem(
            "protect",
            complaint(
                "has no effect while customer_header_spoof_protection is false",
                "switch the protection on, or leave protect out",
            ),
        );
    }
    // OTOBO's fields differ in more than case, but header field names do not.
    if let (Some(check_box), Some(link)) = (&postmaster.set_check_box_name, &postmaster.link_field)
        && check_box.eq_ignore_ascii_case(link)
    {
        table.problem(
            "link_field",
            complaint(
                "is the same dynamic field as set_check_box_name",
                "name two fields: a check box, and a text field for the link",
            ),
        );
    }
}
