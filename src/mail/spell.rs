//! Writes a text in the charset of a part, or as near to it as the part can hold.

use std::fmt::Write;

use charset::Charset;
use unicode_normalization::UnicodeNormalization;

use crate::text::html::escaped;

/// A text for HTML, in an element or in a quoted attribute: ASCII alone, all else as references.
#[must_use]
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in escaped(text).chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "&#{};", u32::from(c));
        }
    }
    out
}

/// A text in a charset (its name as a mail states it, in lower case); `None` where the charset, or
/// otab, cannot write it. ASCII is the same in all charsets that come here.
#[must_use]
pub fn in_charset(text: &str, name: &str) -> Option<Vec<u8>> {
    if text.is_ascii() || name == "utf-8" || name == "utf8" {
        return Some(text.as_bytes().to_vec());
    }
    // For the WHATWG `us-ascii` is windows-1252, and so is `iso-8859-1`; its upper half is the same.
    if name.ends_with("ascii") {
        return None;
    }
    let charset = Charset::for_label_no_replacement(name.as_bytes())?;
    let lowest = if name.starts_with("iso") || name.starts_with("latin") { 0xa0 } else { 0x80 };
    text.chars().map(|c| single_byte(c, charset, lowest)).collect()
}

/// A character in a charset of one byte each: the byte that is decoded to it alone.
fn single_byte(c: char, charset: Charset, lowest: u8) -> Option<u8> {
    if c.is_ascii() {
        return u8::try_from(c).ok();
    }
    (lowest..=u8::MAX).find(|byte| {
        let (decoded, malformed) = charset.decode_without_bom_handling(std::slice::from_ref(byte));
        !malformed && decoded.chars().eq([c])
    })
}

/// A text in ASCII letters that people still read: `ü` becomes `ue`, `é` becomes `e`. `None` where
/// that goes too far.
#[must_use]
pub fn in_ascii(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'Ä' => out.push_str("Ae"),
            'Ö' => out.push_str("Oe"),
            'Ü' => out.push_str("Ue"),
            'ß' => out.push_str("ss"),
            '–' | '—' => out.push('-'),
            '‘' | '’' => out.push('\''),
            '“' | '”' | '„' | '«' | '»' => out.push('"'),
            c => out.extend(std::iter::once(c).nfkd().filter(|c| !('\u{300}'..='\u{36f}').contains(c))),
        }
    }
    out.is_ascii().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_holds_ascii_alone_and_no_syntax() {
        assert_eq!(html("a&b <ü> \"'"), "a&amp;b &lt;&#252;&gt; &quot;&#39;");
    }

    #[test]
    fn texts_are_written_in_charsets_with_their_letters() {
        assert_eq!(in_charset("gültig", "utf-8").unwrap(), "gültig".as_bytes());
        assert_eq!(in_charset("gültig", "iso-8859-1").unwrap(), b"g\xfcltig");
        assert_eq!(in_charset("10 €", "iso-8859-15").unwrap(), b"10 \xa4");
        assert_eq!(in_charset("10 €", "windows-1252").unwrap(), b"10 \x80");
        assert_eq!(in_charset("да", "koi8-r").unwrap(), b"\xc4\xc1");
        assert_eq!(in_charset("abc", "no-such-charset").unwrap(), b"abc");
        for (text, name) in [
            ("ü", "us-ascii"),
            ("€", "iso-8859-1"),
            ("да", "iso-8859-1"),
            ("ü", "no-such-charset"),
            ("日本", "shift_jis"),
            ("日本", "iso-2022-jp"),
        ] {
            assert_eq!(in_charset(text, name), None, "{text} in {name}");
        }
    }

    #[test]
    fn letters_with_marks_become_plain_where_readable() {
        assert_eq!(in_ascii("Für Ärger – „später“: créé").as_deref(), Some("Fuer Aerger - \"spaeter\": cree"));
        assert_eq!(in_ascii("да"), None);
    }
}
