//! `[[customer_user]]`: where customers are looked up, in which table and columns, and what may be done there.
//!
//! This file never opens a database. Names of columns go into statements, so nothing but plain words passes.

use std::collections::{BTreeMap, BTreeSet};

use super::given;
use super::ldap;
use super::names;
use super::postmaster::OnError;
use super::problem::complaint;
use super::reader::Table;
use super::sources;
use crate::customer::{HasPassword, Names, Source};
use crate::db::Url;

/// OTOBO's own names, in the order in which [`columns`] reads them.
const OTOBO: [(&str, &str); 9] = [
    ("table", "customer_user"),
    ("key", "login"),
    ("email", "email"),
    ("search_fields", "email"),
    ("customer_id", "customer_id"),
    ("valid", "valid_id"),
    ("first_name", "first_name"),
    ("last_name", "last_name"),
    ("password_column", "pw"),
];

/// The sources in the order in which they are asked, never none; and what happens to a mail when one of them does not
/// answer, where the source says so itself.
pub(super) fn read(
    root: &Table<'_, '_>,
    store: &Url,
    secrets: &given::Source<'_>,
) -> (Vec<Source>, BTreeMap<String, OnError>) {
    let mut taken = BTreeSet::new();
    let entries = root.tables("customer_user", |entry| {
        let name = entry.required_string("name", names::not_empty);
        let source = source(entry, name.clone().unwrap_or_default(), store, secrets);
        // All keys are read before the first `?`: a key that nobody asks for is unknown.
        let on_error =
            entry.optional_choice("on_error", &[("tempfail", OnError::TempFail), ("deliver", OnError::Deliver)]);
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

fn source(entry: &Table<'_, '_>, name: String, store: &Url, secrets: &given::Source<'_>) -> Source {
    let url = entry.optional_string("url", names::not_empty);
    let ldap_url = url.as_deref().filter(|url| url.starts_with("ldap:") || url.starts_with("ldaps:"));
    let directory = ldap::read(entry, ldap_url, secrets);
    let place = match ldap_url {
        Some(_) => directory.map(Url::Ldap),
        None => sources::database(entry, url.as_deref(), secrets),
    };
    let defaults = if ldap_url.is_some() { &ldap::OTOBO } else { &OTOBO };
    let names = columns(entry, defaults);
    let is_own = ldap_url.is_some() || OTOBO.iter().any(|(key, name)| entry.has(key) && !is(&names, key, name));
    Source {
        name,
        url: place.unwrap_or_else(|| store.clone()),
        has_password: has_password(entry, &names),
        is_read_only: entry.boolean("read_only", false) || is_own,
        names,
        zone: sources::time_zone(entry).1,
    }
}

/// Without a column, it is taken for granted that all have a password somewhere else: nobody who logs in
/// with it shall get a link that needs none.
fn has_password(entry: &Table<'_, '_>, names: &Names) -> HasPassword {
    let words = [("column", HasPassword::Column), ("always", HasPassword::Always), ("never", HasPassword::Never)];
    match (entry.optional_choice("has_password", &words), &names.password) {
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

fn columns(entry: &Table<'_, '_>, defaults: &[(&str, &str); 9]) -> Names {
    let [table, key, email, search, customer_id, valid, first_name, last_name, password] = *defaults;
    let check = if table.1.is_empty() { names::attribute } else { names::column };
    let column = |(key, default)| entry.string(key, default, check);
    let optional = |(key, default)| {
        let name = entry.string(key, default, |text| if text.is_empty() { Ok(()) } else { check(text) });
        Some(name).filter(|name| !name.is_empty())
    };
    let mut fields = entry.list(search.0, &[search.1], |text| check(text).map(|()| text.to_owned()));
    if fields.is_empty() {
        entry.problem(search.0, complaint("names no column", "name at least one, or remove it"));
        fields.push(search.1.to_owned());
    }
    Names {
        table: entry.string(table.0, table.1, names::table),
        login: column(key),
        email: column(email),
        search: fields,
        customer_id: column(customer_id),
        valid: optional(valid),
        person: [column(first_name), column(last_name)],
        password: optional(password),
    }
}

/// Whether what is configured under this key is this one name.
fn is(names: &Names, key: &str, name: &str) -> bool {
    let optional = |column: &Option<String>| column.as_deref() == Some(name);
    match key {
        "table" => names.table == name,
        "key" => names.login == name,
        "email" => names.email == name,
        "search_fields" => names.search == [name],
        "customer_id" => names.customer_id == name,
        "valid" => optional(&names.valid),
        "first_name" => names.person[0] == name,
        "last_name" => names.person[1] == name,
        _ => optional(&names.password),
    }
}
