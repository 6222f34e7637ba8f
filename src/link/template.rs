//! The texts of link mails: Handlebars templates, built in or the site's own.
//!
//! A wrong template is found when it is read, not when the first customer waits for their link. Nothing that a mail
//! stated is offered to templates.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Handlebars, Template};
use serde::Serialize;

use super::order::Occasion;
use crate::text::language::{choices, is_tag, tag};

/// Longest template file, in bytes.
const LONGEST: u64 = 256 << 10;
/// Longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

/// What templates may name.
const VARIABLES: [&str; 5] = ["link", "ticket_number", "site_name", "days", "one_time"];

/// The parts of a mail, as the ends of file names.
const PARTS: [&str; 3] = ["subject", "txt", "html"];

/// The templates that are always there: set, language, part, text.
const BUILT_IN: [(&str, &str); 12] = [
    ("new.en.subject", include_str!("templates/new.en.subject")),
    ("new.en.txt", include_str!("templates/new.en.txt")),
    ("new.en.html", include_str!("templates/new.en.html")),
    ("new.de.subject", include_str!("templates/new.de.subject")),
    ("new.de.txt", include_str!("templates/new.de.txt")),
    ("new.de.html", include_str!("templates/new.de.html")),
    ("refresh.en.subject", include_str!("templates/refresh.en.subject")),
    ("refresh.en.txt", include_str!("templates/refresh.en.txt")),
    ("refresh.en.html", include_str!("templates/refresh.en.html")),
    ("refresh.de.subject", include_str!("templates/refresh.de.subject")),
    ("refresh.de.txt", include_str!("templates/refresh.de.txt")),
    ("refresh.de.html", include_str!("templates/refresh.de.html")),
];

/// What stands in the variables.
#[derive(Debug, Clone, Serialize)]
pub struct Values<'a> {
    /// The link, or the plain address of the ticket.
    pub link: &'a str,
    /// The ticket's number; empty where it is not known.
    pub ticket_number: &'a str,
    /// `one_time_auth.site_name`.
    pub site_name: &'a str,
    /// `one_time_auth.access_days_after_close`.
    pub days: u32,
    /// Whether the link holds a token.
    pub one_time: bool,
}

/// A rendered link mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Texts {
    /// The language it is in.
    pub language: String,
    /// One line.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML page.
    pub html: String,
}

/// Why templates cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder or a file cannot be read.
    #[error("{path}: {error}", path = .0.display(), error = .1)]
    Unreadable(PathBuf, std::io::Error),
    /// A file is none that otab could use.
    #[error("{path}: {what}", path = .0.display(), what = .1)]
    Wrong(PathBuf, String),
    /// What came out is no mail.
    #[error("the template {0}: {1}")]
    Unusable(String, String),
}

/// All templates of a site.
pub struct Templates {
    /// Texts and subjects: nothing is escaped.
    plain: Handlebars<'static>,
    /// HTML: variables are escaped.
    html: Handlebars<'static>,
    refresh: String,
}

impl Templates {
    /// The built-in templates, and those in `folder`: files called SET.LANGUAGE.subject, .txt and .html,
    /// where a set is `new`, `refresh`, or what `refresh` names for renewed links.
    pub fn load(folder: Option<&Path>, refresh: &str) -> Result<Self, Error> {
        let mut plain = Handlebars::new();
        plain.set_strict_mode(true);
        plain.register_escape_fn(handlebars::no_escape);
        let mut html = Handlebars::new();
        html.set_strict_mode(true);
        let mut templates = Self { plain, html, refresh: refresh.to_owned() };
        for (name, text) in BUILT_IN {
            templates.add(name, text).map_err(|what| Error::Unusable(name.to_owned(), what))?;
        }
        for (path, name) in folder.map_or_else(|| Ok(BTreeMap::new()), files)? {
            let text = read(&path)?;
            templates.add(&name, &text).map_err(|what| Error::Wrong(path, what))?;
        }
        Ok(templates)
    }

    fn add(&mut self, name: &str, text: &str) -> Result<(), String> {
        let template = Template::compile(text).map_err(|error| error.to_string())?;
        check(&template)?;
        let registry = if is_html(name) { &mut self.html } else { &mut self.plain };
        registry.register_template(name, template);
        Ok(())
    }

