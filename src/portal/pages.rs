//! The pages: one layout (Handlebars, every value escaped), texts by language, and what a page shows of a link.
//!
//! A template of the site's own is found wrong at the start and not by a customer: all pages are rendered once.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use handlebars::Handlebars;
use serde::Serialize;

use super::language::choose;
use super::masked::masked;
use super::texts::{self, Texts};
use crate::text::language::{is_tag, tag};

/// Longest file of the site's own, in bytes.
const LONGEST: u64 = 256 << 10;
const LAYOUT: &str = include_str!("templates/page.html");
const NAME: &str = "page.html";

/// What every page shows of the site.
#[derive(Debug, Clone)]
pub struct Look {
    /// Its name.
    pub site_name: String,
    /// Whether it has a logo.
    pub has_logo: bool,
    /// The language where nobody wishes for another.
    pub language: String,
    /// The helpdesk's login page, for customers with a password.
    pub login_page: Option<String>,
}

/// The site's own words on links that open nothing.
#[derive(Debug, Clone)]
pub struct Messages {
    /// A new link is on its way.
    pub new_link: String,
    /// A new link could not be made.
    pub refresh_failed: String,
    /// Unknown, or its time is over.
    pub link_expired: String,
    /// Used, while a newer one is active.
    pub wrong_link: String,
}

/// Why pages cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{}: {what}", path.display())]
pub struct Error {
    path: PathBuf,
    what: String,
}

/// The pages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Open,
    Used,
    Expired,
    Wrong,
    NewLink,
    RefreshFailed,
    Logout,
    Left,
    NotFound,
    Forbidden,
    TooMany,
    Unavailable,
    Misrouted,
    Refused,
    Ended,
}

const ALL: [Page; 15] = [
    Page::Open,
    Page::Used,
    Page::Expired,
    Page::Wrong,
    Page::NewLink,
    Page::RefreshFailed,
    Page::Logout,
    Page::Left,
    Page::NotFound,
    Page::Forbidden,
    Page::TooMany,
    Page::Unavailable,
    Page::Misrouted,
    Page::Refused,
    Page::Ended,
];

impl Page {
    /// Its table among the texts.
    const fn key(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Expired => "expired",
            Self::Wrong => "wrong",
            Self::NewLink => "new",
            Self::RefreshFailed => "failed",
            Self::Logout => "logout",
            Self::Left => "left",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::TooMany => "too_many",
            Self::Unavailable => "unavailable",
            Self::Misrouted => "misrouted",
            Self::Refused => "refused",
            Self::Ended => "ended",
        }
    }

    pub(super) const fn status(self) -> u16 {
        match self {
            Self::Open | Self::NewLink | Self::Logout | Self::Left => 200,
            Self::Used | Self::Wrong => 410,
            Self::Expired | Self::NotFound => 404,
            Self::Ended => 401,
            Self::Forbidden => 403,
            Self::TooMany => 429,
            Self::Misrouted | Self::Refused => 502,
            Self::RefreshFailed | Self::Unavailable => 503,
        }
    }

    /// Whether it has a form, and what that wishes for.
    const fn wish(self) -> Option<&'static str> {
        match self {
            Self::Open => Some("open"),
            Self::Used => Some("renew"),
            _ => None,
        }
    }

    pub(super) const fn has_form(self) -> bool {
        matches!(self, Self::Open | Self::Used | Self::Logout)
    }
}

/// What the page of a link shows of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Link {
    /// The address of who would be signed in, in full.
    pub(super) address: String,
    pub(super) ticket: Option<String>,
}

#[derive(Serialize)]
struct Values<'a> {
    language: &'a str,
    site_name: &'a str,
    logo: bool,
    heading: &'a str,
    paragraphs: Vec<&'a str>,
    facts: Vec<Fact<'a>>,
    button: Option<&'a str>,
    action: Option<&'a str>,
    wish: Option<&'a str>,
    note: Option<&'a str>,
    login: Option<&'a str>,
    login_page: Option<&'a str>,
    forget: bool,
}

#[derive(Serialize)]
struct Fact<'a> {
    name: &'a str,
    value: String,
}

/// All pages of a site.
pub struct Pages {
    engine: Handlebars<'static>,
    languages: BTreeMap<String, (Texts, Messages)>,
    look: Look,
}

