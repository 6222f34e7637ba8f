//! What is asked of one source, whatever it is: a database in OTOBO's shape, or a directory.
//!
//! An error says which source it was.

use super::{Claim, CustomerUser, Error, Source, ldap, sql};
use crate::db::{self, Database, Databases, Url};
use crate::mail::Address;

/// Everybody whose stored address is strictly this one, valid ones first.
pub(super) fn by_address(dbs: &mut Databases, source: &Source, address: &Address) -> Result<Vec<CustomerUser>, Error> {
    match &source.url {
        Url::Ldap(place) => {
            told(source, dbs.directory(place).and_then(|d| ldap::by_address(d, place, source, address)))
        }
        _ => ask(dbs, source, |db| sql::by_address(db, source, address)),
    }
}

/// The customer with exactly this login.
pub(super) fn by_login(dbs: &mut Databases, source: &Source, login: &str) -> Result<Option<CustomerUser>, Error> {
    match &source.url {
        Url::Ldap(place) => told(source, dbs.directory(place).and_then(|d| ldap::by_login(d, place, source, login))),
        _ => ask(dbs, source, |db| sql::by_login(db, source, login)),
    }
}

/// The first row that has one of `texts` as its login, customer id or address, broadly compared.
pub(super) fn claim(
    dbs: &mut Databases,
    source: &Source,
    texts: &[String],
    owner: Option<&Address>,
) -> Result<Option<Claim>, Error> {
    match &source.url {
        Url::Ldap(place) => {
            told(source, dbs.directory(place).and_then(|d| ldap::claim(d, place, source, texts, owner)))
        }
        _ => ask(dbs, source, |db| sql::claim(db, source, texts, owner)),
    }
}

/// Up to `limit` customers, in order of login.
pub(super) fn list(dbs: &mut Databases, source: &Source, limit: u32) -> Result<Vec<CustomerUser>, Error> {
    match &source.url {
        Url::Ldap(place) => told(source, dbs.directory(place).and_then(|d| ldap::list(d, place, source, limit))),
        _ => ask(dbs, source, |db| sql::list(db, source, limit)),
    }
}

/// One preference. A directory has none.
pub(super) fn preference(
    dbs: &mut Databases,
    source: &Source,
    login: &str,
    key: &str,
) -> Result<Option<String>, Error> {
    match &source.url {
        Url::Ldap(_) => Ok(None),
        _ => ask(dbs, source, |db| sql::preference(db, login, key)),
    }
}

/// The database of a source that is one.
pub(super) fn open<'d>(dbs: &'d mut Databases, source: &Source) -> Result<&'d mut Database, Error> {
    told(source, dbs.get(&source.url))
}

/// Asks a database.
pub(super) fn ask<T>(
    dbs: &mut Databases,
    source: &Source,
    question: impl FnOnce(&mut Database) -> Result<T, db::Error>,
) -> Result<T, Error> {
    told(source, question(open(dbs, source)?))
}

fn told<T>(source: &Source, answer: Result<T, db::Error>) -> Result<T, Error> {
    answer.map_err(|error| Error::from(error).of(source))
}
