//! For whom a customer may be created: the allow and deny lists.

use crate::mail::Address;

use super::Rules;

/// Why no customer is created for a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// `create.deny` names the sender.
    Denied,
    /// `create.allow` is given and does not name the sender.
    NotAllowed,
}

impl Refused {
    /// The reason, for logs and people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Denied => "the sender is on the deny list",
            Self::NotAllowed => "the sender is not on the allow list",
        }
    }
}

/// Whether the lists let a customer be created.
pub(super) fn may_create(rules: &Rules, address: &Address) -> Result<(), Refused> {
    if rules.deny.iter().any(|p| p.matches(address)) {
        return Err(Refused::Denied);
    }
    if !rules.allow.is_empty() && !rules.allow.iter().any(|p| p.matches(address)) {
        return Err(Refused::NotAllowed);
    }
    Ok(())
}
