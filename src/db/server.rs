//! Where a database server is and how it is spoken to, read from a URL. Never connects.
//!
//! What the text holds is never repeated in an error: a part of it may be a password.

use std::fmt;
use std::path::{Path, PathBuf};

use super::UrlError;
use crate::text::percent;

/// Folder of PostgreSQL's socket, and MariaDB's socket, where a URL names no host.
const POSTGRESQL_FOLDER: &str = "/run/postgresql";
const MARIADB_SOCKET: &str = "/run/mysqld/mysqld.sock";

/// One database on a PostgreSQL, MariaDB or MySQL server.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Server {
    /// How it is reached.
    pub(super) host: Host,
    /// Who logs in; `None`: the user that the process runs as.
    pub(super) user: Option<String>,
    pub(super) password: Option<Password>,
    /// The database's name.
    pub(super) database: String,
    /// Whether the tables there are the program's own.
    pub(super) is_store: bool,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Host {
    /// By TCP: name or address, port, and whether it has to show a certificate.
    Tcp(String, u16, Tls),
    /// By a Unix socket. For PostgreSQL: the socket's folder, and the port that is in its name.
    Socket(PathBuf, u16),
}

/// Whether the connection is encrypted. There is nothing between: what may fall back, will.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Tls {
    Off,
    /// With a certificate for this host, by the authorities of the system, or by those of this file (PEM).
    Checked(Option<PathBuf>),
}

/// Shows itself as `***`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Password(pub(super) String);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Which kind of server a URL is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    PostgreSql,
    MariaDb,
}

impl Server {
    /// Reads what follows `scheme:`. Relative paths count from the folder `base`.
    pub(super) fn parse(product: Product, rest: &str, base: &Path) -> Result<Self, UrlError> {
        let rest = rest.strip_prefix("//").ok_or(UrlError::Server)?;
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = rest.split_once('/').ok_or(UrlError::Server)?;
        let (login, place) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        let (user, password, database) = (decoded(user)?, decoded(password)?, decoded(database)?);
        if database.is_empty() || database.contains('/') {
            return Err(UrlError::Server);
        }
        let query = Query::parse(query, base)?;
        let host = match product {
            Product::PostgreSql => query.host(place, 5432, "host", Path::new(POSTGRESQL_FOLDER)),
            Product::MariaDb => query.host(place, 3306, "socket", Path::new(MARIADB_SOCKET)),
        }?;
        Ok(Self {
            host,
            user: Some(user).filter(|user| !user.is_empty()),
            password: Some(password).filter(|password| !password.is_empty()).map(Password),
            database,
            is_store: false,
        })
    }
}

/// As it may be shown: without its password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        match &self.host {
            Host::Tcp(host, port, _) if host.contains(':') => write!(f, "[{host}]:{port}/{}", self.database),
            Host::Tcp(host, port, _) => write!(f, "{host}:{port}/{}", self.database),
            Host::Socket(path, _) => write!(f, "{} by {}", self.database, path.display()),
        }
    }
}

/// What may stand behind the question mark.
#[derive(Default)]
struct Query {
    /// `host` (PostgreSQL: the socket's folder) and `socket` (MariaDB: the socket), as they stand.
    socket: Option<(&'static str, PathBuf)>,
    has_tls: Option<bool>,
    ca_file: Option<PathBuf>,
}

impl Query {
    fn parse(text: &str, base: &Path) -> Result<Self, UrlError> {
        let mut this = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(UrlError::Query)?;
            let value = decoded(value)?;
            match (key, value.as_str()) {
                ("host", path) if path.starts_with('/') => this.socket = Some(("host", path.into())),
                ("socket", path) if path.starts_with('/') => this.socket = Some(("socket", path.into())),
                ("sslmode", "disable") => this.has_tls = Some(false),
                ("sslmode", "require" | "verify-full") => this.has_tls = Some(true),
                ("ca_file", path) if !path.is_empty() => this.ca_file = Some(base.join(path)),
                _ => return Err(UrlError::Query),
            }
        }
        Ok(this)
    }

