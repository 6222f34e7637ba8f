//! The second step: the edits, and whether a token and a link mail are due.

use crate::mail::{Edit, Header, NewField, Protected, edit};

use super::Rules;
use super::control::{CUSTOMER_FIELDS, dynamic_field, new_field};
use super::examine::{Examined, Stated, usable};
use super::kind::Kind;

/// Longest login and customer id that OTOBO's ticket table holds, in characters (facts, section 5). A
/// value that does not fit would make OTOBO refuse the whole mail.
const MAX_LOGIN: usize = 191;
const MAX_NUMBER: usize = 150;

/// A valid customer user, as far as it matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The login.
    pub login: String,
    /// The customer id.
    pub customer_id: String,
    /// Whether he lives in `postmaster.customer_user_backend`.
    pub in_backend: bool,
    /// Whether he is valid and has no password, and so opens his tickets by a link.
    pub needs_link: bool,
    /// Whether he was created for this mail.
    pub created: bool,
}

/// What the directory says of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// A valid customer: found, created, or stated by a trusted mail.
    Customer(Person),
    /// A certain sender without a usable customer, whose address is nobody else's login, customer id or address.
    Free,
    /// No certain sender, an address that is somebody else's name, or a directory that can't be asked.
    Doubtful,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The edits to the header block: at most one cut a field.
    pub edits: Vec<Edit>,
    /// The names that were cut, and that nothing but the added fields has afterwards.
    pub protected: Protected,
    /// Whether a token is due to the customer.
    pub token: bool,
    /// Whether a link mail is due to him, too.
    pub link_mail: bool,
}

/// Decides the edits.
#[must_use]
pub fn settle(header: &Header, examined: &Examined, rules: &Rules, sender: &Sender) -> Settled {
    let person = if let Sender::Customer(person) = sender { Some(person) } else { None };
    let mut fields = customer_fields(examined, rules, sender);
    if let Some(person) = person {
        fields.extend(dynamic_fields(header, examined, rules, person));
    }
    // A field that is set replaces any of its name that stays otherwise: OTOBO joins fields of one name.
    let protected = fields.iter().fold(examined.protected.clone(), |protected, field| protected.name(&field.name));
    let cuts = edit::cuts(header, &protected, !fields.is_empty());
    // Without protection a field that stays may file the ticket under somebody else: no link to that.
    let is_his = |person: &Person| person.created || examined.stated.user.as_ref().is_none_or(|u| *u == person.login);
    let token = examined.kind == Kind::New && person.is_some_and(|p| p.needs_link && is_his(p));
    Settled {
        edits: cuts.into_iter().map(Edit::Cut).chain(fields.into_iter().map(Edit::Add)).collect(),
        protected,
        token,
        link_mail: token && !examined.suppresses_answers && !examined.answers_link_mail,
    }
}

/// The three customer fields that are to be written.
fn customer_fields(examined: &Examined, rules: &Rules, sender: &Sender) -> Vec<NewField> {
    let created = matches!(sender, Sender::Customer(person) if person.created);
    if !rules.protection && !created {
        return Vec::new();
    }
    let address = examined.sender.as_ref().ok().map(|m| m.address.to_string()).filter(|a| a.len() <= MAX_NUMBER);
    let (login, number) = match sender {
        Sender::Customer(person) => (usable(&person.login), usable(&person.customer_id)),
        Sender::Free => (address.as_deref(), address.as_deref()),
        Sender::Doubtful => (None, None),
    };
    // A trusted mail's own fields win; what it leaves out is filled in.
    let kept = if rules.protection { examined.stated.clone() } else { Stated::default() };
    let login_or_stated = kept.user.as_deref().or(login);
    let values =
        [(kept.user.is_some(), login), (kept.number.is_some(), number), (kept.customer.is_some(), login_or_stated)];
    let missing = CUSTOMER_FIELDS.iter().zip(values).filter(|(_, (stated, _))| !stated);
    missing.filter_map(|(name, (_, value))| customer_field(rules, name, value)).collect()
}

