//! The first step: what a mail is, before anybody is asked about its sender.

use crate::mail::from::{Doubt, Mailbox, sender};
use crate::mail::value::decoded;
use crate::mail::{Header, Protected, trace};

use super::control::{self, CUSTOMER_FIELDS};
use super::creation::{Refused, may_create};
use super::follow_up::{link_mails, references};
use super::kind::{self, Kind};
use super::{Protect, Rules};

/// What the mail server says beside the mail.
#[derive(Debug, Clone, Default)]
pub struct Envelope {
    /// The envelope sender (reverse-path); empty or `<>`: the null reverse-path.
    pub sender: Option<String>,
    /// The envelope recipient.
    pub recipient: Option<String>,
}

/// The customer fields that a mail may keep: those of a trusted mail, or of any while protection is off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stated {
    /// `CustomerUser`, decoded; `None` when absent, blank or `0`.
    pub user: Option<String>,
    /// `CustomerNo`, likewise.
    pub number: Option<String>,
    /// `Customer`, likewise.
    pub customer: Option<String>,
}

/// What a mail is.
#[derive(Debug, Clone)]
pub struct Examined {
    /// The names that this mail may not keep.
    pub protected: Protected,
    /// Whether the mail carries a trusted system's secret.
    pub trusted: bool,
    /// Customer fields that stay.
    pub stated: Stated,
    /// The certain sender, or why there is none.
    pub sender: Result<Mailbox, Doubt>,
    /// Automatic, follow-up or new, as far as the mail itself says.
    pub kind: Kind,
    /// The Message-IDs of the mails that it answers, the nearest first: where one became a ticket, this is a
    /// follow-up as well.
    pub references: Vec<String>,
    /// Those of them, or of what stands there without `<>`, that look like the Message-IDs of otab's link mails.
    pub link_mails: Vec<String>,
    /// Whether it answers a link mail that otab sent. Nothing in the mail itself says so for sure.
    pub answers_link_mail: bool,
    /// Whether the mail asks for no automatic answer.
    pub suppresses_answers: bool,
    /// Whether the lists let a customer be created for the sender.
    pub may_create: Result<(), Refused>,
    /// The Message-ID, with its angle brackets.
    pub message_id: Option<String>,
    /// What identifies the mail over several tries.
    pub identity: Vec<u8>,
    /// The first language tag of Content-Language (RFC 3282), for the link mail.
    pub language: Option<String>,
}

/// Examines a header block.
#[must_use]
pub fn examine(header: &Header, envelope: &Envelope, rules: &Rules) -> Examined {
    let trusted = control::is_trusted(header, rules);
    let keeps_fields = trusted || !rules.protection;
    let sender = sender(header);
    let address = sender.as_ref().ok().map(|m| &m.address);
    let obeyed = keeps_fields || rules.protect == Protect::Customer;
    Examined {
        protected: control::protected(rules, trusted),
        trusted,
        stated: if keeps_fields { stated(header, rules) } else { Stated::default() },
        kind: kind::kind(header, envelope, address, rules, obeyed),
        references: references(header),
        link_mails: link_mails(header),
        answers_link_mail: false,
        suppresses_answers: kind::suppresses_answers(header),
        may_create: address.map_or(Ok(()), |a| may_create(rules, a)),
        message_id: trace::message_id(header),
        identity: trace::identity(header),
        language: header.texts("Content-Language").next().and_then(|v| language_tag(&v)),
        sender,
    }
}

fn stated(header: &Header, rules: &Rules) -> Stated {
    let [user, number, customer] = CUSTOMER_FIELDS.map(|name| {
        let name = format!("{}{name}", rules.prefix);
        let joined = header.texts(&name).collect::<Vec<_>>().join(" ");
        usable(&decoded(&joined)).map(str::to_owned)
    });
    Stated { user, number, customer }
}

/// A login or customer id that OTOBO takes for one: it reads an empty value and `0` as none.
pub(super) fn usable(text: &str) -> Option<&str> {
    let bare = text.trim();
    (!bare.is_empty() && bare != "0").then_some(text)
}

