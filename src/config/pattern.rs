//! Entries of the lists that say for whom customer users may be created.
//!
//! Pure. This file compares; which list wins is decided by the policy.

use crate::mail::Address;

use super::problem::{Complaint, complaint};

/// One entry of `create.allow` or `create.deny`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// `user@domain`: this address.
    Address(Address),
    /// `domain`: all addresses in it, and none in its subdomains. As A-labels.
    Domain(String),
    /// `.domain`: all addresses in its subdomains, at any depth, and none in itself. As A-labels,
    /// without the dot.
    Subdomains(String),
}

impl Pattern {
    /// Whether the entry means this address. Strict: see [`Address`].
    #[must_use]
    pub fn matches(&self, address: &Address) -> bool {
        match self {
            Self::Address(this) => this == address,
            Self::Domain(domain) => address.domain() == domain,
            Self::Subdomains(parent) => address
                .domain()
                .strip_suffix(parent.as_str())
                .is_some_and(|rest| rest.ends_with('.')),
        }
    }

    pub(super) fn read(text: &str) -> Result<Self, Complaint> {
        if text.contains('@') {
            address(text).map(Self::Address)
        } else if let Some(parent) = text.strip_prefix('.') {
            domain(parent).map(Self::Subdomains)
        } else {
            domain(text).map(Self::Domain)
        }
    }
}

/// Reads an address as mails state it.
pub(super) fn address(text: &str) -> Result<Address, Complaint> {
    Address::parse(text).ok_or_else(|| {
        complaint(
            format!("{text:?} is no plain address"),
            "write it as user@example.org, without name, quotes and angle brackets",
        )
    })
}

/// Reads a domain name, in either form, into A-labels.
pub(super) fn domain(text: &str) -> Result<String, Complaint> {
    // The same rules as for a sender's domain: an entry that passes can be met by an address.
    let address = Address::parse(&format!("x@{text}"));
    let address = address.filter(|_| !text.contains('@'));
    let domain = address.map(|address| address.domain().to_owned());
    domain.ok_or_else(|| {
        complaint(
            format!("{text:?} is no domain name"),
            "write example.org (for its subdomains, where a list takes them: .example.org)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, address: &str) -> bool {
        let address = Address::parse(address).unwrap();
        Pattern::read(pattern).unwrap().matches(&address)
    }

    #[test]
    fn an_entry_means_what_it_states_and_no_more() {
        assert!(matches("Carol@Corp.Test", "carol@corp.test"));
        assert!(!matches("carol@corp.test", "carol@a.corp.test"));
        assert!(matches("corp.test", "anyone@CORP.test"));
        assert!(!matches("corp.test", "anyone@a.corp.test"));
        assert!(!matches("corp.test", "anyone@evilcorp.test"));
        assert!(matches(".corp.test", "anyone@a.b.corp.test"));
        assert!(!matches(".corp.test", "anyone@corp.test"));
        assert!(!matches(".corp.test", "anyone@evilcorp.test"));
        assert!(matches("müller.test", "hans@xn--mller-kva.test"));
        assert!(matches(".müller.test", "hans@www.müller.test"));
    }

    #[test]
    fn what_no_address_could_meet_is_refused() {
        for text in [
            "",
            ".",
            "@corp.test",
            "*.corp.test",
            "corp..test",
            "a b",
            "corp.test.",
            "..corp.test",
        ] {
            assert!(Pattern::read(text).is_err(), "{text:?}");
        }
    }
}
