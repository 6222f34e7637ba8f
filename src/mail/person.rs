//! First and last names out of a display name.

use crate::text::is_invisible;

/// Names for the customer's columns; either may be empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// First name, or the only one.
    pub first: String,
    /// Last name.
    pub last: String,
}

/// Splits a display name: "Last, First" at its comma, else before its last word. Control, invisible
/// and bidirectional characters go, blanks are joined; each name is cut to `width` characters.
#[must_use]
pub fn names(display: &str, width: usize) -> Names {
    let clean: String =
        display.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| !is_invisible(*c)).collect();
    let (first, last) = match clean.split_once(',') {
        Some((last, first)) if !first.contains(',') && !first.trim().is_empty() => (first, last),
        _ => clean.trim().rsplit_once(' ').unwrap_or((clean.as_str(), "")),
    };
    Names { first: cut(first, width), last: cut(last, width) }
}

fn cut(name: &str, width: usize) -> String {
    let joined = name.split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ");
    let short: String = joined.trim_matches(['\'', ',', ' ']).chars().take(width).collect();
    short.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(display: &str) -> (String, String) {
        let names = names(display, 10);
        (names.first, names.last)
    }

    #[test]
    fn names_are_split_as_people_write_them() {
        for (display, first, last) in [
            ("Carol Corp", "Carol", "Corp"),
            ("Corp, Carol", "Carol", "Corp"),
            ("Müller, Hans Peter", "Hans Peter", "Müller"),
            ("Anna Maria Corp", "Anna Maria", "Corp"),
            ("Carol", "Carol", ""),
            ("'Carol Corp'", "Carol", "Corp"),
            ("Corp,", "Corp", ""),
            ("", "", ""),
            ("  Carol \t Corp ", "Carol", "Corp"),
        ] {
            assert_eq!(split(display), (first.to_owned(), last.to_owned()), "{display:?}");
        }
    }

    #[test]
    fn hidden_characters_go_and_long_names_are_cut() {
        assert_eq!(split("Ca\u{202e}rol\0 \u{2066}Co\u{200b}rp"), ("Carol".into(), "Corp".into()));
        assert_eq!(split("ÄÖÜäöüßÄÖÜäöüß X"), ("ÄÖÜäöüßÄÖÜ".into(), "X".into()));
    }
}
