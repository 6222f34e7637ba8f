//! How a person names a token.

use std::str::FromStr;

/// How much of a hash is shown, and the least of it that names a token, in hex digits.
pub const SHOWN: usize = 8;

/// How a person names a token: by its row, or by the start of its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// The row's number.
    Id(i64),
    /// Eight or more hex digits, in lower case.
    Hash(String),
}

/// A text that names no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("name a token by its number, or by the first eight or more hex digits of its hash")]
pub struct WhichError;

impl FromStr for Which {
    type Err = WhichError;

    /// Eight digits or more are the start of a hash; `#12345678` is a number all the same.
    fn from_str(text: &str) -> Result<Self, WhichError> {
        if let Some(number) = text.strip_prefix('#') {
            return number.parse().map(Self::Id).map_err(|_| WhichError);
        }
        if text.len() < SHOWN {
            return text.parse().map(Self::Id).map_err(|_| WhichError);
        }
        let hex = text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let hash = hex.then(|| text.to_ascii_lowercase());
        hash.map(Self::Hash).ok_or(WhichError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_named_by_number_or_start_of_its_hash() {
        assert_eq!("7".parse(), Ok(Which::Id(7)));
        assert_eq!("#12345678".parse(), Ok(Which::Id(12_345_678)));
        assert_eq!("12345678".parse(), Ok(Which::Hash("12345678".into())));
        assert_eq!("BA7816BF8f".parse(), Ok(Which::Hash("ba7816bf8f".into())));
        for text in ["", "ba7816b", "ba7816bg", "%%%%%%%%", &"a".repeat(65)] {
            assert_eq!(text.parse::<Which>(), Err(WhichError), "{text}");
        }
    }
}
