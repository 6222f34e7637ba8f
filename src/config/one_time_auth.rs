//! `[one_time_auth]`: how long links live, and what customers are told about them.
//!
//! This file only reads and checks settings; it never looks at a token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::names;
use super::problem::complaint;
use super::reader::Table;
use crate::text::language;

/// What a customer is told, in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Messages {
    /// The link was used already, and a new one is on its way.
    pub new_link: String,
    /// A new link could not be made.
    pub refresh_failed: String,
    /// The link is unknown, or its ticket's time is over.
    pub link_expired: String,
    /// The link was used already, and a newer one is active.
    pub wrong_link: String,
}

/// `[one_time_auth]`.
#[derive(Debug, Clone)]
pub struct OneTimeAuth {
    /// Days that links outlive the closing of their ticket; 0: none.
    pub access_days_after_close: u32,
    /// Days after which a token without a ticket is deleted; at least 1.
    pub unbound_days: u32,
    /// Days after which any token is deleted; 0: no limit.
    pub max_token_days: u32,
    /// The address of links, with `{{token}}` in it once; `None`: no links are made.
    pub link_url: Option<String>,
    /// The customer portal (OTOBO: `customer.pl`), for links without a token.
    pub portal_url: Option<String>,
    /// What the site is called in link mails.
    pub site_name: String,
    /// The folder with the site's own templates.
    pub templates: Option<PathBuf>,
    /// The set of templates for renewed links.
    pub token_refresh_notification_id: String,
    /// The helpdesk's notification whose texts renewed links have instead.
    pub token_refresh_notification: Option<u32>,
    /// The language for customers whose own is not known: a key of `messages`.
    pub language: String,
    /// By language tag in lower case. `en` and `de` are always there.
    pub messages: BTreeMap<String, Messages>,
    /// The English ones once more: whoever asks for any language gets an answer.
    english: Messages,
}

impl OneTimeAuth {
    /// The texts for a customer's language (`de_AT` and `de-AT` alike): that language's, else its
    /// primary language's, else the configured language's, else the English ones.
    #[must_use]
    pub fn messages_for(&self, language: &str) -> &Messages {
        let mut tags = language::choices(language).into_iter().chain([language::tag(&self.language)]);
        tags.find_map(|tag| self.messages.get(&tag)).unwrap_or(&self.english)
    }
}

pub(super) fn read(table: &Table<'_, '_>, folder: &Path) -> OneTimeAuth {
    let (messages, english) = messages(&table.table("messages"));
    let language = table.string("language", |tag| {
        names::language(tag)?;
        if messages.contains_key(&tag.to_ascii_lowercase()) {
            return Ok(());
        }
        let remedy = format!("write [one_time_auth.messages.{tag}], or name another language");
        Err(complaint("is a language without messages", remedy))
    });
    let (set, notification) = refresh(table);
    OneTimeAuth {
        access_days_after_close: table.integer("access_days_after_close"),
        unbound_days: table.integer("unbound_days"),
        max_token_days: table.integer("max_token_days"),
        link_url: table.string_or_off("link_url", names::link),
        portal_url: table.string_or_off("portal_url", names::page),
        site_name: table.string("site_name", names::not_empty),
        templates: table.string_or_off("templates", names::not_empty).map(|path| folder.join(path)),
        token_refresh_notification_id: set,
        token_refresh_notification: notification,
        language,
        messages,
        english,
    }
}

/// What renewed links go out with: a set of templates; or, as in the package, the number of a notification, where
/// 0 is the built-in text.
fn refresh(table: &Table<'_, '_>) -> (String, Option<u32>) {
    let key = "token_refresh_notification_id";
    if !table.is_integer(key) {
        return (table.string(key, names::template_set), None);
    }
    // OTOBO's column is a signed one.
    let id = table.number(key, 0..=i32::MAX.unsigned_abs());
    ("refresh".to_owned(), id.filter(|id| *id > 0))
}

fn messages(table: &Table<'_, '_>) -> (BTreeMap<String, Messages>, Messages) {
    let english = in_language(&table.table("en"), None);
    let german = in_language(&table.table("de"), None);
    let mut all = BTreeMap::from([("en".to_owned(), english.clone()), ("de".to_owned(), german)]);
    for name in table.names().iter().filter(|name| !["en", "de"].contains(&name.as_str())) {
        let texts = in_language(&table.table(name), Some(&english));
        if let Err(complaint) = names::language(name) {
            table.problem(name, complaint);
        } else if all.insert(name.to_ascii_lowercase(), texts).is_some() {
            table.problem(
                name,
                complaint("is a language that stands here twice, in different case", "keep one of the two"),
            );
        }
    }
    (all, english)
}

/// The texts in one language; those of `fallback` where one is missing, else the built-in ones.
fn in_language(table: &Table<'_, '_>, fallback: Option<&Messages>) -> Messages {
    let text = |key, other: fn(&Messages) -> &String| table.prose(key, fallback.map(|texts| other(texts).as_str()));
    Messages {
        new_link: text("customer_error_message_new_link", |texts| &texts.new_link),
        refresh_failed: text("customer_error_message_refresh_failed", |texts| &texts.refresh_failed),
        link_expired: text("customer_error_message_link_expired", |texts| &texts.link_expired),
        wrong_link: text("customer_error_message_wrong_link", |texts| &texts.wrong_link),
    }
}
