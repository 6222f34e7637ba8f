//! The link mail: one message in two forms, marked as automatic in every way that programs know.

use std::time::SystemTime;

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::{Address, Message};
use sha2::{Digest, Sha256};

use super::template::Texts;

/// What stands in `X-Loop`. Whoever finds it, otab among them, has an automatic mail before him.
const LOOP: &str = "otab";

/// Everything that a link mail is made of.
#[derive(Debug, Clone)]
pub struct LinkMail<'a> {
    /// The address in From.
    pub from: &'a crate::mail::Address,
    /// The name beside it; empty: none.
    pub from_name: &'a str,
    /// The customer's stored address.
    pub to: &'a str,
    /// The rendered texts.
    pub texts: &'a Texts,
    /// The Message-ID of the customer's mail, with its `<>`.
    pub in_reply_to: Option<&'a str>,
    /// What this mail alone has, and each try of it again: its Message-ID is made from it.
    pub identity: &'a str,
    /// When it is sent.
    pub at: Timestamp,
}

/// A message that no mail can be made of.
#[derive(Debug, thiserror::Error)]
#[error("no mail can be made: {0}")]
pub struct Error(String);

/// A message, ready to be sent with the null reverse-path (RFC 5321, section 4.5.5).
#[derive(Debug, Clone)]
pub struct Ready {
    /// The one recipient.
    pub recipient: Address,
    /// The message, with CRLF line ends.
    pub bytes: Vec<u8>,
}

/// Makes the message (RFC 5322, RFC 3834 section 3).
pub fn compose(mail: &LinkMail<'_>) -> Result<Ready, Error> {
    let wrong = |what: &dyn std::fmt::Display| Error(what.to_string());
    let recipient = address(mail.to)?;
    let from = address(&mail.from.to_string())?;
    let name = Some(mail.from_name.to_owned()).filter(|name| !name.is_empty());
    let message = Message::builder()
        .from(Mailbox::new(name, from.clone()))
        .to(Mailbox::new(None, recipient.clone()))
        .subject(mail.texts.subject.clone())
        .date(SystemTime::try_from(mail.at).map_err(|error| wrong(&error))?)
        .message_id(Some(message_id(mail.from, mail.identity)))
        .raw_header(field("Auto-Submitted", "auto-replied"))
        .raw_header(field("X-Auto-Response-Suppress", "All"))
        .raw_header(field("X-Loop", LOOP))
        .raw_header(field("Content-Language", &mail.texts.language));
    let message = match mail.in_reply_to.filter(|id| is_message_id(id)) {
        Some(id) => message.in_reply_to(id.to_owned()).references(id.to_owned()),
        None => message,
    };
    // The null reverse-path is the transports' business: lettre's own envelope is not used.
    let envelope = lettre::address::Envelope::new(None, vec![recipient.clone()]).map_err(|error| wrong(&error))?;
    let plain = |kind: ContentType, text: &str| SinglePart::builder().header(kind).body(text.to_owned());
    let parts = MultiPart::alternative()
        .singlepart(plain(ContentType::TEXT_PLAIN, &mail.texts.text))
        .singlepart(plain(ContentType::TEXT_HTML, &mail.texts.html));
    let message = message.envelope(envelope).multipart(parts).map_err(|error| wrong(&error))?;
    Ok(Ready { recipient, bytes: message.formatted() })
}

/// The Message-ID of a link mail from this address.
#[must_use]
pub fn message_id(from: &crate::mail::Address, identity: &str) -> String {
    let id = HEXLOWER.encode(&Sha256::digest(identity)[..16]);
    format!("<otab.{id}@{}>", from.domain())
}

