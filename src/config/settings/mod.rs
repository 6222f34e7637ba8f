//! Every setting that exists: its name, what may be written there, its default, and one line of why.
//!
//! This is the one declaration. The reader takes kinds and defaults from here, unknown keys are those that are not here,
//! and `otab.toml.example` and otab.toml(5) are made of it (see `render`). What a value means is said where it is read.

mod door;
mod links;
mod mail_path;
mod render;
mod sources;

pub use links::REFRESH_FAILED;
pub use render::example;
#[cfg(test)]
pub(super) use render::{page, uncommented};

/// A table of the configuration.
pub(super) struct Section {
    /// Its path; entries of arrays as `[]`.
    pub(super) path: &'static str,
    /// The heading above it in the example; empty: it belongs to the one before.
    pub(super) heading: &'static str,
    pub(super) why: &'static str,
    /// Whether keys are free, and the settings only a default.
    pub(super) is_free: bool,
    pub(super) settings: &'static [Setting],
}

/// A key.
pub(super) struct Setting {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// What may be written, in the words of the manual page; empty: the kind says it.
    pub(super) form: &'static str,
    pub(super) why: &'static str,
}

/// What a key holds, and its default.
pub(super) enum Kind {
    Text(&'static str),
    /// A text that may be missing, and one that could be written.
    Optional(&'static str),
    /// A text that has to be there, and the one in the example.
    Required(&'static str),
    /// Default, least, most.
    Number(u32, u32, u32),
    Flag(bool),
    /// The first is the default.
    Words(&'static [&'static str]),
    /// One of these, or none.
    OptionalWords(&'static [&'static str]),
    List(&'static [&'static str]),
}

/// All tables, in the order of the example.
pub(super) const SECTIONS: [&Section; 14] = [
    &mail_path::STORE,
    &mail_path::POSTMASTER,
    &mail_path::TRUSTED,
    &mail_path::CREATE,
    &mail_path::PREFERENCES,
    &sources::CUSTOMER_USER,
    &sources::TICKETS,
    &links::ONE_TIME_AUTH,
    &links::ENGLISH,
    &links::GERMAN,
    &links::MAIL,
    &door::DOOR,
    &door::LIMITS,
    &door::LOG,
];

const LANGUAGES: &str = "one_time_auth.messages";

/// The table at a normal path. Every language has the table of English.
pub(super) fn section(path: &str) -> Option<&'static Section> {
    let named = SECTIONS.into_iter().find(|section| section.path == path);
    let is_language = || path.rsplit_once('.').is_some_and(|(table, name)| table == LANGUAGES && !name.ends_with("[]"));
    named.or_else(|| is_language().then_some(&links::ENGLISH))
}

/// Whether there are tables below this path.
pub(super) fn leads_to_tables(path: &str) -> bool {
    let is_below = |section: &Section| section.path.strip_prefix(path).is_some_and(|rest| rest.starts_with(['.', '[']));
    section(path).is_some() || SECTIONS.into_iter().any(is_below)
}

impl Section {
    pub(super) fn setting(&self, name: &str) -> Option<&'static Setting> {
        self.settings.iter().find(|setting| setting.name == name)
    }
}

const fn setting(name: &'static str, kind: Kind, form: &'static str, why: &'static str) -> Setting {
    Setting { name, kind, form, why }
}

const fn text(name: &'static str, default: &'static str, form: &'static str, why: &'static str) -> Setting {
    setting(name, Kind::Text(default), form, why)
}

const fn optional(name: &'static str, sample: &'static str, form: &'static str, why: &'static str) -> Setting {
    setting(name, Kind::Optional(sample), form, why)
}

const fn number(
    name: &'static str,
    [default, least, most]: [u32; 3],
    form: &'static str,
    why: &'static str,
) -> Setting {
    setting(name, Kind::Number(default, least, most), form, why)
}

const fn flag(name: &'static str, default: bool, why: &'static str) -> Setting {
    setting(name, Kind::Flag(default), "", why)
}

const fn words(name: &'static str, words: &'static [&'static str], why: &'static str) -> Setting {
    setting(name, Kind::Words(words), "", why)
}

const fn list(name: &'static str, default: &'static [&'static str], form: &'static str, why: &'static str) -> Setting {
    setting(name, Kind::List(default), form, why)
}
