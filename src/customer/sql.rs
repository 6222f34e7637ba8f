//! The statements on OTOBO's `customer_user` and `customer_preferences`, on one source at a time.
//!
//! A query only brings candidates: every comparison that lets somebody in is made again in Rust.
//! Passwords are never read, only whether there is one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Claim, CustomerUser, Entry};
use crate::db::{Error, Row, Statements, Value};
use crate::mail::{Address, fold};

/// The columns that [`customer`] reads, in its order.
const CUSTOMER: &str = "SELECT login, email, customer_id, first_name, last_name, valid_id, \
    CASE WHEN pw IS NULL OR pw = '' THEN 0 ELSE 1 END FROM customer_user";

const BY_EMAIL: &str = "WHERE LOWER(email) = LOWER(?)";
const BY_ODD_EMAIL: &str = "WHERE email GLOB '*[^ -~]*'";
const BY_LOGIN: &str = "WHERE login = ?";

const CLAIMS: [&str; 2] = [
    "SELECT login, email FROM customer_user WHERE LOWER(login) = LOWER(?)",
    "SELECT login, email FROM customer_user WHERE LOWER(customer_id) = LOWER(?)",
];

/// Word for word the conditions of the partial indexes, or SQLite reads the whole table.
const ODD: [&str; 2] = [
    "SELECT DISTINCT login FROM customer_user WHERE login GLOB '*[^ -~]*' \
     OR LENGTH(CAST(login AS BLOB)) <> LENGTH(TRIM(login))",
    "SELECT DISTINCT customer_id FROM customer_user WHERE customer_id GLOB '*[^ -~]*' \
     OR LENGTH(CAST(customer_id AS BLOB)) <> LENGTH(TRIM(customer_id))",
];

const VALID: i64 = 1;
const INVALID: i64 = 2;
/// OTOBO's first agent, root@localhost, on whose behalf the package writes.
const ROOT: i64 = 1;

/// Everybody whose stored address is strictly this one: valid ones first, then in bytewise order of
/// login.
pub(super) fn by_address(
    db: &mut impl Statements,
    source: &str,
    address: &Address,
) -> Result<Vec<CustomerUser>, Error> {
    let mut rows = Vec::new();
    for form in address.forms() {
        rows.extend(db.rows(&format!("{CUSTOMER} {BY_EMAIL}"), &[form.into()])?);
    }
    if !address.unicode().is_ascii() {
        // SQLite's LOWER() leaves the `Ü` of a stored `HANS@MÜLLER.TEST`.
        rows.extend(db.rows(&format!("{CUSTOMER} {BY_ODD_EMAIL}"), &[])?);
    }
    rows.retain(|row| address.is_stated_by(&row.lossy(1)));
    let mut found: Vec<CustomerUser> = rows.iter().map(|row| customer(row, source)).collect::<Result<_, _>>()?;
    found.sort_by(|a, b| (!a.valid, &a.login).cmp(&(!b.valid, &b.login)));
    found.dedup_by(|a, b| a.login == b.login);
    Ok(found)
}

/// The customer with exactly this login, byte for byte.
pub(super) fn by_login(db: &mut impl Statements, source: &str, login: &str) -> Result<Option<CustomerUser>, Error> {
    let rows = db.rows(&format!("{CUSTOMER} {BY_LOGIN}"), &[login.into()])?;
    rows.iter().find(|row| row.lossy(0) == login).map(|row| customer(row, source)).transpose()
}

/// The first row that has one of `texts` as its login or customer id, broadly compared. Rows that
/// state `owner` as their own address do not count.
pub(super) fn claim(
    db: &mut impl Statements,
    source: &str,
    texts: &[String],
    owner: Option<&Address>,
) -> Result<Option<Claim>, Error> {
    for key in keys(db, texts)? {
        for sql in CLAIMS {
            let rows = db.rows(sql, &[key.as_str().into()])?;
            let other = |row: &&Row| !owner.is_some_and(|own| own.is_stated_by(&row.lossy(1)));
            if let Some(row) = rows.iter().find(other) {
                return Ok(Some(Claim { source: source.to_owned(), login: row.lossy(0).into_owned() }));
            }
        }
    }
    Ok(None)
}

