//! What makes two arrivals the same mail (promise 1), and what its trace fields tell.

use super::header::{Header, Kind};

/// Longest Message-ID that is believed, in bytes (a line of RFC 5322 has 998 at most).
const MAX_MESSAGE_ID: usize = 990;

/// Fields that each delivery adds anew.
const TRACE: [&str; 3] = ["Received", "Delivered-To", "Return-Path"];

/// The Message-ID with its angle brackets, as OTOBO stores it; `None` where there is none, or one that
/// is empty, over-long or holds control characters.
#[must_use]
pub fn message_id(header: &Header) -> Option<String> {
    let joined = header.texts("Message-ID").collect::<Vec<_>>().join(" ");
    let usable = !joined.is_empty() && joined.len() <= MAX_MESSAGE_ID && !joined.chars().any(char::is_control);
    usable.then_some(joined)
}

/// Bytes that are the same for each try of one mail, and differ between mails: its Message-ID, or else
/// its header block less trace fields and line ends.
#[must_use]
pub fn identity(header: &Header) -> Vec<u8> {
    if let Some(id) = message_id(header) {
        return [b"id:", id.as_bytes()].concat();
    }
    let mut out = b"block:".to_vec();
    for field in header.fields() {
        let name = header.name(field).unwrap_or_default();
        let trace = TRACE.iter().any(|t| name.eq_ignore_ascii_case(t.as_bytes()));
        if field.kind != Kind::Envelope && !trace {
            // CR goes, so that a mail that is retried by way of another program counts as the same.
            out.extend(header.raw(field).iter().filter(|b| **b != b'\r'));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Vec<u8> {
        identity(&Header::parse(text.as_bytes().to_vec(), 100).unwrap())
    }

    #[test]
    fn one_message_id_is_one_mail_whatever_else_changes() {
        assert_eq!(key("Message-ID: <a@b>\nX: 1\n"), key("Received: x\r\nmessage-id:\r\n <a@b>\r\nX: 2\r\n"));
        assert_ne!(key("Message-ID: <a@b>\n"), key("Message-ID: <A@b>\n"));
    }

    #[test]
    fn without_a_message_id_the_block_tells_mails_apart() {
        let first = key("From x Mon\nReturn-Path: <a>\nReceived: by a\n with b\nSubject: s\nFrom: c@d.test\n");
        assert_eq!(first, key("Delivered-To: q\r\nReceived: by b\r\nSubject: s\r\nFrom: c@d.test\r\n"));
        assert_ne!(first, key("Subject: t\nFrom: c@d.test\n"));
        assert_eq!(key("Message-ID:\nSubject: s\n"), key("Message-ID:\nSubject: s\n"));
    }
}
