//! The header reader: what it finds is all there, in order, and what an independent reader finds.

use std::collections::BTreeSet;

use otab::mail::header::{EndFinder, Header, Kind, MAX_ENVELOPE, Terminator, TooManyFields, unfold};
use otab::mail::trace;

use super::{claim, shown};
use crate::{otobo, promises};

/// Checks everything on one mail.
pub fn hold(mail: &[u8]) -> Result<(), String> {
    let checked = || {
        let length = the_end_is_found_in_any_pieces(mail)?;
        let header = Header::parse(mail[..length].to_vec(), usize::MAX).unwrap();
        fields_cover_the_block_without_gaps(&header, &mail[..length])?;
        kinds_follow_from_the_first_lines(&header)?;
        otobo_reads_the_same_fields(&header, mail)?;
        the_limit_counts_fields(&header)?;
        a_field_alone_reads_the_same(&header)?;
        what_stands_behind_changes_nothing(&header)?;
        line_ends_are_told_apart(mail)?;
        another_try_is_the_same_mail(&header)
    };
    checked().map_err(|broken: String| format!("{broken}\n--- in\n{}", shown(mail)))
}

/// Returns the length of the block.
fn the_end_is_found_in_any_pieces(mail: &[u8]) -> Result<usize, String> {
    let expected = mail.len() - otobo::body(mail).len();
    for size in [1, 7, mail.len().max(1)] {
        let mut finder = EndFinder::default();
        let mut ends = (0..mail.len()).step_by(size).map(|start| (start + size).min(mail.len()));
        let found = ends.find_map(|end| finder.find(&mail[..end]));
        let length = found.unwrap_or_else(|| EndFinder::finish(mail));
        claim(length == expected, || format!("in pieces of {size} the block ends at {expected}, not at {length}"))?;
    }
    Ok(expected)
}

fn fields_cover_the_block_without_gaps(header: &Header, block: &[u8]) -> Result<(), String> {
    claim(header.bytes() == block, || "the block is kept as it is".into())?;
    let mut at = 0;
    for field in header.fields() {
        let raw = header.raw(field);
        claim(field.range.start == at && !raw.is_empty(), || format!("a field begins at {at}: {field:?}"))?;
        at = field.range.end;
        claim(raw.ends_with(b"\n") || at == block.len(), || format!("a field ends with its line: {field:?}"))?;
    }
    claim(at == block.len(), || format!("the fields end with the block, not at {at}"))
}

/// Each line that is no continuation begins a field; its bytes alone say of which kind.
fn kinds_follow_from_the_first_lines(header: &Header) -> Result<(), String> {
    let mut expected: Vec<(usize, Kind)> = Vec::new();
    let mut at = 0;
    for line in otobo::lines(header.bytes()) {
        let continues = matches!(line[0], b' ' | b'\t');
        let hangs_on = expected.last().is_some_and(|(_, kind)| *kind != Kind::Envelope);
        match kind(line, at == 0) {
            _ if continues && hangs_on => {}
            _ if continues => expected.push((at, Kind::Orphan)),
            kind => expected.push((at, kind)),
        }
        at += line.len();
    }
    let found: Vec<_> = header.fields().iter().map(|field| (field.range.start, field.kind)).collect();
    claim(found == expected, || format!("the lines are {expected:?}, not {found:?}"))?;
    let envelope = header.fields().iter().find(|field| field.kind == Kind::Envelope).map(|field| header.raw(field));
    claim(header.envelope_line() == envelope, || "the mbox line is the field of that kind".into())
}

fn kind(line: &[u8], first: bool) -> Kind {
    let text = line.strip_suffix(b"\r\n").or(line.strip_suffix(b"\n")).unwrap_or(line);
    if first && line.starts_with(b"From ") && line.len() <= MAX_ENVELOPE && !promises::has_odd_break(line) {
        return Kind::Envelope;
    }
    let name = text.split(|byte| *byte == b':').next().unwrap_or_default();
    let is_field = !name.is_empty() && name.len() < text.len() && name.iter().all(u8::is_ascii_graphic);
    if is_field { Kind::Field } else { Kind::Junk }
}

