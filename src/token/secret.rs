//! Secrets and keys, which are stored and compared as hashes only.
//!
//! A secret has no `Display`, and its `Debug` hides it: it must not reach a log by carelessness.

use std::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

/// Longest secret, in bytes.
const LONGEST: usize = 128;

/// The secret in a link.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

/// A text that cannot be a secret. It is not repeated: a mistyped secret is nearly one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no token: 1 to 128 printable ASCII characters without blanks")]
pub struct SecretError;

impl Secret {
    /// A new one: a UUID v4, with 122 random bits from the operating system, in 22 characters of base64url
    /// (RFC 4648, section 5), so that links stay short. None begins with `-`: a command would take it for an
    /// option. (None can end with it: a mail program would take that for the end of the link.)
    #[must_use]
    pub fn generate() -> Self {
        loop {
            let text = BASE64URL_NOPAD.encode(uuid::Uuid::new_v4().as_bytes());
            if !text.starts_with('-') {
                return Self(text);
            }
        }
    }

    /// A text with this secret left out, whatever letter case it stands there in.
    #[must_use]
    pub fn masked_in(&self, text: &str) -> String {
        let (secret, folded) = (self.0.to_ascii_lowercase(), text.to_ascii_lowercase());
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for (at, _) in folded.match_indices(&secret) {
            masked.push_str(&text[done..at]);
            masked.push('…');
            done = at + secret.len();
        }
        masked.push_str(&text[done..]);
        masked
    }

    /// Reads a given one; outer blanks are trimmed. Its shape is left open, since tokens taken over
    /// from OTOBO's package are no UUIDs.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let printable = text.bytes().all(|byte| byte.is_ascii_graphic());
        if text.is_empty() || text.len() > LONGEST || !printable {
            return Err(SecretError);
        }
        Ok(Self(text.to_owned()))
    }

    /// The secret itself, for the link and the outbox only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The SHA-256 of its text in lower-case hex: what is stored. No salt and no stretching: there is
    /// nothing to guess in 122 random bits, and the hash has to be found by an index.
    #[must_use]
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What makes a mail the same mail at a second try (promise 1), hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailKey(String);

impl MailKey {
    /// The key of a mail: its identity (Message-ID, or a hash of the header block) and its sender.
    ///
    /// The NUL between them keeps pairs apart that would read the same put together; a sender holds
    /// none.
    #[must_use]
    pub fn new(identity: &[u8], sender: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(identity);
        hash.update([0]);
        hash.update(sender.as_bytes());
        Self(HEXLOWER.encode(&hash.finalize()))
    }

    /// The stored text, in lower-case hex.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_looks_like_an_option_or_ends_oddly() {
        for _ in 0..2000 {
            let secret = Secret::generate();
            assert!(!secret.expose().starts_with('-') && !secret.expose().ends_with(['-', '_']), "{}", secret.0);
        }
    }

    #[test]
    fn a_secret_is_left_out_of_what_others_say() {
        let secret = Secret::parse("aBc-1").unwrap();
        assert_eq!(secret.masked_in("554 spam: h.test/t/aBc-1 and ABC-1/"), "554 spam: h.test/t/… and …/");
        assert_eq!(secret.masked_in("ä 550 no"), "ä 550 no");
    }

    #[test]
    fn a_secret_is_a_hidden_uuid_hashed_as_text() {
        let secret = Secret::generate();
        assert_eq!(secret.expose().len(), 22);
        let bytes = BASE64URL_NOPAD.decode(secret.expose().as_bytes()).unwrap();
        assert_eq!(uuid::Uuid::from_slice(&bytes).unwrap().get_version_num(), 4);
        assert_ne!(secret, Secret::generate());
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let abc = Secret::parse(" abc\r\n").unwrap();
        assert_eq!(abc.expose(), "abc");
        assert_eq!(abc.hash(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn what_no_link_could_hold_is_no_secret() {
        assert!(Secret::parse(&"a".repeat(128)).is_ok());
        for text in ["", "  ", "a b", "a\0", "tökén", &"a".repeat(129)] {
            assert!(Secret::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_mail_key_tells_identity_and_sender_apart() {
        let key = MailKey::new(b"<a@x>", "carol@corp.test");
        assert_eq!(key, MailKey::new(b"<a@x>", "carol@corp.test"));
        assert_ne!(key, MailKey::new(b"<a@x>c", "arol@corp.test"));
        assert_ne!(key, MailKey::new(b"<b@x>", "carol@corp.test"));
        assert_eq!(key.as_str().len(), 64);
    }
}
