//! For whom a customer may be created: the allow and deny lists.

use crate::mail::Address;

use super::Rules;

/// One entry of `create.allow` or `create.deny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `user@domain`.
    Address(Address),
    /// `domain`: exactly this one; A-labels, lower case.
    Domain(String),
    /// `.domain`: its subdomains, without the domain itself; kept without the dot.
    Subdomains(String),
}

impl Pattern {
    fn matches(&self, address: &Address) -> bool {
        match self {
            Self::Address(this) => this == address,
            Self::Domain(domain) => domain == address.domain(),
            Self::Subdomains(domain) => {
                address.domain().strip_suffix(domain.as_str()).is_some_and(|sub| sub.ends_with('.'))
            }
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_an_address_a_domain_or_its_subdomains() {
        let carol = Address::parse("carol@mail.corp.test").unwrap();
        let pattern = |p: Pattern| p.matches(&carol);
        assert!(pattern(Pattern::Address(Address::parse("Carol@MAIL.corp.test").unwrap())));
        assert!(pattern(Pattern::Domain("mail.corp.test".into())));
        assert!(!pattern(Pattern::Domain("corp.test".into())));
        assert!(pattern(Pattern::Subdomains("corp.test".into())));
        assert!(!pattern(Pattern::Subdomains("mail.corp.test".into())));
        assert!(!pattern(Pattern::Subdomains("orp.test".into())));
    }
}