/// One field with its value, or the marker where the value can't be written.
fn customer_field(rules: &Rules, name: &str, value: Option<&str>) -> Option<NewField> {
    let longest = if name == "CustomerNo" { MAX_NUMBER } else { MAX_LOGIN };
    let written = value.filter(|v| v.chars().count() <= longest).and_then(|v| new_field(rules, name, v));
    written.or_else(|| new_field(rules, name, &rules.marker))
}

/// The checkbox, for customers of the backend, and the placeholder, where a link will be due.
fn dynamic_fields(header: &Header, examined: &Examined, rules: &Rules, person: &Person) -> Vec<NewField> {
    let check_box = rules.check_box.as_deref().filter(|_| person.in_backend).map(|name| (name, "1"));
    let link = rules
        .link_field
        .as_deref()
        .filter(|_| examined.kind == Kind::New)
        .map(|name| (name, rules.link_placeholder.as_str()));
    let set = check_box.into_iter().chain(link);
    let fields = set.filter_map(|(name, value)| new_field(rules, &dynamic_field(name), value));
    let has_own = |field: &NewField| examined.trusted && header.texts(&field.name).any(|value| !value.is_empty());
    fields.filter(|field| !has_own(field)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::edit::apply;
    use crate::mail::header::Terminator;
    use crate::policy::examine::tests::{header, rules};
    use crate::policy::{Envelope, examine};

    fn carol() -> Person {
        Person { login: "carol".into(), customer_id: "corp".into(), in_backend: true, needs_link: true, created: false }
    }

    fn settled(text: &str, rules: &Rules, sender: &Sender) -> (String, Settled) {
        let header = header(text);
        let examined = examine(&header, &Envelope::default(), rules);
        let settled = settle(&header, &examined, rules, sender);
        (String::from_utf8(apply(&header, &settled.edits, Terminator::Lf)).unwrap(), settled)
    }

    fn fields(user: &str, number: &str) -> String {
        format!("X-OTOBO-CustomerUser: {user}\nX-OTOBO-CustomerNo: {number}\nX-OTOBO-Customer: {user}\n")
    }

    #[test]
    fn customers_fields_are_set_and_forged_ones_go() {
        let text = "X-OTOBO-CustomerUser: root\n x\nFrom: carol@corp.test\n";
        let (out, settled) = settled(text, &rules(), &Sender::Customer(carol()));
        assert_eq!(out, fields("carol", "corp") + "From: carol@corp.test\n");
        assert!(settled.token && settled.link_mail);
    }

    #[test]
    fn a_certain_sender_who_is_no_customer_is_named() {
        let (out, settled) = settled("From: Carol@corp.test\n", &rules(), &Sender::Free);
        assert_eq!(out, fields("carol@corp.test", "carol@corp.test") + "From: Carol@corp.test\n");
        assert!(!settled.token && !settled.link_mail);
    }

    #[test]
    fn an_address_over_its_column_becomes_the_marker() {
        let long = format!("carol@{}.{}.{}.test", "a".repeat(60), "b".repeat(60), "c".repeat(60));
        let from = format!("From: {long}\n");
        assert_eq!(settled(&from, &rules(), &Sender::Free).0, fields("unverified-sender", "unverified-sender") + &from);
    }

    #[test]
    fn nobody_certain_means_the_marker_in_all_three() {
        let (out, settled) = settled("From: a@b.test, c@d.test\n", &rules(), &Sender::Doubtful);
        assert_eq!(out, fields("unverified-sender", "unverified-sender") + "From: a@b.test, c@d.test\n");
        assert!(!settled.token);
    }

    #[test]
    fn what_otobo_takes_for_none_is_the_marker() {
        for empty in ["", " ", "0", " 0 ", "a\nb", "\0"] {
            let person = Person { login: empty.into(), customer_id: empty.into(), ..carol() };
            assert_eq!(
                settled("A: b\n", &rules(), &Sender::Customer(person)).0,
                fields("unverified-sender", "unverified-sender") + "A: b\n"
            );
        }
        let person = Person { customer_id: "0".into(), ..carol() };
        assert_eq!(
            settled("A: b\n", &rules(), &Sender::Customer(person)).0,
            fields("carol", "unverified-sender") + "A: b\n"
        );
    }

    #[test]
    fn a_trusted_mails_fields_win_and_gaps_are_filled() {
        let secret = "X-Gate: 0123456789abcdef\n";
        let text = format!("X-OTOBO-CustomerUser: dan\nX-OTOBO-CustomerNo: 0\n{secret}From: carol@corp.test\n");
        let dan = Person { login: "dan".into(), customer_id: "dans".into(), ..carol() };
        let (out, _) = settled(&text, &rules(), &Sender::Customer(dan));
        assert_eq!(
            out,
            "X-OTOBO-CustomerNo: dans\nX-OTOBO-Customer: dan\nX-OTOBO-CustomerUser: dan\nFrom: carol@corp.test\n"
        );
        let (out, _) = settled(&text, &rules(), &Sender::Doubtful);
        assert_eq!(
            out,
            "X-OTOBO-CustomerNo: unverified-sender\nX-OTOBO-Customer: dan\nX-OTOBO-CustomerUser: dan\nFrom: carol@corp.test\n"
        );
    }

    #[test]
    fn unprotected_only_created_customers_get_fields() {
        let rules = Rules { protection: false, check_box: Some("Auto".into()), ..rules() };
        let text = "X-OTOBO-CustomerUser: x\nX-OTOBO-DynamicField-Auto: 0\nFrom: carol@corp.test\n";
        let (known, due) = settled(text, &rules, &Sender::Customer(carol()));
        assert!(!due.token, "the ticket will be x's");
        assert_eq!(known, "X-OTOBO-DynamicField-Auto: 1\nX-OTOBO-CustomerUser: x\nFrom: carol@corp.test\n");
        let (created, due) = settled(text, &rules, &Sender::Customer(Person { created: true, ..carol() }));
        assert_eq!(created, fields("carol", "corp") + "X-OTOBO-DynamicField-Auto: 1\nFrom: carol@corp.test\n");
        assert!(due.token);
        assert_eq!(settled(text, &rules, &Sender::Free).0, text);
        let elsewhere = Person { in_backend: false, ..carol() };
        assert_eq!(settled(text, &rules, &Sender::Customer(elsewhere)).0, text);
    }

    #[test]
    fn the_placeholder_is_set_for_customers_new_mails() {
        let rules = Rules { link_field: Some("Link".into()), ..rules() };
        let field = "X-OTOBO-DynamicField-Link: [[OTAB-LINK]]\n";
        assert!(settled("From: carol@corp.test\n", &rules, &Sender::Customer(carol())).0.contains(field));
        assert!(!settled("Auto-Submitted: x\n", &rules, &Sender::Customer(carol())).0.contains(field));
        assert!(!settled("From: carol@corp.test\n", &rules, &Sender::Free).0.contains(field));
    }

    #[test]
    fn a_token_is_due_without_a_password_for_new_mails() {
        let due = |text: &str, person: Person| {
            let settled = settled(text, &rules(), &Sender::Customer(person)).1;
            (settled.token, settled.link_mail)
        };
        assert_eq!(due("Subject: x\n", carol()), (true, true));
        assert_eq!(due("X-Auto-Response-Suppress: OOF\n", carol()), (true, false));
        assert_eq!(due("Subject: x\n", Person { needs_link: false, ..carol() }), (false, false));
        assert_eq!(due("Auto-Submitted: auto-replied\n", carol()), (false, false));
        assert_eq!(due("Subject: Ticket#2026112010000017\n", carol()), (false, false));
    }
}
