//! What is written is looked at once more (promise 15): the edited block, read as any mail's, has no protected field
//! but those that were added, ends where it ended, and keeps every field that stays.
//!
//! The cuts are computed by one pass over the block. A fault in them once let two cuts of one field take the empty line
//! with them, and a body became header. This second reading knows nothing of how the cuts came about.

use std::ops::Range;

use super::edit::{self, Edit};
use super::header::{EndFinder, Header, Kind, Terminator};
use super::protected::Protected;

/// What is wrong with an edited block. Always a fault in otab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The empty line is no longer where it was.
    #[error("the body would begin elsewhere")]
    Body,
    /// A protected field was found besides the added fields.
    #[error("a protected field would be left")]
    Protected,
    /// A field that stays is not as it was, or an added one is not as it was meant.
    #[error("a field would be changed")]
    Field,
}

/// Reads the block once more that [`edit::apply`] makes of `edits`. `rest` is what follows the block: the empty line
/// and the body, or as much of it as is known.
pub fn last_look(header: &Header, edits: &[Edit], protected: &Protected, rest: &[u8]) -> Result<(), Fault> {
    let first_line_end = Terminator::of_first_line(if header.bytes().is_empty() { rest } else { header.bytes() });
    let mut block = edit::apply(header, edits, first_line_end);
    let length = block.len();
    // CR LF is the longest empty line.
    block.extend_from_slice(&rest[..rest.len().min(2)]);
    if EndFinder::length(&block) != length {
        return Err(Fault::Body);
    }
    block.truncate(length);
    let Ok(written) = Header::parse(block, usize::MAX) else {
        return Err(Fault::Field);
    };

    let added: Vec<Vec<u8>> = edits
        .iter()
        .filter_map(|edit| if let Edit::Add(field) = edit { Some(edit::lines([field], first_line_end)) } else { None })
        .collect();
    let top = written.envelope_line().map_or(0, <[u8]>::len);
    let mut at = top;
    let own: Vec<Range<usize>> = added
        .iter()
        .map(|line| {
            let start = at;
            at += line.len();
            start..at
        })
        .collect();
    if edit::cuts(&written, protected, false) != own {
        return Err(Fault::Protected);
    }
    if found(header, &written) == expected(header, edits, added, first_line_end) { Ok(()) } else { Err(Fault::Field) }
}

/// The fields of the written block.
fn found(header: &Header, written: &Header) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = written.fields().iter().map(|field| written.raw(field).to_vec()).collect();
    // Without what was above it, a line `From …` within the block is the mbox line, and owns its continuations no more.
    let is_new = written.envelope_line().is_some() && header.envelope_line().is_none();
    if is_new && written.fields().get(1).is_some_and(|field| field.kind == Kind::Orphan) {
        let continuation = found.remove(1);
        found[0].extend(continuation);
    }
    found
}

/// The mbox line, the added fields, and of each field below what no cut takes.
fn expected(header: &Header, edits: &[Edit], added: Vec<Vec<u8>>, first_line_end: Terminator) -> Vec<Vec<u8>> {
    let bytes = header.bytes();
    let mut stays = vec![true; bytes.len()];
    for edit in edits {
        if let Edit::Cut(range) = edit {
            stays[range.clone()].fill(false);
        }
    }
    let mut expected = Vec::new();
    if let Some(line) = header.envelope_line() {
        let needs_end = !added.is_empty() && !line.ends_with(b"\n");
        expected.push([line, if needs_end { first_line_end.bytes() } else { b"" }].concat());
    }
    expected.extend(added);
    let below = header.fields().iter().filter(|field| field.kind != Kind::Envelope);
    let left = below.map(|field| field.range.clone().filter(|at| stays[*at]).map(|at| bytes[at]).collect::<Vec<u8>>());
    expected.extend(left.filter(|bytes| !bytes.is_empty()));
    expected
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{FieldValue, NewField};

    fn protected() -> Protected {
        Protected::new().prefix("X-OTOBO-")
    }

    fn header(block: &[u8]) -> Header {
        Header::parse(block.to_vec(), 100).unwrap()
    }

    fn add() -> Edit {
        Edit::Add(NewField { name: "X-OTOBO-Customer".into(), value: FieldValue::new("carol").unwrap() })
    }

    fn look(block: &[u8], edits: &[Edit]) -> Result<(), Fault> {
        last_look(&header(block), edits, &protected(), b"\nbody\n")
    }

    #[test]
    fn the_edits_of_one_guard_pass() {
        for block in [
            &b"A: b\nX-OTOBO-Queue: c\n d\nE: f\n"[..],
            b"From a b\n c\nA: b\r\nX-OTOBO-: c\r\n",
            b"From a b",
            b"",
            b"X-OTOBO-: a\nFrom a b\n c\n",
            b"A: b\x0cX-OTOBO-\n \x0cX-OTOBO-CustomerUser: x\n",
        ] {
            for adds in [true, false] {
                let cuts = edit::cuts(&header(block), &protected(), adds).into_iter().map(Edit::Cut);
                let edits: Vec<Edit> = cuts.chain(adds.then(add)).collect();
                let rest: &[u8] = if block.ends_with(b"\n") { b"\r\nbody" } else { b"" };
                assert_eq!(last_look(&header(block), &edits, &protected(), rest), Ok(()), "{}", block.escape_ascii());
            }
        }
    }

    #[test]
    fn two_cuts_that_take_the_empty_line_are_found() {
        let block = b"A: b\x0cX-OTOBO-\n \x0cX-OTOBO-CustomerUser: x\n";
        let cuts = [Edit::Cut(4..block.len() - 1), Edit::Cut(14..block.len()), add()];
        assert_eq!(look(block, &cuts), Err(Fault::Body));
    }

    #[test]
    fn a_protected_field_that_is_left_is_found() {
        assert_eq!(look(b"A: b\nx-otobo-queue : c\n", &[add()]), Err(Fault::Protected));
        assert_eq!(look(b"A: b\rX-OTOBO-Queue: c\n", &[]), Err(Fault::Protected));
    }

    #[test]
    fn a_field_that_is_changed_is_found() {
        // The line end of `A`, so that `B` becomes a part of it.
        assert_eq!(look(b"A: b\nB: c\nD: e\n", &[Edit::Cut(4..5), add()]), Err(Fault::Field));
        // The name, so that the rest continues the field before.
        assert_eq!(look(b"A: b\nB: c\n", &[Edit::Cut(5..7), add()]), Err(Fault::Field));
        // An orphan would continue the added field.
        assert_eq!(look(b" a\nB: c\n", &[add()]), Err(Fault::Protected));
    }
}
