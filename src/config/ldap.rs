//! What a `[[customer_user]]` says that is an LDAP directory. Names are OTOBO's, as its own directories have them.

use super::customer_user;
use super::names;
use super::problem::complaint;
use super::reader::Table;
use super::secret_source;
use crate::customer::Names;
use crate::db::ldap::{Fault, Place, Settings, Tls};

/// Settings that only directories have.
const ONLY: [&str; 6] = ["base", "filter", "bind_dn", "tls", "ca_file", "page_size"];
/// Settings that no directory has.
const NEVER: [&str; 2] = ["table", "password_column"];

/// Attributes in the place of columns, as OTOBO's own directories have them. There is no table, and no password that
/// could be seen.
pub(super) fn attributes(entry: &Table<'_, '_>) -> Names {
    let attribute = |key, default| entry.string_or(key, default, names::attribute);
    let search = entry.list_or("search_fields", &["mail"], |text| names::attribute(text).map(|()| text.to_owned()));
    let search = customer_user::searched(entry, search, "mail");
    let valid = |text: &str| if text.is_empty() { Ok(()) } else { names::attribute(text) };
    Names {
        table: String::new(),
        login: attribute("key", "uid"),
        email: attribute("email", "mail"),
        search,
        customer_id: attribute("customer_id", "mail"),
        valid: Some(entry.string_or("valid", "", valid)).filter(|name| !name.is_empty()),
        person: [attribute("first_name", "givenName"), attribute("last_name", "sn")],
        password: None,
    }
}

/// Reads them, also where the source is none: then they are known, and a problem. `None` where there is no directory,
/// or where something of it is a problem.
pub(super) fn read(entry: &Table<'_, '_>, url: Option<&str>, secrets: &secret_source::Source<'_>) -> Option<Place> {
    let base = entry.optional_string("base", names::not_empty);
    let filter = entry.optional_string("filter", names::not_empty);
    let bind_dn = entry.optional_string("bind_dn", names::not_empty);
    let tls = entry.optional_choice("tls", |word| if word == "none" { Tls::None } else { Tls::StartTls });
    let ca_file = entry.optional_string("ca_file", names::not_empty).map(|path| secrets.folder.join(path));
    let page_size = entry.integer("page_size");
    let (wrong, why) = if url.is_some() { (&NEVER[..], "an LDAP directory") } else { (&ONLY[..], "no LDAP directory") };
    for key in wrong.iter().filter(|key| entry.has(key)) {
        entry.problem(key, complaint(format!("has no meaning: this source is {why}"), "remove it"));
    }
    let url = url?;
    let password = secret_source::secret(entry, "password", false, secrets, names::not_empty);
    // One that cannot be read is a problem already, and not also a missing one.
    let password = password.or_else(|| secret_source::key(entry, "password").map(|_| String::new()));
    let settings = Settings {
        url,
        base: base.as_deref().unwrap_or_default(),
        filter: filter.as_deref().unwrap_or_default(),
        bind_dn: bind_dn.as_deref(),
        password: password.as_deref(),
        tls,
        ca_file,
        page_size,
    };
    let complain = |fault: Fault| entry.problem(fault.key, complaint(fault.what, fault.remedy));
    Place::new(&settings).map_err(|faults| faults.into_iter().for_each(complain)).ok()
}
