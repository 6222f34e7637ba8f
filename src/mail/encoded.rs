//! Encoded-words (RFC 2047) inside a From field, decoded only where every reader gets the same text.
//!
//! OTOBO decodes a From value and then reads the RESULT as addresses, so a decoded comma, quote or
//! bracket becomes syntax. And decoders differ on broken words: what one leaves alone is `@` for
//! another. So here a word is either well-formed in every respect or a reason for doubt.

/// Decodes one encoded-word that `text` begins with. `None`: `text` begins with something that is no
/// well-formed encoded-word. Returns the word's length in bytes.
#[must_use]
pub fn word(text: &str) -> Option<(Word, usize)> {
    let inner = text.strip_prefix("=?")?;
    let (label, rest) = inner.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (encoded, _) = rest.split_once("?=")?;
    let length = 2 + label.len() + 1 + encoding.len() + 1 + encoded.len() + 2;
    // RFC 2231, section 5: a language may follow the charset. Neither holds blanks or address syntax: to other
    // readers that would be no encoded-word, and `=?utf-8*<carol@corp.test>?Q?x?=` an address.
    let (charset, language) = label.split_once('*').unwrap_or((label, ""));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if !charset.bytes().chain(language.bytes()).all(is_plain) {
        return None;
    }
    let charset = charset_of(charset)?;
    if !encoded.bytes().all(|b| matches!(b, 0x21..=0x7e) && b != b'?') {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => base64(encoded)?,
        "Q" | "q" => q_encoding(encoded)?,
        _ => return None,
    };
    Some((Word { charset, bytes }, length))
}

/// A word's charset and its bytes, before the charset is decoded.
#[derive(Debug, Clone)]
pub struct Word {
    charset: charset::Charset,
    bytes: Vec<u8>,
}

/// The text of adjacent encoded-words; blanks between them do not count (RFC 2047, section 6.2).
///
/// Mailers cut UTF-8 text in the middle of a character, against the RFC: words of UTF-8 are therefore
/// joined before they are decoded. In other charsets a cut character means doubt, since the byte that
/// is left over may be an ASCII `@` to a reader that decodes word by word.
#[must_use]
pub fn text(words: &[Word]) -> Option<String> {
    let mut out = String::new();
    let mut rest = words;
    while let Some(first) = rest.first() {
        let utf8 = first.charset.name() == "UTF-8";
        let run = if utf8 { rest.iter().take_while(|w| w.charset == first.charset).count() } else { 1 };
        let bytes: Vec<u8> = rest[..run].iter().flat_map(|w| w.bytes.iter().copied()).collect();
        let (decoded, malformed) = first.charset.decode_without_bom_handling(&bytes);
        if malformed || hides_syntax(&bytes, &decoded, first.charset) {
            return None;
        }
        out.push_str(&decoded);
        rest = &rest[run..];
    }
    Some(out)
}

/// Whether another decoder could see address syntax where this one sees none.
///
/// The second byte of a character may be an ASCII `\\` or `@`. Perl knows `gb2312` and `shift_jis`
/// without the extensions that are read here, and keeps that byte: `=?gb2312?Q?=81=5C?=` ends in a
/// backslash for OTOBO. In ISO-2022-JP it takes the yen sign of JIS-Roman for one.
fn hides_syntax(bytes: &[u8], decoded: &str, charset: charset::Charset) -> bool {
    if charset.name() == "ISO-2022-JP" {
        return decoded.contains('\u{a5}');
    }
    let is_syntax = |byte: &u8| b"\"\\()<>[]@,;:".contains(byte);
    let stated = bytes.iter().filter(|byte| is_syntax(byte)).count();
    stated != decoded.bytes().filter(is_syntax).count()
}

/// Charsets whose ASCII bytes mean ASCII, or that decode strictly. UTF-16 and UTF-7, which hide ASCII
/// in other bytes, are read by some decoders and not by others.
fn charset_of(label: &str) -> Option<charset::Charset> {
    let charset = charset::Charset::for_label_no_replacement(label.as_bytes())?;
    (!charset.name().to_ascii_uppercase().starts_with("UTF-") || charset.name() == "UTF-8").then_some(charset)
}

fn base64(encoded: &str) -> Option<Vec<u8>> {
    let bytes = encoded.as_bytes();
    data_encoding::BASE64.decode(bytes).or_else(|_| data_encoding::BASE64_NOPAD.decode(bytes)).ok()
}

fn q_encoding(encoded: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.bytes();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'_' => b' ',
            b'=' => hex(bytes.next()?)? << 4 | hex(bytes.next()?)?,
            other => other,
        });
    }
    Some(out)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text_: &str) -> Option<String> {
        let (word, length) = word(text_)?;
        assert_eq!(length, text_.len());
        text(&[word])
    }

    #[test]
    fn well_formed_words_are_decoded() {
        for (encoded, expected) in [
            ("=?utf-8?Q?M=C3=BCller=2C_Hans?=", "Müller, Hans"),
            ("=?UTF-8*de?b?w7w=?=", "ü"),
            ("=?UTF-8?B?w7w?=", "ü"),
            ("=?iso-8859-1?q?Andr=e9?=", "André"),
            ("=?Windows-1251?Q?=D1=E0?=", "Са"),
            ("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
            ("=?us-ascii?Q??=", ""),
        ] {
            assert_eq!(decoded(encoded).as_deref(), Some(expected), "{encoded}");
        }
    }

    #[test]
    fn words_that_decoders_could_differ_on_are_refused() {
        for encoded in [
            "=?utf-8?Q?a b?=",
            "=?utf-8?Q?=4?=",
            "=?utf-8?Q?=zz?=",
            "=?utf-8?X?a?=",
            "=?utf-7?Q?+AEA-?=",
            "=?utf-16?B?AEA=?=",
            "=?no-such-charset?Q?a?=",
            "=?utf-8?B?w7w?",
            "=?utf-8?B?w_w=?=",
            "=?utf-8?Q?=C1=80?=",
            "=?utf-8?Q?=FF?=",
            "=?shift_jis?Q?=81?=",
            "=??Q?a?=",
            "=?gb2312?Q?=81=5C?=",
            "=?gbk?Q?=81=40?=",
            "=?shift_jis?Q?=87=5C?=",
            "=?big5?Q?=87=5C?=",
            "=?iso-2022-jp?Q?=1B=28J=5C=1B=28B?=",
            "=?utf-8?Q?a\u{e4}?=",
            "=?utf-8*<carol@corp.test>?Q?x?=",
            "=?utf-8* ?Q?x?=",
            "=? utf-8?Q?x?=",
            "=?utf-8*de*x?Q?x?=",
        ] {
            assert_eq!(decoded(encoded), None, "{encoded}");
        }
    }

    #[test]
    fn only_utf_8_cut_within_a_character_is_joined() {
        let words = |parts: [&str; 2]| parts.map(|p| word(p).unwrap().0);
        assert_eq!(text(&words(["=?utf-8?Q?=C3?=", "=?utf-8?Q?=BC?="])).as_deref(), Some("ü"));
        assert_eq!(text(&words(["=?shift_jis?Q?=81?=", "=?shift_jis?Q?=40?="])), None);
    }
}
