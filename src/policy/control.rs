//! Control fields: which names go from which mail, and which mails may keep theirs.

use subtle::ConstantTimeEq;

use crate::mail::{FieldValue, Header, NewField, Protected};

use super::Rules;

/// Both prefixes are always guarded: the mail may be read by OTOBO today and by Znuny tomorrow.
const PREFIXES: [&str; 2] = ["X-OTOBO-", "X-OTRS-"];

/// The three fields that name the customer. OTOBO obeys the first two; the third is the name that the
/// package's manual uses, for rules in later stages.
pub(super) const CUSTOMER_FIELDS: [&str; 3] = ["CustomerUser", "CustomerNo", "Customer"];

/// `postmaster.protect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protect {
    /// All control fields go.
    All,
    /// The customer fields, the checkbox and the link field go; others stay, for sites that rely on them.
    Customer,
}

/// A `[[postmaster.trusted]]` entry: a field that only a trusted system knows.
#[derive(Clone)]
pub struct Trusted {
    /// The field's name.
    pub field: String,
    /// Its whole value.
    pub value: String,
}

impl std::fmt::Debug for Trusted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trusted").field("field", &self.field).field("value", &"***").finish()
    }
}

/// Whether the mail carries a trusted system's secret. Values are compared in constant time; that a
/// value has another length may show.
pub(super) fn is_trusted(header: &Header, rules: &Rules) -> bool {
    let matches = |trusted: &Trusted| {
        header
            .texts(&trusted.field)
            .fold(false, |found, value| found | bool::from(value.as_bytes().ct_eq(trusted.value.as_bytes())))
    };
    rules.trusted.iter().fold(false, |found, trusted| found | matches(trusted))
}

/// The protected names of a mail: secrets always go, control fields from all but trusted mails.
pub(super) fn protected(rules: &Rules, trusted: bool) -> Protected {
    let secrets = rules.trusted.iter().fold(Protected::new(), |protected, entry| protected.name(&entry.field));
    if trusted || !rules.protection {
        return secrets;
    }
    match rules.protect {
        Protect::All => PREFIXES.iter().fold(secrets, |protected, prefix| protected.prefix(prefix)),
        Protect::Customer => customer_names(rules).iter().fold(secrets, |protected, name| protected.name(name)),
    }
}

/// The protected names of a header block that is too large to be looked into: nobody is trusted there.
#[must_use]
pub fn stream_protected(rules: &Rules) -> Protected {
    protected(rules, false)
}

/// The customer fields with the marker, for a mail that is not looked into. None without protection.
#[must_use]
pub fn new_marker_fields(rules: &Rules) -> Vec<NewField> {
    let names = CUSTOMER_FIELDS.iter().filter(|_| rules.protection);
    names.filter_map(|name| new_field(rules, name, &rules.marker)).collect()
}

pub(super) fn new_field(rules: &Rules, name: &str, value: &str) -> Option<NewField> {
    Some(NewField { name: format!("{}{name}", rules.prefix), value: FieldValue::new(value)? })
}

/// The dynamic fields that otab itself sets, as control field names without prefix.
pub(super) fn dynamic_field(name: &str) -> String {
    format!("DynamicField-{name}")
}

fn customer_names(rules: &Rules) -> Vec<String> {
    let own = [&rules.check_box, &rules.link_field].into_iter().flatten().map(|name| dynamic_field(name));
    let names: Vec<String> = CUSTOMER_FIELDS.iter().map(|n| (*n).to_owned()).chain(own).collect();
    let mut out = Vec::new();
    for prefix in PREFIXES {
        for name in &names {
            out.push(format!("{prefix}{name}"));
            out.push(format!("{prefix}FollowUp-{name}"));
        }
    }
    out
}
