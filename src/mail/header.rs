//! The header block as bytes: fields with their ranges, by OTOBO's rule and a little beyond it.
//!
//! Lines end at LF only, and only an empty line (LF, CRLF, or a CR at the very end) ends the block:
//! no known reader sees more header than that. Nothing is decoded or changed here.

use std::ops::Range;

use super::breaks::{has_odd_break, may_be_break, may_hide_a_name};
pub use super::end::EndFinder;

/// How a line ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Terminator {
    /// CR LF.
    CrLf,
    /// LF alone.
    Lf,
    /// Not at all: the mail ends.
    None,
}

impl Terminator {
    /// The line end that `text` closes with.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        match text {
            [.., b'\r', b'\n'] => Self::CrLf,
            [.., b'\n'] => Self::Lf,
            _ => Self::None,
        }
    }

    /// The line end of the first line, which new fields take over; LF where there is none.
    #[must_use]
    pub fn of_first_line(mail: &[u8]) -> Self {
        match memchr::memchr(b'\n', mail) {
            Some(end) => Self::of(&mail[..=end]),
            None => Self::Lf,
        }
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(self) -> usize {
        self.bytes().len()
    }

    /// Whether there is no line end.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::None
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::CrLf => b"\r\n",
            Self::Lf => b"\n",
            Self::None => b"",
        }
    }
}

/// What a line with its continuation lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The mbox `From ` line: only as the first line.
    Envelope,
    /// A field by OTOBO's rule: printable ASCII without blanks, then a colon.
    Field,
    /// Any other line: OTOBO skips it together with its continuation lines.
    Junk,
    /// Continuation lines that continue nothing, or only the `From ` line. Under fields that are added
    /// above them they would become part of the last one.
    Orphan,
}

/// One field, junk line or orphan: a range of the header block, continuation lines and line end included.
#[derive(Debug, Clone)]
pub struct Field {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub range: Range<usize>,
    colon: usize,
}

/// A header block, without the empty line behind it.
#[derive(Debug, Clone)]
pub struct Header {
    bytes: Vec<u8>,
    fields: Vec<Field>,
    has_odd_break: bool,
}

/// The block has more fields than the limit; it is handed back.
#[derive(Debug, PartialEq, Eq)]
pub struct TooManyFields(pub Vec<u8>);

/// Bytes for which room for one field is made at once; a longer header block of shorter ones makes more.
const USUAL_FIELD: usize = 40;

/// Which bytes a field's name is made of: printable ASCII but for the blank and the colon.
static NAME: [bool; 256] = {
    let mut name = [false; 256];
    let mut byte = 0x21;
    while byte <= 0x7e {
        name[byte] = byte != b':' as usize;
        byte += 1;
    }
    name
};

impl Header {
    /// Splits a block into at most `max_fields` fields.
    pub fn parse(bytes: Vec<u8>, max_fields: usize) -> Result<Self, TooManyFields> {
        let mut fields: Vec<Field> = Vec::with_capacity(max_fields.min(bytes.len() / USUAL_FIELD));
        let mut at = 0;
        while at < bytes.len() {
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |i| at + i + 1);
            let line = &bytes[at..end];
            let continues = matches!(line[0], b' ' | b'\t');
            let last = if continues { fields.last_mut() } else { None };
            if let Some(field) = last.filter(|field| field.kind != Kind::Envelope) {
                field.range.end = end;
            } else if fields.len() == max_fields {
                return Err(TooManyFields(bytes));
            } else {
                fields.push(Self::field(line, at, continues));
            }
            at = end;
        }
        let has_odd_break = may_hide_a_name(&bytes);
        Ok(Self { bytes, fields, has_odd_break })
    }

    fn field(line: &[u8], at: usize, continues: bool) -> Field {
        let colon = line.iter().position(|byte| !NAME[usize::from(*byte)]);
        let (kind, colon) = match colon {
            _ if continues => (Kind::Orphan, 0),
            _ if at == 0 && is_envelope(line) => (Kind::Envelope, 0),
            Some(colon) if colon > 0 && line[colon] == b':' => (Kind::Field, colon),
            _ => (Kind::Junk, 0),
        };
        Field { kind, range: at..at + line.len(), colon }
    }

    /// The whole block.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// All fields, junk lines and orphans, in order and without gaps.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// Whether some readers may begin names elsewhere in the block than at the start of a line ([`super::breaks`]).
    #[must_use]
    pub fn has_odd_break(&self) -> bool {
        self.has_odd_break
    }

    /// A field's bytes, line ends included.
    #[must_use]
    pub fn raw(&self, field: &Field) -> &[u8] {
        &self.bytes[field.range.clone()]
    }

    /// Whether some reader takes it for more of what stands before it: orphans, and junk whose first bytes, breaks and
    /// line ends aside, are a blank. Where those end lines, and empty lines are skipped, that is a continuation.
    #[must_use]
    pub fn continues(&self, field: &Field) -> bool {
        let first = || self.raw(field).iter().find(|byte| !may_be_break(**byte) && **byte != b'\n');
        match field.kind {
            Kind::Orphan => true,
            Kind::Junk => may_be_break(self.bytes[field.range.start]) && matches!(first(), Some(b' ' | b'\t')),
            Kind::Envelope | Kind::Field => false,
        }
    }

    /// Whether it is nothing but breaks and line ends: empty lines, for some.
    pub(super) fn is_empty_for_some(&self, field: &Field) -> bool {
        self.raw(field).iter().all(|byte| may_be_break(*byte) || *byte == b'\n')
    }

    /// The name that OTOBO reads, where it reads the field at all.
    #[must_use]
    pub fn name(&self, field: &Field) -> Option<&[u8]> {
        (field.kind == Kind::Field).then(|| &self.raw(field)[..field.colon])
    }

    /// A field's value: all behind the colon, folded and with its line end.
    #[must_use]
    pub fn value(&self, field: &Field) -> &[u8] {
        &self.raw(field)[field.colon + 1..]
    }

    /// The fields of one name, by OTOBO's rule, in order.
    pub fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Field> {
        self.named_by_bytes(name.as_bytes())
    }

    pub(super) fn named_by_bytes<'h>(&'h self, name: &[u8]) -> impl Iterator<Item = &'h Field> {
        self.fields.iter().filter(move |field| self.name(field).is_some_and(|n| n.eq_ignore_ascii_case(name)))
    }

    /// What OTOBO reads no name in, in order.
    pub(super) fn nameless(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.kind != Kind::Field)
    }

    /// The values of one name, unfolded and trimmed as OTOBO does it: CR and LF deleted.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = String> + 'a {
        self.named(name).map(|f| unfold(self.value(f)))
    }

    /// The mbox `From ` line, if the block begins with one.
    #[must_use]
    pub fn envelope_line(&self) -> Option<&[u8]> {
        self.fields.first().filter(|f| f.kind == Kind::Envelope).map(|f| self.raw(f))
    }
}

