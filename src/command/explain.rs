//! `--explain`: what was found and decided, for a person, on standard error.

use std::collections::BTreeSet;
use std::io::Write;

use super::record::Recorded;
use super::standing::Asked;
use crate::log::clean;
use crate::mail::Edit;
use crate::mail::header::{Header, Kind as FieldKind};
use crate::policy::{Examined, Kind, Settled, Trusted};

/// A line on standard error. That it may be closed changes nothing.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "otab: {line}");
}

/// The kind of a mail in words.
#[must_use]
pub fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Automatic(reason) => format!("automatic ({})", reason.reason()),
        Kind::FollowUp(number) => format!("follow-up to {number}"),
        Kind::Undecided => "a follow-up or new".to_owned(),
        Kind::New => "new".to_owned(),
    }
}

/// Everything about one mail; `recorded` is what would be.
pub fn mail(
    header: &Header,
    trusted: &[Trusted],
    examined: &Examined,
    asked: &Asked,
    settled: &Settled,
    recorded: Recorded,
) {
    say(&format!("Message-ID: {}", clean(examined.message_id.as_deref().unwrap_or("none"))));
    say(&format!("kind: {}", kind(&examined.kind)));
    if examined.answers_link_mail {
        say("answers: a link mail that otab sent; it earns no other one");
    }
    say(&format!("trusted: {}", if examined.trusted { "yes, by its secret field" } else { "no" }));
    match &examined.sender {
        Ok(mailbox) => {
            say(&format!("sender: {} ({})", mailbox.address, clean(mailbox.display.as_deref().unwrap_or("no name"))));
        }
        Err(doubt) => say(&format!("sender: none that is certain: {}", doubt.reason())),
    }
    let would = if matches!(asked.finding, super::standing::Finding::Created) { "would be " } else { "" };
    say(&format!("customer: {would}{}", asked.finding));
    if let Some(customer) = &asked.customer {
        say(&format!(
            "customer: login {}, id {}, in {}",
            clean(&customer.login),
            clean(&customer.customer_id),
            customer.source
        ));
    }
    // What is protected and what is set anew may be the same field.
    let cut = |edit: &Edit| if let Edit::Cut(range) = edit { Some((range.start, range.end)) } else { None };
    for (start, end) in settled.edits.iter().filter_map(cut).collect::<BTreeSet<_>>() {
        let removed = clean(&String::from_utf8_lossy(&header.bytes()[start..end]));
        say(&format!("removed: {}", masked(removed, trusted)));
    }
    for edit in &settled.edits {
        if let Edit::Add(field) = edit {
            say(&format!("added: {}: {}", field.name, field.value));
        }
    }
    let junk = header.fields().iter().filter(|f| f.kind == FieldKind::Junk).count();
    if junk > 0 {
        say(&format!("lines that are no fields: {junk}"));
    }
    let would = if matches!(recorded, Recorded::Link | Recorded::TokenOnly) { "would be " } else { "" };
    say(&format!("token: {would}{recorded}"));
}

/// A removed field as it may be shown: whatever follows a trusted field's name may be its secret, or most of it.
fn masked(mut removed: String, trusted: &[Trusted]) -> String {
    for Trusted { field, value } in trusted {
        let name = removed.to_ascii_lowercase().find(&field.to_ascii_lowercase());
        if let Some(end) = name.map(|at| at + field.len()) {
            removed.truncate(end);
            removed.push_str(": ***");
        }
        removed = removed.replace(value.as_str(), "***");
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trusted_fields_value_is_not_shown_right_or_wrong() {
        let trusted = [Trusted { field: "X-Gate".into(), value: "0123456789abcdef".into() }];
        for (removed, shown) in [
            ("X-Gate: 0123456789abcdef", "X-Gate: ***"),
            ("x-gate : 0123456789abcde", "x-gate: ***"),
            ("X-GATE: 01234567\\n 89abcdef", "X-GATE: ***"),
            ("X-OTOBO-Queue: 0123456789abcdef", "X-OTOBO-Queue: ***"),
            ("X-OTOBO-Queue: Junk", "X-OTOBO-Queue: Junk"),
        ] {
            assert_eq!(masked(removed.to_owned(), &trusted), shown);
        }
    }
}
