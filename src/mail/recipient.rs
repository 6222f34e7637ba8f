//! Whether a mail names one recipient and nobody else.
//!
//! As strict as for a sender: any field that some reader could take for one of these counts, and a
//! list, a group or a value that can be read in two ways names more than one.

use super::address::Address;
use super::from::only_mailbox;
use super::header::Header;
use super::protected::Protected;

/// The fields that name recipients (RFC 5322, section 3.6.3). Whatever is resent goes elsewhere.
const FIELDS: [&str; 4] = ["To", "Cc", "Bcc", "Apparently-To"];

/// Whether To names this address, and no field names another.
#[must_use]
pub fn is_only(header: &Header, address: &Address) -> bool {
    let protected = FIELDS.iter().fold(Protected::new().prefix("Resent-"), |protected, name| protected.name(name));
    let mut to = false;
    for field in protected.fields_in(header) {
        let name = header.name(field).unwrap_or_default();
        let is_plain = FIELDS.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if is_plain && header.value(field).trim_ascii().is_empty() {
            continue;
        }
        let states = |mailbox: super::from::Mailbox| mailbox.address == *address;
        if !is_plain || !only_mailbox(header.value(field)).is_ok_and(states) {
            return false;
        }
        to |= name.eq_ignore_ascii_case(b"To");
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn only(fields: &str) -> bool {
        let header = Header::parse(fields.as_bytes().to_vec(), 100).unwrap();
        is_only(&header, &Address::parse("carol@corp.test").unwrap())
    }

    #[test]
    fn one_recipient_is_found_however_he_is_named() {
        for fields in [
            "To: carol@corp.test\n",
            "From: help@desk.test\nTO: \"Corp, Carol\" <Carol@CORP.test>\nReply-To: mallory@evil.test\n",
            "To: =?utf-8?Q?M=C3=BCller=2C_Carol?=\n <carol@corp.test>\nCc: carol@corp.test\nBcc: \n",
        ] {
            assert!(only(fields), "{fields}");
        }
    }

    #[test]
    fn any_other_name_or_doubt_means_more_than_one() {
        for fields in [
            "",
            "Cc: carol@corp.test\n",
            "To: mallory@evil.test\n",
            "To: carol@corp.test, mallory@evil.test\n",
            "To: carol@corp.test\nCc: mallory@evil.test\n",
            "To: carol@corp.test\nCc : mallory@evil.test\n",
            "To: carol@corp.test\nTo: mallory@evil.test\n",
            "To: carol@corp.test\nResent-To: mallory@evil.test\n",
            "To: carol@corp.test\nSubject: a\rCc: mallory@evil.test\n",
            "To: friends: carol@corp.test;\n",
            "To: undisclosed-recipients:;\n",
            "To: car\u{200b}ol@corp.test\n",
            "To: caról@corp.test\n",
        ] {
            assert!(!only(fields), "{fields}");
        }
    }
}
