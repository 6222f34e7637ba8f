//! Customers in an LDAP directory, which are only looked up.
//!
//! A search only brings candidates: every comparison that lets somebody in is made again in Rust. An entry that is
//! not beyond doubt counts as a customer who is not valid: as nobody, they would be created again elsewhere. Claims
//! are found by the directory's own comparison with the text and its folded form, since no filter finds all odd
//! texts.

use std::collections::BTreeSet;

use super::{Claim, CustomerUser, Names, Source, or_blank};
use crate::db::Error;
use crate::db::ldap::{Connection, Entry, Place, any_equal, present};
use crate::mail::{Address, fold};

/// Never so many with one address, login or customer id that is an address.
const MOST: usize = 1000;

/// Everybody who has the address among the attributes in which senders are looked for: valid ones first, then in
/// bytewise order of login.
pub(super) fn by_address(
    directory: &mut Connection,
    place: &Place,
    source: &Source,
    address: &Address,
) -> Result<Vec<CustomerUser>, Error> {
    let forms = address.forms();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let search: Vec<&str> = source.names.search.iter().map(String::as_str).collect();
    let filter = any_equal(place.filter(), &search, &forms);
    let entries = directory.search(&filter, &attributes(&source.names), MOST)?;
    let stating = entries.iter().filter(|entry| states(entry, address));
    let mut found: Vec<CustomerUser> = stating.map(|entry| customer(entry, source)).collect();
    found.sort_by(|a, b| (!a.valid, &a.login).cmp(&(!b.valid, &b.login)));
    Ok(found)
}

/// The customer with exactly this login, byte for byte. Two of them are not one: neither is valid then.
pub(super) fn by_login(
    directory: &mut Connection,
    place: &Place,
    source: &Source,
    login: &str,
) -> Result<Option<CustomerUser>, Error> {
    let filter = any_equal(place.filter(), &[&source.names.login], &[login]);
    let entries = directory.search(&filter, &attributes(&source.names), MOST)?;
    let mut same = entries.iter().filter(|entry| text(&entry[LOGIN]) == Some(login));
    let first = same.next().map(|entry| customer(entry, source));
    let is_one = same.next().is_none();
    Ok(first.map(|customer| CustomerUser { valid: customer.valid && is_one, ..customer }))
}

/// The first entry that has one of `texts` as login, customer id or address, as the directory compares. Entries that
/// state `owner` as their own address do not count.
pub(super) fn claim(
    directory: &mut Connection,
    place: &Place,
    source: &Source,
    texts: &[String],
    owner: Option<&Address>,
) -> Result<Option<Claim>, Error> {
    let folded: Vec<String> = texts.iter().map(|text| fold(text)).collect();
    let asked: BTreeSet<&str> = texts.iter().chain(&folded).map(String::as_str).collect();
    let asked: Vec<&str> = asked.into_iter().collect();
    let Names { login, customer_id, email, search, .. } = &source.names;
    let names: BTreeSet<&str> = [login, customer_id, email].into_iter().chain(search).map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let filter = any_equal(place.filter(), &names, &asked);
    let entries = directory.search(&filter, &attributes(&source.names), MOST)?;
    let other = entries.iter().find(|entry| !owner.is_some_and(|owner| states(entry, owner)));
    let login = |entry: &Entry| entry[LOGIN].first().map(|value| String::from_utf8_lossy(value).into_owned());
    Ok(other.map(|entry| Claim { source: source.name.clone(), login: login(entry).unwrap_or_default() }))
}

/// Up to `limit` customers, in order of login.
pub(super) fn list(
    directory: &mut Connection,
    place: &Place,
    source: &Source,
    limit: u32,
) -> Result<Vec<CustomerUser>, Error> {
    let filter = present(place.filter(), &source.names.login);
    // A directory has no order: all of them come, and then the first ones are taken.
    let entries = directory.list(&filter, &attributes(&source.names), usize::MAX)?;
    let mut all: Vec<CustomerUser> = entries.iter().map(|entry| customer(entry, source)).collect();
    all.sort_by(|a, b| a.login.cmp(&b.login));
    all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(all)
}

const LOGIN: usize = 0;
const EMAIL: usize = 1;
const CUSTOMER_ID: usize = 2;
const FIRST_NAME: usize = 3;
const LAST_NAME: usize = 4;
const VALID: usize = 5;
/// The first of those in which senders are looked for.
const SEARCH: usize = 6;

/// What is asked for, in the order of the numbers above.
fn attributes(names: &Names) -> Vec<&str> {
    let Names { login, email, search, customer_id, valid, person: [first, last], .. } = names;
    // Without an attribute for it, the login's: something has to stand there.
    let valid = valid.as_ref().unwrap_or(login);
    [login, email, customer_id, first, last, valid].into_iter().chain(search).map(String::as_str).collect()
}

/// Whether the entry states this address as its own, strictly compared.
fn states(entry: &Entry, address: &Address) -> bool {
    let mut values = entry[SEARCH..].iter().flatten().filter_map(|value| std::str::from_utf8(value).ok());
    values.any(|value| address.is_stated_by(value))
}

/// The one value of an attribute.
fn text(values: &[Vec<u8>]) -> Option<&str> {
    let [value] = values else {
        return None;
    };
    std::str::from_utf8(value).ok()
}

fn customer(entry: &Entry, source: &Source) -> CustomerUser {
    let names = &source.names;
    // As OTOBO does it: of several addresses the first. Where it is the customer id, too, that is the same.
    let email = entry[EMAIL].first().and_then(|value| std::str::from_utf8(value).ok());
    let customer_id = if names.customer_id == names.email { email } else { text(&entry[CUSTOMER_ID]) };
    let login = text(&entry[LOGIN]);
    let is_certain = login.is_some() && email.is_some() && customer_id.is_some();
    let lossy = |at: usize| entry[at].first().map(|value| String::from_utf8_lossy(value).into_owned());
    source.keeps(CustomerUser {
        login: lossy(LOGIN).unwrap_or_default(),
        email: lossy(EMAIL).unwrap_or_default(),
        customer_id: customer_id.unwrap_or_default().to_owned(),
        first_name: or_blank(lossy(FIRST_NAME)),
        last_name: or_blank(lossy(LAST_NAME)),
        valid: is_certain && (names.valid.is_none() || is_yes(&entry[VALID])),
        has_password: true,
        source: String::new(),
    })
}

/// `1` as in OTOBO's tables, or LDAP's own TRUE.
fn is_yes(values: &[Vec<u8>]) -> bool {
    text(values).is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"))
}