/// Longest mbox `From ` line, in bytes with its line end.
pub const MAX_ENVELOPE: usize = 1000;

/// Whether a mail's first line, with its line end, is the mbox `From ` line.
///
/// One with an odd break is not: some readers end lines there, and for them a field or even the empty
/// line would stand above the new fields.
#[must_use]
pub fn is_envelope(line: &[u8]) -> bool {
    line.starts_with(b"From ") && line.len() <= MAX_ENVELOPE && !has_odd_break(line)
}

/// A value on one line: CR and LF deleted, outer blanks trimmed, text that is no UTF-8 taken as
/// ISO 8859-1 (what raw 8-bit text in old mails mostly is; it never makes an ASCII character).
#[must_use]
pub fn unfold(value: &[u8]) -> String {
    let bytes: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let text = String::from_utf8(bytes).unwrap_or_else(|e| charset::decode_latin1(e.as_bytes()).into_owned());
    text.trim_matches([' ', '\t']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let header = Header::parse(text.as_bytes().to_vec(), 100).unwrap();
        header.fields().iter().map(|f| (f.kind, &text[f.range.clone()])).collect()
    }

    #[test]
    fn fields_junk_and_orphans_are_told_apart() {
        assert_eq!(
            kinds(" x\nFrom: a\n b\n\t\nno colon\n c\nBlank : d\nfrom: e"),
            [
                (Kind::Orphan, " x\n"),
                (Kind::Field, "From: a\n b\n\t\n"),
                (Kind::Junk, "no colon\n c\n"),
                (Kind::Junk, "Blank : d\n"),
                (Kind::Field, "from: e"),
            ]
        );
    }

    #[test]
    fn the_mbox_line_counts_only_as_the_first_line() {
        assert_eq!(
            kinds("From a b\n c\n d\nFrom e f\n g\n"),
            [(Kind::Envelope, "From a b\n"), (Kind::Orphan, " c\n d\n"), (Kind::Junk, "From e f\n g\n")]
        );
    }

    #[test]
    fn a_first_line_with_an_odd_end_is_no_mbox_line() {
        for line in ["From a\rX-OTOBO-Queue: b\n", "From a\r\r\n", "From a\r"] {
            assert_eq!(kinds(line), [(Kind::Junk, line)]);
        }
        assert_eq!(kinds("From a\r\n")[0].0, Kind::Envelope);
        let long = format!("From {}\n", "a".repeat(MAX_ENVELOPE));
        assert_eq!(kinds(&long)[0].0, Kind::Junk);
    }

    #[test]
    fn a_bare_cr_ends_no_line() {
        assert_eq!(kinds("A: b\rC: d\r\n\rE: f\n").len(), 2);
    }

    #[test]
    fn too_many_fields_are_refused() {
        assert!(Header::parse(b"A: b\n c\n d\nE: f\n".to_vec(), 2).is_ok());
        assert_eq!(
            Header::parse(b"A: b\nE: f\nG: h\n".to_vec(), 2).err(),
            Some(TooManyFields(b"A: b\nE: f\nG: h\n".to_vec()))
        );
    }
}
