//! The one certain sender that a mail states in From, or the reason why there is none (promise 6).
//!
//! Accepted is what a strict reader (RFC 5322: one mailbox, `name <addr-spec>` or `addr-spec (name)`)
//! and OTOBO's (decode all encoded-words, split into addresses again, take the last) both read as the
//! same address. No attempt is made to guess beyond that: a mail without a certain sender still goes
//! on, only under nobody's name.

use super::address::Address;
use super::encoded::{self, Word};
use super::header::{Field, Header, unfold};
use super::protected::Protected;

/// The sender and the name that he gives himself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// Whose mail it is.
    pub address: Address,
    /// The display name or, failing that, the comment; decoded, as stated otherwise.
    pub display: Option<String>,
}

/// Why a mail has no certain sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// No From field.
    Missing,
    /// More than one field that some reader takes for From.
    SeveralFields,
    /// The field's name is spelled so that some readers take it for From and others do not.
    OddName,
    /// A bare CR, a NUL or another control character in the value.
    Control,
    /// Not exactly one mailbox in a form that every reader reads alike.
    NotOneMailbox,
    /// The address is not a plain dot-atom at a domain name.
    Address,
    /// Encoded-words that not every decoder reads alike, or that decode to address syntax.
    Encoded,
}

impl Doubt {
    /// The reason, for logs and people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "no From field",
            Self::SeveralFields => "several From fields",
            Self::OddName => "a From field with an odd name",
            Self::Control => "control characters in From",
            Self::NotOneMailbox => "From does not hold exactly one mailbox",
            Self::Address => "the address in From is not a plain one",
            Self::Encoded => "encoded words in From that can be read in two ways",
        }
    }
}

/// Finds the one certain sender.
pub fn sender(header: &Header) -> Result<Mailbox, Doubt> {
    only_mailbox(header.value(only_field(header)?))
}

/// The one mailbox that a field's value states, by the same rules.
pub(super) fn only_mailbox(value: &[u8]) -> Result<Mailbox, Doubt> {
    if has_control(value) {
        return Err(Doubt::Control);
    }
    mailbox(&unfold(value), std::str::from_utf8(value).is_ok())
}

/// The only field that any reader takes for From.
fn only_field(header: &Header) -> Result<&Field, Doubt> {
    let field = match Protected::new().name("From").fields_in(header)[..] {
        [] => return Err(Doubt::Missing),
        [field] => field,
        _ => return Err(Doubt::SeveralFields),
    };
    match header.name(field) {
        Some(name) if name.eq_ignore_ascii_case(b"From") => Ok(field),
        _ => Err(Doubt::OddName),
    }
}

/// Any control character but TAB and the line ends of folding.
fn has_control(value: &[u8]) -> bool {
    value.iter().enumerate().any(|(i, byte)| match byte {
        b'\t' | b'\n' => false,
        b'\r' => value.get(i + 1) != Some(&b'\n'),
        _ => byte.is_ascii_control(),
    })
}

