//! One addr-spec (RFC 5322, section 3.4.1) that can be believed, and how it is compared.
//!
//! Only the plain shape is accepted: a dot-atom, `@`, a domain name. What the standard allows beyond
//! that (quoted local parts, domain literals, comments and blanks inside) reads differently from one
//! program to the next, and an address that two programs read differently is nobody's.

use std::fmt;

/// Longest local part, in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Longest addr-spec, in bytes (RFC 5321, section 4.5.3.1.3, less the angle brackets).
const MAX_ADDRESS: usize = 254;

/// A mailbox's addr-spec in canonical form. Equality is the strict comparison of promise 6.
///
/// The local part's ASCII letters are folded to lower case, the domain is in its A-label form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// Reads an addr-spec; `None` for all that is not beyond doubt.
    ///
    /// UTF-8 is allowed in both parts (RFC 6532). A domain counts only when nothing but its letters'
    /// case changes on the way to A-labels and back: `ｃorp.test` in wide letters, or with an
    /// invisible character in it, is `corp.test` for one reader and not for the next.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (local, domain) = text.rsplit_once('@')?;
        if !is_dot_atom(local) || local.len() > MAX_LOCAL {
            return None;
        }
        let domain = a_labels(domain)?;
        if local.len() + 1 + domain.len() > MAX_ADDRESS {
            return None;
        }
        Some(Self { local: local.to_ascii_lowercase(), domain })
    }

    /// The local part, ASCII letters in lower case.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain as A-labels, in lower case (RFC 5890).
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// The address with its domain as U-labels: how people and some databases write it.
    #[must_use]
    pub fn unicode(&self) -> String {
        format!("{}@{}", self.local, idna::domain_to_unicode(&self.domain).0)
    }

    /// The spellings under which a database may hold this address: A-labels, and U-labels where
    /// they differ.
    #[must_use]
    pub fn forms(&self) -> Vec<String> {
        let mut forms = vec![self.to_string()];
        let unicode = self.unicode();
        if unicode != forms[0] {
            forms.push(unicode);
        }
        forms
    }

    /// Whether a stored text states exactly this address (promise 6): what a collation calls equal,
    /// trailing blanks, NULs and look-alikes do not.
    #[must_use]
    pub fn is_stated_by(&self, stored: &str) -> bool {
        Self::parse(stored).as_ref() == Some(self)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// RFC 5322 `dot-atom-text` with RFC 6532's UTF-8, less the invisible and the control characters.
fn is_dot_atom(text: &str) -> bool {
    text.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_whitespace() && !c.is_control() && !crate::text::is_invisible(c)
    }
}

/// A domain as an address may have it: in A-labels and lower case.
#[must_use]
pub fn domain(text: &str) -> Option<String> {
    // The shortest local part has one byte.
    a_labels(text).filter(|domain| domain.len() + 2 <= MAX_ADDRESS)
}

/// The domain in A-labels, where that is beyond doubt.
fn a_labels(domain: &str) -> Option<String> {
    if is_plain(domain) { Some(domain.to_ascii_lowercase()) } else { judged(domain) }
}

/// Whether a domain is letters, digits and hyphens where every rule allows them: then only its case may change.
fn is_plain(domain: &str) -> bool {
    let is_plain = |label: &[u8]| match label {
        [] | [b'-', ..] | [.., b'-'] | [_, _, b'-', b'-', ..] => false,
        label => label.len() <= 63 && label.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-'),
    };
    domain.len() <= 253 && domain.as_bytes().split(|&b| b == b'.').all(is_plain)
}

fn judged(domain: &str) -> Option<String> {
    let ascii = idna::domain_to_ascii_strict(domain).ok()?;
    let stated = lower_case(domain)?;
    let plain = stated == ascii || {
        let (unicode, valid) = idna::domain_to_unicode(&ascii);
        valid.is_ok() && stated == lower_case(&unicode)?
    };
    (plain && !ascii.is_empty() && !ascii.ends_with('.')).then_some(ascii)
}

