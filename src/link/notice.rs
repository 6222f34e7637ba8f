//! Link mails by a text of the helpdesk's own: a notification with OTOBO's tags, in plain text or HTML.
//!
//! Its administrators wrote it, and are believed; the tags are not. Only those that stand for nothing of a
//! sender's are answered. All others become `-`, as unknown ones do in OTOBO (facts, section 7).

use html2text::config;
use html2text::render::TrivialDecorator;

use super::page::{self, Place};
use super::template::{Error, Texts, Values, one_subject};
use crate::text::html::escaped;
use crate::text::language::{choices, is_tag, tag};

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
    let mut tags = wanted.iter().flat_map(|wanted| choices(wanted));
    tags.find_map(|tag| there.iter().position(|language| *language == tag)).unwrap_or(0)
}

/// The mail that a notice makes. A body without a place for the link gets it at its end.
pub fn render(notice: &Notice<'_>, values: &Values<'_>, placeholder: &str) -> Result<Texts, Error> {
    let name = || format!("of the helpdesk's notification in {}", notice.language);
    let language = tag(notice.language);
    if !is_tag(&language) {
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
        (page::Wanted::Tag(tag), _) => escaped(&answer(tag, values)),
        (page::Wanted::Link, Place::Text) => {
            found.set(true);
            page::anchor(values.link)
        }
        (page::Wanted::Link, Place::InTag | Place::InAnchor) => {
            found.set(true);
            escaped(values.link)
        }
        // What nobody is shown, and what is fetched or sent elsewhere. A tag of OTOBO's holds no secret.
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
    let text = config::with_decorator(TrivialDecorator::new())
        .no_link_wrapping()
        .string_from_read(html.as_bytes(), width)
        .map_err(|error| Error::Unusable(name(), error.to_string()))?;
    Ok(with_link(text, link))
}

fn with_link(text: String, link: &str) -> String {
    if text.contains(link) { text } else { format!("{}\n\n{link}\n", text.trim_end()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://help.test/t/abcdefghijklmnopqrstuv?a=1&b='2'";

    fn made(body: &str, is_html: bool) -> Texts {
        let values = Values { link: LINK, ticket_number: "20261121", site_name: "A <b> & C", days: 14, one_time: true };
        let notice = Notice { language: "pt_BR", subject: "New link", body, is_html };
        render(&notice, &values, "[[LINK]]").unwrap()
    }

    #[test]
    fn the_link_is_in_both_parts_whatever_the_body_is() {
        let escaped = super::escaped(LINK);
        for (body, is_html) in [
            ("", false),
            ("Hello", false),
            ("Hello\r\n<OTOBO_OTACustomerTicketLink>\r\n", false),
            ("[[LINK]]", false),
            ("", true),
            ("Hello", true),
            ("<p>&lt;OTRS_OTACustomerTicketLink&gt;</p>", true),
            ("<p><otobo_otacustomerticketlink></p>", true),
            ("<a href='[[LINK]]'>here</a>", true),
            ("<a href=\"x\" title='>'>[[LINK]]</a>", true),
            ("<html><head><title>[[LINK]]</title></head><body>Hi</body></html>", true),
            ("<!-- [[LINK]] --><style>[[LINK]]</style>", true),
            ("<ul><li><blockquote><table><tr><td>[[LINK]]</td></tr></table></blockquote></li></ul>", true),
            ("<script", true),
            ("<!--", true),
            ("a < b <3 </ <a <<a>>", true),
        ] {
            let texts = made(body, is_html);
            assert!(texts.text.contains(LINK), "{body}: {}", texts.text);
            assert!(texts.html.contains(&escaped), "{body}: {}", texts.html);
            assert!(!texts.text.contains('\r') && texts.language == "pt-br");
        }
        assert_eq!(made("Go:\n[[LINK]]\nBye", false).text, format!("Go:\n{LINK}\nBye"));
        assert!(made("<p>[[LINK]]</p>", true).html.contains(&format!("<p>{}</p>", page::anchor(LINK))));
        assert!(made("<a href='[[LINK]]'>x</a>", true).html.contains(&format!("<a href='{escaped}'>x</a>")));
        assert!(made("<a href='x'>[[LINK]]</a>", true).html.contains(&format!("<a href='x'>{escaped}</a>")));
        let hidden = made("<title>[[LINK]]</title>Hi", true).html;
        assert!(hidden.contains("<title>-</title>Hi"), "{hidden}");
    }

    #[test]
    fn the_secret_is_nobody_elses_picture_or_address() {
        for body in [
            "<img src='[[LINK]]'>",
            "<IMG SRC=https://elsewhere.test/?[[LINK]]>",
            "<a href='https://elsewhere.test/?u=<OTOBO_OTACustomerTicketLink>'>x</a>",
            "<a data-href='[[LINK]]' ping=\"&lt;OTRS_OTACustomerTicketLink&gt;\">x</a>",
            "<a href='x'><img src='[[LINK]]'></a>",
            "<p style='background:url([[LINK]])'>",
        ] {
            let html = made(body, true).html;
            assert_eq!(html.matches(&escaped(LINK)).count(), 2, "{html}");
            assert!(html.contains(&page::anchor(LINK)), "{html}");
        }
    }

    #[test]
    fn nothing_that_a_sender_could_choose_comes_by_a_tag() {
        for tag in
            ["TICKET_Title", "CUSTOMER_SUBJECT[24]", "CUSTOMER_BODY", "CUSTOMER_DATA_UserFirstname", "CONFIG_FQDN", "x"]
        {
            for (body, is_html) in [
                (format!("a <OTOBO_{tag}> b"), false),
                (format!("a <otrs_{tag}> b"), false),
                (format!("a <OTOBO_{tag}> b"), true),
                (format!("a &lt;OTRS_{tag}&gt; b"), true),
            ] {
                let texts = made(&body, is_html);
                assert!(texts.text.starts_with("a - b") && texts.html.contains("a - b"), "{body}: {texts:?}");
            }
        }
        let body = "<OTOBO_TICKET_TicketNumber> <OTOBO_CONFIG_Organization> \
                    <OTOBO_CONFIG_OneTimeAuth::AccessDaysAfterClose> &lt;OTOBO_x&gt; <OTOBO_x";
        let texts = made(body, false);
        assert!(texts.text.starts_with("20261121 A <b> & C 14 &lt;OTOBO_x&gt; <OTOBO_x\n"), "{}", texts.text);
        assert!(made(body, true).html.contains("20261121 A &lt;b&gt; &amp; C 14 - <OTOBO_x"));
    }

    #[test]
    fn a_subject_has_no_link_and_is_one_line() {
        let values = Values { link: LINK, ticket_number: "", site_name: "", days: 1, one_time: true };
        let subject = |subject| {
            render(&Notice { language: "de", subject, body: "", is_html: false }, &values, "[[LINK]]")
                .map(|texts| texts.subject)
                .map_err(|error| error.to_string())
        };
        let made = subject("[[LINK]] <OTOBO_OTACustomerTicketLink> <OTOBO_TICKET_TicketNumber>");
        assert_eq!(made.as_deref(), Ok("- - -"));
        for bad in ["", " ", "a\nb", &"x".repeat(201)] {
            assert!(subject(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_customers_language_comes_before_the_sites() {
        let there = ["de", "en", "pt_BR"];
        for (wanted, found) in
            [(&["pt-BR", "en"][..], 2), (&["de_AT", "en"], 0), (&["fr", "EN"], 1), (&["fr"], 0), (&[], 0)]
        {
            assert_eq!(choose(there.into_iter(), wanted), found, "{wanted:?}");
        }
    }
}
