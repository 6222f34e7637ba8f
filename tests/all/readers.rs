//! Readers of a header that are laxer than OTOBO's, in every combination of what is known of real ones.
//!
//! All of them drop blanks, control and 8-bit bytes from names, and take a line without a colon for a
//! name. They differ in what ends a line, in what begins one, and in what becomes of continuation lines.

/// What a reader makes of a continuation line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Continuation {
    /// It never holds a name.
    Skipped,
    /// It is joined to its line before the colon is looked for.
    Joined,
    /// Behind a line without a colon it stands for itself.
    OwnAfterJunk,
}

/// What a reader makes of the first bytes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Front {
    /// Blanks and tabs are blanks.
    Plain,
    /// VT and FF are blanks, too.
    Lax,
    /// What is not printable is dropped before anything is looked for.
    Cleaned,
}

/// Where Python's `splitlines` ends a line of ASCII, besides LF.
pub const PYTHON_BREAKS: [u8; 6] = [b'\r', 0x0b, 0x0c, 0x1c, 0x1d, 0x1e];

/// Where it ends a line of other text: NEL, LINE SEPARATOR, PARAGRAPH SEPARATOR.
pub const WIDE_BREAKS: [char; 3] = ['\u{85}', '\u{2028}', '\u{2029}'];

/// The names that each reader finds in a header block, in lower case.
pub fn names(block: &[u8]) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for continuation in [Continuation::Skipped, Continuation::Joined, Continuation::OwnAfterJunk] {
        for (breaks, wide) in [(&[][..], false), (b"\r", false), (&PYTHON_BREAKS, false), (&PYTHON_BREAKS, true)] {
            for front in [Front::Plain, Front::Lax, Front::Cleaned] {
                let at = if wide { " and wide breaks" } else { "" };
                let reader =
                    format!("a reader ({continuation:?}, {front:?}, lines end at {}{at})", breaks.escape_ascii());
                let widened = if wide { with_narrow_breaks(block) } else { block.to_vec() };
                let lines = lines(&widened, breaks, front, continuation);
                found.push((reader, lines.iter().map(|line| name(line)).collect()));
            }
        }
    }
    found
}

/// A form feed in the place of each break of text that is not ASCII, which the text of a field decides: as UTF-8, and
/// where it is none, as ISO 8859-1.
fn with_narrow_breaks(block: &[u8]) -> Vec<u8> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in block.split_inclusive(|byte| *byte == b'\n') {
        match fields.last_mut() {
            Some(field) if matches!(line[0], b' ' | b'\t') => field.extend_from_slice(line),
            _ => fields.push(line.to_vec()),
        }
    }
    let narrow = |field: Vec<u8>| {
        let is_latin = std::str::from_utf8(&field).is_err();
        let mut out = Vec::new();
        for chunk in field.utf8_chunks() {
            out.extend_from_slice(chunk.valid().replace(WIDE_BREAKS, "\x0c").as_bytes());
            out.extend_from_slice(chunk.invalid());
        }
        if is_latin {
            out.iter_mut().filter(|byte| **byte == 0x85).for_each(|byte| *byte = 0x0c);
        }
        out
    };
    fields.into_iter().flat_map(narrow).collect()
}

fn lines(block: &[u8], breaks: &[u8], front: Front, continuation: Continuation) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    for line in block.split(|byte| *byte == b'\n' || breaks.contains(byte)) {
        let mut line = line.to_vec();
        if front == Front::Cleaned {
            line.retain(|byte| matches!(byte, b' ' | b'\t') || byte.is_ascii_graphic());
        }
        let Some(first) = line.first() else {
            continue;
        };
        let continues = matches!(first, b' ' | b'\t') || (front == Front::Lax && matches!(first, 0x0b | 0x0c));
        match (continues, continuation, found.last_mut()) {
            (true, Continuation::Joined, Some(last)) => last.extend_from_slice(&line),
            (true, Continuation::OwnAfterJunk, Some(last)) if last.contains(&b':') => {}
            (true, Continuation::Skipped | Continuation::Joined, _) => {}
            _ => found.push(line),
        }
    }
    found
}

fn name(line: &[u8]) -> String {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}
