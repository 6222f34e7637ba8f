//! Texts that must not be seen: a trusted field's value, passwords in database URLs.
//!
//! They are masked wherever they are shown. This file never compares secrets: that takes constant
//! time, and is done where mails are judged.

use std::fmt;

/// What stands in a secret's place.
const MASK: &str = "***";

/// A text that shows itself as `***`.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    #[must_use]
    pub const fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself: to be compared or handed to a driver, never to be shown.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A database URL as it may be shown: without its password, and without the query, in which
/// drivers take passwords as well.
#[must_use]
pub fn masked_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return without_query(url);
    };
    // The LAST `@`, wherever it stands: a password may hold an `@`, `/` or `?` that its writer
    // forgot to escape, and no half of it may show. Better a place too few than a byte too many.
    let Some((login, place)) = rest.rsplit_once('@') else {
        return format!("{scheme}://{}", without_query(rest));
    };
    let user = login.split([':', '/', '?']).next().unwrap_or_default();
    let mask = if user.len() < login.len() { ":***" } else { "" };
    format!("{scheme}://{user}{mask}@{}", without_query(place))
}

fn without_query(text: &str) -> String {
    match text.split_once('?') {
        Some((place, _)) => format!("{place}?{MASK}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_shows_itself() {
        let secret = Secret::new("hunter2hunter2".to_owned());
        assert_eq!(format!("{secret} {secret:?}"), "*** ***");
        assert_eq!(secret.expose(), "hunter2hunter2");
    }

    #[test]
    fn urls_lose_their_passwords_and_nothing_else() {
        for (url, shown) in [
            ("sqlite:otab.db", "sqlite:otab.db"),
            ("sqlite:a@b.db", "sqlite:a@b.db"),
            ("postgresql:///otab", "postgresql:///otab"),
            ("postgresql://u@h/otab", "postgresql://u@h/otab"),
            ("postgresql://u:p@h:5432/otab", "postgresql://u:***@h:5432/otab"),
            ("mysql://u:p@ss:w@h/otab", "mysql://u:***@h/otab"),
            ("postgresql:///otab?user=u&password=p", "postgresql:///otab?***"),
            ("mysql://u:p?x/y@h/otab", "mysql://u:***@h/otab"),
            ("mysql://h/otab?password=p@x", "mysql://h:***@x"),
        ] {
            assert_eq!(masked_url(url), shown);
        }
    }
}
