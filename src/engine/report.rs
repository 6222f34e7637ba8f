//! What was found and decided of one mail, as a value: for the one line of the log, and for `--explain`.

use std::collections::BTreeSet;

use super::named;
use super::record::Recorded;
use super::sender::{Asked, Finding};
use crate::customer::CustomerUser;
use crate::log::clean;
use crate::mail::from::{Doubt, Mailbox};
use crate::mail::header::{Header, Kind as FieldKind};
use crate::mail::{Edit, NewField};
use crate::policy::{Examined, Kind, Settled, Trusted};

/// Everything about one mail, without a secret.
#[derive(Debug, Clone)]
pub struct Report {
    /// Its Message-ID, with angle brackets.
    pub message_id: Option<String>,
    /// What kind of mail it is.
    pub kind: Kind,
    /// Whether it answers a link mail that otab has sent.
    pub answers_link_mail: bool,
    /// Whether a trusted system's secret field is in it.
    pub trusted: bool,
    /// The certain sender, or why there is none.
    pub sender: Result<Mailbox, Doubt>,
    /// What became of the sender.
    pub finding: Finding,
    /// The customer, where there is a valid one.
    pub customer: Option<CustomerUser>,
    /// How many cuts were made.
    pub cuts: usize,
    /// What was cut, each text once, cleaned for a terminal, the values of trusted fields masked.
    pub removed: Vec<String>,
    /// The fields that were added.
    pub added: Vec<NewField>,
    /// How many lines of the header are no fields.
    pub junk: usize,
    /// What was recorded, or would be.
    pub recorded: Recorded,
}

impl Report {
    pub(super) fn new(
        header: &Header,
        trusted: &[Trusted],
        examined: &Examined,
        asked: Asked,
        settled: &Settled,
        recorded: Recorded,
    ) -> Self {
        let cut = |edit: &Edit| if let Edit::Cut(range) = edit { Some((range.start, range.end)) } else { None };
        let cuts: Vec<_> = settled.edits.iter().filter_map(cut).collect();
        let shown = |(start, end)| masked(clean(&String::from_utf8_lossy(&header.bytes()[start..end])), trusted);
        let add = |edit: &Edit| if let Edit::Add(field) = edit { Some(field.clone()) } else { None };
        Self {
            message_id: examined.message_id.clone(),
            kind: examined.kind.clone(),
            answers_link_mail: examined.answers_link_mail,
            trusted: examined.trusted,
            sender: examined.sender.clone(),
            finding: asked.finding,
            customer: asked.customer,
            cuts: cuts.len(),
            // What is protected and what is set anew may be the same field.
            removed: cuts.iter().copied().collect::<BTreeSet<_>>().into_iter().map(shown).collect(),
            added: settled.edits.iter().filter_map(add).collect(),
            junk: header.fields().iter().filter(|field| field.kind == FieldKind::Junk).count(),
            recorded,
        }
    }

    /// The one line on a mail for the log: its Message-ID first.
    #[must_use]
    pub fn line(&self) -> String {
        let sender = match &self.sender {
            Ok(mailbox) => mailbox.address.to_string(),
            Err(doubt) => format!("none ({})", doubt.reason()),
        };
        let customer = self.customer.as_ref().map(|c| format!("{} in {}, ", c.login, c.source)).unwrap_or_default();
        format!(
            "{}: {}{}, sender {sender}, customer {customer}{}, {} removed{}, token {}",
            named(self.message_id.as_deref()),
            kind(&self.kind),
            if self.answers_link_mail { " (answers a link mail)" } else { "" },
            self.finding,
            self.cuts,
            if self.trusted { ", trusted" } else { "" },
            self.recorded,
        )
    }

    /// For a person, a line each. Of what is recorded it is said that it would be: explaining records nothing.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!("Message-ID: {}", clean(self.message_id.as_deref().unwrap_or("none"))),
            format!("kind: {}", kind(&self.kind)),
        ];
        if self.answers_link_mail {
            lines.push("answers: a link mail that otab sent; it earns no other one".to_owned());
        }
        lines.push(format!("trusted: {}", if self.trusted { "yes, by its secret field" } else { "no" }));
        lines.push(match &self.sender {
            Ok(mailbox) => {
                format!("sender: {} ({})", mailbox.address, clean(mailbox.display.as_deref().unwrap_or("no name")))
            }
            Err(doubt) => format!("sender: none that is certain: {}", doubt.reason()),
        });
        let would = if matches!(self.finding, Finding::Created) { "would be " } else { "" };
        lines.push(format!("customer: {would}{}", self.finding));
        if let Some(customer) = &self.customer {
            lines.push(format!(
                "customer: login {}, id {}, in {}",
                clean(&customer.login),
                clean(&customer.customer_id),
                customer.source
            ));
        }
        lines.extend(self.removed.iter().map(|removed| format!("removed: {removed}")));
        lines.extend(self.added.iter().map(|field| format!("added: {}: {}", field.name, field.value)));
        if self.junk > 0 {
            lines.push(format!("lines that are no fields: {}", self.junk));
        }
        let would = if matches!(self.recorded, Recorded::Link | Recorded::TokenOnly) { "would be " } else { "" };
        lines.push(format!("token: {would}{}", self.recorded));
        lines
    }
}

/// The kind of a mail in words.
fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Automatic(reason) => format!("automatic ({})", reason.reason()),
        Kind::FollowUp(number) => format!("follow-up to {number}"),
        Kind::Undecided => "a follow-up or new".to_owned(),
        Kind::New => "new".to_owned(),
    }
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
