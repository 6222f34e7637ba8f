//! Content transfer encodings (RFC 2045, section 6): decoding texts, and writing changed ones again.
//!
//! In quoted-printable only the lines that change are written anew; a base64 body is written whole.

use std::ops::Range;

use data_encoding::{BASE64, BASE64_MIME_PERMISSIVE, BASE64_NOPAD};

use super::header::Terminator;

/// Longest line of an encoded text, in characters (RFC 2045, sections 6.7 and 6.8).
const LINE: usize = 76;

/// A range of bytes and what stands there instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Splice {
    /// What goes.
    pub range: Range<usize>,
    /// What comes.
    pub bytes: Vec<u8>,
}

/// Bytes with their splices, which are in order and do not overlap.
#[must_use]
pub fn spliced(bytes: &[u8], splices: &[Splice]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + splices.iter().map(|splice| splice.bytes.len()).sum::<usize>());
    let mut at = 0;
    for splice in splices {
        out.extend_from_slice(&bytes[at..splice.range.start]);
        out.extend_from_slice(&splice.bytes);
        at = splice.range.end;
    }
    out.extend_from_slice(&bytes[at..]);
    out
}

/// Decodes base64, blanks and line ends left out; `None` where it is none.
#[must_use]
pub fn from_base64(raw: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = raw.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    BASE64_MIME_PERMISSIVE.decode(&digits).or_else(|_| BASE64_NOPAD.decode(&digits)).ok()
}

/// A base64 body with another content. What stands before and behind its digits stays.
#[must_use]
pub fn in_base64(raw: &[u8], content: &[u8], end: Terminator) -> Splice {
    let start = raw.len() - raw.trim_ascii_start().len();
    let stop = raw.trim_ascii_end().len().max(start);
    let lines: Vec<String> = content.chunks(LINE / 4 * 3).map(|chunk| BASE64.encode(chunk)).collect();
    let end = if end == Terminator::CrLf { "\r\n" } else { "\n" };
    Splice { range: start..stop, bytes: lines.join(end).into_bytes() }
}

/// Decodes quoted-printable; what is malformed stays as it is.
#[must_use]
pub fn from_quoted_printable(raw: &[u8]) -> Vec<u8> {
    units(raw, 0).filter_map(|(byte, _)| byte).collect()
}

/// The units of quoted-printable from a place on: bytes, and soft line breaks as `None`.
fn units(raw: &[u8], from: usize) -> impl Iterator<Item = (Option<u8>, Range<usize>)> {
    let mut at = from;
    std::iter::from_fn(move || {
        let start = at;
        let (byte, length) = unit(raw.get(at..).filter(|rest| !rest.is_empty())?);
        at += length;
        Some((byte, start..at))
    })
}

