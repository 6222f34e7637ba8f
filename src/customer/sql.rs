//! The statements on OTOBO's `customer_user` and `customer_preferences`, on one source at a time.
//!
//! A query only brings candidates: every comparison that lets somebody in is made again in Rust.
//! Passwords are never read, only whether there is one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::candidates::{SEARCH, can_hold, claiming, comparable, select, stating, with_login};
use super::{Claim, CustomerUser, Entry, Source};
use crate::db::{Error, Row, Statements, Value};
use crate::mail::{Address, fold};

const VALID: i64 = 1;
const INVALID: i64 = 2;
/// OTOBO's first agent, root@localhost, on whose behalf the package writes.
const ROOT: i64 = 1;

const INSERT: &str = "INSERT INTO customer_user (login, email, customer_id, pw, title, first_name, last_name, \
    phone, fax, mobile, street, zip, city, country, comments, valid_id, \
    create_time, create_by, change_time, change_by) \
    VALUES (?, ?, ?, NULL, '', ?, ?, '', '', '', '', '', '', '', '', ?, ?, ?, ?, ?)";
const DELETE_PREFERENCE: &str = "DELETE FROM customer_preferences WHERE user_id = ? AND preferences_key = ?";
const INSERT_PREFERENCE: &str =
    "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) VALUES (?, ?, ?)";

/// The statements by which a sender is looked up here, with their values: to be planned, for one.
pub(super) fn look_up(
    db: &mut impl Statements,
    source: &Source,
    address: &Address,
) -> Result<Vec<(String, Vec<Value>)>, Error> {
    let asked = comparable(db, source, &address.forms())?;
    Ok(stating(db.dialect(), &asked.source, address, &asked.folds).statements(db.dialect(), &asked.source))
}

/// Everybody whose stored address is strictly this one: valid ones first, then in bytewise order of
/// login.
pub(super) fn by_address(
    db: &mut impl Statements,
    source: &Source,
    address: &Address,
) -> Result<Vec<CustomerUser>, Error> {
    let asked = comparable(db, source, &address.forms())?;
    let rows = stating(db.dialect(), &asked.source, address, &asked.folds).rows(db, &asked.source)?;
    stated_by(&rows, source, address)
}

/// The customers among the rows whose stored address is strictly this one, as [`by_address`] orders them.
fn stated_by(rows: &[Row], source: &Source, address: &Address) -> Result<Vec<CustomerUser>, Error> {
    let rows = rows.iter().filter(|row| states(row, source, address));
    let mut found: Vec<CustomerUser> = rows.map(|row| customer(row, source)).collect::<Result<_, _>>()?;
    found.sort_by(|a, b| (!a.valid, &a.login).cmp(&(!b.valid, &b.login)));
    found.dedup_by(|a, b| a.login == b.login);
    Ok(found)
}

/// [`by_address`] and the [`claim`] on an address in one look: where there is no index, the table is read once
/// for both.
pub(super) fn by_address_or_claim(
    db: &mut impl Statements,
    source: &Source,
    address: &Address,
) -> Result<(Vec<CustomerUser>, Option<Claim>), Error> {
    let (texts, dialect) = (address.forms(), db.dialect());
    let folded: BTreeSet<String> = texts.iter().map(|text| fold(text)).collect();
    let asked = comparable(db, source, &texts)?;
    let rows = claiming(dialect, &asked.source, &texts, &folded).rows(db, &asked.source)?;
    Ok((stated_by(&rows, source, address)?, first_claim(&rows, source, &folded, Some(address))))
}

/// Whether the row states this address as its own, strictly compared.
fn states(row: &Row, source: &Source, address: &Address) -> bool {
    let mut fields = SEARCH..SEARCH + source.names.search.len();
    fields.any(|field| address.is_stated_by(&row.lossy(field)))
}

/// The customer with exactly this login, byte for byte.
pub(super) fn by_login(db: &mut impl Statements, source: &Source, login: &str) -> Result<Option<CustomerUser>, Error> {
    if !can_hold(db.dialect(), login) {
        return Ok(None);
    }
    let rows = if login.is_ascii() {
        db.rows(&with_login(db.dialect(), source), &[login.into()])?
    } else {
        let asked = comparable(db, source, &[login.to_owned()])?;
        db.rows(&with_login(db.dialect(), &asked.source), &[login.into()])?
    };
    rows.iter().find(|row| row.lossy(0) == login).map(|row| customer(row, source)).transpose()
}

