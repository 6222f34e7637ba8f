//! Where a database is, read from the configuration's text. Never opens anything.

use std::fmt;
use std::path::{Path, PathBuf};

use super::ldap::Place;
use super::server::{Password, Product, Server};

/// The place of one database. Equal places share one connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Url {
    /// An SQLite file, by its absolute path.
    Sqlite(PathBuf),
    /// A database on a PostgreSQL server.
    PostgreSql(Server),
    /// A database on a MariaDB or MySQL server.
    MariaDb(Server),
    /// A part of an LDAP directory. It is no SQL database: `ldap::Connection` searches it.
    Ldap(Place),
}

/// Why a text is no database URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Where only SQL helps.
    #[error("`{0}:` is for [[customer_user]] alone; use `sqlite:`, `postgresql:` or `mysql:`")]
    Directory(String),
    /// A driver that was left out when this otab was built.
    #[error("this otab was built without `{0}:` (the cargo feature `{1}`)")]
    NotBuilt(String, &'static str),
    /// No scheme at all, or one that nobody knows. The text is not repeated: it may hold a password.
    #[error("a database URL begins with `sqlite:`, `postgresql:`, `mysql:` or `mariadb:`")]
    Malformed,
    /// `sqlite:` without a usable path.
    #[error("the path after `sqlite:` is empty or holds a NUL")]
    Path,
    /// No URL of a server.
    #[error(
        "a server's URL is written SCHEME://USER:PASSWORD@HOST:PORT/DATABASE, with `%` and two hex digits for \
         every character that means something else (`@` is %40, `/` is %2F)"
    )]
    Server,
    /// Behind the question mark stands something else than it may.
    #[error(
        "behind the `?` of a server's URL may stand sslmode=disable, sslmode=require (or verify-full, which is the \
         same here), ca_file=PATH, and host=/FOLDER (PostgreSQL) or socket=/PATH (MariaDB), joined by `&`"
    )]
    Query,
    /// Two passwords, or one for a file.
    #[error("there is a password, and the URL has one already or is none of a server")]
    Password,
}

impl Url {
    /// Reads `sqlite:PATH`, `postgresql://…`, `mysql://…` or `mariadb://…`; relative paths count from the
    /// folder `base`.
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
            "postgres" | "postgresql" if !cfg!(feature = "postgresql") => {
                Err(UrlError::NotBuilt(scheme.to_owned(), "postgresql"))
            }
            "mysql" | "mariadb" if !cfg!(feature = "mariadb") => Err(UrlError::NotBuilt(scheme.to_owned(), "mariadb")),
            "postgres" | "postgresql" => Server::parse(Product::PostgreSql, rest, base).map(Self::PostgreSql),
            "mysql" | "mariadb" => Server::parse(Product::MariaDb, rest, base).map(Self::MariaDb),
            "ldap" | "ldaps" => Err(UrlError::Directory(scheme.to_owned())),
            _ => Err(UrlError::Malformed),
        }
    }

    /// The same place, marked as one whose tables are the program's own: its [`super::Opener`] checks them. (Those of
    /// a file always are.)
    #[must_use]
    pub fn as_store(mut self) -> Self {
        if let Self::PostgreSql(server) | Self::MariaDb(server) = &mut self {
            server.is_store = true;
        }
        self
    }

    /// Whether the tables there are the program's own.
    #[must_use]
    pub fn is_store(&self) -> bool {
        match self {
            Self::Sqlite(_) => true,
            Self::PostgreSql(server) | Self::MariaDb(server) => server.is_store,
            Self::Ldap(_) => false,
        }
    }

    /// The same place, with a password that the URL itself does not hold.
    pub fn with_password(mut self, password: &str) -> Result<Self, UrlError> {
        match &mut self {
            Self::PostgreSql(server) | Self::MariaDb(server) if server.password.is_none() => {
                server.password = Some(Password(password.to_owned()));
                Ok(self)
            }
            _ => Err(UrlError::Password),
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::PostgreSql(server) => write!(f, "PostgreSQL {server}"),
            Self::MariaDb(server) => write!(f, "MariaDB {server}"),
            Self::Ldap(place) => place.fmt(f),
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
    #[cfg(feature = "postgresql")]
    fn a_password_from_elsewhere_goes_where_none_is() {
        let parse = |text| Url::parse(text, Path::new("/")).unwrap();
        let url = parse("postgresql://u@h/d").with_password("secret").unwrap();
        assert_eq!(url.to_string(), "PostgreSQL u@h:5432/d");
        assert_ne!(url, parse("postgresql://u@h/d"));
        assert_eq!(url.with_password("other"), Err(UrlError::Password));
        assert_eq!(parse("sqlite:x").with_password("secret"), Err(UrlError::Password));
    }

    #[test]
    fn what_is_no_sqlite_url_is_refused_without_secrets() {
        let base = Path::new("/");
        let refused = |text: &str| Url::parse(text, base).unwrap_err();
        assert_eq!(refused("sqlite:"), UrlError::Path);
        assert_eq!(refused("sqlite:a\0b"), UrlError::Path);
        assert_eq!(refused("otab.db"), UrlError::Malformed);
        assert_eq!(refused("SQL://u:secret@h"), UrlError::Malformed);
        let later = refused("ldap://otab:secret@host/otab").to_string();
        assert!(later.contains("for [[customer_user]] alone"));
        assert!(!later.contains("secret"));
        for (scheme, feature, is_built) in [
            ("postgresql", "postgresql", cfg!(feature = "postgresql")),
            ("mysql", "mariadb", cfg!(feature = "mariadb")),
            ("mariadb", "mariadb", cfg!(feature = "mariadb")),
        ] {
            let text = format!("{scheme}://otab:secret@host:port/otab");
            let without = UrlError::NotBuilt(scheme.to_owned(), feature);
            assert_eq!(refused(&text), if is_built { UrlError::Server } else { without });
            assert!(!refused(&text).to_string().contains("secret"));
        }
    }
}
