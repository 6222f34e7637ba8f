//! Tags of languages. OTOBO writes `pt_BR`, browsers `pt-BR`, and both mean the same.

/// A tag in the one form in which they are compared: `pt-br`.
#[must_use]
pub fn tag(text: &str) -> String {
    text.trim().replace('_', "-").to_ascii_lowercase()
}

/// What serves somebody who wants this language, the best first: its tag, and that of its primary language.
#[must_use]
pub fn choices(text: &str) -> [String; 2] {
    let tag = tag(text);
    let primary = tag.split('-').next().unwrap_or_default().to_owned();
    [tag, primary]
}

/// Whether a text has the shape of a tag (RFC 5646, section 2.1), with either sign between its parts.
#[must_use]
pub fn is_tag(text: &str) -> bool {
    let mut parts = text.split(['-', '_']);
    let primary = parts.next().unwrap_or_default();
    (2..=8).contains(&primary.len())
        && primary.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_has_one_form_and_falls_back_to_its_primary() {
        assert_eq!(choices(" pt_BR"), ["pt-br", "pt"]);
        assert_eq!(choices("de"), ["de", "de"]);
    }

    #[test]
    fn only_the_shape_of_a_tag_is_one() {
        for text in ["de", "pt-BR", "zh_CN", "sr-Latn-RS", "de-1996"] {
            assert!(is_tag(text), "{text}");
        }
        for text in ["", "d", "-", "de-", "de--at", "12", "de-languages", "de at", "de.at", "dé"] {
            assert!(!is_tag(text), "{text}");
        }
    }
}
