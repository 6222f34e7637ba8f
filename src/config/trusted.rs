//! `[[postmaster.trusted]]`: secret fields by which a mail from a system of one's own is known.
//!
//! The secret never shows in a problem's text.

use super::names;
use super::problem::{Complaint, complaint};
use super::reader::Table;
use super::secret_source::{self, Source};
use crate::policy::Trusted;

/// Shortest secret, in characters. Anybody may send as many guesses as he likes.
const SHORTEST: usize = 16;

/// What the documentation writes where a secret belongs.
const PLACEHOLDERS: [&str; 2] = ["replace-me", "at least 16 random"];

pub(super) fn read(table: &Table<'_, '_>, source: &Source<'_>) -> Option<Trusted> {
    let field = table.required_string("field", names::secret_field);
    let value = secret_source::secret(table, "value", true, source, check);
    Some(Trusted { field: field?, value: value? })
}

fn check(value: &str) -> Result<(), Complaint> {
    if value.trim() != value || value.chars().any(char::is_control) {
        return Err(complaint(
            "is a secret with a line break, a control character or outer blanks",
            "use one line of plain text",
        ));
    }
    if PLACEHOLDERS.iter().any(|placeholder| value.to_ascii_lowercase().starts_with(placeholder)) {
        return Err(complaint(
            "is the documentation's placeholder, which everybody can read",
            "make a secret of your own (openssl rand -hex 16)",
        ));
    }
    if value.chars().count() < SHORTEST || value.len() > 500 {
        return Err(complaint(
            "is a secret that is too short or too long",
            format!("use {SHORTEST} to 500 random characters (openssl rand -hex 16)"),
        ));
    }
    // A field's value is compared as bytes, and what is not ASCII is spelt differently on the way.
    if !value.is_ascii() {
        return Err(complaint("is a secret with characters beyond ASCII", "use ASCII only"));
    }
    Ok(())
}
