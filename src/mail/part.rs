//! The parts of a mail (RFC 2045, RFC 2046) as ranges of its bytes: which texts may be rewritten, and
//! what must be left as it is.
//!
//! Nothing is decoded here. What is signed, encrypted, attached or of another type than text is no
//! text, and nothing inside it is looked at.

use std::ops::Range;

use mailparse::{DispositionType, parse_content_disposition, parse_content_type};

use super::header::{EndFinder, Header};
use super::value::keyword;

/// Parts within parts that are followed; deeper ones are left as they are.
const DEEPEST: usize = 20;
/// Most fields in the header of a part that is looked at.
const MOST_FIELDS: usize = 20_000;

/// How a part's bytes are encoded (Content-Transfer-Encoding).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transfer {
    /// As they are, ASCII only: `7bit`, or nothing is said.
    SevenBit,
    /// As they are: `8bit` or `binary`.
    EightBit,
    /// RFC 2045, section 6.7.
    QuotedPrintable,
    /// RFC 2045, section 6.8.
    Base64,
}

/// A text that is shown, not attached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Where its body is in the mail.
    pub body: Range<usize>,
    /// `text/html`; else `text/plain`.
    pub html: bool,
    /// The charset's name as stated, in lower case; `us-ascii` where none is.
    pub charset: String,
    /// How its bytes are encoded.
    pub transfer: Transfer,
}

/// Why a part, or the whole mail, is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Left {
    /// `multipart/signed`, or a PGP block in a text.
    Signed,
    /// `multipart/encrypted` or S/MIME's `application/pkcs7-mime` (which may only be signed).
    Encrypted,
    /// A DKIM-Signature field: any change would break it.
    Dkim,
    /// A text whose encoding or charset is broken, or none that is written here.
    Unwritable,
}

impl Left {
    /// The reason, for the log.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Signed => "a signed part",
            Self::Encrypted => "an encrypted part",
            Self::Dkim => "a mail with a DKIM signature",
            Self::Unwritable => "a text in an odd encoding or charset",
        }
    }
}

/// What a mail holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Its texts, in order.
    pub texts: Vec<Text>,
    /// What must be left as it is, in order.
    pub left: Vec<Left>,
}

/// Finds the parts of a mail.
#[must_use]
pub fn parts(mail: &[u8]) -> Parts {
    let mut parts = Parts::default();
    walk(mail, 0..mail.len(), "text/plain", 0, &mut parts);
    parts
}

/// One part or the mail itself: a header block and a body. `default`: its type where none is stated.
fn walk(mail: &[u8], range: Range<usize>, default: &str, depth: usize, parts: &mut Parts) {
    let bytes = &mail[range.clone()];
    let end = EndFinder::length(bytes);
    let empty_line = if bytes[end..].starts_with(b"\r\n") { 2 } else { bytes[end..].len().min(1) };
    let body = range.start + end + empty_line..range.end;
    let Ok(header) = Header::parse(bytes[..end].to_vec(), MOST_FIELDS) else { return };
    if depth == 0 && header.named("DKIM-Signature").next().is_some() {
        parts.left.push(Left::Dkim);
        return;
    }
    let first = |name| header.texts(name).next();
    let stated = parse_content_type(&first("Content-Type").unwrap_or_else(|| default.to_owned()));
    let transfer = transfer(&first("Content-Transfer-Encoding").unwrap_or_default());
    match stated.mimetype.as_str() {
        "multipart/signed" => parts.left.push(Left::Signed),
        "multipart/encrypted" | "application/pkcs7-mime" | "application/x-pkcs7-mime" => {
            parts.left.push(Left::Encrypted);
        }
        kind if kind.starts_with("multipart/") => {
            let boundary = stated.params.get("boundary").filter(|boundary| !boundary.is_empty());
            let plain = matches!(transfer, Some(Transfer::SevenBit | Transfer::EightBit));
            let Some(boundary) = boundary.filter(|_| plain && depth < DEEPEST) else { return };
            let default = if kind == "multipart/digest" { "message/rfc822" } else { "text/plain" };
            for part in split(mail, body, boundary) {
                walk(mail, part, default, depth + 1, parts);
            }
        }
        kind @ ("text/plain" | "text/html") if !is_attached(first("Content-Disposition")) => match transfer {
            Some(transfer) => {
                let charset = stated.charset.trim().to_ascii_lowercase();
                parts.texts.push(Text { body, html: kind == "text/html", charset, transfer });
            }
            None => parts.left.push(Left::Unwritable),
        },
        _ => {}
    }
}

fn transfer(value: &str) -> Option<Transfer> {
    Some(match keyword(value).as_str() {
        "" | "7bit" => Transfer::SevenBit,
        "8bit" | "binary" => Transfer::EightBit,
        "quoted-printable" => Transfer::QuotedPrintable,
        "base64" => Transfer::Base64,
        _ => return None,
    })
}

/// RFC 2183, section 2.8: what is neither `inline` nor absent counts as attached.
fn is_attached(disposition: Option<String>) -> bool {
    disposition.is_some_and(|value| parse_content_disposition(&value).disposition != DispositionType::Inline)
}