/// In lower case, where nothing is lost on the way: the Kelvin sign becomes a `k`, and no `k` becomes one.
fn lower_case(text: &str) -> Option<String> {
    if text.is_ascii() {
        return Some(text.to_ascii_lowercase());
    }
    let is_case = |c: &char| c.to_lowercase().eq([*c]) || c.to_lowercase().flat_map(char::to_uppercase).eq([*c]);
    text.chars().all(|c| is_case(&c)).then(|| text.chars().flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_plain_domain_is_what_the_rules_make_of_it(domain in "([a-zA-Z0-9x.-]|xn--|-|\\.|[a-z]{62}){0,9}") {
            proptest::prop_assert!(!is_plain(&domain) || judged(&domain) == Some(domain.to_ascii_lowercase()), "{domain}");
        }
    }

    fn parsed(text: &str) -> Option<String> {
        Address::parse(text).map(|a| a.to_string())
    }

    #[test]
    fn plain_addresses_are_read_and_their_case_folded() {
        assert_eq!(parsed("Carol@Corp.Test").as_deref(), Some("carol@corp.test"));
        assert_eq!(parsed("a.b+c_d=e@x-y.test").as_deref(), Some("a.b+c_d=e@x-y.test"));
        assert_eq!(parsed("root@localhost").as_deref(), Some("root@localhost"));
    }

    #[test]
    fn an_international_domain_has_two_forms_one_address() {
        let u = Address::parse("hans@Müller.test").unwrap();
        let a = Address::parse("hans@xn--mller-kva.test").unwrap();
        assert_eq!(u, a);
        assert_eq!(u.forms(), ["hans@xn--mller-kva.test", "hans@müller.test"]);
        assert!(a.is_stated_by("Hans@MÜLLER.test"));
        // Here the upper case letter is the one that stands in U-labels.
        let cherokee = Address::parse("hans@Ꮝ.test").unwrap();
        assert_eq!(Address::parse("hans@ꮝ.test"), Some(cherokee.clone()));
        assert_eq!(cherokee.forms(), ["hans@xn--gbe.test", "hans@Ꮝ.test"]);
    }

    #[test]
    fn what_readers_could_read_differently_is_no_address() {
        for text in [
            "",
            "carol",
            "@corp.test",
            "carol@",
            "carol@@corp.test",
            "a@b@corp.test",
            ".carol@corp.test",
            "car..ol@corp.test",
            "carol.@corp.test",
            "\"carol\"@corp.test",
            "carol@[127.0.0.1]",
            "carol @corp.test",
            "carol@ corp.test",
            " carol@corp.test",
            "carol@corp.test ",
            "carol@corp.test.",
            "carol@corp..test",
            "carol(x)@corp.test",
            "carol@corp.test\0",
            "carol\0@corp.test",
            "carol@corp.test\0.evil.test",
            "<carol@corp.test>",
            "carol,x@corp.test",
            "carol@corp,test",
            "car\u{200b}ol@corp.test",
            "carol@co\u{ad}rp.test",
            "carol@ｃorp.test",
            "carol@corp。test",
            "carol@\u{212a}elvin.test",
            "carol@\u{1e9e}.test",
            "car\u{a0}ol@corp.test",
            "carol@-corp.test",
            "carol@co_rp.test",
            "=?utf-8?q?carol?=@corp test",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parsed(&format!("{}@corp.test", "a".repeat(65))), None);
        assert_eq!(parsed(&format!("a@{}.test", "b".repeat(64))), None);
    }

    #[test]
    fn a_stored_text_is_an_address_only_exactly() {
        let carol = Address::parse("carol@corp.test").unwrap();
        assert!(carol.is_stated_by("CAROL@corp.TEST"));
        for other in ["caról@corp.test", "carol@corp.test ", "carol@corp.test\0", "ｃarol@corp.test", "carol@corp.tést"]
        {
            assert!(!carol.is_stated_by(other), "{other:?}");
        }
    }
}
