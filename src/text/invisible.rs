//! Characters that show nothing.

use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

/// Control characters, and what Unicode calls default ignorable: zero-width and bidirectional marks, fillers, variation
/// selectors. A collation that ignores them makes two names one, and some of them steer a terminal. The separators of
/// lines and paragraphs and the marks of annotations belong to them here, since they show nothing either.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || !c.is_ascii()
            && (CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_fillers_and_separators_are_invisible() {
        for c in "\0\u{7f}\u{ad}\u{34f}\u{61c}\u{115f}\u{17b4}\u{180e}\u{200b}\u{2028}\u{202e}\u{2066}\u{3164}".chars()
        {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in "\u{fe0f}\u{feff}\u{ffa0}\u{fff0}\u{fffb}\u{1bca0}\u{1d173}\u{e0001}\u{e0fff}".chars() {
            assert!(is_invisible(c), "{c:?}");
        }
        for c in "a \u{a0}ü日\u{301}😀".chars() {
            assert!(!is_invisible(c), "{c:?}");
        }
    }
}
