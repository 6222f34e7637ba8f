//! The broad comparison of promise 6: two texts that any database or eye could take for one another
//! fold to the same text. Used only to EXCLUDE ("nobody's login"), never to accept.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::is_invisible;

/// Folds case, accents, width, ligatures, invisible characters and outer blanks away.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        // The common case needs none of the tables; the result is the same.
        return text.chars().filter(|c| !is_invisible(*c)).collect::<String>().trim().to_ascii_lowercase();
    }
    let bare = text.nfkd().filter(|c| !is_combining_mark(*c) && !is_invisible(*c)).flat_map(base);
    let folded: String = caseless::default_case_fold_str(&bare.collect::<String>());
    // Folding can bring forth what decomposes once more (ẞ, ŉ), and letters with a stroke in the other case.
    let folded: String = folded.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(base).collect();
    folded.trim().to_owned()
}

/// Letters that Unicode does not decompose, but collations (the DUCET's first level) take for others.
fn base(c: char) -> impl Iterator<Item = char> {
    let text: &'static str = match c {
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'ħ' | 'Ħ' => "h",
        'ŧ' | 'Ŧ' => "t",
        'ı' | 'İ' => "i",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'þ' | 'Þ' => "th",
        _ => "",
    };
    let this = text.is_empty().then_some(c);
    text.chars().chain(this)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_fold_to_one_text() {
        for other in [
            "CAROL@corp.test",
            "caról@corp.test",
            "ｃａｒｏｌ@corp.test",
            "carol@corp.test ",
            " carol@corp.test",
            "carol@corp.test\0",
            "car\u{200b}ol@corp.test",
            "caro\u{301}l@corp.test",
            "cařøŁ@corp.test",
        ] {
            assert_eq!(fold(other), "carol@corp.test", "{other:?}");
        }
        assert_eq!(fold("STRAẞE"), fold("strasse"));
        assert_eq!(fold("İı"), "ii");
    }

    #[test]
    fn different_texts_stay_different() {
        assert_ne!(fold("carol@corp.test"), fold("carola@corp.test"));
        assert_ne!(fold("a b"), fold("ab"));
    }

    #[test]
    fn folding_twice_changes_nothing() {
        for text in ["ŉ", "ẞ", "ﬃ", "Ǆ", "ᾷ", "Å", "carol", "ĲØ", "ﷺ"] {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }
}
