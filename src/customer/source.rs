//! What a customer source is: where, in which table and columns, and what may be done there. Pure.

use super::CustomerUser;
use crate::db::{Url, Zone};

/// One customer source: an SQL database in OTOBO's shape, or an LDAP directory, whose attributes take the place
/// of columns.
#[derive(Debug, Clone)]
pub struct Source {
    /// As the configuration calls it (`CustomerUser`, …).
    pub name: String,
    /// Where it is.
    pub url: Url,
    /// Whose word counts on whether a customer has a password.
    pub has_password: HasPassword,
    /// Whether nobody may be created or changed here.
    pub is_read_only: bool,
    /// The names of its table and columns.
    pub names: Names,
    /// The zone of the times in its tables.
    pub zone: Zone,
}

/// Whether the customers of a source have passwords: who has one gets no token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HasPassword {
    /// As the column says.
    Column,
    /// All have one, which is kept elsewhere.
    Always,
    /// Nobody has one that works, whatever stands in the column.
    Never,
}

/// The names of a table and its columns. They go into statements as they are: whoever makes one has
/// checked that they are plain words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The table; may hold a schema and a dot.
    pub table: String,
    /// The column that OTOBO knows a customer by (`CustomerKey`).
    pub login: String,
    /// The column with the address that mails go to.
    pub email: String,
    /// The columns in which a sender is looked for (`CustomerUserPostMasterSearchFields`); never none.
    pub search: Vec<String>,
    /// The company's id (`CustomerID`).
    pub customer_id: String,
    /// The column whose value 1 means valid (`CustomerValid`); `None`: all are valid.
    pub valid: Option<String>,
    /// First name and last name.
    pub person: [String; 2],
    /// The column with the password's hash; `None`: there is none.
    pub password: Option<String>,
}

impl Default for Names {
    /// As OTOBO makes them.
    fn default() -> Self {
        let name = str::to_owned;
        Self {
            table: name("customer_user"),
            login: name("login"),
            email: name("email"),
            search: vec![name("email")],
            customer_id: name("customer_id"),
            valid: Some(name("valid_id")),
            person: [name("first_name"), name("last_name")],
            password: Some(name("pw")),
        }
    }
}

impl Source {
    /// A source in OTOBO's own shape.
    #[must_use]
    pub fn new(name: &str, url: Url) -> Self {
        Self {
            name: name.to_owned(),
            url,
            has_password: HasPassword::Column,
            is_read_only: false,
            names: Names::default(),
            zone: Zone::UTC,
        }
    }

    /// Whether this is a directory, in which nobody can ever be created.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self.url, Url::Ldap(_))
    }

    /// A customer of this source; `has_hash` is what the column says.
    pub(super) fn password_of(&self, has_hash: bool) -> bool {
        match self.has_password {
            HasPassword::Column => has_hash,
            HasPassword::Always => true,
            HasPassword::Never => false,
        }
    }

    /// The customer as this source has him.
    pub(super) fn keeps(&self, customer: CustomerUser) -> CustomerUser {
        CustomerUser { has_password: self.password_of(customer.has_password), source: self.name.clone(), ..customer }
    }
}
