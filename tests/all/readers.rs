//! Readers of a header that are laxer than OTOBO's, in every combination of what is known of real ones.
//!
//! All of them drop blanks, control and 8-bit bytes from names, and take a line without a colon for a
//! name. They differ in what ends a line, and in what becomes of continuation lines.

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

/// The names that each reader finds in a header block, in lower case.
pub fn names(block: &[u8]) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for continuation in [Continuation::Skipped, Continuation::Joined, Continuation::OwnAfterJunk] {
        for cr_ends_lines in [false, true] {
            let reader = format!("a reader ({continuation:?}, a bare CR ends lines: {cr_ends_lines})");
            let lines = lines(block, cr_ends_lines, continuation);
            found.push((reader, lines.iter().map(|line| name(line)).collect()));
        }
    }
    found
}

fn lines(block: &[u8], cr_ends_lines: bool, continuation: Continuation) -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let raw = block.split(|byte| *byte == b'\n' || (cr_ends_lines && *byte == b'\r'));
    for line in raw.filter(|line| !line.is_empty()) {
        let continues = matches!(line[0], b' ' | b'\t');
        match (continues, continuation, found.last_mut()) {
            (true, Continuation::Joined, Some(last)) => last.extend_from_slice(line),
            (true, Continuation::OwnAfterJunk, Some(last)) if last.contains(&b':') => {}
            (true, Continuation::Skipped | Continuation::Joined, _) => {}
            _ => found.push(line.to_vec()),
        }
    }
    found
}

fn name(line: &[u8]) -> String {
    let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
    name.iter().filter(|byte| byte.is_ascii_graphic()).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}