/// The parts between the delimiter lines (RFC 2046, section 5.1.1). The line end before a delimiter is
/// the delimiter's. A last part that is not closed reaches to the end.
fn split(mail: &[u8], body: Range<usize>, boundary: &str) -> Vec<Range<usize>> {
    let delimiter = format!("--{boundary}");
    let mut parts = Vec::new();
    let mut open: Option<usize> = None;
    for found in memchr::memmem::find_iter(&mail[body.clone()], &delimiter) {
        let at = body.start + found;
        // Asked first: of many on one line, not each looks for the line's end.
        if at != body.start && mail[at - 1] != b'\n' {
            continue;
        }
        let end = memchr::memchr(b'\n', &mail[at..body.end]).map_or(body.end, |i| at + i + 1);
        let rest = &mail[at + delimiter.len()..end];
        let closing = rest.starts_with(b"--");
        let rest = if closing { &rest[2..] } else { rest };
        if !rest.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if let Some(start) = open.take() {
            parts.push(start..without_line_end(mail, start, at));
        }
        if closing {
            return parts;
        }
        open = Some(end);
    }
    parts.extend(open.map(|start| start..body.end));
    parts
}

fn without_line_end(mail: &[u8], start: usize, end: usize) -> usize {
    match &mail[start..end] {
        [.., b'\r', b'\n'] => end - 2,
        [.., b'\n'] => end - 1,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(mail: &str) -> Vec<&str> {
        parts(mail.as_bytes()).texts.into_iter().map(|text| &mail[text.body]).collect()
    }

    #[test]
    fn a_mail_without_a_content_type_is_one_text() {
        assert_eq!(texts("Subject: a\n\nbody\n"), ["body\n"]);
        assert_eq!(texts("Subject: a\r\n\r\nbody"), ["body"]);
        assert_eq!(texts("\nbody"), ["body"]);
        assert_eq!(texts("Subject: a"), [""]);
        assert_eq!(texts(""), [""]);
    }

    #[test]
    fn nested_parts_are_found_with_their_line_ends() {
        let mail = "Content-Type: multipart/mixed;\n boundary=\"a\"\n\npreamble\n--a\nContent-Type: multipart/alternative; boundary=ab\n\n\
                    --ab\n\none\n\n--ab  \nContent-Type: TEXT/HTML; charset=\"UTF-8\"\nContent-Transfer-Encoding: 8Bit\n\n<p>\n--ab--\n\n\
                    --a\nContent-Type: application/pdf\n\n%PDF\n--abc\n--a--\nepilogue\n--a\n\nno part\n";
        assert_eq!(texts(mail), ["one\n", "<p>"]);
        let found = parts(mail.as_bytes()).texts;
        assert_eq!(
            (found[0].html, found[0].charset.as_str(), found[0].transfer),
            (false, "us-ascii", Transfer::SevenBit)
        );
        assert_eq!((found[1].html, found[1].charset.as_str(), found[1].transfer), (true, "utf-8", Transfer::EightBit));
        assert_eq!(texts(&mail.replace('\n', "\r\n")), ["one\r\n", "<p>"]);
    }

    #[test]
    fn what_is_attached_signed_or_encrypted_is_none() {
        let mixed = |part: &str| format!("Content-Type: multipart/mixed; boundary=a\n\n--a\n{part}\n\nx\n--a--\n");
        for (part, left) in [
            ("Content-Disposition: attachment; filename=a.txt", None),
            ("Content-Disposition: odd", None),
            ("Content-Type: message/rfc822", None),
            ("Content-Type: text/calendar", None),
            ("Content-Type: multipart/signed; boundary=b", Some(Left::Signed)),
            ("Content-Type: multipart/encrypted; boundary=b", Some(Left::Encrypted)),
            ("Content-Type: application/pkcs7-mime; smime-type=signed-data", Some(Left::Encrypted)),
            ("Content-Transfer-Encoding: x-uuencode", Some(Left::Unwritable)),
        ] {
            let found = parts(mixed(part).as_bytes());
            assert_eq!((found.texts.len(), found.left), (0, left.into_iter().collect()), "{part}");
        }
        assert_eq!(parts(mixed("Content-Disposition: inline").as_bytes()).texts.len(), 1);
        assert_eq!(parts(b"DKIM-Signature: v=1\n\nx").left, [Left::Dkim]);
        let digest = mixed("X: y").replace("multipart/mixed", "multipart/digest");
        assert_eq!(parts(digest.as_bytes()).texts, []);
    }

    #[test]
    fn many_delimiters_on_one_line_take_no_quadratic_time() {
        let line = "--a".repeat(2_000_000);
        let mail = format!("Content-Type: multipart/mixed; boundary=a\n\n--a\n\n{line}");
        assert_eq!(texts(&mail), [line]);
    }

    #[test]
    fn parts_without_end_or_bottom_end_somewhere() {
        assert_eq!(texts("Content-Type: multipart/mixed; boundary=a\n\n--a\n\nopen\n"), ["open\n"]);
        assert_eq!(texts("Content-Type: multipart/mixed\n\n--a\n\nx\n"), [""; 0]);
        let open = |n| format!("Content-Type: multipart/mixed; boundary=a{n}\n\n--a{n}\n");
        let nested = |depth: usize| (0..depth).map(open).collect::<String>() + "\nx";
        assert_eq!(texts(&nested(DEEPEST)), ["x"]);
        assert_eq!(texts(&nested(DEEPEST + 1)), [""; 0]);
    }
}
