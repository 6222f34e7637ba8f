//! Customer users: who they are, in which source, and whether a text is somebody's already.
//!
//! To ACCEPT somebody the comparison is strict and made here, whatever the database calls equal; to
//! EXCLUDE it is broad (promise 6). This room never decides what a mail means.

mod candidates;
mod directory;
mod entry;
mod error;
mod ldap;
pub mod naming;
mod question;
mod source;
mod sql;
mod survey;

pub use directory::Directory;
pub use entry::{Entry, NewCustomer, or_blank};
pub use error::{Error, Refusal};
pub use source::{HasPassword, Names, Source};
pub use survey::{Census, Shared};

/// A customer user as a source holds it. Login, email and customer id are the stored texts, verbatim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomerUser {
    /// What OTOBO knows the customer by; unique within a source.
    pub login: String,
    /// The stored address; links go nowhere else.
    pub email: String,
    /// The company, as OTOBO groups tickets.
    pub customer_id: String,
    /// May be one blank.
    pub first_name: String,
    /// May be one blank.
    pub last_name: String,
    /// Whether OTOBO lets this customer in (`valid_id` 1).
    pub valid: bool,
    /// Whether there is a password; such a customer needs no token.
    pub has_password: bool,
    /// The name of the source that holds the row.
    pub source: String,
}

/// Who an address belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The first valid customer, in bytewise order of login, of the first source that has one.
    Valid(CustomerUser),
    /// Only customers who are not valid, in all sources; the first of them.
    Invalid(CustomerUser),
    /// No source states the address.
    Nobody,
}

/// A row that has an address or another text as its login, customer id or address, broadly compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name of the source.
    pub source: String,
    /// The login of the row.
    pub login: String,
}

/// What [`Directory::create`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// A new row.
    New(CustomerUser),
    /// Somebody else had made one by then, valid or not.
    Existing(CustomerUser),
}
