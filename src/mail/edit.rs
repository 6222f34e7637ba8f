//! Edits to a header block, as values, and the one loop that carries them out.

use std::ops::Range;

use super::header::{Field, Header, Kind, Terminator};
use super::protected::Protected;
use super::value::FieldValue;

/// A change to a header block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// These bytes go.
    Cut(Range<usize>),
    /// A field is put on top, behind the mbox line if there is one; several keep their order.
    Add(NewField),
}

/// A field to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewField {
    /// The name, printable ASCII without colon and blanks.
    pub name: String,
    /// The value.
    pub value: FieldValue,
}

/// What has to be cut from a block: all that `protected` finds, at most one range a field, in order. `adds` says that
/// fields will be put on top; then the [`orphans`] below them are cut as well.
///
/// One [`Protected`] for all names of a mail: of two that judge one field, one may spare the line end that the other one cuts,
/// and the body would become a part of the header.
#[must_use]
pub fn cuts(header: &Header, protected: &Protected, adds: bool) -> Vec<Range<usize>> {
    let guarded = guarded(header, protected);
    if !adds {
        return guarded;
    }
    let mut cuts = orphans(header);
    // Both are in order, and orphans do not overlap: the last one that begins before the cut is the one to look at.
    let orphaned = |cut: &Range<usize>| {
        let before = cuts.partition_point(|orphan| orphan.start <= cut.start);
        before > 0 && cuts[before - 1].contains(&cut.start)
    };
    let others: Vec<_> = guarded.into_iter().filter(|cut| !orphaned(cut)).collect();
    cuts.extend(others);
    cuts.sort_by_key(|cut| cut.start);
    cuts
}

/// All that is taken out of a block.
///
/// A reader for whom lines end at an odd break, or who drops some bytes first, may take a line that does not begin with
/// a printable character for more of the line before. So it goes where a guarded name may be open there: behind the
/// beginning of one, an orphan, or a field that has lost its end.
fn guarded(header: &Header, protected: &Protected) -> Vec<Range<usize>> {
    let shifted = |field: &Field, start: usize| {
        let range = Protected::cut_from(start, header.raw(field));
        field.range.start + range.start..field.range.start + range.end
    };
    if protected.is_empty() {
        return Vec::new();
    }
    let begins_oddly = |field: &Field| field.kind == Kind::Junk && !matches!(header.raw(field)[0], 0x21..=0x7e);
    if !header.has_odd_break() && !header.nameless().any(begins_oddly) {
        let hits = protected.fields_in(header).into_iter().filter(|field| field.kind != Kind::Envelope);
        return hits.filter_map(|field| Some(shifted(field, protected.find_in(header, field)?))).collect();
    }
    let mut open = false;
    let cut = |field: &Field| {
        let raw = header.raw(field);
        let (found, leaves_open) = match field.kind {
            Kind::Envelope => return None,
            Kind::Junk if open && begins_oddly(field) => (Some(0), open),
            Kind::Field | Kind::Junk | Kind::Orphan => protected.scan(raw, open),
        };
        open = match found {
            _ if field.kind == Kind::Orphan => true,
            // Of a field that goes, nothing is left before the next one.
            Some(start) => open || start > 0,
            None => leaves_open,
        };
        Some(shifted(field, found?))
    };
    header.fields().iter().filter_map(cut).collect()
}

/// What would become part of the last field that is put above it: all at the top that [`Header::continues`].
fn orphans(header: &Header) -> Vec<Range<usize>> {
    let below = header.fields().iter().skip_while(|field| field.kind == Kind::Envelope);
    let top = below.take_while(|field| header.continues(field) || header.is_empty_for_some(field));
    top.filter(|field| header.continues(field)).map(|field| field.range.clone()).collect()
}

/// New fields as lines, in the mail's own line end.
#[must_use]
pub fn lines<'a>(fields: impl IntoIterator<Item = &'a NewField>, terminator: Terminator) -> Vec<u8> {
    let mut out = Vec::new();
    for field in fields {
        out.extend_from_slice(field.name.as_bytes());
        out.extend_from_slice(b": ");
        field.value.write(&mut out, terminator);
        out.extend_from_slice(terminator.bytes());
    }
    out
}

