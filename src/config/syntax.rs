//! Tells what makes a text no TOML, with its line, among the other problems.
//!
//! Pure. The parser's own rendering of an error quotes the line it found it in, secrets and all, so
//! only its bare message is used.

use std::borrow::Cow;

use super::problem::Problem;

/// What begins a string that may run over several lines.
const QUOTES: [&[u8]; 2] = [b"\"\"\"", b"'''"];

/// The text without what stands in lines that are comments from their first sign, which is most of a commented
/// configuration: the parser would look at each byte of it, several times. All lines stay, empty.
///
/// A text in which strings may run over several lines, or with a comment that TOML forbids, stays as it is.
pub(super) fn without_comments(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if QUOTES.iter().any(|quotes| memchr::memmem::find(bytes, quotes).is_some()) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest.as_bytes());
        let (line, after) = rest.split_at(end.map_or(rest.len(), |end| end + 1));
        if !line.starts_with('#') {
            kept.push_str(line);
        } else if is_plain(&line.as_bytes()[..end.unwrap_or(line.len())]) {
            kept.push_str(if end.is_some() { "\n" } else { "" });
        } else {
            return Cow::Borrowed(text);
        }
        rest = after;
    }
    Cow::Owned(kept)
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

/// Whether a line is without control characters but for tabs. It looks at all bytes without a choice in between, so
/// that the compiler can take many at once.
fn is_plain(line: &[u8]) -> bool {
    let control = |b: u8| u8::from(b < b' ') & u8::from(b != b'\t') | u8::from(b == 0x7f);
    line.iter().fold(0, |any, &b| any | control(b)) == 0
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
