//! Customer sources in LDAP, on a real slapd.

mod outages;
mod site;
pub mod slapd;
mod story;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use otab::customer::{Directory, Error, Found, HasPassword, Names, Source};
use otab::db::ldap::{Place, Settings, Tls};
use otab::db::{Databases, Url};
use otab::mail::Address;

use super::WRITE;
use slapd::{ADMIN, BASE, PASSWORD, Slapd};

/// A place on a directory, as the administrator.
fn settings(url: &str) -> Settings<'_> {
    Settings { url, base: BASE, bind_dn: Some(ADMIN), password: Some(PASSWORD), page_size: 100, ..Settings::default() }
}

fn secured(url: &str, tls: Option<Tls>, ca_file: PathBuf) -> Settings<'_> {
    Settings { tls, ca_file: Some(ca_file), ..settings(url) }
}

/// The source `L`: login in `uid`, addresses in `mail` and `description`, the company in `o`.
fn source(settings: &Settings<'_>) -> Source {
    let name = str::to_owned;
    let names = Names {
        table: String::new(),
        login: name("uid"),
        email: name("mail"),
        search: vec![name("mail"), name("description")],
        customer_id: name("o"),
        valid: None,
        person: [name("givenName"), name("sn")],
        password: None,
    };
    let place = Place::new(settings).unwrap();
    Source { names, is_read_only: true, has_password: HasPassword::Always, ..Source::new("L", Url::Ldap(place)) }
}

fn connections() -> Databases {
    otab::store::databases(WRITE, Duration::from_mins(1))
}

fn parse(address: &str) -> Address {
    Address::parse(address).unwrap()
}

/// A directory with one source on it.
struct Bench {
    slapd: Slapd,
    directory: Directory,
    dbs: Databases,
}

impl Bench {
    fn new() -> Self {
        let slapd = Slapd::start();
        let directory = Directory::new(vec![source(&settings(&slapd.url("ldap")))]);
        Self { slapd, directory, dbs: connections() }
    }

    fn with(change: impl FnOnce(&mut Source)) -> Self {
        let mut this = Self::new();
        let mut source = this.directory.source("L").unwrap().clone();
        change(&mut source);
        this.directory = Directory::new(vec![source]);
        this
    }

    fn found(&mut self, address: &str) -> String {
        match self.find(address).unwrap() {
            Found::Valid(customer) => customer.login,
            Found::Invalid(customer) => format!("invalid {}", customer.login),
            Found::Nobody => "nobody".to_owned(),
        }
    }

    fn find(&mut self, address: &str) -> Result<Found, Error> {
        self.directory.find(&mut self.dbs, &parse(address))
    }

    fn claimed(&mut self, address: &str) -> bool {
        self.directory.claimed(&mut self.dbs, &parse(address)).unwrap().is_some()
    }

    fn has_login(&mut self, login: &str) -> bool {
        self.directory.by_login_anywhere(&mut self.dbs, login).unwrap().is_some()
    }
}