fn otobo_reads_the_same_fields(header: &Header, mail: &[u8]) -> Result<(), String> {
    let read = otobo::fields(mail);
    let fields: Vec<_> = header.fields().iter().filter_map(|f| Some((header.name(f)?, header.value(f)))).collect();
    claim(fields.len() == read.len(), || format!("OTOBO reads {} fields, otab {}", read.len(), fields.len()))?;
    let mut texts: Vec<(String, String)> = Vec::new();
    for ((name, value), (name_read, value_read)) in fields.into_iter().zip(&read) {
        let text = unfold(value);
        let text_read = String::from_utf8(value_read.clone()).unwrap_or_else(|_| latin1(value_read));
        let same = name.eq_ignore_ascii_case(name_read.as_bytes())
            && text.trim_matches(|c: char| c.is_ascii_whitespace()) == text_read;
        claim(same, || format!("OTOBO reads {name_read}: {text_read:?}, otab {}: {text:?}", shown(name)))?;
        texts.push((name_read.clone(), text));
    }
    for name in texts.iter().map(|(name, _)| name).collect::<BTreeSet<_>>() {
        let expected = texts.iter().filter(|(other, _)| other == name).map(|(_, text)| text);
        claim(header.texts(name).eq(expected.cloned()), || format!("the values of {name} are found by their name"))?;
    }
    Ok(())
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn the_limit_counts_fields(header: &Header) -> Result<(), String> {
    let count = header.fields().len();
    let block = header.bytes().to_vec();
    claim(Header::parse(block.clone(), count).is_ok(), || format!("{count} fields fit into as many"))?;
    let Some(fewer) = count.checked_sub(1) else {
        return Ok(());
    };
    let handed_back = Header::parse(block.clone(), fewer).is_err_and(|TooManyFields(back)| back == block);
    claim(handed_back, || format!("{count} fields are more than {fewer}, and the block is handed back"))
}

fn a_field_alone_reads_the_same(header: &Header) -> Result<(), String> {
    for field in header.fields() {
        let raw = header.raw(field);
        // Further down it is junk, as the first line it is the mbox line.
        if raw.starts_with(b"From ") {
            continue;
        }
        let alone = Header::parse(raw.to_vec(), 1).map_err(|_| format!("not so: one field: {}", shown(raw)))?;
        let [read] = alone.fields() else {
            return Err(format!("not so: one field: {}", shown(raw)));
        };
        let same = read.kind == field.kind && alone.name(read) == header.name(field) && alone.raw(read) == raw;
        claim(same, || format!("a field alone is what it was: {}", shown(raw)))?;
    }
    Ok(())
}

fn what_stands_behind_changes_nothing(header: &Header) -> Result<(), String> {
    let mut block = header.bytes().to_vec();
    if !block.is_empty() && !block.ends_with(b"\n") {
        block.push(b'\n');
    }
    block.extend_from_slice(b"X-Last: 1\n");
    let longer = Header::parse(block, usize::MAX).unwrap();
    let (last, before) = longer.fields().split_last().unwrap();
    let kinds = |fields: &[otab::mail::Field]| fields.iter().map(|f| (f.kind, f.range.start)).collect::<Vec<_>>();
    // A line end more makes `From a\r` an mbox line, and may make another one too long for that.
    let is_mbox_line_alone = header.bytes().starts_with(b"From ") && !header.bytes().contains(&b'\n');
    let same = kinds(before) == kinds(header.fields()) || is_mbox_line_alone;
    claim(same && longer.name(last) == Some(b"X-Last"), || "a field behind the block changes nothing before it".into())
}

fn line_ends_are_told_apart(mail: &[u8]) -> Result<(), String> {
    let first = otobo::lines(mail).next().filter(|line| line.ends_with(b"\n"));
    let expected = match first {
        Some(line) if line.ends_with(b"\r\n") => Terminator::CrLf,
        _ => Terminator::Lf,
    };
    claim(Terminator::of_first_line(mail) == expected, || format!("the first line ends with {expected:?}"))?;
    for line in otobo::lines(mail) {
        let end = Terminator::of(line);
        let is_end = line.ends_with(end.bytes()) && end.is_empty() != line.ends_with(b"\n");
        claim(is_end && end.len() == end.bytes().len(), || format!("{end:?} is the line end of {}", shown(line)))?;
    }
    Ok(())
}

/// Trace fields and the kind of line end do not tell two tries of one mail apart.
fn another_try_is_the_same_mail(header: &Header) -> Result<(), String> {
    let block = header.bytes();
    let first = header.fields().first();
    // In front of these a field changes what they are; and a CR may be one byte too many in an mbox line.
    if first.is_none_or(|field| matches!(field.kind, Kind::Envelope | Kind::Orphan)) || block.starts_with(b"From ") {
        return Ok(());
    }
    let mut again = b"Received: by relay.test\r\n\twith SMTP\r\n".to_vec();
    for line in otobo::lines(block) {
        match line.strip_suffix(b"\n") {
            Some(text) if !text.ends_with(b"\r") => again.extend_from_slice(&[text, b"\r\n"].concat()),
            _ => again.extend_from_slice(line),
        }
    }
    let again = Header::parse(again, usize::MAX).unwrap();
    claim(trace::identity(&again) == trace::identity(header), || "another try is the same mail".into())?;
    claim(trace::message_id(&again) == trace::message_id(header), || "another try has the same Message-ID".into())
}
