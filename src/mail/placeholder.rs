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

/// Elements whose content is read alike by everybody: as text up to the end tag.
const RAW: [&str; 2] = ["style", "title"];
/// Elements whose content is text for one reader and tags for the next, or is sent elsewhere. Nothing behind
/// their beginning is a good place.
const DISPUTED: [&str; 13] = [
    "script",
    "textarea",
    "select",
    "xmp",
    "iframe",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "template",
    "svg",
    "math",
    "object",
];
/// Elements within which a word goes on. A mail program may find an address in what it shows.
const INLINE: [&str; 18] = [
    "a", "abbr", "b", "big", "code", "em", "font", "i", "ins", "mark", "s", "small", "span", "strong", "sub", "sup",
    "u", "wbr",
];

/// What stands in one place of HTML besides text.
struct Markup {
    /// Where it ends.
    end: usize,
    /// Whether the words before and behind it are one.
    joins: bool,
    /// Whether it may bring style rules that tell others what links hold.
    spies: bool,
}

/// Reads HTML as browsers do, as far as it takes to tell text from tags and attributes. All hits are
/// unsafe until found in a good place.
fn judge_html(text: &[u8], hits: &mut [Hit]) {
    let judged = hits.len().min(MOST_JUDGED);
    let hits = &mut hits[..judged];
    let tail = |text: &[u8]| text[text.len().saturating_sub(LONGEST_ADDRESS)..].to_vec();
    let (mut at, mut said, mut spied) = (0, Vec::new(), false);
    while !hits.is_empty() && at < text.len() {
        let open = next_markup(text, at);
        for hit in within(hits, &(at..open)) {
            hit.spot = in_words(&[&said[..], &tail(&text[at..hit.range.start])].concat());
        }
        said.extend(tail(&text[at..open]));
        if open == text.len() {
            break;
        }
        let markup = markup(text, open, hits);
        said = if markup.joins && said.len() > 2 * LONGEST_ADDRESS { tail(&said) } else { said };
        if !markup.joins {
            said.clear();
        }
        spied |= markup.spies;
        at = markup.end;
    }
    for hit in hits.iter_mut().filter(|hit| spied && hit.spot == Spot::Href) {
        hit.spot = Spot::Unsafe;
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

/// What begins at `open`. A link's whole `href` is marked.
fn markup(text: &[u8], open: usize, hits: &mut [Hit]) -> Markup {
    let rest = &text[open..];
    let behind = |needle: &[u8], from: usize| {
        memchr::memmem::find(&rest[from..], needle).map_or(text.len(), |at| open + from + at + needle.len())
    };
    let disputed = Markup { end: text.len(), joins: false, spies: true };
    if rest.starts_with(b"<!--") {
        let end = behind(b"-->", 2);
        let comment = &text[open..end];
        // Browsers end it at `--!>` as well; for Outlook the content of a conditional one is HTML.
        let is_odd = memchr::memmem::find(comment, b"--!>").is_some()
            || comment.starts_with(b"<!--[") && ![&b"<![endif]-->"[..], b"<!-->"].iter().any(|e| comment.ends_with(e));
        return if is_odd { disputed } else { Markup { end, joins: true, spies: false } };
    }
    let is_closing = rest[1] == b'/';
    let name_start = open + 1 + usize::from(is_closing);
    if !text.get(name_start).is_some_and(u8::is_ascii_alphabetic) {
        let is_data = rest.starts_with(b"<![CDATA[");
        return if is_data { disputed } else { Markup { end: behind(b">", 1), joins: true, spies: false } };
    }
    let name_end = name_start + count(&text[name_start..], |byte| !is_blank(byte) && !b"/>".contains(&byte));
    let name = String::from_utf8_lossy(&text[name_start..name_end]).to_ascii_lowercase();
    let (mut whole, mut told) = (None, false);
    let end = attributes(text, name_end, |attribute, value| match &text[attribute] {
        // Browsers report there that the link was followed, and which one.
        name if [&b"ping"[..], b"attributionsrc"].iter().any(|other| name.eq_ignore_ascii_case(other)) => told = true,
        name if name.eq_ignore_ascii_case(b"href") => whole = whole.take().or(Some(value)),
        _ => {}
    });
    if let Some(value) = whole.filter(|_| name == "a" && !is_closing && !told)
        && let [hit] = within(hits, &value)
        && hit.range == value
    {
        hit.spot = Spot::Href;
    }
    if is_closing || !RAW.contains(&name.as_str()) {
        let is_disputed = !is_closing && DISPUTED.contains(&name.as_str());
        let joins = INLINE.contains(&name.as_str());
        return if is_disputed { disputed } else { Markup { end, joins, spies: name == "link" } };
    }
    match raw_end(text, end, &name) {
        Some(behind) => Markup { end: behind, joins: false, spies: name == "style" && may_spy(&text[end..behind]) },
        None => disputed,
    }
}

/// The end tag's place of an element whose content is text; `None` where readers could differ on it.
fn raw_end(text: &[u8], from: usize, name: &str) -> Option<usize> {
    let closes = |at: &usize| text[at + 2..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()));
    let end = memchr::memmem::find_iter(&text[from..], "</").map(|at| from + at).find(closes)?;
    let content = &text[from..end];
    let is_open = memchr::memmem::rfind(content, b"<!--")
        .is_some_and(|at| memchr::memmem::find(&content[at..], b"-->").is_none());
    let behind = text.get(end + 2 + name.len())?;
    ((is_blank(*behind) || b"/>".contains(behind)) && !is_open).then_some(end)
}

/// Whether style rules could look at attributes (`a[href^=…]`), and load a picture for each finding.
fn may_spy(rules: &[u8]) -> bool {
    let is_import = |at: usize| rules[at + 1..].get(..6).is_some_and(|word| word.eq_ignore_ascii_case(b"import"));
    memchr::memchr2(b'[', b'\\', rules).is_some() || memchr::memchr_iter(b'@', rules).any(is_import)
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
mod tests;
