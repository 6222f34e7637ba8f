//! Values of fields: what otab writes, and the small grammars of those that it reads.

use super::header::Terminator;

/// A value that can be written into a field: ASCII, without line breaks, NULs and control characters,
/// and such that OTOBO, which decodes every value (RFC 2047), gets exactly the text that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldValue {
    /// One piece of plain text, or several encoded-words.
    words: Vec<String>,
}

/// Bytes of UTF-8 in one encoded-word: with `=?UTF-8?B?…?=` it stays under 75 characters (RFC 2047,
/// section 2).
const WORD_BYTES: usize = 42;

impl FieldValue {
    /// Prepares a text; `None` where it holds a control character, which no field can carry.
    ///
    /// Text is encoded where it is not ASCII, where it looks as if it were encoded already (a login
    /// `=?utf-8?q?carol=40corp.test?=` must not arrive as carol's), and where its outer or repeated
    /// blanks would be lost on the way.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        if text.chars().any(char::is_control) {
            return None;
        }
        let plain =
            text.is_ascii() && !text.contains("=?") && text.trim() == text && !text.contains("  ") && text.len() <= 900;
        let words = if plain { vec![text.to_owned()] } else { chunks(text).map(encoded_word).collect() };
        Some(Self { words })
    }

    /// Appends the value; encoded-words stand on lines of their own, folded with one blank.
    pub(super) fn write(&self, out: &mut Vec<u8>, terminator: Terminator) {
        for (i, word) in self.words.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(terminator.bytes());
                out.push(b' ');
            }
            out.extend_from_slice(word.as_bytes());
        }
    }
}

impl std::fmt::Display for FieldValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

fn encoded_word(text: &str) -> String {
    format!("=?UTF-8?B?{}?=", data_encoding::BASE64.encode(text.as_bytes()))
}

/// Cuts a text into pieces of at most [`WORD_BYTES`], on character boundaries (RFC 2047, section 5: a
/// character may not be split over two encoded-words).
fn chunks(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (chunk, tail) = rest.split_at(rest.floor_char_boundary(WORD_BYTES));
        rest = tail;
        Some(chunk)
    })
}

/// A structured value without its comments (RFC 5322, section 3.2.2), blanks trimmed. Quotes are not
/// looked at: the values read this way hold tokens only.
#[must_use]
pub fn without_comments(value: &str) -> String {
    let mut depth = 0_usize;
    let mut escaped = false;
    let mut out = String::new();
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 => escaped = true,
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth == 0 => out.push(c),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// The first token of a structured value, in lower case: what stands before a blank or a parameter.
#[must_use]
pub fn keyword(value: &str) -> String {
    let bare = without_comments(value);
    bare.split([';', ' ', '\t']).next().unwrap_or_default().to_ascii_lowercase()
}

/// Longest start of a value that is decoded, in bytes: mailparse takes quadratic time, so that one
/// subject of `=?=?=?…` would use up the time for the decision at each try.
const MAX_DECODED: usize = 16 * 1024;

/// An unstructured value, decoded (RFC 2047), as people read it. Of a longer one only the start.
#[must_use]
pub fn decoded(unfolded: &str) -> String {
    let unfolded = &unfolded[..unfolded.floor_char_boundary(MAX_DECODED)];
    let line = format!("X: {unfolded}");
    mailparse::parse_header(line.as_bytes()).map_or_else(|_| unfolded.to_owned(), |(field, _)| field.get_value())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(text: &str) -> Option<String> {
        FieldValue::new(text).map(|v| v.to_string())
    }

    #[test]
    fn plain_text_is_written_as_it_is() {
        assert_eq!(written("carol@corp.test").as_deref(), Some("carol@corp.test"));
        assert_eq!(written("Carol Corp").as_deref(), Some("Carol Corp"));
    }

    #[test]
    fn what_a_reader_would_change_is_encoded() {
        assert_eq!(written("käthe").as_deref(), Some("=?UTF-8?B?a8OkdGhl?="));
        for text in ["=?utf-8?q?carol=40corp.test?=", " carol", "carol ", "a  b"] {
            let value = written(text).unwrap();
            assert!(value.starts_with("=?UTF-8?B?"), "{value}");
            assert_eq!(decoded(&value), text);
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a\nb", "a\rb", "a\0b", "\u{85}", "a\tb", "\x7f"] {
            assert_eq!(written(text), None, "{text:?}");
        }
    }

    #[test]
    fn keywords_are_read_past_comments_and_parameters() {
        for (value, expected) in [
            ("no", "no"),
            (" No ", "no"),
            ("(x (y)) no (z)", "no"),
            ("auto-replied; owner-email=\"a@b\"", "auto-replied"),
            ("", ""),
            ("(only) (comments)", ""),
            ("bulk mail", "bulk"),
        ] {
            assert_eq!(keyword(value), expected, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn written_text_is_short_ascii_and_reads_the_same(text in "\\PC{0,300}") {
            if let Some(value) = FieldValue::new(&text) {
                let mut out = Vec::new();
                value.write(&mut out, Terminator::CrLf);
                prop_assert!(out.is_ascii());
                for line in out.split(|b| *b == b'\n') {
                    prop_assert!(line.len() < 998);
                }
                prop_assert_eq!(decoded(&crate::mail::header::unfold(&out)), text);
            }
        }
    }
}
