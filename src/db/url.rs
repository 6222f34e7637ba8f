//! Where a database is, read from the configuration's text. Never opens anything.

use std::fmt;
use std::path::{Path, PathBuf};

/// The place of one database. Equal places share one connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Url {
    /// An SQLite file, by its absolute path.
    Sqlite(PathBuf),
}

/// Why a text is no database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// A database that a later version will know.
    #[error("`{0}:` is not supported yet in this version; use `sqlite:` and the path of a file")]
    NotYet(String),
    /// No scheme at all, or one that nobody knows. The text is not repeated: it may hold a password.
    #[error("a database URL is written `sqlite:` and the path of a file")]
    Malformed,
    /// `sqlite:` without a usable path.
    #[error("the path after `sqlite:` is empty or holds a NUL")]
    Path,
}

impl Url {
    /// Reads `sqlite:PATH`; a relative path counts from the folder `base`.
    ///
    /// The path is made absolute, since SQLite takes the relative names `:memory:` and `file:…` for
    /// something else.
    pub fn parse(text: &str, base: &Path) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::Malformed)?;
        match scheme {
            "sqlite" => {
                let rest = Some(rest).filter(|rest| !rest.is_empty() && !rest.contains('\0'));
                let joined = base.join(rest.ok_or(UrlError::Path)?);
                let path = std::path::absolute(joined).map_err(|_| UrlError::Path)?;
                Ok(Self::Sqlite(path))
            }
            "postgres" | "postgresql" | "mysql" | "mariadb" | "ldap" | "ldaps" => {
                Err(UrlError::NotYet(scheme.to_owned()))
            }
            _ => Err(UrlError::Malformed),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_count_from_the_given_folder() {
        let base = Path::new("/etc/otab");
        for (text, place) in [
            ("sqlite:otab.db", "sqlite:/etc/otab/otab.db"),
            ("sqlite:./otab.db", "sqlite:/etc/otab/otab.db"),
            ("sqlite:/var/lib/x.db", "sqlite:/var/lib/x.db"),
            ("sqlite::memory:", "sqlite:/etc/otab/:memory:"),
        ] {
            assert_eq!(Url::parse(text, base).unwrap().to_string(), place);
        }
    }

    #[test]
    fn what_is_no_sqlite_url_is_refused_without_repeating_a_password() {
        let base = Path::new("/");
        let refused = |text| Url::parse(text, base).unwrap_err();
        assert_eq!(refused("sqlite:"), UrlError::Path);
        assert_eq!(refused("sqlite:a\0b"), UrlError::Path);
        assert_eq!(refused("otab.db"), UrlError::Malformed);
        assert_eq!(refused("SQL://u:secret@h"), UrlError::Malformed);
        let later = refused("postgresql://otab:secret@host/otab").to_string();
        assert!(later.contains("not supported yet in this version"));
        assert!(!later.contains("secret"));
    }
}