/// One lexical piece of the value.
enum Token<'v> {
    /// An atom, or a dot in a phrase.
    Atom(&'v str),
    Quoted(String),
    Comment(String),
    /// What stands between `<` and `>`.
    Angle(&'v str),
    Encoded(Word),
}

/// Address syntax. Decoded out of a quoted string it is syntax for OTOBO; and some readers obey it in a quoted
/// string behind another word, where they take the quotes for letters: `Carol "<mallory@evil.test>" <carol@corp.test>`.
const SYNTAX: [char; 10] = ['"', '\\', '(', ')', '<', '>', '@', ',', ';', ':'];

/// Reads an unfolded value. In text that is not UTF-8 an address with 8-bit bytes can't be believed.
fn mailbox(value: &str, utf8: bool) -> Result<Mailbox, Doubt> {
    // Some readers end a line at the last two.
    if value.chars().any(|c| (c.is_control() && c != '\t') || matches!(c, '\u{2028}' | '\u{2029}')) {
        return Err(Doubt::Control);
    }
    let mut phrase: Vec<Token<'_>> = Vec::new();
    let mut comments: Vec<String> = Vec::new();
    let mut address: Option<&str> = None;
    let mut rest = value.trim_start_matches([' ', '\t']);
    while !rest.is_empty() {
        let (token, length) = next_token(rest)?;
        rest = rest[length..].trim_start_matches([' ', '\t']);
        match token {
            Token::Comment(text) => comments.push(text),
            _ if address.is_some() => return Err(Doubt::NotOneMailbox),
            Token::Angle(inner) => address = Some(inner),
            Token::Atom(atom) if atom.contains('@') => {
                // A bare addr-spec: nothing but comments may stand beside it.
                if !phrase.is_empty() {
                    return Err(Doubt::NotOneMailbox);
                }
                address = Some(atom);
            }
            Token::Quoted(text) if !phrase.is_empty() && text.contains(SYNTAX) => return Err(Doubt::NotOneMailbox),
            other => phrase.push(other),
        }
    }
    let stated = address.ok_or(Doubt::NotOneMailbox)?;
    // A dot-atom can look like an encoded-word, and OTOBO decodes it: `<=?utf-8?Q?x=2Ccarol?=@corp.test>`.
    if stated.contains("=?") || stated.contains("?=") {
        return Err(Doubt::Encoded);
    }
    let address = Address::parse(stated).filter(|_| utf8 || stated.is_ascii()).ok_or(Doubt::Address)?;
    let name = display(&phrase, &address)?;
    let name = if phrase.is_empty() { comments.into_iter().next() } else { Some(name) };
    Ok(Mailbox { address, display: name.filter(|n| !n.trim().is_empty()) })
}

fn next_token(text: &str) -> Result<(Token<'_>, usize), Doubt> {
    match text.as_bytes()[0] {
        b'"' => quoted(text),
        b'(' => comment(text),
        b'<' => {
            let end = text.find('>').ok_or(Doubt::NotOneMailbox)?;
            Ok((Token::Angle(&text[1..end]), end + 1))
        }
        b'=' if text.starts_with("=?") => {
            let (word, length) = encoded::word(text).ok_or(Doubt::Encoded)?;
            Ok((Token::Encoded(word), length))
        }
        _ => atom(text),
    }
}

/// An atom with the dots and at signs that may stand in it; what else RFC 5322 calls special (commas,
/// colons, semicolons, brackets) means several mailboxes, a group or worse.
fn atom(text: &str) -> Result<(Token<'_>, usize), Doubt> {
    let end = text.find([' ', '\t', '(', '<', '"']).unwrap_or(text.len());
    let atom = &text[..end];
    if atom.contains("=?") || atom.contains("?=") {
        return Err(Doubt::Encoded);
    }
    if atom.is_empty() || atom.contains([',', ';', ':', '>', '[', ']', '\\', ')']) {
        return Err(Doubt::NotOneMailbox);
    }
    Ok((Token::Atom(atom), end))
}

fn quoted(text: &str) -> Result<(Token<'_>, usize), Doubt> {
    let mut out = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((Token::Quoted(decode_inside(&out)?), at + 1)),
            // OTOBO decodes raw 8-bit text by the charset of the mail, where both can be one character.
            '\\' if out.ends_with(|c: char| !c.is_ascii()) => return Err(Doubt::NotOneMailbox),
            '\\' => out.push(chars.next().ok_or(Doubt::NotOneMailbox)?.1),
            _ => out.push(c),
        }
    }
    Err(Doubt::NotOneMailbox)
}

/// A comment; nested ones and escapes are read differently from one program to the next. Some know no comments
/// at all, and find quotes and angle brackets in them.
fn comment(text: &str) -> Result<(Token<'_>, usize), Doubt> {
    let inner = text[1..].split_once(')').ok_or(Doubt::NotOneMailbox)?.0;
    if inner.contains(['(', '\\', '<', '>', '"']) {
        return Err(Doubt::NotOneMailbox);
    }
    Ok((Token::Comment(decode_inside(inner)?), inner.len() + 2))
}

/// Decodes the encoded-words in a quoted string or comment: against RFC 2047 (section 5), but mailers
/// write them there and OTOBO decodes them.
fn decode_inside(text: &str) -> Result<String, Doubt> {
    let mut out = String::new();
    let mut words: Vec<Word> = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("=?") {
        let between = &rest[..start];
        if words.is_empty() || !between.trim().is_empty() {
            out.push_str(&flush(&mut words)?);
            out.push_str(between);
        }
        let (word, length) = encoded::word(&rest[start..]).ok_or(Doubt::Encoded)?;
        words.push(word);
        rest = &rest[start + length..];
    }
    out.push_str(&flush(&mut words)?);
    out.push_str(rest);
    Ok(out)
}

/// The text of the words so far, provided that none of it can become syntax inside quotes or comments.
fn flush(words: &mut Vec<Word>) -> Result<String, Doubt> {
    let text = encoded::text(&std::mem::take(words)).ok_or(Doubt::Encoded)?;
    if text.contains(SYNTAX) || text.chars().any(char::is_control) { Err(Doubt::Encoded) } else { Ok(text) }
}

