//! Customer sources on SQLite, PostgreSQL, MariaDB and LDAP: one story for all, and what only servers can do.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod check;
mod copy;
mod copy_broken_off;
mod drivers;
mod helpdesk;
#[cfg(feature = "ldap")]
mod ldap;
mod look_alikes;
mod million;
pub mod moved;
mod notification;
mod outages;
mod package_tokens;
pub mod server;
pub mod store;
mod story;
mod ticket_commands;
mod tickets;
mod tls;

use std::path::Path;
use std::sync::LazyLock;

use otab::db::{Access, Url};
use server::{Product, Server};

static POSTGRESQL: LazyLock<Server> = LazyLock::new(|| Server::start(Product::PostgreSql));
static MARIADB: LazyLock<Server> = LazyLock::new(|| Server::start(Product::MariaDb));

/// The server that all tests of this run share; each has databases of its own there.
pub fn shared(product: Product) -> &'static Server {
    match product {
        Product::PostgreSql => &POSTGRESQL,
        Product::MariaDb => &MARIADB,
    }
}

/// Where a customer source may be. Tests with the same body run in each.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Sqlite,
    PostgreSql,
    MariaDb,
}

pub const PLACES: [Place; 3] = [Place::Sqlite, Place::PostgreSql, Place::MariaDb];

/// A new, empty customer source; its URL. The folder is for those that are a file.
pub fn new_source(place: Place, folder: &Path) -> String {
    let product = match place {
        Place::Sqlite => {
            let file = tempfile::Builder::new().suffix(".db").tempfile_in(folder).unwrap().into_temp_path();
            let path = file.to_owned();
            file.close().unwrap();
            otab::store::create(&path, 0o600).unwrap();
            return format!("sqlite:{}", path.display());
        }
        Place::PostgreSql => Product::PostgreSql,
        Place::MariaDb => Product::MariaDb,
    };
    shared(product).url(&shared(product).database())
}

pub fn url(text: &str) -> Url {
    Url::parse(text, Path::new("/")).unwrap()
}

/// For writing, and never for making anything.
pub const WRITE: Access = Access::ReadWrite { create: false };