    /// The text of a mail in the first of the languages that has one; English has one.
    pub fn render(&self, occasion: Occasion, languages: &[&str], values: &Values<'_>) -> Result<Texts, Error> {
        let set = match occasion {
            Occasion::New => "new",
            Occasion::Refresh => &self.refresh,
        };
        let tags = languages.iter().flat_map(|tag| choices(tag));
        let found = tags.chain(["en".to_owned()]).find_map(|language| {
            let names: Option<Vec<String>> =
                PARTS.iter().map(|part| self.name(set, occasion, &language, part)).collect();
            Some((names?, language))
        });
        let Some((names, language)) = found else {
            return Err(Error::Unusable(set.to_owned(), "is there in no language".to_owned()));
        };
        let part = |name: &String| {
            let registry = if is_html(name) { &self.html } else { &self.plain };
            registry.render(name, values).map_err(|error| Error::Unusable(name.clone(), error.to_string()))
        };
        let subject = one_subject(&part(&names[0])?).map_err(|what| Error::Unusable(names[0].clone(), what))?;
        Ok(Texts { language, subject, text: part(&names[1])?, html: part(&names[2])? })
    }

    /// The template for a part: the set's own, else the built-in one for the occasion.
    fn name(&self, set: &str, occasion: Occasion, language: &str, part: &str) -> Option<String> {
        let registry = if part == "html" { &self.html } else { &self.plain };
        let names = [set, occasion.as_str()].map(|set| format!("{set}.{language}.{part}"));
        names.into_iter().find(|name| registry.has_template(name))
    }
}

/// What can stand in a subject; else why it cannot.
pub(super) fn one_subject(text: &str) -> Result<String, String> {
    let subject = text.trim();
    if subject.is_empty() || subject.chars().count() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err(format!("its subject is no line of 1 to {LONGEST_SUBJECT} characters"));
    }
    Ok(subject.to_owned())
}

fn is_html(name: &str) -> bool {
    name.rsplit('.').next() == Some("html")
}

/// The template files of a folder, by path. Other files are none of ours.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, String>, Error> {
    let unreadable = |error| Error::Unreadable(folder.to_owned(), error);
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
        let words: Vec<&str> = name.split('.').collect();
        let Some(part) = words.last().filter(|part| PARTS.contains(part)) else { continue };
        if name.starts_with('.') {
            continue;
        }
        let [set, language, _] = words[..] else {
            return Err(Error::Wrong(path, format!("call it SET.LANGUAGE.{part}, such as new.de.{part}")));
        };
        // Part of a header field.
        if !is_tag(language) {
            return Err(Error::Wrong(path, "its language is none such as de or pt-BR".to_owned()));
        }
        let name = format!("{set}.{}.{part}", tag(language));
        found.insert(path, name);
    }
    Ok(found)
}

