//! Where OTOBO's tags and the place for a link are in a text or in a piece of HTML. Pure.
//!
//! It knows as much of HTML as it takes to tell words from what is inside a tag; it checks nothing.

use crate::text::html::escaped;

/// Longest tag, in bytes.
const LONGEST: usize = 250;
/// Elements whose words nobody is shown in the mail.
const HIDDEN: [&str; 3] = ["title", "style", "script"];

/// What something stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The link.
    Link,
    /// An OTOBO tag of this name, without its prefix.
    Tag(&'a str),
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Between words.
    Text,
    /// At the beginning of a link's `href`.
    InTag,
    /// Between the words of a link.
    InAnchor,
    /// Where nobody sees it, or where it would be sent elsewhere: in any other attribute.
    Hidden,
}

/// The text, with the answers in the places of its tags and placeholders.
pub fn answered(text: &str, placeholder: &str, is_html: bool, answer: &impl Fn(Wanted<'_>, Place) -> String) -> String {
    let escaped_placeholder = escaped(placeholder);
    let mut out = String::with_capacity(text.len());
    let (mut at, mut rest) = (At::default(), text);
    while let Some(letter) = rest.chars().next() {
        let written = [placeholder, &escaped_placeholder].into_iter().take(if is_html { 2 } else { 1 });
        let stands = |form: &&str| !form.is_empty() && rest.starts_with(form);
        let found = written.clone().find(stands).map(|form| (Wanted::Link, form.len()));
        if let Some((wanted, length)) = found.or_else(|| tag(rest, is_html)) {
            let place = match at.place() {
                Place::InTag if !(at.in_anchor && begins_href(&out)) => Place::Hidden,
                place => place,
            };
            out.push_str(&answer(wanted, place));
            rest = &rest[length..];
            continue;
        }
        if is_html {
            at.step(rest.as_bytes());
        }
        out.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    out
}

/// Whether the value of an `href` begins here. Anywhere else in a tag a secret would be part of another's address, or
/// be fetched when the mail is shown.
fn begins_href(before: &str) -> bool {
    let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_ascii_end();
    let Some(name) = before.strip_suffix('=').map(str::trim_ascii_end) else { return false };
    let at = name.rfind(|c: char| c.is_ascii_whitespace()).map_or(0, |at| at + 1);
    name[at..].eq_ignore_ascii_case("href")
}

/// The tag that a text begins with, and its length. In HTML its signs may be written as entities.
fn tag(text: &str, is_html: bool) -> Option<(Wanted<'_>, usize)> {
    let opened = text.strip_prefix('<').or_else(|| text.strip_prefix("&lt;").filter(|_| is_html))?;
    let name = ["OTOBO_", "OTRS_"].iter().find_map(|prefix| {
        let start = opened.get(..prefix.len())?;
        start.eq_ignore_ascii_case(prefix).then(|| &opened[prefix.len()..])
    })?;
    let ends = [(">", true), ("&gt;", is_html)].into_iter().filter(|(_, counts)| *counts);
    let (end, sign) = ends.filter_map(|(sign, _)| Some((name.find(sign)?, sign))).min()?;
    let (name, behind) = (&name[..end], &name[end + sign.len()..]);
    if name.len() > LONGEST || name.contains(['<', '\n']) || name.contains("&lt;") {
        return None;
    }
    let is_link = name.eq_ignore_ascii_case("OTACustomerTicketLink");
    Some((if is_link { Wanted::Link } else { Wanted::Tag(name) }, text.len() - behind.len()))
}

/// Where in a page one is.
#[derive(Default)]
struct At {
    in_tag: bool,
    quote: Option<u8>,
    in_comment: bool,
    in_anchor: bool,
    hidden: Option<&'static str>,
}

impl At {
    fn place(&self) -> Place {
        match self {
            Self { in_comment: true, .. } | Self { in_tag: false, hidden: Some(_), .. } => Place::Hidden,
            Self { in_tag: true, .. } => Place::InTag,
            Self { in_anchor: true, .. } => Place::InAnchor,
            _ => Place::Text,
        }
    }

    /// Goes over the first byte of `rest`.
    fn step(&mut self, rest: &[u8]) {
        let first = rest.first().copied().unwrap_or_default();
        if self.in_comment {
            self.in_comment = !rest.starts_with(b"-->");
        } else if self.in_tag {
            match (self.quote, first) {
                (Some(quote), _) if quote == first => self.quote = None,
                (None, b'"' | b'\'') => self.quote = Some(first),
                (None, b'>') => self.in_tag = false,
                _ => {}
            }
        } else if first == b'<' {
            self.open(&rest[1..]);
        }
    }

    /// A `<`, with `rest` behind it.
    fn open(&mut self, rest: &[u8]) {
        let length = rest.iter().skip(1).take_while(|byte| byte.is_ascii_alphanumeric()).count() + 1;
        let name = rest.get(..length).unwrap_or_default().to_ascii_lowercase();
        if let Some(element) = self.hidden {
            if name.strip_prefix(b"/") == Some(element.as_bytes()) {
                (self.hidden, self.in_tag) = (None, true);
            }
            return;
        }
        if rest.starts_with(b"!--") {
            self.in_comment = true;
            return;
        }
        self.in_tag = name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"/!?".contains(byte));
        match name.as_slice() {
            b"a" => self.in_anchor = true,
            b"/a" => self.in_anchor = false,
            name => self.hidden = HIDDEN.into_iter().find(|hidden| hidden.as_bytes() == name),
        }
    }
}

/// The link, to be clicked.
#[must_use]
pub fn anchor(link: &str) -> String {
    let link = escaped(link);
    format!("<a href=\"{link}\">{link}</a>")
}

/// A plain text as a piece of HTML.
#[must_use]
pub fn from_text(text: &str, link: &str) -> String {
    let lines = escaped(text.trim_end()).replace('\n', "<br>\n");
    format!("<p>{}</p>", lines.replace(&escaped(link), &anchor(link)))
}

/// A page, or a piece of one, with more at the end of its body.
#[must_use]
pub fn with_end(html: &str, end: &str) -> String {
    let at = html.to_ascii_lowercase().rfind("</body").unwrap_or(html.len());
    format!("{}\n{end}\n{}", &html[..at], &html[at..])
}

/// Whether this is a page, and not a piece of one.
#[must_use]
pub fn is_whole(html: &str) -> bool {
    let html = html.to_ascii_lowercase();
    html.contains("<html") || html.contains("<body")
}