/// One unit at the beginning of a text that is not empty, and its length.
fn unit(raw: &[u8]) -> (Option<u8>, usize) {
    if raw[0] != b'=' {
        return (Some(raw[0]), 1);
    }
    let hex = |at: usize| char::from(*raw.get(at)?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if let (Some(high), Some(low)) = (hex(1), hex(2)) {
        return (Some(high << 4 | low), 3);
    }
    // RFC 2045, section 6.7, rule 5; blanks behind the sign were added on the way.
    let blanks = raw[1..].iter().take_while(|byte| b" \t".contains(byte)).count();
    match &raw[1 + blanks..] {
        [b'\r', b'\n', ..] => (None, blanks + 3),
        [b'\n', ..] => (None, blanks + 2),
        [] => (None, raw.len()),
        _ => (Some(b'='), 1),
    }
}

/// Writes a quoted-printable text with changes, which are in order and count in decoded bytes. The
/// splices count in raw bytes; they take in the lines that change, without the last one's end.
#[must_use]
pub fn in_quoted_printable(raw: &[u8], changes: &[Splice], end: Terminator) -> Vec<Splice> {
    let places = raw_places(raw, changes);
    let mut splices = Vec::new();
    let mut at = 0;
    while at < changes.len() {
        let start = memchr::memrchr(b'\n', &raw[..places[at].start]).map_or(0, |i| i + 1);
        let first = at;
        let mut stop = line_stop(raw, places[at].end);
        at += 1;
        while let Some(place) = places.get(at).filter(|place| place.start < stop) {
            // Only one that goes on behind a soft break leads into another line.
            stop = if place.end > stop { line_stop(raw, place.end) } else { stop };
            at += 1;
        }
        let mut lines = Lines { out: Vec::new(), width: 0, end };
        let mut from = start;
        for (place, change) in places[first..at].iter().zip(&changes[first..at]) {
            lines.keep(raw, from..place.start);
            lines.write(&change.bytes);
            from = place.end;
        }
        lines.keep(raw, from..stop);
        splices.push(Splice { range: start..stop, bytes: lines.out });
    }
    splices
}

/// Where the changes are in the raw text. None of them is empty.
fn raw_places(raw: &[u8], changes: &[Splice]) -> Vec<Range<usize>> {
    let mut places = Vec::with_capacity(changes.len());
    let mut start = 0;
    let bytes = units(raw, 0).filter_map(|(byte, place)| byte.map(|_| place));
    for (number, place) in bytes.enumerate() {
        let Some(change) = changes.get(places.len()) else { break };
        if number == change.range.start {
            start = place.start;
        }
        if number + 1 == change.range.end {
            places.push(start..place.end);
        }
    }
    places
}

/// The end of the raw line that goes on at a place: before its soft break or line end.
fn line_stop(raw: &[u8], from: usize) -> usize {
    let ends = |(byte, place): &(Option<u8>, Range<usize>)| {
        byte.is_none() || matches!(&raw[place.start..], [b'\n', ..] | [b'\r', b'\n', ..])
    };
    units(raw, from).find(ends).map_or(raw.len(), |(_, place)| place.start)
}

/// Quoted-printable lines in the making.
struct Lines {
    out: Vec<u8>,
    width: usize,
    end: Terminator,
}

impl Lines {
    /// Raw text that stays as it is, but for its soft breaks, and for an equals sign that encodes
    /// nothing: in front of other text it could come to encode something.
    fn keep(&mut self, raw: &[u8], range: Range<usize>) {
        for (byte, place) in units(raw, range.start).take_while(|(_, place)| place.start < range.end) {
            match byte {
                None => {}
                Some(b'=') if place.len() == 1 => self.push(b"=3D"),
                Some(_) => self.push(&raw[place]),
            }
        }
    }

    /// Bytes, encoded (RFC 2045, section 6.7, rules 1 to 3).
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'=' => self.push(b"=3D"),
                b' '..=b'~' => self.push(&[*byte]),
                _ => self.push(format!("={byte:02X}").as_bytes()),
            }
        }
    }

    fn push(&mut self, unit: &[u8]) {
        if self.width + unit.len() >= LINE {
            self.out.push(b'=');
            self.out.extend_from_slice(if self.end == Terminator::CrLf { b"\r\n" } else { b"\n" });
            self.width = 0;
        }
        // On a line of its own a dot ends the mail for some programs; `From ` begins one, `--` a part.
        let unit = match unit {
            b"." if self.width == 0 => b"=2E",
            b"F" if self.width == 0 => b"=46",
            b"-" if self.width == 0 => b"=2D",
            other => other,
        };
        self.out.extend_from_slice(unit);
        self.width += unit.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn quoted(raw: &str, at: &str, by: &str, end: Terminator) -> String {
        let decoded = from_quoted_printable(raw.as_bytes());
        let start = memchr::memmem::find(&decoded, at.as_bytes()).unwrap();
        let change = Splice { range: start..start + at.len(), bytes: by.into() };
        let splices = in_quoted_printable(raw.as_bytes(), &[change], end);
        String::from_utf8(spliced(raw.as_bytes(), &splices)).unwrap()
    }

    #[test]
    fn only_the_lines_that_change_are_written_anew() {
        let raw = "a =C3=BC=3d b\r\n=41 [[LI=\r\nNK]] =42=20\r\nrest = \r\n=zz";
        let new = quoted(raw, "[[LINK]]", "x=ü", Terminator::CrLf);
        assert_eq!(new, "a =C3=BC=3d b\r\n=41 x=3D=C3=BC =42=20\r\nrest = \r\n=zz");
    }

    #[test]
    fn long_lines_are_broken_softly_not_before_a_dot() {
        let raw = format!("{}[[LINK]].", "a".repeat(60));
        let new = quoted(&raw, "[[LINK]]", &"b".repeat(15), Terminator::Lf);
        assert_eq!(new, format!("{}{}=\n=2E", "a".repeat(60), "b".repeat(15)));
        assert_eq!(quoted("[[LINK]]=", "[[LINK]]", "x", Terminator::Lf), "x=");
    }

    #[test]
    fn base64_keeps_what_stands_around_it() {
        assert_eq!(from_base64(b" Wy\r\nBb\n").unwrap(), b"[ [");
        assert_eq!(from_base64(b"W1s").unwrap(), b"[[");
        assert_eq!(from_base64(b"W!"), None);
        let splice = in_base64(b"\nYQ==\n\n", &[b'x'; 60], Terminator::Lf);
        assert_eq!(splice.range, 1..5);
        assert_eq!(splice.bytes, format!("{}\neHh4", "eHh4".repeat(19)).into_bytes());
        assert_eq!(in_base64(b"\n", b"", Terminator::Lf).range, 1..1);
    }

    proptest! {
        #[test]
        fn decoding_gives_the_change_and_nothing_else(
            before in "([ -~]|=\\r?\\n|\\n|=C3=BC|=){0,200}",
            after in "([ -~]|=\\r?\\n|\\n|=C3=BC|=){0,200}",
            by in "\\PC{0,150}",
        ) {
            let raw = format!("{before}\u{1}\u{2}{after}");
            let mut expected = from_quoted_printable(raw.as_bytes());
            let start = memchr::memchr(1, &expected).unwrap();
            let change = Splice { range: start..start + 2, bytes: by.clone().into() };
            let splices = in_quoted_printable(raw.as_bytes(), &[change], Terminator::Lf);
            let new = spliced(raw.as_bytes(), &splices);
            expected.splice(start..start + 2, by.into_bytes());
            prop_assert_eq!(from_quoted_printable(&new), expected);
            for splice in splices {
                for line in splice.bytes.split(|byte| *byte == b'\n') {
                    prop_assert!(line.len() <= LINE);
                }
            }
        }
    }
}
