//! Addresses by address, domain or parent domain.

use super::Address;

/// What an address may be matched by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `user@domain`: this address.
    Address(Address),
    /// `domain`: all addresses in it, and none in its subdomains. As A-labels, in lower case.
    Domain(String),
    /// `.domain`: all addresses in its subdomains, at any depth, and none in itself; kept as A-labels
    /// without the dot.
    Subdomains(String),
}

impl Pattern {
    /// Whether the pattern means this address; strict, see [`Address`].
    #[must_use]
    pub fn matches(&self, address: &Address) -> bool {
        match self {
            Self::Address(this) => this == address,
            Self::Domain(domain) => domain == address.domain(),
            Self::Subdomains(parent) => {
                address.domain().strip_suffix(parent.as_str()).is_some_and(|sub| sub.ends_with('.'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_addresses_domains_and_subdomains() {
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