impl Pages {
    /// The built-in pages, and the site's own: `page.html` and `texts.LANGUAGE.toml`. `messages` are the site's words
    /// in a language.
    pub fn load(folder: Option<&Path>, look: Look, messages: &dyn Fn(&str) -> Messages) -> Result<Self, Error> {
        let built_in = |what: String| Error { path: "built in".into(), what };
        let mut engine = Handlebars::new();
        engine.set_strict_mode(true);
        engine.register_template_string(NAME, LAYOUT).map_err(|error| built_in(error.to_string()))?;
        let mut texts = BTreeMap::new();
        for (language, text) in texts::BUILT_IN {
            texts.insert(language.to_owned(), texts::read(text, &Texts::new()).map_err(built_in)?);
        }
        if let Some(folder) = folder {
            own(folder, &mut engine, &mut texts)?;
        }
        let languages = texts.into_iter().map(|(language, texts)| {
            let messages = messages(&language);
            (language, (texts, messages))
        });
        let mut this = Self { engine, languages: languages.collect(), look };
        this.look.language = this.language(Some(&this.look.language.clone()), None).to_owned();
        let path = folder.map_or_else(|| NAME.into(), |folder| folder.join(NAME));
        this.try_all().map_err(|what| Error { path, what })?;
        Ok(this)
    }

    fn try_all(&self) -> Result<(), String> {
        for language in self.languages.keys() {
            for page in ALL {
                let link = Link { address: "c@corp.example".to_owned(), ticket: Some("1".to_owned()) };
                self.try_render(page, language, &link)?;
                self.try_render(page, language, &Link::default())?;
            }
        }
        Ok(())
    }

    /// Each page in each language, by a name such as `open-de`: to look at in tests, and no promise.
    #[doc(hidden)]
    #[must_use]
    pub fn specimens(&self) -> Vec<(String, String)> {
        let link = Link { address: "carol@corp.example".to_owned(), ticket: Some("2026112010000017".to_owned()) };
        let all = ALL.iter().flat_map(|page| self.languages.keys().map(move |language| (*page, language)));
        let specimen = |(page, language): (Page, &String)| {
            (format!("{}-{language}", page.key()), self.render(page, language, &link))
        };
        all.map(specimen).collect()
    }

    /// The language for a customer (a stored tag, or none) and his browser.
    pub(super) fn language(&self, stored: Option<&str>, accepted: Option<&str>) -> &str {
        let available: Vec<&str> = self.languages.keys().map(String::as_str).collect();
        let default = available.iter().find(|tag| **tag == self.look.language).copied().unwrap_or("en");
        choose(&available, stored, accepted, default)
    }

    /// A page in one of the languages there are.
    pub(super) fn render(&self, page: Page, language: &str, link: &Link) -> String {
        // All of them have been rendered at the start.
        self.try_render(page, language, link).unwrap_or_default()
    }

    fn try_render(&self, page: Page, language: &str, link: &Link) -> Result<String, String> {
        let (texts, messages) = self.languages.get(language).ok_or("no such language")?;
        let text = |name: &str| texts.get(&format!("{}.{name}", page.key())).map(String::as_str);
        let body = match page {
            Page::Expired => &messages.link_expired,
            Page::Wrong => &messages.wrong_link,
            Page::NewLink => &messages.new_link,
            Page::RefreshFailed => &messages.refresh_failed,
            _ => text("text").unwrap_or_default(),
        };
        let fact = |name: &str, value: String| {
            let name = texts.get(&format!("facts.{name}")).map_or("", String::as_str);
            Fact { name, value }
        };
        let mut facts = Vec::new();
        if page == Page::Open {
            facts.extend(link.ticket.iter().map(|ticket| fact("ticket", ticket.clone())));
            facts.push(fact("address", masked(&link.address)));
        }
        let values = Values {
            language,
            site_name: &self.look.site_name,
            logo: self.look.has_logo,
            heading: text("heading").unwrap_or_default(),
            paragraphs: body.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect(),
            facts,
            button: text("button").filter(|_| page.has_form()),
            action: (page == Page::Logout).then_some("/otab/logout"),
            wish: page.wish(),
            note: text("note"),
            login: text("login"),
            login_page: self.look.login_page.as_deref(),
            forget: page == Page::Left,
        };
        self.engine.render(NAME, &values).map_err(|error| error.to_string())
    }
}

