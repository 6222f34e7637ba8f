//! What a `[[customer_user]]` says that is an LDAP directory. Names are OTOBO's, as its own directories have them.

use super::given;
use super::known::Kind;
use super::names;
use super::problem::complaint;
use super::reader::Table;
use crate::db::ldap::{Fault, Place, Settings, Tls};

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

/// Reads them, also where the source is none: then they are known, and a problem. `None` where there is no directory,
/// or where something of it is a problem.
pub(super) fn read(entry: &Table<'_, '_>, url: Option<&str>, secrets: &given::Source<'_>) -> Option<Place> {
    let base = entry.optional_string("base", names::not_empty);
    let filter = entry.optional_string("filter", names::not_empty);
    let bind_dn = entry.optional_string("bind_dn", names::not_empty);
    let tls = entry.optional_choice("tls", &[("starttls", Tls::StartTls), ("none", Tls::None)]);
    let ca_file = entry.optional_string("ca_file", names::not_empty).map(|path| secrets.folder.join(path));
    let page_size = entry.integer("page_size", 500, &(1..=10_000));
    // A source that is none has no default for it.
    entry.know("page_size", Kind::Integer, || None);
    let (wrong, why) = if url.is_some() { (&NEVER[..], "an LDAP directory") } else { (&ONLY[..], "no LDAP directory") };
    for key in wrong.iter().filter(|key| entry.has(key)) {
        entry.problem(key, complaint(format!("has no meaning: this source is {why}"), "remove it"));
    }
    let url = url?;
    let password = given::secret(entry, "password", false, secrets, names::not_empty);
    // One that cannot be read is a problem already, and not also a missing one.
    let password = password.or_else(|| given::key(entry, "password").map(|_| String::new()));
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
