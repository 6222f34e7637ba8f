//! The header block as bytes: fields with their ranges, by OTOBO's rule and a little beyond it.
//!
//! Lines end at LF only, and only an empty line (LF, CRLF, or a CR at the very end) ends the block:
//! no known reader sees more header than that. Nothing is decoded or changed here.
//!
//! A little longer than most files, since a third of it is its tests.

use std::ops::Range;

use super::index::{self, Index};

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
    index: Index,
    has_bare_cr: bool,
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
        let max_fields = max_fields.min(index::MOST);
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
        let name = |field: &Field| (field.kind == Kind::Field).then(|| &bytes[field.range.start..][..field.colon]);
        let index = Index::new(fields.iter().map(name));
        let has_bare_cr = has_bare_cr(&bytes);
        Ok(Self { bytes, fields, index, has_bare_cr })
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

    /// Whether a CR without an LF is somewhere in the block: some readers end lines there.
    #[must_use]
    pub fn has_bare_cr(&self) -> bool {
        self.has_bare_cr
    }

    /// A field's bytes, line ends included.
    #[must_use]
    pub fn raw(&self, field: &Field) -> &[u8] {
        &self.bytes[field.range.clone()]
    }

    /// Whether some reader may take it for more of what stands before it: orphans, and junk whose first bytes, CRs and
    /// line ends aside, are a blank. Where a CR ends lines, and empty lines are skipped, that is a continuation.
    #[must_use]
    pub fn continues(&self, field: &Field) -> bool {
        let first = || self.raw(field).iter().find(|byte| !matches!(byte, b'\r' | b'\n'));
        match field.kind {
            Kind::Orphan => true,
            Kind::Junk => self.bytes[field.range.start] == b'\r' && matches!(first(), Some(b' ' | b'\t')),
            Kind::Envelope | Kind::Field => false,
        }
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
        let is_so_named = |f: &Field| self.name(f).is_some_and(|n| n.eq_ignore_ascii_case(name));
        self.index.of(index::key(name)).map(|number| &self.fields[number]).filter(move |field| is_so_named(field))
    }

    /// What OTOBO reads no name in, in order.
    pub(super) fn nameless(&self) -> impl Iterator<Item = &Field> {
        self.index.nameless().map(|number| &self.fields[number])
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
/// One with a bare CR is not: some readers end lines there, and for them a field or even the empty
/// line would stand above the new fields.
#[must_use]
pub fn is_envelope(line: &[u8]) -> bool {
    line.starts_with(b"From ") && line.len() <= MAX_ENVELOPE && !has_bare_cr(line)
}

/// Whether a CR is not followed by LF, be it the last byte.
fn has_bare_cr(text: &[u8]) -> bool {
    memchr::memchr_iter(b'\r', text).any(|at| text.get(at + 1) != Some(&b'\n'))
}

/// A value on one line: CR and LF deleted, outer blanks trimmed, text that is no UTF-8 taken as
/// ISO 8859-1 (what raw 8-bit text in old mails mostly is; it never makes an ASCII character).
#[must_use]
pub fn unfold(value: &[u8]) -> String {
    let bytes: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
    let text = String::from_utf8(bytes).unwrap_or_else(|e| charset::decode_latin1(e.as_bytes()).into_owned());
    text.trim_matches([' ', '\t']).to_owned()
}

/// Finds the end of a header block in a buffer that grows.
#[derive(Debug, Default)]
pub struct EndFinder {
    /// How many bytes are known to hold no end.
    seen: usize,
}

impl EndFinder {
    /// The length of the header block, once the empty line is there. Looks at each byte once over all calls, but for
    /// two or three of each.
    pub fn find(&mut self, buffer: &[u8]) -> Option<usize> {
        if self.seen < b"\r\n".len() && matches!(buffer, [b'\n', ..] | [b'\r', b'\n', ..]) {
            return Some(0);
        }
        // What was there before may be the beginning of an end.
        let from = self.seen.saturating_sub(b"\n\r".len());
        let new = &buffer[from..];
        let empty = memchr::memmem::find(new, b"\n\n");
        // Of one that ends where the other begins, the first LF is the end.
        let until = empty.map_or(new.len(), |at| at + 1);
        let empty = memchr::memmem::find(&new[..until], b"\n\r\n").or(empty);
        self.seen = buffer.len();
        empty.map(|at| from + at + 1)
    }

    /// The same once the mail is over: then a lone CR as the last line is an empty line, too.
    #[must_use]
    pub fn finish(buffer: &[u8]) -> usize {
        match buffer {
            [b'\r'] | [.., b'\n', b'\r'] => buffer.len() - 1,
            _ => buffer.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(text: &str) -> Vec<(Kind, &str)> {
        let header = Header::parse(text.as_bytes().to_vec(), 100).unwrap();
        header.fields().iter().map(|f| (f.kind, &text[f.range.clone()])).collect()
    }

    /// Reads line by line.
    fn end_of(mail: &[u8]) -> usize {
        let mut at = 0;
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            let is_last = at + line.len() == mail.len();
            if matches!(line, b"\n" | b"\r\n") || (line == b"\r" && is_last) {
                break;
            }
            at += line.len();
        }
        at
    }

    proptest::proptest! {
        #[test]
        fn the_header_ends_at_the_first_empty_line_in_whatever_pieces_it_comes(
            mail in "(A: b|\r|\n|\r\n|\n\r){0,9}", size in 1_usize..5,
        ) {
            let mail = mail.as_bytes();
            let mut finder = EndFinder::default();
            let found = (0..=mail.len().div_ceil(size)).find_map(|n| finder.find(&mail[..(n * size).min(mail.len())]));
            proptest::prop_assert_eq!(found.unwrap_or_else(|| EndFinder::finish(mail)), end_of(mail));
        }
    }

    #[test]
    fn fields_junk_and_orphans_are_told_apart_with_their_continuation_lines() {
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
    fn the_mbox_line_counts_only_in_the_first_place_and_owns_no_continuation() {
        assert_eq!(
            kinds("From a b\n c\n d\nFrom e f\n g\n"),
            [(Kind::Envelope, "From a b\n"), (Kind::Orphan, " c\n d\n"), (Kind::Junk, "From e f\n g\n")]
        );
    }

    #[test]
    fn a_first_line_with_a_bare_cr_or_without_end_is_no_mbox_line() {
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
    fn only_an_empty_line_ends_the_block() {
        for (mail, length) in [
            ("A: b\n\nbody", Some(5)),
            ("A: b\r\n\r\nbody", Some(6)),
            ("A: b\n\r\nbody", Some(5)),
            ("\nbody", Some(0)),
            ("\r\nbody", Some(0)),
            ("A: b\n \nC: d\n", None),
            ("A: b\n\rC: d\n", None),
            ("A: b\n\r", None),
            ("", None),
        ] {
            assert_eq!(EndFinder::default().find(mail.as_bytes()), length, "{mail:?}");
            // Byte by byte the answer is the same.
            let mut finder = EndFinder::default();
            let found = (0..=mail.len()).find_map(|n| finder.find(&mail.as_bytes()[..n]));
            assert_eq!(found, length, "{mail:?}");
        }
    }

    #[test]
    fn at_the_end_of_the_mail_a_lone_cr_is_an_empty_line() {
        for (mail, length) in [("A: b\n\r", 5), ("\r", 0), ("A: b", 4), ("A: b\r", 5), ("", 0)] {
            let mut finder = EndFinder::default();
            assert_eq!(finder.find(mail.as_bytes()), None);
            assert_eq!(EndFinder::finish(mail.as_bytes()), length, "{mail:?}");
        }
    }

    #[test]
    fn too_many_fields_are_refused_and_continuation_lines_do_not_count() {
        assert!(Header::parse(b"A: b\n c\n d\nE: f\n".to_vec(), 2).is_ok());
        assert_eq!(
            Header::parse(b"A: b\nE: f\nG: h\n".to_vec(), 2).err(),
            Some(TooManyFields(b"A: b\nE: f\nG: h\n".to_vec()))
        );
    }
}