    /// `place` is `host`, `host:port`, or empty.
    fn host(self, place: &str, port: u16, key: &str, default_socket: &Path) -> Result<Host, UrlError> {
        let (name, written) = split_port(place)?;
        let port = written.unwrap_or(port);
        match self.socket {
            Some((given, _)) if given != key => return Err(UrlError::Query),
            // A host beside a socket is what MySQL's users write out of habit: the socket is what counts.
            Some((_, path)) => return Ok(Host::Socket(path, port)),
            None if name.is_empty() => return Ok(Host::Socket(default_socket.to_owned(), port)),
            None => {}
        }
        let name = decoded(name)?;
        let has_tls = self.has_tls.unwrap_or(!is_loopback(&name) || self.ca_file.is_some());
        let tls = if has_tls { Tls::Checked(self.ca_file) } else { Tls::Off };
        Ok(Host::Tcp(name, port, tls))
    }
}

/// `[::1]:5432`, `db.example.org:5432` or a name alone.
pub(super) fn split_port(place: &str) -> Result<(&str, Option<u16>), UrlError> {
    let (name, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']').ok_or(UrlError::Server)?;
            (name, port.strip_prefix(':'))
        }
        None => place.split_once(':').map_or((place, None), |(name, port)| (name, Some(port))),
    };
    let port = port.map(|port| port.parse().map_err(|_| UrlError::Server)).transpose()?;
    Ok((name, port))
}

pub(super) fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Percent-encoding undone. Nothing that a URL names has control characters.
fn decoded(text: &str) -> Result<String, UrlError> {
    percent::decoded(text).filter(|text| !text.chars().any(char::is_control)).ok_or(UrlError::Server)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(product: Product, rest: &str) -> Result<Server, UrlError> {
        Server::parse(product, rest, Path::new("/etc/otab"))
    }

    fn tcp(name: &str, port: u16, tls: Tls) -> Host {
        Host::Tcp(name.to_owned(), port, tls)
    }

    #[test]
    fn a_host_far_away_needs_tls_unless_the_url_has_none() {
        let trusted = Tls::Checked(None);
        let own = Tls::Checked(Some("/etc/otab/ca.pem".into()));
        for (rest, host) in [
            ("//u@db.example.org/d", tcp("db.example.org", 5432, trusted.clone())),
            ("//u@db.example.org:99/d?sslmode=verify-full", tcp("db.example.org", 99, trusted.clone())),
            ("//u@db.example.org/d?sslmode=disable", tcp("db.example.org", 5432, Tls::Off)),
            ("//u@db.example.org/d?ca_file=ca.pem", tcp("db.example.org", 5432, own.clone())),
            ("//u@localhost/d", tcp("localhost", 5432, Tls::Off)),
            ("//u@127.0.0.1/d?sslmode=require", tcp("127.0.0.1", 5432, trusted)),
            ("//u@[::1]:7/d", tcp("::1", 7, Tls::Off)),
            ("//u@localhost/d?ca_file=/etc/otab/ca.pem", tcp("localhost", 5432, own)),
            ("///d", Host::Socket("/run/postgresql".into(), 5432)),
            ("//u@:7/d?host=%2Frun/x", Host::Socket("/run/x".into(), 7)),
        ] {
            assert_eq!(parse(Product::PostgreSql, rest).unwrap().host, host, "{rest}");
        }
        let server = parse(Product::MariaDb, "//u@localhost/d?socket=/run/m.sock").unwrap();
        assert_eq!(server.host, Host::Socket("/run/m.sock".into(), 3306));
    }

    #[test]
    fn url_parts_are_percent_decoded_and_secrets_hidden() {
        let server = parse(Product::MariaDb, "//us%40er:p%2Fw%3f@h:1/d%20b").unwrap();
        assert_eq!((server.user.as_deref(), server.database.as_str()), (Some("us@er"), "d b"));
        assert_eq!(server.password, Some(Password("p/w?".to_owned())));
        assert_eq!(server.to_string(), "us@er@h:1/d b");
        assert!(!format!("{server:?}").contains("p/w"));
    }

    #[test]
    fn what_is_no_url_of_a_server_is_refused() {
        for rest in ["", "//h", "//h/", "/d", "//h:x/d", "//h:99999/d", "//u:p%zz@h/d", "//h/a/b", "//u%00@h/d"] {
            assert_eq!(parse(Product::PostgreSql, rest).unwrap_err(), UrlError::Server, "{rest}");
        }
        for query in ["sslmode=prefer", "sslmode=verify-ca", "sslmode", "password=x", "socket=/x", "host=x", "ca_file="]
        {
            let rest = format!("//h/d?{query}");
            assert_eq!(parse(Product::PostgreSql, &rest).unwrap_err(), UrlError::Query, "{rest}");
        }
    }
}
