//! Tells what makes a text no TOML, with its line, among the other problems.
//!
//! Pure. The parser's own rendering of an error quotes the line it found it in, secrets and all, so
//! only its bare message is used.

use std::borrow::Cow;

use super::problem::Problem;

/// The text without what stands in lines that are comments from their first sign, which is most of a commented
/// configuration: the parser would look at each byte of it, several times. All lines stay, empty.
///
/// A text in which strings may run over several lines, or with a comment that TOML forbids, stays as it is.
pub(super) fn without_comments(text: &str) -> Cow<'_, str> {
    let is_comment = |line: &&str| line.starts_with('#');
    let has = |quotes: &str| memchr::memmem::find(text.as_bytes(), quotes.as_bytes()).is_some();
    if has("\"\"\"") || has("'''") || !text.split_inclusive('\n').filter(is_comment).all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut rest = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        rest.push_str(if is_comment(&line) { &line[line.trim_end_matches('\n').len()..] } else { line });
    }
    Cow::Owned(rest)
}

/// Adds the parser's errors, in the order of their lines.
///
/// A value with a syntax error comes out of the parser as something else, and what follows from
/// that would only mislead: other problems on its line are dropped.
pub(super) fn merge(problems: &mut Vec<Problem>, text: &str, errors: &[toml::de::Error]) {
    let errors: Vec<_> = errors.iter().map(|error| problem(text, error)).collect();
    if errors.is_empty() {
        return;
    }
    let on_such_a_line = |p: &Problem| errors.iter().any(|error| error.line == p.line);
    problems.retain(|p| !on_such_a_line(p));
    problems.extend(errors);
    problems.sort();
    problems.dedup();
}

/// Without control characters but for tabs and the line's end. Looks at all bytes, so that the compiler can take many
/// at once.
fn is_plain(line: &str) -> bool {
    let allowed = |b: u8| (b >= b' ' && b != 0x7f) | (b == b'\t') | (b == b'\n');
    line.bytes().fold(true, |all, byte| all & allowed(byte))
}

fn problem(text: &str, error: &toml::de::Error) -> Problem {
    let span = error.span().unwrap_or_default();
    let before = text.as_bytes().get(..span.start).unwrap_or_default();
    let (key, what, remedy) = if error.message() == "duplicate key" {
        // Here, and only here, what the span covers is certain to be a key.
        let key = text.get(span).unwrap_or_default();
        (key, "stands here twice".to_owned(), "remove one of the two")
    } else {
        let what = format!("this is no TOML: {}", error.message());
        ("", what, "correct the line; texts stand in quotes")
    };
    Problem {
        line: 1 + memchr::memchr_iter(b'\n', before).count(),
        key: key.to_owned(),
        what,
        remedy: remedy.to_owned(),
    }
}
