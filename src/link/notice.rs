//! Link mails by a text of the helpdesk's own: a notification with OTOBO's tags, in plain text or HTML.
//!
//! Its administrators wrote it, and are believed; the tags are not. Only those that stand for nothing of a
//! sender's are answered. All others become `-`, as unknown ones do in OTOBO (facts, section 7).

use html2text::config;

use super::page::{self, Place};
use super::template::{Error, Texts, Values, one_subject};

/// A notification's text in one language.
#[derive(Debug, Clone)]
pub struct Notice<'a> {
    /// The language it is in.
    pub language: &'a str,
    /// The subject; a link in it becomes `-`.
    pub subject: &'a str,
    /// The body.
    pub body: &'a str,
    /// Whether the body is HTML.
    pub is_html: bool,
}

/// The number of the text in the first of these languages that there is one in; else of the first.
#[must_use]
pub fn choose<'a>(there: impl Iterator<Item = &'a str>, wanted: &[&str]) -> usize {
    let there: Vec<String> = there.map(tag).collect();
    let mut tags = wanted.iter().map(|wanted| tag(wanted)).flat_map(|tag| [primary(&tag), tag].into_iter().rev());
    tags.find_map(|tag| there.iter().position(|language| *language == tag)).unwrap_or(0)
}

fn tag(language: &str) -> String {
    language.trim().replace('_', "-").to_ascii_lowercase()
}

fn primary(tag: &str) -> String {
    tag.split('-').next().unwrap_or_default().to_owned()
}

/// The mail that a notice makes. A body without a place for the link gets it at its end.
pub fn render(notice: &Notice<'_>, values: &Values<'_>, placeholder: &str) -> Result<Texts, Error> {
    let name = || format!("of the helpdesk's notification in {}", notice.language);
    let language = tag(notice.language);
    let is_tag = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if language.is_empty() || !language.bytes().all(is_tag) {
        return Err(Error::Unusable(name(), "its language is none such as de or pt_BR".to_owned()));
    }
    let subject = page::answered(notice.subject, placeholder, false, &|wanted, _| match wanted {
        page::Wanted::Link => "-".to_owned(),
        page::Wanted::Tag(tag) => answer(tag, values),
    });
    let subject = one_subject(&subject).map_err(|what| Error::Unusable(name(), what))?;
    let (text, html) = if notice.is_html {
        let html = html_of(notice.body, values, placeholder);
        (text_of(&html, values.link, &name)?, html)
    } else {
        let text = page::answered(notice.body, placeholder, false, &|wanted, _| match wanted {
            page::Wanted::Link => values.link.to_owned(),
            page::Wanted::Tag(tag) => answer(tag, values),
        });
        let text = with_link(text.replace("\r\n", "\n"), values.link);
        let html = page_of(&page::from_text(&text, values.link));
        (text, html)
    };
    Ok(Texts { language, subject, text, html })
}

/// What a tag stands for.
fn answer(tag: &str, values: &Values<'_>) -> String {
    match tag.to_ascii_lowercase().as_str() {
        "ticket_ticketnumber" if !values.ticket_number.is_empty() => values.ticket_number.to_owned(),
        "config_onetimeauth::accessdaysafterclose" => values.days.to_string(),
        // What the site is called in link mails.
        "config_organization" => values.site_name.to_owned(),
        _ => "-".to_owned(),
    }
}

fn html_of(body: &str, values: &Values<'_>, placeholder: &str) -> String {
    let found = std::cell::Cell::new(false);
    let html = page::answered(body, placeholder, true, &|wanted, place| match (wanted, place) {
        (page::Wanted::Tag(tag), _) => page::escaped(&answer(tag, values)),
        (page::Wanted::Link, Place::Text) => {
            found.set(true);
            page::anchor(values.link)
        }
        (page::Wanted::Link, Place::InTag | Place::InAnchor) => {
            found.set(true);
            page::escaped(values.link)
        }
        // What nobody is shown.
        (page::Wanted::Link, Place::Hidden) => "-".to_owned(),
    });
    let end = format!("<p>{}</p>", page::anchor(values.link));
    let html = if found.get() { html } else { page::with_end(&html, &end) };
    if page::is_whole(&html) { html } else { page_of(&html) }
}

fn page_of(body: &str) -> String {
    format!("<!DOCTYPE html>\n<html>\n<head><meta charset=\"utf-8\"></head>\n<body>\n{body}\n</body>\n</html>\n")
}

/// The plain part of an HTML mail. Addresses behind words would be lost in it: so the link stands once more at
/// its end where it is not in the text.
fn text_of(html: &str, link: &str, name: &impl Fn() -> String) -> Result<String, Error> {
    // A mail's lines may be long; the link must never be broken.
    let width = link.chars().count().max(72);
    let text = config::plain_no_decorate()
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), width)
        .map_err(|error| Error::Unusable(name(), error.to_string()))?;
    Ok(with_link(text, link))
}

fn with_link(text: String, link: &str) -> String {
    if text.contains(link) { text } else { format!("{}\n\n{link}\n", text.trim_end()) }
}
