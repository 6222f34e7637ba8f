//! Customer sources on SQLite, PostgreSQL, MariaDB and LDAP: one story for all, and what only servers can do.

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
use std::process::Output;
use std::sync::LazyLock;

use otab::db::{Access, Url};
use server::{Product, Server};

use crate::site::Ended;

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

/// An empty store, made by nobody yet; its URL.
pub fn new_store(place: Place) -> String {
    let product = match place {
        Place::Sqlite => return "sqlite:otab.db".to_owned(),
        Place::PostgreSql => Product::PostgreSql,
        Place::MariaDb => Product::MariaDb,
    };
    shared(product).url(&shared(product).empty_database())
}

/// The mail waits for its customer source, and nobody outside learns more.
#[track_caller]
pub fn cannot_be_looked_up(output: &Output, what: &str) {
    output.is_deferred(what);
    assert_eq!(output.err(), "4.3.0 otab defers the mail: the customers cannot be looked up\n", "{what}");
}

pub fn url(text: &str) -> Url {
    Url::parse(text, Path::new("/")).unwrap()
}

/// For writing, and never for making anything.
pub const WRITE: Access = Access::ReadWrite { create: false };
