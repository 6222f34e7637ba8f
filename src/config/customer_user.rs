//! `[[customer_user]]`: where customers are looked up, in which table and columns, and what may be done there.
//!
//! This file never opens a database. Names of columns go into statements, so nothing but plain words passes.

use std::collections::{BTreeMap, BTreeSet};

use super::ldap;
use super::names;
use super::postmaster::OnError;
use super::problem::complaint;
use super::reader::Table;
use super::secret_source;
use super::sources;
use crate::customer::{HasPassword, Names, Source};
use crate::db::Url;

/// The sources in the order in which they are asked, never none; and what happens to a mail when one of them does not
/// answer, where the source says so itself.
pub(super) fn read(
    root: &Table<'_, '_>,
    store: &Url,
    secrets: &secret_source::Source<'_>,
) -> (Vec<Source>, BTreeMap<String, OnError>) {
    let mut taken = BTreeSet::new();
    let entries = root.tables("customer_user", |entry| {
        let name = entry.required_string("name", names::not_empty);
        let source = source(entry, name.clone().unwrap_or_default(), store, secrets);
        // All keys are read before the first `?`: a key that nobody asks for is unknown.
        let on_error = entry.optional_choice("on_error", OnError::named);
        let name = name?;
        if !taken.insert(name) {
            let remedy = "give each customer source a name of its own";
            entry.problem("name", complaint("is taken already", remedy));
        }
        Some((source, on_error))
    });
    if !root.has("customer_user") {
        let nothing = root.stand_in("customer_user");
        return (vec![source(&nothing, "CustomerUser".to_owned(), store, secrets)], BTreeMap::new());
    }
    let wishes = entries.iter().filter_map(|(source, wish)| Some((source.name.clone(), (*wish)?))).collect();
    (entries.into_iter().map(|(source, _)| source).collect(), wishes)
}

fn source(entry: &Table<'_, '_>, name: String, store: &Url, secrets: &secret_source::Source<'_>) -> Source {
    let url = entry.optional_string("url", names::not_empty);
    let ldap_url = url.as_deref().filter(|url| url.starts_with("ldap:") || url.starts_with("ldaps:"));
    let directory = ldap::read(entry, ldap_url, secrets);
    let place = match ldap_url {
        Some(_) => directory.map(Url::Ldap),
        None => sources::database(entry, url.as_deref(), secrets),
    };
    let names = if ldap_url.is_some() { ldap::attributes(entry) } else { columns(entry) };
    // A directory's names are never these.
    let is_own = names != Names::default();
    Source {
        name,
        url: place.unwrap_or_else(|| store.clone()),
        has_password: has_password(entry, &names),
        is_read_only: entry.boolean("read_only") || is_own,
        names,
        zone: sources::time_zone(entry).1,
    }
}

/// Without a column, it is taken for granted that all have a password somewhere else: nobody who logs in
/// with it shall get a link that needs none.
fn has_password(entry: &Table<'_, '_>, names: &Names) -> HasPassword {
    let meaning = |word: &str| match word {
        "column" => HasPassword::Column,
        "never" => HasPassword::Never,
        _ => HasPassword::Always,
    };
    match (entry.optional_choice("has_password", meaning), &names.password) {
        (Some(HasPassword::Column), None) => {
            let what = "says that the column tells it, and password_column names none";
            entry.problem("has_password", complaint(what, "write \"always\" or \"never\", or name the column"));
            HasPassword::Always
        }
        (Some(word), _) => word,
        (None, Some(_)) => HasPassword::Column,
        (None, None) => HasPassword::Always,
    }
}

fn columns(entry: &Table<'_, '_>) -> Names {
    let column = |key| entry.string(key, names::column);
    let optional = |key| entry.string_or_off(key, names::column);
    let search = entry.list("search_fields", |text| names::column(text).map(|()| text.to_owned()));
    let search = searched(entry, search, "email");
    Names {
        table: entry.string("table", names::table),
        login: column("key"),
        email: column("email"),
        search,
        customer_id: column("customer_id"),
        valid: optional("valid"),
        person: [column("first_name"), column("last_name")],
        password: optional("password_column"),
    }
}

/// A list without any column would find nobody: then it is a problem, and this one is taken.
pub(super) fn searched(entry: &Table<'_, '_>, mut search: Vec<String>, default: &str) -> Vec<String> {
    if search.is_empty() {
        entry.problem("search_fields", complaint("names no column", "name at least one, or remove it"));
        search.push(default.to_owned());
    }
    search
}
