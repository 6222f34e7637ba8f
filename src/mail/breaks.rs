//! Where some readers end a line, besides LF and CR LF: many at a bare CR, and Python, when it folds a value anew, at all
//! that `str.splitlines` knows: VT, FF, FS, GS, RS, NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR.
//!
//! The last three are more than one byte in UTF-8 (C2 85, E2 80 A8, E2 80 A9). NEL is also the single byte 85 in text that
//! is read as ISO 8859-1. In UTF-8 that byte is a part of ordinary letters (the A with a ring, a Cyrillic one), so it
//! counts only in a field that is not valid UTF-8, or in which a protected name is found anyway ([`super::scan`]).

/// NEL in ISO 8859-1, and the last byte of it in UTF-8.
pub(super) const NEL: u8 = 0x85;

/// Whether some readers end a line at this byte, whatever is around it, if no LF follows a CR.
pub(super) const fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | 0x0b | 0x0c | 0x1c..=0x1e)
}

/// Whether this byte is a break or a part of one that has several.
pub(super) const fn may_be_break(byte: u8) -> bool {
    is_break(byte) || matches!(byte, NEL | 0xc2 | 0xe2 | 0x80 | 0xa8 | 0xa9)
}

/// Whether there is a break other than a CR with its LF.
pub(super) fn has_odd_break(text: &[u8]) -> bool {
    let bare = |at: usize| text.get(at + 1) != Some(&b'\n');
    memchr::memchr_iter(b'\r', text).any(bare)
        || memchr::memchr3(0x0b, 0x0c, 0x1c, text).or_else(|| memchr::memchr2(0x1d, 0x1e, text)).is_some()
        || has_wide_break(text)
}

/// Whether some reader may begin a name elsewhere than at a line's start: at an odd break, or right behind a byte 85.
pub(super) fn may_hide_a_name(text: &[u8]) -> bool {
    let before_a_letter = |at: usize| text.get(at + 1).is_some_and(u8::is_ascii_graphic);
    has_odd_break(text) || memchr::memchr_iter(NEL, text).any(before_a_letter)
}

fn has_wide_break(text: &[u8]) -> bool {
    let nel = |at: usize| at > 0 && text[at - 1] == 0xc2;
    let separator = |at: usize| matches!(text.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9]));
    let has_nel = memchr::memchr(NEL, text).is_some();
    (has_nel && (memchr::memchr_iter(NEL, text).any(nel) || std::str::from_utf8(text).is_err()))
        || memchr::memchr_iter(0xe2, text).any(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_ends_lines_at_is_an_odd_break() {
        for odd in ["\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\u{85}", "\u{2028}", "\u{2029}"] {
            assert!(has_odd_break(format!("a{odd}b").as_bytes()), "{odd:?}");
        }
        assert!(has_odd_break(b"W\xe4rme\x85"));
        assert!(has_odd_break(b"\xc3\x85\xff"), "no UTF-8, so NEL for one who takes it for ISO 8859-1");
    }

    #[test]
    fn ordinary_letters_are_no_breaks() {
        for text in [
            "",
            "a\r\n",
            "\u{c5}ngstr\u{f6}m",
            "\u{445}\u{43e}\u{440}\u{43e}\u{448}\u{43e}",
            "\u{201e}a\u{201c}\u{2026}",
            "\u{a0}\u{a8}\u{2080}",
        ] {
            assert!(!has_odd_break(text.as_bytes()), "{text}");
        }
        assert!(!has_odd_break(b"W\xe4rme \x84a\x93"), "Windows-1252 without its ellipsis");
    }
}
