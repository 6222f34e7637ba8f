//! LDAP directories: where one is, and a connection that searches it. Never writes, never follows a referral.

#[cfg(feature = "ldap")]
mod connection;
mod filter;
mod place;

#[cfg(feature = "ldap")]
pub use connection::Connection;
pub use filter::{any_equal, checked, present};
pub use place::{Fault, Place, Settings, Tls};

/// What a search has found: the values of the attributes that were asked for, in the order of the asking.
/// Values are bytes, since a directory may hold anything.
pub type Entry = Vec<Vec<Vec<u8>>>;

#[cfg(not(feature = "ldap"))]
mod without {
    //! Stands in for the driver where otab was built without it.

    use std::time::Duration;

    use super::super::{Error, Kind};
    use super::{Entry, Place};

    /// There is none.
    #[derive(Debug)]
    pub enum Connection {}

    impl Connection {
        /// Is refused; `Place::new` has refused it before.
        pub fn open(place: &Place, _: Duration) -> Result<Self, Error> {
            Err(Error::new(Kind::Unavailable, place.to_string(), "this otab was built without the driver"))
        }

        /// Cannot be called.
        pub fn search(&mut self, _: &str, _: &[&str], _: usize) -> Result<Vec<Entry>, Error> {
            match *self {}
        }

        /// Cannot be called.
        pub fn list(&mut self, _: &str, _: &[&str], _: usize) -> Result<Vec<Entry>, Error> {
            match *self {}
        }
    }
}
#[cfg(not(feature = "ldap"))]
pub use without::Connection;
