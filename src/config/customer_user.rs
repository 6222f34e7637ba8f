//! `[[customer_user]]`: where customers are looked up, in which table and columns, and what may be done there.
//!
//! This file never opens a database. Names of columns go into statements, so nothing but plain words passes.

use std::fmt;

use super::given;
use super::ldap::{self, Ldap};
use super::names;
use super::postmaster::OnError;
use super::problem::complaint;
use super::reader::Table;
use super::secret::{Secret, masked_url};
use super::sources;

/// One `[[customer_user]]` entry: a customer source.
#[derive(Clone)]
pub struct CustomerSource {
    /// Its name, which is also its name in `postmaster.customer_user_backend`. Unique.
    pub name: String,
    /// Its database, as written; `None`: the store's own file. May hold a password.
    pub url: Option<String>,
    /// The password for a `url` that holds none.
    pub password: Option<Secret>,
    /// Whose word counts on whether a customer has a password.
    pub has_password: HasPassword,
    /// Whether nobody may be created or changed here; so it is, too, where [`Columns`] are not OTOBO's own.
    pub read_only: bool,
    /// What happens to a mail when this source does not answer; `None`: as `postmaster.on_error` says.
    pub on_error: Option<OnError>,
    /// Table and columns; in a directory: attributes, and no table.
    pub columns: Columns,
    /// Where in a directory the customers are, if the source is one.
    pub ldap: Option<Ldap>,
    /// OTOBO's time zone (`OTOBOTimeZone`), as written: that of the times which are written here.
    pub time_zone: String,
}

/// Whether the customers of a source have passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HasPassword {
    /// As the column says.
    Column,
    /// All have.
    Always,
    /// None has.
    Never,
}

/// The names of a source's table and columns. All are plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// The table; may hold a schema and a dot.
    pub table: String,
    /// The login (`CustomerKey`).
    pub key: String,
    /// The address that mails go to.
    pub email: String,
    /// Where senders are looked for; never none.
    pub search: Vec<String>,
    /// The company's id.
    pub customer_id: String,
    /// Whether a customer is valid (1); `None`: all are.
    pub valid: Option<String>,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// The password's hash; `None`: there is none.
    pub password: Option<String>,
}

impl fmt::Debug for CustomerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomerSource")
            .field("name", &self.name)
            .field("url", &self.url.as_deref().map(masked_url))
            .field("has_password", &self.has_password)
            .field("read_only", &self.read_only)
            .field("on_error", &self.on_error)
            .field("columns", &self.columns)
            .field("ldap", &self.ldap)
            .field("time_zone", &self.time_zone)
            .finish_non_exhaustive()
    }
}

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

/// The sources in the order in which they are asked: never none.
pub(super) fn read(root: &Table<'_, '_>, secrets: &given::Source<'_>) -> Vec<CustomerSource> {
    let taken = std::cell::RefCell::new(Vec::new());
    let sources = root.tables("customer_user", |entry| {
        let name = entry.required_string("name", names::not_empty);
        let source = source(entry, name.clone().unwrap_or_default(), secrets);
        // All keys are read before the first `?`: a key that nobody asks for is unknown.
        let name = name?;
        if taken.borrow().contains(&name) {
            let remedy = "give each customer source a name of its own";
            entry.problem("name", complaint("is taken already", remedy));
        }
        taken.borrow_mut().push(name);
        Some(source)
    });
    if root.has("customer_user") {
        return sources;
    }
    let nothing = root.stand_in("customer_user");
    vec![source(&nothing, "CustomerUser".to_owned(), secrets)]
}

fn source(entry: &Table<'_, '_>, name: String, secrets: &given::Source<'_>) -> CustomerSource {
    let url = entry.optional_string("url", names::not_empty);
    let password = given::secret(entry, "password", false, secrets, names::not_empty).map(Secret::new);
    if password.is_some() && url.is_none() {
        entry.problem(
            "url",
            complaint("is missing, and there is a password for it", "write it, or remove the password"),
        );
    }
    let is_ldap = url.as_deref().is_some_and(|url| url.starts_with("ldap:") || url.starts_with("ldaps:"));
    let ldap = ldap::read(entry, is_ldap, secrets.folder);
    let defaults = if is_ldap { &ldap::OTOBO } else { &OTOBO };
    let columns = columns(entry, defaults);
    let is_own = is_ldap || OTOBO.iter().any(|(key, name)| entry.has(key) && !columns.is(key, name));
    CustomerSource {
        name,
        url,
        password,
        has_password: has_password(entry, &columns),
        read_only: entry.boolean("read_only", false) || is_own,
        on_error: entry.optional_choice("on_error", &[("tempfail", OnError::TempFail), ("deliver", OnError::Deliver)]),
        columns,
        ldap,
        time_zone: sources::time_zone(entry),
    }
}

/// Without a column, it is taken for granted that all have a password somewhere else: nobody who logs in
/// with it shall get a link that needs none.
fn has_password(entry: &Table<'_, '_>, columns: &Columns) -> HasPassword {
    let words = [("column", HasPassword::Column), ("always", HasPassword::Always), ("never", HasPassword::Never)];
    match (entry.optional_choice("has_password", &words), &columns.password) {
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

fn columns(entry: &Table<'_, '_>, defaults: &[(&str, &str); 9]) -> Columns {
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
    Columns {
        table: entry.string(table.0, table.1, names::table),
        key: column(key),
        email: column(email),
        search: fields,
        customer_id: column(customer_id),
        valid: optional(valid),
        first_name: column(first_name),
        last_name: column(last_name),
        password: optional(password),
    }
}

impl Columns {
    /// Whether what stands under this key is this one name.
    fn is(&self, key: &str, name: &str) -> bool {
        let optional = |column: &Option<String>| column.as_deref() == Some(name);
        match key {
            "table" => self.table == name,
            "key" => self.key == name,
            "email" => self.email == name,
            "search_fields" => self.search == [name],
            "customer_id" => self.customer_id == name,
            "valid" => optional(&self.valid),
            "first_name" => self.first_name == name,
            "last_name" => self.last_name == name,
            _ => optional(&self.password),
        }
    }
}