/// The first row that has one of `texts` as its login, customer id or address, broadly compared. Rows that
/// state `owner` as their own address do not count.
pub(super) fn claim(
    db: &mut impl Statements,
    source: &Source,
    texts: &[String],
    owner: Option<&Address>,
) -> Result<Option<Claim>, Error> {
    let folded: BTreeSet<String> = texts.iter().map(|text| fold(text)).collect();
    let asked = comparable(db, source, texts)?;
    let rows = claiming(db.dialect(), &asked.source, texts, &folded).rows(db, &asked.source)?;
    Ok(first_claim(&rows, source, &folded, owner))
}

/// The first of the rows that has one of the texts, and does not state `owner` as its own address.
fn first_claim(rows: &[Row], source: &Source, folded: &BTreeSet<String>, owner: Option<&Address>) -> Option<Claim> {
    let why = SEARCH + source.names.search.len();
    let claims = |row: &&Row| {
        let mut columns = (0..=2).chain(SEARCH..why);
        let is_equal = row.lossy(why) == "1" || columns.any(|column| folded.contains(&fold(&row.lossy(column))));
        is_equal && !owner.is_some_and(|owner| states(row, source, owner))
    };
    let claim = |row: &Row| Claim { source: source.name.clone(), login: row.lossy(0).into_owned() };
    rows.iter().find(claims).map(claim)
}

/// A new valid row without a password, as OTOBO's package writes it, and its preferences.
pub(super) fn insert(db: &mut impl Statements, source: &Source, entry: &Entry, now: Timestamp) -> Result<(), Error> {
    let time = Value::from(source.zone.write(now));
    db.execute(
        INSERT,
        &[
            (&entry.login).into(),
            (&entry.email).into(),
            (&entry.customer_id).into(),
            (&entry.first_name).into(),
            (&entry.last_name).into(),
            VALID.into(),
            time.clone(),
            ROOT.into(),
            time,
            ROOT.into(),
        ],
    )?;
    for (key, value) in &entry.preferences {
        set_preference(db, &entry.login, key, value)?;
    }
    Ok(())
}

/// Nothing is unique in this table, and a deleted customer of the same login may have left rows.
fn set_preference(db: &mut impl Statements, login: &str, key: &str, value: &str) -> Result<(), Error> {
    db.execute(DELETE_PREFERENCE, &[login.into(), key.into()])?;
    db.execute(INSERT_PREFERENCE, &[login.into(), key.into(), value.into()])?;
    Ok(())
}

/// One preference of the customer with exactly this login.
pub(super) fn preference(db: &mut impl Statements, login: &str, key: &str) -> Result<Option<String>, Error> {
    let rows = db.rows(
        "SELECT user_id, preferences_value FROM customer_preferences \
         WHERE user_id = ? AND preferences_key = ?",
        &[login.into(), key.into()],
    )?;
    let row = rows.iter().find(|row| row.lossy(0) == login);
    let text = row.map(|row| row.opt_text(1)).transpose()?.flatten();
    Ok(text.map(std::borrow::Cow::into_owned))
}

/// Makes the customer with exactly this login invalid; `false` where there is none.
pub(super) fn disable(db: &mut impl Statements, source: &Source, login: &str, now: Timestamp) -> Result<bool, Error> {
    let rows = db.rows("SELECT id, login FROM customer_user WHERE login = ?", &[login.into()])?;
    // By its id, since a collation could call other logins equal.
    let Some(row) = rows.iter().find(|row| row.lossy(1) == login) else {
        return Ok(false);
    };
    let changed = db.execute(
        "UPDATE customer_user SET valid_id = ?, change_time = ?, change_by = ? WHERE id = ?",
        &[INVALID.into(), source.zone.write(now).into(), ROOT.into(), row.int(0)?.into()],
    )?;
    Ok(changed == 1)
}

/// Up to `limit` customers, in order of login.
pub(super) fn list(db: &mut impl Statements, source: &Source, limit: u32) -> Result<Vec<CustomerUser>, Error> {
    let sql = format!("{} ORDER BY {} LIMIT ?", select(source, "1"), source.names.login);
    db.rows(&sql, &[limit.into()])?.iter().map(|row| customer(row, source)).collect()
}

fn customer(row: &Row, source: &Source) -> Result<CustomerUser, Error> {
    Ok(source.keeps(CustomerUser {
        login: row.text(0)?.into_owned(),
        email: row.text(1)?.into_owned(),
        customer_id: row.text(2)?.into_owned(),
        first_name: row.text(3)?.into_owned(),
        last_name: row.text(4)?.into_owned(),
        valid: row.int(5)? == VALID,
        has_password: row.int(6)? != 0,
        source: String::new(),
    }))
}