/// The display name of a phrase, provided that OTOBO's second reading of it still ends in `<address>`.
fn display(phrase: &[Token<'_>], address: &Address) -> Result<String, Doubt> {
    let mut parts: Vec<String> = Vec::new();
    let mut at = 0;
    while at < phrase.len() {
        match &phrase[at] {
            Token::Encoded(_) => {
                let words: Vec<Word> = phrase[at..]
                    .iter()
                    .map_while(|t| if let Token::Encoded(w) = t { Some(w.clone()) } else { None })
                    .collect();
                at += words.len();
                let text = encoded::text(&words).ok_or(Doubt::Encoded)?;
                if !harmless_in_phrase(&text, address) {
                    return Err(Doubt::Encoded);
                }
                parts.push(text);
                continue;
            }
            Token::Atom(text) => parts.push((*text).to_owned()),
            Token::Quoted(text) => parts.push(text.clone()),
            Token::Comment(_) | Token::Angle(_) => {}
        }
        at += 1;
    }
    Ok(parts.join(" "))
}

/// Whether decoded text in front of `<address>` leaves `<address>` the last one for OTOBO.
///
/// Commas and semicolons only split off what stands before. Quotes, backslashes, angle brackets and
/// unbalanced parentheses could swallow the address. An at sign could become an address for a reader
/// that takes the first one, unless it is the same address.
fn harmless_in_phrase(text: &str, address: &Address) -> bool {
    let mut open = false;
    for c in text.chars() {
        match c {
            '"' | '\\' | '<' | '>' | '[' | ']' => return false,
            '(' if open => return false,
            '(' => open = true,
            ')' if !open => return false,
            ')' => open = false,
            _ if c.is_control() => return false,
            _ => {}
        }
    }
    !open && (!text.contains('@') || address.is_stated_by(text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &str) -> Result<(String, Option<String>), Doubt> {
        let header = Header::parse(from.as_bytes().to_vec(), 100).unwrap();
        sender(&header).map(|m| (m.address.to_string(), m.display))
    }

    #[test]
    fn the_forms_that_people_send_are_read() {
        for (from, address, name) in [
            ("From: carol@corp.test\n", "carol@corp.test", ""),
            ("from:Carol <Carol@Corp.Test>\r\n", "carol@corp.test", "Carol"),
            ("From: <carol@corp.test>\n", "carol@corp.test", ""),
            ("From: \"Corp, Carol\" <carol@corp.test>\n", "carol@corp.test", "Corp, Carol"),
            ("From: \"Carol \\\"C\\\"\" <carol@corp.test>\n", "carol@corp.test", "Carol \"C\""),
            ("From: \"carol@corp.test\" <carol@corp.test>\n", "carol@corp.test", "carol@corp.test"),
            ("From: \"dan@corp.test\" <carol@corp.test>\n", "carol@corp.test", "dan@corp.test"),
            ("From: John \"Jack\" Public <john@corp.test>\n", "john@corp.test", "John Jack Public"),
            ("From: John Q. Public <john@corp.test>\n", "john@corp.test", "John Q. Public"),
            ("From: carol@corp.test (Carol Corp)\n", "carol@corp.test", "Carol Corp"),
            ("From: =?utf-8?Q?M=C3=BCller=2C_Hans?= <hans@corp.test>\n", "hans@corp.test", "Müller, Hans"),
            ("From: =?utf-8?Q?M=C3=BCller?=\n =?utf-8?Q?_Hans?= <hans@corp.test>\n", "hans@corp.test", "Müller Hans"),
            ("From: =?utf-8?Q?M=C3=BCller_=28Vertrieb=29?= <hans@corp.test>\n", "hans@corp.test", "Müller (Vertrieb)"),
            ("From: \"=?utf-8?Q?M=C3=BCller?=\" <hans@corp.test>\n", "hans@corp.test", "Müller"),
            ("From: =?utf-8?Q?hans=40corp.test?= <hans@corp.test>\n", "hans@corp.test", "hans@corp.test"),
            ("From: Müller\n <hans@müller.test>\n", "hans@xn--mller-kva.test", "Müller"),
            ("From: =?iso-8859-1?Q?Andr=E9?= Moller <am@corp.test>", "am@corp.test", "André Moller"),
        ] {
            assert_eq!(
                read(from),
                Ok((address.to_owned(), Some(name.to_owned()).filter(|n| !n.is_empty()))),
                "{from:?}"
            );
        }
    }

    #[test]
    fn raw_latin_1_is_a_name_but_no_address() {
        let header = |bytes: &[u8]| Header::parse(bytes.to_vec(), 9).unwrap();
        let read = sender(&header(b"From: M\xfcller <hans@corp.test>\n")).unwrap();
        assert_eq!(read.display.as_deref(), Some("Müller"));
        assert_eq!(sender(&header(b"From: M\xfcller <h\xe4ns@corp.test>\n")), Err(Doubt::Address));
    }

    #[test]
    fn whatever_could_name_somebody_else_states_nobody() {
        for (from, doubt) in [
            ("Subject: x\n", Doubt::Missing),
            ("From: a@b.test\nFrom: c@d.test\n", Doubt::SeveralFields),
            ("From: a@b.test\nFrom : c@d.test\n", Doubt::SeveralFields),
            ("From: a@b.test\nSubject: x\rFrom: c@d.test\n", Doubt::SeveralFields),
            ("From : c@d.test\n", Doubt::OddName),
            ("Subject: x\rFrom: c@d.test\n", Doubt::OddName),
            ("From: mallory@evil.test\r, carol@corp.test\n", Doubt::Control),
            ("From: carol@corp.test\0.evil.test\n", Doubt::Control),
            ("From: carol@corp.test\x0b\n", Doubt::Control),
            ("From: mallory@evil.test, carol@corp.test\n", Doubt::NotOneMailbox),
            ("From: mallory@evil.test\n ,carol@corp.test\n", Doubt::NotOneMailbox),
            ("From: Corp, Carol <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: friends: carol@corp.test;\n", Doubt::NotOneMailbox),
            ("From: mallory@evil.test carol@corp.test\n", Doubt::NotOneMailbox),
            ("From: mallory@evil.test <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: <mallory@evil.test> <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: <carol@corp.test> x\n", Doubt::NotOneMailbox),
            ("From: <carol@corp.test>,\n", Doubt::NotOneMailbox),
            ("From: \"Carol <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: a@b.test (x (y) z)\n", Doubt::NotOneMailbox),
            ("From: a@b.test (x\n", Doubt::NotOneMailbox),
            ("From: Carol (<mallory@evil.test>) <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: Carol (\") <carol@corp.test> (\")\n", Doubt::NotOneMailbox),
            ("From: \n", Doubt::NotOneMailbox),
            ("From: Carol\n", Doubt::NotOneMailbox),
            ("From: <@relay.test:carol@corp.test>\n", Doubt::Address),
            ("From: < carol@corp.test>\n", Doubt::Address),
            ("From: \"carol\"@corp.test\n", Doubt::NotOneMailbox),
            ("From: <\"carol\"@corp.test>\n", Doubt::Address),
            ("From: <<carol@corp.test>>\n", Doubt::NotOneMailbox),
            ("From: <carol(x)@corp.test>\n", Doubt::Address),
            ("From: carol(x)@corp.test\n", Doubt::NotOneMailbox),
            ("From: carol@[127.0.0.1]\n", Doubt::NotOneMailbox),
            ("From: <>\n", Doubt::Address),
            ("From: Carol \"<mallory@evil.test>\" <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: Carol\"<mallory@evil.test>\" <carol@corp.test>\n", Doubt::NotOneMailbox),
            ("From: mallory@evil.test (=?utf-8?Q?x=29=2C_carol=40corp.test_=28?=)\n", Doubt::Encoded),
            ("From: mallory@evil.test =?utf-8?Q?=2Ccarol=40corp.test?=\n", Doubt::NotOneMailbox),
            ("From: mallory@evil.test=?utf-8?Q?=2Ccarol=40corp.test?=\n", Doubt::Encoded),
            ("From: =?utf-8?Q?carol=40corp.test?=\n", Doubt::NotOneMailbox),
            ("From: <=?utf-8?Q?carol=40corp.test?=>\n", Doubt::Encoded),
            ("From: =?utf-8?Q?carol=40corp.test?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: =?utf-8?Q?a=22?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: =?utf-8?Q?a=28?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: M <=?utf-8?Q?x=2Ccarol?=@corp.test>\n", Doubt::Encoded),
            ("From: =?utf-8*<carol@corp.test>?Q?x?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: =?utf-8?Q?a=0A?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: \"=?utf-8?Q?=22=2C?=\" <mallory@evil.test>\n", Doubt::Encoded),
            ("From: =?utf-8?Q?a b?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: x=?utf-7?Q?+ACI-?= <mallory@evil.test>\n", Doubt::Encoded),
            ("From: \"=?gb2312?Q?=81=5C?=\" <carol@corp.test> (\", <mallory@evil.test>)\n", Doubt::Encoded),
            ("From: \"\u{c1}\\\"\" <carol@corp.test> (\", <mallory@evil.test>)\n", Doubt::NotOneMailbox),
        ] {
            assert_eq!(read(from), Err(doubt), "{from:?}");
        }
    }
}
