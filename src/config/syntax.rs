//! Tells what makes a text no TOML, with its line, among the other problems.
//!
//! Pure. The parser's own rendering of an error quotes the line it found it in, secrets and all, so
//! only its bare message is used.

use super::problem::Problem;

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