/// The texts to ask the database for: as given, folded, and those odd stored texts that fold to the
/// same. For all other stored texts, folding is what `LOWER()` does.
fn keys(db: &mut impl Statements, texts: &[String]) -> Result<BTreeSet<String>, Error> {
    let folded: BTreeSet<String> = texts.iter().map(|text| fold(text)).collect();
    let mut keys: BTreeSet<String> = texts.iter().chain(&folded).cloned().collect();
    for sql in ODD {
        let odd = db.rows(sql, &[])?;
        let odd = odd.iter().map(|row| row.lossy(0).into_owned());
        keys.extend(odd.filter(|text| folded.contains(&fold(text))));
    }
    Ok(keys)
}

/// A new valid row without a password, as OTOBO's package writes it, and its preferences.
pub(super) fn insert(db: &mut impl Statements, entry: &Entry, now: Timestamp) -> Result<(), Error> {
    let time = Value::from(time(now));
    db.execute(
        "INSERT INTO customer_user (login, email, customer_id, pw, title, first_name, last_name, \
         phone, fax, mobile, street, zip, city, country, comments, valid_id, \
         create_time, create_by, change_time, change_by) \
         VALUES (?, ?, ?, NULL, '', ?, ?, '', '', '', '', '', '', '', '', ?, ?, ?, ?, ?)",
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
    db.execute(
        "DELETE FROM customer_preferences WHERE user_id = ? AND preferences_key = ?",
        &[login.into(), key.into()],
    )?;
    db.execute(
        "INSERT INTO customer_preferences (user_id, preferences_key, preferences_value) \
         VALUES (?, ?, ?)",
        &[login.into(), key.into(), value.into()],
    )?;
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
pub(super) fn disable(db: &mut impl Statements, login: &str, now: Timestamp) -> Result<bool, Error> {
    let rows = db.rows("SELECT id, login FROM customer_user WHERE login = ?", &[login.into()])?;
    // By its id, since a collation could call other logins equal.
    let Some(row) = rows.iter().find(|row| row.lossy(1) == login) else {
        return Ok(false);
    };
    let changed = db.execute(
        "UPDATE customer_user SET valid_id = ?, change_time = ?, change_by = ? WHERE id = ?",
        &[INVALID.into(), time(now).into(), ROOT.into(), row.int(0)?.into()],
    )?;
    Ok(changed == 1)
}

/// Up to `limit` customers, in order of login.
pub(super) fn list(db: &mut impl Statements, source: &str, limit: u32) -> Result<Vec<CustomerUser>, Error> {
    let rows = db.rows(&format!("{CUSTOMER} ORDER BY login LIMIT ?"), &[limit.into()])?;
    rows.iter().map(|row| customer(row, source)).collect()
}

fn customer(row: &Row, source: &str) -> Result<CustomerUser, Error> {
    Ok(CustomerUser {
        login: row.text(0)?.into_owned(),
        email: row.text(1)?.into_owned(),
        customer_id: row.text(2)?.into_owned(),
        first_name: row.text(3)?.into_owned(),
        last_name: row.text(4)?.into_owned(),
        valid: row.int(5)? == VALID,
        has_password: row.int(6)? != 0,
        source: source.to_owned(),
    })
}

/// OTOBO's time text, in UTC.
fn time(now: Timestamp) -> String {
    now.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Access, Database, Url, sqlite};
    use std::time::Duration;

    #[test]
    fn no_look_up_reads_the_whole_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        let busy = Duration::from_secs(5);
        let mut db = Database::open(&Url::Sqlite(path), Access::ReadOnly, busy).unwrap();
        for (sql, index) in [
            (format!("{CUSTOMER} {BY_EMAIL}"), "customer_user_email"),
            (format!("{CUSTOMER} {BY_ODD_EMAIL}"), "customer_user_odd_email"),
            (format!("{CUSTOMER} {BY_LOGIN}"), "sqlite_autoindex_customer_user_1"),
            (CLAIMS[0].to_owned(), "customer_user_login"),
            (CLAIMS[1].to_owned(), "customer_user_customer_id"),
            (ODD[0].to_owned(), "customer_user_odd_login"),
            (ODD[1].to_owned(), "customer_user_odd_customer_id"),
        ] {
            let values = vec![Value::from("x"); sql.matches('?').count()];
            let plan = db.rows(&format!("EXPLAIN QUERY PLAN {sql}"), &values).unwrap();
            assert_eq!(plan.len(), 1, "{sql}: {plan:?}");
            let plan = plan[0].text(3).unwrap().into_owned();
            assert!(plan.contains(&format!("INDEX {index}")), "{sql}: {plan}");
        }
    }
}
