//! The shapes of names that settings may hold: markers, placeholders, header fields, languages.
//!
//! Pure. Each function says what is wrong and what would be right; none changes a name.

use std::net::IpAddr;

use super::problem::{Complaint, complaint};
use crate::db::Zone;
use crate::text::language::is_tag;

/// The value that stands for "nobody certain" in the customer fields.
///
/// `0` counts as absent for OTOBO, which would then read From itself; an `@` would make it
/// somebody's address; `=?` could begin an encoded-word, which OTOBO decodes.
pub(super) fn marker(text: &str) -> Result<(), Complaint> {
    let printable = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if !printable || text.contains('@') || text.contains("=?") || text == "0" || text.len() > 100 {
        return Err(complaint(
            "cannot be a marker",
            "write 1 to 100 printable ASCII characters without blanks, @ and =?, and not just 0",
        ));
    }
    Ok(())
}

/// The text that the link later replaces. It has to come unchanged through OTOBO's templates and
/// through HTML, in which `<`, `>`, `&` and quotes are written otherwise.
pub(super) fn placeholder(text: &str) -> Result<(), Complaint> {
    let stays = |b: u8| b.is_ascii_graphic() && !b"<>&\"'".contains(&b);
    if text.len() < 6 || text.len() > 60 || !text.bytes().all(stays) || text.contains("=?") {
        return Err(complaint(
            "cannot be a placeholder",
            "write 6 to 60 printable ASCII characters without blanks, <, >, &, quotes and =?",
        ));
    }
    Ok(())
}

/// A dynamic field's name, as OTOBO allows it.
pub(super) fn dynamic_field(text: &str) -> Result<(), Complaint> {
    if !text.bytes().all(|b| b.is_ascii_alphanumeric()) || text.len() > 200 {
        return Err(complaint(
            "is no dynamic field's name",
            "write letters and digits only (A-Z, a-z, 0-9), at most 200",
        ));
    }
    Ok(())
}

/// A part of the ticket number: digits.
pub(super) fn system_id(text: &str) -> Result<(), Complaint> {
    if text.is_empty() || text.len() > 10 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(complaint("is no system id", "write 1 to 10 digits, in quotes"));
    }
    Ok(())
}

/// Fields that mails need, or that others act on. The secret field is removed from EVERY mail, so
/// naming one of these would damage all mail.
const NEEDED: [&str; 24] = [
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "subject",
    "date",
    "message-id",
    "in-reply-to",
    "references",
    "received",
    "return-path",
    "delivered-to",
    "mime-version",
    "auto-submitted",
    "precedence",
    "x-loop",
    "x-spam-flag",
    "dkim-signature",
    "authentication-results",
    "x-auto-response-suppress",
    "comments",
    "keywords",
];

/// Beginnings of such names, and those of the control fields.
const NEEDED_FAMILIES: [&str; 6] = ["content-", "resent-", "list-", "arc-", "x-otobo", "x-otrs"];

/// The name of a field that carries a secret (RFC 5322, section 3.6.8: printable, no colon).
pub(super) fn secret_field(text: &str) -> Result<(), Complaint> {
    let is_name = |b: u8| b.is_ascii_graphic() && b != b':';
    if text.is_empty() || text.len() > 70 || !text.bytes().all(is_name) {
        return Err(complaint("is no header field's name", "write something like X-Site-Secret, without the colon"));
    }
    let name = text.to_ascii_lowercase();
    let needed = NEEDED.contains(&name.as_str());
    if needed || NEEDED_FAMILIES.iter().any(|family| name.starts_with(family)) {
        return Err(complaint(
            "is a field with another meaning, and would be removed from every mail",
            "write a name of your own, such as X-Site-Secret",
        ));
    }
    Ok(())
}

/// A language tag in the shape of RFC 5646: `de`, `pt-BR`.
pub(super) fn language(text: &str) -> Result<(), Complaint> {
    if !is_tag(text) || text.contains('_') {
        return Err(complaint("is no language tag", "write something like en, de or pt-BR"));
    }
    Ok(())
}

/// The place in a link's address where the token comes.
pub(super) const TOKEN: &str = "{{token}}";
/// Longest link, in characters: one on a line of its own is then never broken (RFC 5322, section 2.1.1).
const LONGEST_LINK: usize = 75;
/// Length of a token, in characters.
const TOKEN_LENGTH: usize = 22;