fn field(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// An address for the envelope. The domain goes out in its A-label form, so that only a local part
/// beyond ASCII needs SMTPUTF8 (RFC 6531).
fn address(text: &str) -> Result<Address, Error> {
    let plain = crate::mail::Address::parse(text).map(|address| address.to_string());
    let address: Result<Address, _> = plain.as_deref().unwrap_or(text).parse();
    address.map_err(|_| Error("the customer's stored address is none that a mail can go to".to_owned()))
}

/// One Message-ID in the strict form (RFC 5322, section 3.6.4), as far as no reader could take it for
/// anything else. It was chosen by whoever wrote to the helpdesk.
fn is_message_id(text: &str) -> bool {
    let inner = text.strip_prefix('<').and_then(|text| text.strip_suffix('>'));
    inner.is_some_and(|inner| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.@".contains(&byte);
        inner.len() <= 250 && inner.bytes().all(allowed) && inner.matches('@').count() == 1 && !inner.contains("=?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts() -> Texts {
        Texts {
            language: "de".into(),
            subject: "Zugang für Müller".into(),
            text: "Grüße\n\nhttps://help.test/t/abcdefghijklmnopqrstuv\n".into(),
            html: "<p>Grüße <a href=\"https://help.test/t/abcdefghijklmnopqrstuv\">hier</a></p>".into(),
        }
    }

    fn mail(to: &str, in_reply_to: Option<&str>) -> Result<Ready, Error> {
        let from = crate::mail::Address::parse("hilfe@desk.test").unwrap();
        compose(&LinkMail {
            from: &from,
            from_name: "Hilfe für alle",
            to,
            texts: &texts(),
            in_reply_to,
            identity: "order 1",
            at: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn a_link_mail_reads_back_and_is_marked_as_automatic() {
        let ready = mail("carol@corp.test", Some("<1@corp.test>")).unwrap();
        assert!(ready.bytes.is_ascii());
        let parsed = mailparse::parse_mail(&ready.bytes).unwrap();
        let value =
            |name: &str| mailparse::MailHeaderMap::get_first_value(&parsed.headers[..], name).unwrap_or_default();
        assert_eq!(value("Subject"), "Zugang für Müller");
        assert_eq!(value("From"), "Hilfe für alle <hilfe@desk.test>");
        assert_eq!(value("To"), "carol@corp.test");
        assert_eq!(value("Auto-Submitted"), "auto-replied");
        assert_eq!(value("X-Auto-Response-Suppress"), "All");
        assert_eq!(value("X-Loop"), "otab");
        assert_eq!((value("In-Reply-To"), value("References")), ("<1@corp.test>".into(), "<1@corp.test>".into()));
        let id = value("Message-ID");
        assert!(id.starts_with("<otab.") && id.ends_with("@desk.test>"), "{id}");
        let bodies: Vec<String> = parsed.subparts.iter().map(|part| part.get_body().unwrap()).collect();
        assert!(bodies[0].contains("Grüße") && bodies[1].contains("Grüße"), "{bodies:?}");
        assert_eq!(parsed.ctype.mimetype, "multipart/alternative");
    }

    #[test]
    fn only_a_message_id_that_all_read_alike_is_answered() {
        for good in ["<1@corp.test>", "<a.b+c=d@x>"] {
            assert!(is_message_id(good), "{good}");
        }
        for bad in
            ["", "1@x", "<1@x> <2@x>", "<1@x", "<a b@x>", "<=?x?q?y?=@x>", "<a@b@c>", "<é@x>", "<\"a\"@x>", "<a>"]
        {
            assert!(!is_message_id(bad), "{bad}");
            let text = String::from_utf8(mail("a@corp.test", Some(bad)).unwrap().bytes).unwrap();
            assert!(!text.contains("In-Reply-To") && !text.contains("References"), "{text}");
        }
    }

    #[test]
    fn an_international_domain_goes_out_in_ascii() {
        let ready = mail("carol@müller.test", None).unwrap();
        assert_eq!(ready.recipient.to_string(), "carol@xn--mller-kva.test");
        assert_eq!(mail("jürgen@corp.test", None).unwrap().recipient.to_string(), "jürgen@corp.test");
        for bad in ["", "carol", "a@b@c", "a b@corp.test", "a@corp.test\r\nBcc: x@y"] {
            assert!(mail(bad, None).is_err(), "{bad}");
        }
    }
}