/// Takes the site's own files.
fn own(folder: &Path, engine: &mut Handlebars<'_>, texts: &mut BTreeMap<String, Texts>) -> Result<(), Error> {
    let wrong = |path: &Path, what: String| Error { path: path.to_owned(), what };
    let entries = std::fs::read_dir(folder).map_err(|error| wrong(folder, error.to_string()))?;
    for entry in entries {
        let path = entry.map_err(|error| wrong(folder, error.to_string()))?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let language = name.strip_prefix("texts.").and_then(|rest| rest.strip_suffix(".toml"));
        if name == NAME {
            let layout = text(&path)?;
            engine.register_template_string(NAME, layout).map_err(|error| wrong(&path, error.to_string()))?;
        } else if let Some(language) = language {
            if !is_tag(language) {
                return Err(wrong(&path, "is not called by a language, such as texts.fr.toml".to_owned()));
            }
            let language = tag(language);
            let base = texts.get(&language).or_else(|| texts.get("en")).cloned().unwrap_or_default();
            let read = texts::read(&text(&path)?, &base).map_err(|what| wrong(&path, what))?;
            texts.insert(language, read);
        }
    }
    Ok(())
}

fn text(path: &Path) -> Result<String, Error> {
    let wrong = |what: String| Error { path: path.to_owned(), what };
    let file = std::fs::File::open(path).map_err(|error| wrong(error.to_string()))?;
    let mut text = String::new();
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong("is longer than 256 KiB".to_owned()));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(folder: Option<&Path>) -> Result<Pages, Error> {
        let look = Look {
            site_name: "A & <B>".to_owned(),
            has_logo: true,
            language: "en".to_owned(),
            login_page: Some("/otobo/customer.pl?a=<b>&\"c".to_owned()),
        };
        Pages::load(folder, look, &|language| Messages {
            new_link: format!("new {language}"),
            refresh_failed: "failed".to_owned(),
            link_expired: "first\n\nsecond <b>".to_owned(),
            wrong_link: "wrong".to_owned(),
        })
    }

    #[test]
    fn every_page_is_whole_and_escaped_in_every_language() {
        let pages = pages(None).unwrap();
        let odd = Link { address: "<i>arol@corp.test".to_owned(), ticket: Some("<script>".to_owned()) };
        for (language, page) in ["en", "de"].into_iter().flat_map(|l| ALL.map(|p| (l, p))) {
            let html = pages.render(page, language, &odd);
            assert!(html.starts_with(&format!("<!DOCTYPE html>\n<html lang=\"{language}\">")), "{html}");
            assert_eq!((html.matches("<h1>").count(), html.matches("<main>").count()), (1, 1), "{html}");
            assert!(html.contains("alt=\"A &amp; &lt;B&gt;\""), "{html}");
            for never in ["<script", "<i>", "<b>", "style=", "http:", "https:", "<h1></h1>", "<p></p>", "<dt></dt>"] {
                assert!(!html.contains(never), "{never} in {html}");
            }
            assert_eq!(html.contains("<form method=\"post\""), page.has_form(), "{html}");
            assert_eq!(html.matches("<button").count(), usize::from(page.has_form()), "{html}");
            assert_eq!(html.contains("href=\"/otab/forget.css\""), page == Page::Left, "{html}");
            let login = html.matches("<a href=\"/otobo/customer.pl?a&#x3D;&lt;b&gt;&amp;&quot;c\">").count();
            assert_eq!(login, usize::from([Page::Left, Page::Ended].contains(&page)), "{html}");
        }
        let expired = pages.render(Page::Expired, "de", &odd);
        assert!(expired.contains("<p>first</p>\n<p>second &lt;b&gt;</p>"), "{expired}");
        assert!(pages.render(Page::NewLink, "de", &odd).contains("new de"));
    }

    #[test]
    fn own_files_replace_built_in_ones_and_are_tried() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("texts.fr.toml", "[open]\nheading = \"Bonjour\"\n");
        write("notes.txt", "\u{0}");
        let french = pages(Some(folder.path())).unwrap();
        assert_eq!(french.language(None, Some("fr-CA")), "fr");
        let page = french.render(Page::Open, "fr", &Link::default());
        assert!(page.contains("<h1>Bonjour</h1>") && page.contains("Open my request"), "{page}");
        for (name, text, why) in [
            ("page.html", "{{#if", "page.html"),
            ("page.html", "{{nothing}}", "nothing"),
            ("texts.fr.toml", "[open]\nhedding = \"x\"\n", "open.hedding is unknown"),
            ("texts.f!.toml", "", "language"),
        ] {
            write(name, text);
            let error = pages(Some(folder.path())).err().unwrap().to_string();
            assert!(error.contains(why), "{error}");
            std::fs::remove_file(folder.path().join(name)).unwrap();
        }
        assert!(pages(Some(&folder.path().join("none"))).is_err());
    }
}