/// The block after its edits. `first_line_end` is the line end of the whole mail's first line, which
/// need not be in the block (a mail may begin with its empty line).
#[must_use]
pub fn apply(header: &Header, edits: &[Edit], first_line_end: Terminator) -> Vec<u8> {
    pieces(header, edits, &added(edits, first_line_end), first_line_end).concat()
}

/// The fields that are added, as lines.
#[must_use]
pub fn added(edits: &[Edit], first_line_end: Terminator) -> Vec<u8> {
    lines(edits.iter().filter_map(|e| if let Edit::Add(field) = e { Some(field) } else { None }), first_line_end)
}

/// What [`apply`] puts together, `added` being the new lines, without a copy of it.
#[must_use]
pub fn pieces<'b>(header: &'b Header, edits: &[Edit], added: &'b [u8], first_line_end: Terminator) -> Vec<&'b [u8]> {
    let mut cut: Vec<&Range<usize>> =
        edits.iter().filter_map(|e| if let Edit::Cut(range) = e { Some(range) } else { None }).collect();
    cut.sort_by_key(|range| range.start);

    let bytes = header.bytes();
    let top = header.envelope_line().map_or(0, <[u8]>::len);
    // An mbox line and nothing else: the new fields need lines of their own.
    let needs_end = !added.is_empty() && top > 0 && !bytes[..top].ends_with(b"\n");
    let mut pieces = vec![&bytes[..top], if needs_end { first_line_end.bytes() } else { b"" }, added];
    let mut at = top;
    for range in cut {
        if range.start > at {
            pieces.push(&bytes[at..range.start]);
        }
        at = at.max(range.end);
    }
    pieces.push(&bytes[at..]);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::header::EndFinder;
    use crate::mail::stream_filter::StreamFilter;
    use proptest::prelude::*;

    fn header(text: &[u8]) -> Header {
        Header::parse(text.to_vec(), 1000).unwrap()
    }

    fn protected() -> Protected {
        Protected::new().prefix("X-OTOBO-").name("X-Gate")
    }

    fn add(name: &str, value: &str) -> Edit {
        Edit::Add(NewField { name: name.into(), value: FieldValue::new(value).unwrap() })
    }

    fn applied(text: &str, edits: &[Edit]) -> String {
        let end = Terminator::of_first_line(text.as_bytes());
        String::from_utf8(apply(&header(text.as_bytes()), edits, end)).unwrap()
    }

    #[test]
    fn new_fields_stand_on_top_in_the_mails_own_line_end() {
        assert_eq!(applied("A: b\nC: d", &[add("X", "1"), add("Y", "2")]), "X: 1\nY: 2\nA: b\nC: d");
        assert_eq!(applied("A: b\r\nC: d\n", &[add("X", "1")]), "X: 1\r\nA: b\r\nC: d\n");
        assert_eq!(applied("From a b\r\nA: b\r\n", &[add("X", "1")]), "From a b\r\nX: 1\r\nA: b\r\n");
        assert_eq!(applied("From a b", &[add("X", "1")]), "From a b\nX: 1\n");
        assert_eq!(applied("", &[add("X", "1")]), "X: 1\n");
    }

    #[test]
    fn without_edits_nothing_changes() {
        for text in ["", " x\n", "From a\n b\nA: c\r\r\nD", "\r", "A:\n \n"] {
            assert_eq!(applied(text, &[]), text);
        }
    }

    #[test]
    fn what_could_join_an_open_name_before_it_goes() {
        for (text, left) in [
            ("A: b\nX\n\r -OTOBO-Queue: c\n d\nE: f\n", "A: b\nX\nE: f\n"),
            ("A: b\r\rX-OTOBO\n\r -Queue: c\n", "A: b\r\rX-OTOBO\n"),
            ("X\r\n\r\r\n\t-OTOBO-Queue: c\r\nA: b\r\n", "X\r\nA: b\r\n"),
            ("X\n\x00 -OTOBO-Queue: c\n\x0b d\nA: b\n", "X\nA: b\n"),
            ("X\n\r\r\n\x0b-OTOBO-Queue: c\n", "X\n"),
            // Without the field between them they would be one.
            ("X\nX-OTOBO-A: b\n\r -OTOBO-Queue: c\n", "X\n"),
            (" X\n\r -OTOBO-Queue: c\n", " X\n"),
            // Nothing can be open here.
            ("\r -OTOBO-Queue: c\n", "\r -OTOBO-Queue: c\n"),
            ("Y\n\r -OTOBO-Queue: c\nX:\n\r -OTOBO-\n", "Y\n\r -OTOBO-Queue: c\nX:\n\r -OTOBO-\n"),
            ("X\n\u{feff}A: b\n", "X\n"),
            ("\u{feff}A: b\n", "\u{feff}A: b\n"),
            ("A: b\r\r\n\r\r\n  c\r\r\nd\r\r\n", "A: b\r\r\n\r\r\n  c\r\r\nd\r\r\n"),
        ] {
            let header = header(text.as_bytes());
            let cuts: Vec<Edit> = cuts(&header, &protected(), false).into_iter().map(Edit::Cut).collect();
            assert_eq!(applied(text, &cuts), left, "{text:?}");
        }
    }

    #[test]
    fn without_a_guard_only_what_joins_new_fields_goes() {
        let header = header(b"From a b\n a\n\r\r\n\r b\n c\n\rD\n\r e\n");
        assert!(cuts(&header, &Protected::new(), false).is_empty());
        assert_eq!(orphans(&header), [9..12, 15..22]);
    }

    /// Bytes and pieces of the kind that decides something in a header block.
    fn block() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            &b"X-OTOBO-"[..],
            b"x-otobo-Queue",
            b"X-",
            b"OTOBO",
            b"-",
            b":",
            b" ",
            b"\t",
            b"\n",
            b"\r\n",
            b"\r",
            b"\x0c",
            b"\0",
            b"\x85",
            b"\xc2\x85",
            b"\xc3\x85",
            b"\xe2\x80",
            b"\xa8",
            b"\xe2\x80\xa9",
            b"\xe4",
            b"X-Gate",
            b"Subject: a",
            b"From ",
            b"From: a@b.test",
            b"To",
            b"X",
            b"\n ",
            b"\n\t",
            b"no colon",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_field_goes_by_its_name_or_by_its_bytes(block in block()) {
            let header = header(&block[..EndFinder::length(&block)]);
            let begins_oddly = |field: &Field| !matches!(header.raw(field)[0], b' ' | b'\t' | 0x21..=0x7e);
            if header.fields().iter().any(begins_oddly) {
                return Ok(());
            }
            let by_bytes = |field: &Field| {
                let start = protected().find(header.raw(field)).filter(|_| field.kind != Kind::Envelope)?;
                let cut = Protected::cut_from(start, header.raw(field));
                Some(field.range.start + cut.start..field.range.start + cut.end)
            };
            let expected: Vec<_> = header.fields().iter().filter_map(by_bytes).collect();
            prop_assert_eq!(cuts(&header, &protected(), false), expected);
        }

        #[test]
        fn a_block_strained_without_a_guard_loses_nothing(block in block()) {
            let protected = Protected::new();
            let mut stream_filter = StreamFilter::new(&protected, Vec::new());
            let mut out = Vec::new();
            match stream_filter.push(&block, &mut out) {
                Some(used) => out.extend_from_slice(&block[used..]),
                None => stream_filter.finish(&mut out),
            }
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&block));
            prop_assert_eq!(stream_filter.dropped(), 0);
        }

        #[test]
        fn a_block_strained_in_pieces_loses_the_same(
            block in block(), size in 1_usize..9, adds in any::<bool>()
        ) {
            let length = EndFinder::length(&block);
            let held = header(&block[..length]);
            let mut edits: Vec<Edit> = cuts(&held, &protected(), adds).into_iter().map(Edit::Cut).collect();
            if adds {
                edits.push(add("New", "1"));
            }
            let mut expected = apply(&held, &edits, Terminator::Lf);
            expected.extend_from_slice(&block[length..]);

            let protected = protected();
            let mut stream_filter = StreamFilter::new(&protected, if adds { b"New: 1\n".to_vec() } else { Vec::new() });
            let mut out = Vec::new();
            let mut rest = &block[..];
            let mut body = false;
            while !rest.is_empty() {
                let (piece, next) = rest.split_at(size.min(rest.len()));
                rest = next;
                if body {
                    out.extend_from_slice(piece);
                } else if let Some(used) = stream_filter.push(piece, &mut out) {
                    out.extend_from_slice(&piece[used..]);
                    body = true;
                }
            }
            if !body {
                stream_filter.finish(&mut out);
            }
            prop_assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected));
        }
    }
}
