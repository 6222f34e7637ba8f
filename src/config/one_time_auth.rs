//! `[one_time_auth]`: how long links live, and what customers are told about them.
//!
//! This file only reads and checks settings; it never looks at a token.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::names;
use super::problem::complaint;
use super::reader::Table;
use crate::text::language;

/// The language of last resort: it always has texts.
const FALLBACK: &str = "en";

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

/// Built-in texts: new link, refresh failed, link expired, wrong link.
type BuiltIn = [&'static str; 4];

/// The built-in English text for a link that could not be made. ASCII, so that every mail can hold it.
pub const REFRESH_FAILED: &str =
    "We could not create a new link to your request. Please reply to our last e-mail, and we will help you.";

const ENGLISH: BuiltIn = [
    "This link has already been used, and each link works only once. We have just sent you an e-mail with a new one.",
    REFRESH_FAILED,
    "This link is no longer valid: your request was closed some time ago, or the link was not copied completely. If you still have a question, please send us an e-mail.",
    "This link has already been used. There is a newer one: please use the link in the latest e-mail that we sent you about this request.",
];

const GERMAN: BuiltIn = [
    "Dieser Link wurde bereits benutzt, und jeder Link gilt nur einmal. Wir haben Ihnen soeben eine E-Mail mit einem neuen Link geschickt.",
    "Ein neuer Link zu Ihrer Anfrage konnte nicht erstellt werden. Bitte antworten Sie auf unsere letzte E-Mail, dann helfen wir Ihnen weiter.",
    "Dieser Link ist nicht mehr gültig: Ihre Anfrage ist seit einiger Zeit abgeschlossen, oder der Link wurde nicht vollständig kopiert. Wenn Sie noch eine Frage haben, schreiben Sie uns bitte eine E-Mail.",
    "Dieser Link wurde bereits benutzt. Es gibt einen neueren: Bitte nehmen Sie den Link aus der letzten E-Mail, die Sie von uns zu dieser Anfrage bekommen haben.",
];

pub(super) fn read(table: &Table<'_, '_>, folder: &Path) -> OneTimeAuth {
    let (messages, english) = messages(&table.table("messages"));
    let language = table.string("language", FALLBACK, |tag| {
        names::language(tag)?;
        if messages.contains_key(&tag.to_ascii_lowercase()) {
            return Ok(());
        }
        let remedy = format!("write [one_time_auth.messages.{tag}], or name another language");
        Err(complaint("is a language without messages", remedy))
    });
    let (set, notification) = refresh(table);
    OneTimeAuth {
        access_days_after_close: table.integer("access_days_after_close", 14, &(0..=DAYS)),
        unbound_days: table.integer("unbound_days", 14, &(1..=DAYS)),
        max_token_days: table.integer("max_token_days", 0, &(0..=DAYS)),
        link_url: table.string_or_off("link_url", names::link),
        portal_url: table.string_or_off("portal_url", names::page),
        site_name: table.string("site_name", "Helpdesk", names::not_empty),
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
    let (key, built_in) = ("token_refresh_notification_id", "refresh");
    if !table.is_integer(key) {
        return (table.string(key, built_in, names::template_set), None);
    }
    // OTOBO's column is a signed one.
    let id: u32 = table.integer(key, 0, &(0..=i32::MAX.unsigned_abs()));
    (built_in.to_owned(), Some(id).filter(|id| *id > 0))
}

/// A hundred years: more is a slip of the pen, and dates should not overflow.
const DAYS: u32 = 36_500;

fn messages(table: &Table<'_, '_>) -> (BTreeMap<String, Messages>, Messages) {
    let names = table.names();
    let english = in_language(&table.table("en"), ENGLISH);
    let german = in_language(&table.table("de"), GERMAN);
    let fallback = [english.new_link.as_str(), &english.refresh_failed, &english.link_expired, &english.wrong_link];
    let mut all = BTreeMap::from([("en".to_owned(), english.clone()), ("de".to_owned(), german)]);
    for name in names.iter().filter(|name| !["en", "de"].contains(&name.as_str())) {
        let language = table.table(name);
        let texts = in_language(&language, fallback);
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

fn in_language(table: &Table<'_, '_>, default: [&str; 4]) -> Messages {
    let [new_link, refresh_failed, link_expired, wrong_link] = default;
    Messages {
        new_link: table.prose("customer_error_message_new_link", new_link),
        refresh_failed: table.prose("customer_error_message_refresh_failed", refresh_failed),
        link_expired: table.prose("customer_error_message_link_expired", link_expired),
        wrong_link: table.prose("customer_error_message_wrong_link", wrong_link),
    }
}