/// The address of a page: absolute, and nothing in it that a mail program would take for its end.
pub(super) fn page(text: &str) -> Result<(), Complaint> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or_default();
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && !b"\"'<>\\^`|".contains(&b));
    if host.is_empty() || !plain {
        return Err(complaint(
            "is no page's address",
            "write something like https://help.example.org/otobo/customer.pl",
        ));
    }
    Ok(())
}

/// A link's address: a page's with one place for the token.
pub(super) fn link(text: &str) -> Result<(), Complaint> {
    page(&text.replace(TOKEN, ""))?;
    if text.matches(TOKEN).count() != 1 || text.replace(TOKEN, "").contains(['{', '}']) {
        let remedy = format!("write {TOKEN} once, as in https://help.example.org/t/{TOKEN}");
        return Err(complaint("has no single place for the token", remedy));
    }
    // Quoted-printable, in which texts beyond ASCII go out, writes = as =3D.
    if text.len() - TOKEN.len() + TOKEN_LENGTH + 2 * text.matches('=').count() > LONGEST_LINK {
        let remedy =
            format!("write at most {} characters besides {TOKEN}; = counts as three", LONGEST_LINK - TOKEN_LENGTH);
        return Err(complaint("makes links that mail programs break in two", remedy));
    }
    Ok(())
}

/// The name of a set of templates, which is a part of file names.
pub(super) fn template_set(text: &str) -> Result<(), Complaint> {
    if text.is_empty() || text.len() > 60 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
        return Err(complaint("is no name of a set of templates", "write letters, digits, - and _ only"));
    }
    Ok(())
}

/// A time zone of the system's tables.
pub(super) fn time_zone(text: &str) -> Result<(), Complaint> {
    let remedy = "write UTC, or a name such as Europe/Berlin";
    Zone::named(text).map(drop).map_err(|_| complaint("is not a time zone that this system knows", remedy))
}

/// A host's name or address, alone.
pub(super) fn host(text: &str) -> Result<(), Complaint> {
    not_empty(text)?;
    let port = text.rsplit_once(':').and_then(|(_, port)| port.parse::<u16>().ok());
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if port.is_some() {
        let remedy = "write the host alone: the port has a key of its own, port";
        return Err(complaint("is a host with a port", remedy));
    }
    if !text.chars().all(|c| c.is_alphanumeric() || "-._".contains(c)) {
        return Err(complaint("is not a host", "write a name such as mail.example.org, or an address"));
    }
    Ok(())
}

/// A column's name, which goes into statements as it is. Nothing but a plain word passes.
pub(super) fn column(text: &str) -> Result<(), Complaint> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    if text.len() > 60 || !text.bytes().all(is_word) || !text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
    {
        return Err(complaint(
            "is no name of a table or column",
            "write letters, digits and _ only (A-Z, a-z, 0-9), at most 60",
        ));
    }
    Ok(())
}

/// An attribute's name in a directory, which goes into filters as it is (RFC 4512, section 1.4).
pub(super) fn attribute(text: &str) -> Result<(), Complaint> {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if text.len() > 60 || !text.bytes().all(is_word) || !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(complaint("is no name of an attribute", "write letters, digits and - only, at most 60"));
    }
    Ok(())
}

/// A table's name: a plain word, or a schema's, a dot, and the table's.
pub(super) fn table(text: &str) -> Result<(), Complaint> {
    text.splitn(2, '.').try_for_each(column)
}

/// Any text but the empty one.
pub(super) fn not_empty(text: &str) -> Result<(), Complaint> {
    if text.trim().is_empty() {
        return Err(complaint("is empty", "write a value, or leave the key out"));
    }
    Ok(())
}

/// The path of a file, which may be missing.
pub(super) fn file(text: &str) -> Result<(), Complaint> {
    not_empty(text)?;
    if text.ends_with('/') {
        return Err(complaint("is a folder", "write the path of a file in it"));
    }
    Ok(())
}

/// Any text at all.
#[allow(clippy::unnecessary_wraps, reason = "it stands where the other checks stand")]
pub(super) const fn any(_: &str) -> Result<(), Complaint> {
    Ok(())
}
