//! What is to be written as a new customer user, and whether OTOBO's columns can hold it. Pure.

use super::error::Refusal;
use super::{CustomerUser, Source};
use crate::mail::Address;

/// A customer made from a mail: login and email are the sender's address.
#[derive(Debug, Clone)]
pub struct NewCustomer {
    /// The certain sender.
    pub address: Address,
    /// The company's id; often the address again.
    pub customer_id: String,
    /// From the display name, else one blank.
    pub first_name: String,
    /// From the display name, else one blank.
    pub last_name: String,
    /// Keys and values of `customer_preferences`.
    pub preferences: Vec<(String, String)>,
}

/// A customer as a person at the command line states it, every column by itself.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The login.
    pub login: String,
    /// The address; not checked beyond what the column can hold.
    pub email: String,
    /// The company's id.
    pub customer_id: String,
    /// May be one blank.
    pub first_name: String,
    /// May be one blank.
    pub last_name: String,
    /// Keys and values of `customer_preferences`.
    pub preferences: Vec<(String, String)>,
}

impl From<&NewCustomer> for Entry {
    fn from(new: &NewCustomer) -> Self {
        Self {
            login: new.address.to_string(),
            email: new.address.to_string(),
            customer_id: new.customer_id.clone(),
            first_name: new.first_name.clone(),
            last_name: new.last_name.clone(),
            preferences: new.preferences.clone(),
        }
    }
}

impl Entry {
    /// The customer that this is once it is written: valid, without a password.
    #[must_use]
    pub fn stored_in(&self, source: &Source) -> CustomerUser {
        source.keeps(CustomerUser {
            login: self.login.clone(),
            email: self.email.clone(),
            customer_id: self.customer_id.clone(),
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            valid: true,
            has_password: false,
            source: String::new(),
        })
    }

    /// Checks every value against OTOBO's columns (facts, section 5), counted in characters.
    ///
    /// SQLite would take any length, but the same mail must come to the same end on every database;
    /// MariaDB outside its strict mode cuts in silence, and a cut address is somebody else's.
    pub fn check(&self) -> Result<(), Refusal> {
        for (what, value, limit) in
            [("login", &self.login, 191), ("email", &self.email, 150), ("customer id", &self.customer_id, 150)]
        {
            fits(what, value, limit)?;
            // OTOBO is Perl: a header value of `0` counts as absent.
            if value.trim().is_empty() || value.trim() == "0" {
                return Err(Refusal::Empty(what));
            }
        }
        fits("first name", &self.first_name, 100)?;
        fits("last name", &self.last_name, 100)?;
        for (key, value) in &self.preferences {
            fits("preference key", key, 150)?;
            fits("preference value", value, 250)?;
        }
        Ok(())
    }
}

/// A name for OTOBO's columns. OTOBO wants names that are not empty; its package writes a blank.
#[must_use]
pub fn or_blank(name: Option<String>) -> String {
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| " ".to_owned())
}

fn fits(what: &'static str, value: &str, limit: usize) -> Result<(), Refusal> {
    if value.chars().count() > limit {
        return Err(Refusal::TooLong { what, limit });
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::Control(what));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            login: "carol".into(),
            email: "carol@corp.test".into(),
            customer_id: "corp".into(),
            first_name: " ".into(),
            last_name: " ".into(),
            preferences: vec![("UserTimeZone".into(), "UTC".into())],
        }
    }

    #[test]
    fn values_fit_up_to_the_column_to_the_character() {
        type Set = fn(&mut Entry, String);
        let columns: [(Set, usize); 6] = [
            (|e, text| e.login = text, 191),
            (|e, text| e.email = text, 150),
            (|e, text| e.customer_id = text, 150),
            (|e, text| e.first_name = text, 100),
            (|e, text| e.last_name = text, 100),
            (|e, text| e.preferences[0].1 = text, 250),
        ];
        for (set, limit) in columns {
            let mut this = entry();
            set(&mut this, "ü".repeat(limit));
            assert_eq!(this.check(), Ok(()));
            set(&mut this, "ü".repeat(limit + 1));
            assert!(matches!(this.check(), Err(Refusal::TooLong { limit: l, .. }) if l == limit));
            set(&mut this, "a\0b".into());
            assert!(matches!(this.check(), Err(Refusal::Control(_))));
        }
    }

    #[test]
    fn an_id_that_otobo_takes_for_absent_is_refused() {
        for id in ["", " ", "\u{a0}", "0", " 0"] {
            let mut this = entry();
            this.customer_id = id.into();
            assert_eq!(this.check(), Err(Refusal::Empty("customer id")), "{id:?}");
        }
    }
}
