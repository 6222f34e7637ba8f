//! Percent-encoding (RFC 3986, section 2).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// All but the unreserved characters (section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A text that stays in its place in any URL.
#[must_use]
pub fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// The text that was encoded; `None` where it is no text, or where a `%` begins no code. (The crate leaves such a `%`
/// as it is: two spellings would be one.)
#[must_use]
pub fn decoded(text: &str) -> Option<String> {
    let begins_code = |rest: &str| rest.as_bytes().get(..2).is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit));
    if !text.split('%').skip(1).all(begins_code) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        assert_eq!(encoded("a-b._~c+d/e ä%"), "a-b._~c%2Bd%2Fe%20%C3%A4%25");
        assert_eq!(decoded(&encoded("a-b._~c+d/e ä%")).as_deref(), Some("a-b._~c+d/e ä%"));
    }

    #[test]
    fn half_a_code_and_what_is_no_text_are_refused() {
        for text in ["%", "a%2", "%zz", "%+1", "%%41", "%ff"] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }
}
