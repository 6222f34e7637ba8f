//! Entries of the lists that say for whom customer users may be created.
//!
//! Pure. What an entry means is `mail`'s, which list wins the policy's business.

use crate::mail::{Address, Pattern};

use super::problem::{Complaint, complaint};

/// Reads one entry of `create.allow` or `create.deny`.
pub(super) fn read(text: &str) -> Result<Pattern, Complaint> {
    if text.contains('@') { address(text).map(Pattern::Address) } else { domains(text) }
}

/// Reads an entry that names a domain, or its subdomains.
pub(super) fn domains(text: &str) -> Result<Pattern, Complaint> {
    match text.strip_prefix('.') {
        Some(parent) => domain(parent).map(Pattern::Subdomains),
        None => domain(text).map(Pattern::Domain),
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
    crate::mail::domain(text).ok_or_else(|| {
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
        read(pattern).unwrap().matches(&address)
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
    fn an_address_names_no_domain() {
        assert!(domains("carol@corp.test").is_err());
        assert_eq!(domains("Müller.test").unwrap(), Pattern::Domain("xn--mller-kva.test".to_owned()));
        assert_eq!(domains(".corp.test").unwrap(), Pattern::Subdomains("corp.test".to_owned()));
    }

    #[test]
    fn what_no_address_could_meet_is_refused() {
        for text in ["", ".", "@corp.test", "*.corp.test", "corp..test", "a b", "corp.test.", "..corp.test"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
