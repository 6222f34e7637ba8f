//! What a `[[customer_user]]` says that is an LDAP directory. Names are OTOBO's, as its own directories have them.

use std::path::{Path, PathBuf};

use super::known::Kind;
use super::names;
use super::problem::complaint;
use super::reader::Table;

/// Where in a directory the customers are, and how it is reached.
#[derive(Debug, Clone)]
pub struct Ldap {
    /// The DN below which the customers are (`BaseDN`).
    pub base: String,
    /// Which of the entries are customers (`AlwaysFilter`); may be empty.
    pub filter: String,
    /// Who asks (`UserDN`).
    pub bind_dn: Option<String>,
    /// How the connection is encrypted, where the setting is written.
    pub tls: Option<LdapTls>,
    /// The authorities to check the server's certificate with.
    pub ca_file: Option<PathBuf>,
    /// How many entries come at once where all are listed.
    pub page_size: i32,
}

/// How a connection to an `ldap:` URL is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LdapTls {
    /// Not at all.
    None,
    /// From the beginning on, by a word of its own.
    StartTls,
}

/// Attributes in the place of columns. There is no table, and no password that could be seen.
pub(super) const OTOBO: [(&str, &str); 9] = [
    ("table", ""),
    ("key", "uid"),
    ("email", "mail"),
    ("search_fields", "mail"),
    ("customer_id", "mail"),
    ("valid", ""),
    ("first_name", "givenName"),
    ("last_name", "sn"),
    ("password_column", ""),
];

/// Settings that only directories have.
const ONLY: [&str; 6] = ["base", "filter", "bind_dn", "tls", "ca_file", "page_size"];
/// Settings that no directory has.
const NEVER: [&str; 2] = ["table", "password_column"];

/// Reads them, also where the source is none: then they are known, and a problem.
pub(super) fn read(entry: &Table<'_, '_>, is_ldap: bool, folder: &Path) -> Option<Ldap> {
    let ldap = Ldap {
        base: entry.optional_string("base", names::not_empty).unwrap_or_default(),
        filter: entry.optional_string("filter", names::not_empty).unwrap_or_default(),
        bind_dn: entry.optional_string("bind_dn", names::not_empty),
        tls: entry.optional_choice("tls", &[("starttls", LdapTls::StartTls), ("none", LdapTls::None)]),
        ca_file: entry.optional_string("ca_file", names::not_empty).map(|path| folder.join(path)),
        page_size: entry.integer("page_size", 500, &(1..=10_000)),
    };
    // A source that is none has no default for it.
    entry.know("page_size", Kind::Integer, || None);
    let (wrong, why) = if is_ldap { (&NEVER[..], "an LDAP directory") } else { (&ONLY[..], "no LDAP directory") };
    for key in wrong.iter().filter(|key| entry.has(key)) {
        entry.problem(key, complaint(format!("has no meaning: this source is {why}"), "remove it"));
    }
    if is_ldap && !entry.has("base") {
        let remedy = "write the DN below which the customers are, such as \"ou=people,dc=example,dc=org\"";
        entry.problem("base", complaint("is missing", remedy));
    }
    is_ldap.then_some(ldap)
}