/// A plain language tag such as `de` or `pt-BR`.
fn language_tag(value: &str) -> Option<String> {
    let first = crate::mail::value::without_comments(value).split(',').next()?.trim().to_ascii_lowercase();
    let plain = (2..=35).contains(&first.len()) && first.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    plain.then_some(first)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mail::{Address, edit};
    use crate::policy::{TicketNumbers, Trusted};

    pub(in crate::policy) fn header(text: &str) -> Header {
        Header::parse(text.as_bytes().to_vec(), 1000).unwrap()
    }

    pub(in crate::policy) fn rules() -> Rules {
        Rules {
            protection: true,
            protect: Protect::All,
            prefix: "X-OTOBO-".into(),
            check_box: None,
            link_field: None,
            link_placeholder: "[[OTAB-LINK]]".into(),
            marker: "unverified-sender".into(),
            trusted: vec![Trusted { field: "X-Gate".into(), value: "0123456789abcdef".into() }],
            own_addresses: vec![Address::parse("help@corp.test").unwrap()],
            ticket_numbers: TicketNumbers { hook: "Ticket#".into(), divider: String::new(), system_id: "10".into() },
            allow: Vec::new(),
            deny: Vec::new(),
        }
    }

    fn left(text: &str, rules: &Rules) -> String {
        let header = header(text);
        let examined = examine(&header, &Envelope::default(), rules);
        let edits: Vec<_> =
            edit::cuts(&header, &examined.protected, false).into_iter().map(crate::mail::Edit::Cut).collect();
        String::from_utf8(edit::apply(&header, &edits, crate::mail::header::Terminator::Lf)).unwrap()
    }

    #[test]
    fn an_untrusted_mail_keeps_no_control_field() {
        let text = "X-OTOBO-Queue: a\n b\nSubject: s\nX-OTRS-Owner : c\nX-Gate: wrong\nX-OTOBO-FollowUp-State: d\n";
        assert_eq!(left(text, &rules()), "Subject: s\n");
    }

    #[test]
    fn protecting_customer_fields_leaves_the_others() {
        let rules = Rules {
            protect: Protect::Customer,
            check_box: Some("Auto".into()),
            link_field: Some("Link".into()),
            ..rules()
        };
        let text = "X-OTOBO-CustomerUser: a\nX-OTOBO-CustomerUserX: b\nx-otrs-customerno: c\nX-OTOBO-Customer : d\n\
                    X-OTOBO-Queue: e\nX-OTOBO-DynamicField-Auto: f\nX-OTOBO-FollowUp-DynamicField-link: g\nX-OTOBO-DynamicField-Other: h\n";
        assert_eq!(left(text, &rules), "X-OTOBO-CustomerUserX: b\nX-OTOBO-Queue: e\nX-OTOBO-DynamicField-Other: h\n");
    }

    #[test]
    fn a_trusted_mail_keeps_its_fields_but_not_the_secret() {
        let text = "X-OTOBO-Queue: a\nx-gate: 0123456789abcdef\nX-OTOBO-CustomerUser: =?utf-8?q?k=C3=A4the?=\nX-OTOBO-CustomerNo: 0\n";
        assert_eq!(
            left(text, &rules()),
            "X-OTOBO-Queue: a\nX-OTOBO-CustomerUser: =?utf-8?q?k=C3=A4the?=\nX-OTOBO-CustomerNo: 0\n"
        );
        let examined = examine(&header(text), &Envelope::default(), &rules());
        assert!(examined.trusted);
        assert_eq!(examined.stated, Stated { user: Some("käthe".into()), number: None, customer: None });
    }

    #[test]
    fn a_secret_with_more_or_less_to_it_is_no_secret() {
        for value in ["0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", ""] {
            assert!(
                !examine(&header(&format!("X-Gate: {value}\n")), &Envelope::default(), &rules()).trusted,
                "{value}"
            );
        }
    }

    #[test]
    fn without_protection_only_the_secret_goes() {
        let rules = Rules { protection: false, ..rules() };
        assert_eq!(left("X-OTOBO-Queue: a\nX-Gate: wrong\n", &rules), "X-OTOBO-Queue: a\n");
    }
}