fn read(path: &Path) -> Result<String, Error> {
    let unreadable = |error| Error::Unreadable(path.to_owned(), error);
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > LONGEST {
        return Err(Error::Wrong(path.to_owned(), format!("is longer than {LONGEST} bytes")));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// Only text, the variables, and `if` and `unless` on them. All else could fail later.
fn check(template: &Template) -> Result<(), String> {
    template.elements.iter().try_for_each(|element| match element {
        TemplateElement::RawString(_) | TemplateElement::Comment(_) => Ok(()),
        TemplateElement::Expression(expression) | TemplateElement::HtmlExpression(expression) => variable(expression),
        TemplateElement::HelperBlock(block) => condition(block),
        _ => Err("partials and decorators are not offered".to_owned()),
    })
}

fn variable(expression: &HelperTemplate) -> Result<(), String> {
    if !expression.params.is_empty() || !expression.hash.is_empty() || expression.block_param.is_some() {
        return Err("helpers are not offered, but for if and unless".to_owned());
    }
    known(&expression.name)
}

fn condition(block: &HelperTemplate) -> Result<(), String> {
    let name = block.name.as_name().unwrap_or_default();
    let [on] = &block.params[..] else {
        return Err(format!("`{name}` wants one variable"));
    };
    if !["if", "unless", "else"].contains(&name) || !block.hash.is_empty() || block.block_param.is_some() {
        return Err(format!("`{name}` is not offered; if and unless are"));
    }
    known(on)?;
    [&block.template, &block.inverse].into_iter().flatten().try_for_each(check)
}

fn known(name: &Parameter) -> Result<(), String> {
    let name = name.as_name().unwrap_or_default();
    if VARIABLES.contains(&name) {
        return Ok(());
    }
    Err(format!("`{name}` is no variable; there are {}", VARIABLES.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values {
        link: "https://help.test/t/abc?a=1&b=2",
        ticket_number: "",
        site_name: "A <b> & C",
        days: 14,
        one_time: true,
    };

    fn own(files: &[(&str, &str)]) -> Result<Templates, Error> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        Templates::load(Some(folder.path()), "polite")
    }

    #[test]
    fn the_built_in_texts_hold_the_link_alone_on_a_line() {
        let templates = Templates::load(None, "refresh").unwrap();
        for occasion in [Occasion::New, Occasion::Refresh] {
            for language in ["de", "en", "de_AT", "fr"] {
                let texts = templates.render(occasion, &[language], &VALUES).unwrap();
                assert!(texts.text.lines().any(|line| line == VALUES.link), "{}", texts.text);
                assert!(texts.text.lines().all(|line| line.chars().count() < 80), "{}", texts.text);
                assert!(texts.text.contains("A <b> & C") && texts.html.contains("A &lt;b&gt; &amp; C"));
                assert!(texts.html.contains("a&#x3D;1&amp;b&#x3D;2"), "{}", texts.html);
                assert_eq!(texts.language, if language.starts_with("de") { "de" } else { "en" });
                let known = Values { ticket_number: "20261120", one_time: false, ..VALUES };
                let texts = templates.render(occasion, &[language], &known).unwrap();
                assert!([&texts.subject, &texts.text, &texts.html].iter().all(|text| text.contains("20261120")));
            }
        }
    }

    #[test]
    fn own_templates_win_part_by_part() {
        let files = [
            ("new.de.subject", "Hallo"),
            ("polite.de.txt", "Bitte: {{link}}"),
            ("README", "{{x}}"),
            (".new.de.txt", "x"),
        ];
        let templates = own(&files).unwrap();
        let texts = templates.render(Occasion::New, &["de"], &VALUES).unwrap();
        assert_eq!(texts.subject, "Hallo");
        assert!(texts.text.starts_with("Guten Tag"));
        let texts = templates.render(Occasion::Refresh, &["de"], &VALUES).unwrap();
        assert_eq!(texts.text, format!("Bitte: {}", VALUES.link));
        assert!(texts.subject.starts_with("Neuer Link"));
    }

    #[test]
    fn a_language_of_ones_own_needs_all_three_parts() {
        let whole = [("new.fr.subject", "Bonjour"), ("new.fr.txt", "{{link}}"), ("new.FR.html", "{{link}}")];
        let templates = own(&whole).unwrap();
        assert_eq!(templates.render(Occasion::New, &["fr", "de"], &VALUES).unwrap().subject, "Bonjour");
        let templates = own(&whole[..2]).unwrap();
        assert_eq!(templates.render(Occasion::New, &["fr", "de"], &VALUES).unwrap().language, "de");
    }

    #[test]
    fn what_could_fail_later_is_refused_when_it_is_read() {
        for bad in [
            "{{lnk}}",
            "{{#if one_time}}{{customer}}{{/if}}",
            "{{#if on_time}}x{{/if}}",
            "{{#unless days}}{{else}}{{from}}{{/unless}}",
            "{{#each link}}x{{/each}}",
            "{{> new.de.txt}}",
            "{{link",
            "{{lookup this 'link'}}",
            "{{#if days}}a{{else if dayz}}b{{/if}}",
            "{{this}}",
            "{{link.x}}",
            "{{../link}}",
        ] {
            assert!(matches!(own(&[("new.de.txt", bad)]), Err(Error::Wrong(..))), "{bad}");
        }
        assert!(own(&[("new.de.txt", "{{#if days}}a{{else if one_time}}{{link}}{{/if}}")]).is_ok());
        assert!(matches!(own(&[("new.txt", "x")]), Err(Error::Wrong(..))));
        let long = own(&[("new.en.subject", "{{#if days}}a\nb{{/if}}")]).unwrap();
        assert!(matches!(long.render(Occasion::New, &["en"], &VALUES), Err(Error::Unusable(..))));
    }
}
