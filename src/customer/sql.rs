//! The statements on OTOBO's `customer_user` and `customer_preferences`, on one source at a time.
//!
//! A query only brings candidates: every comparison that lets somebody in is made again in Rust.
//! Passwords are never read, only whether there is one.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Claim, CustomerUser, Entry, Names, Source};
use crate::db::{Dialect, Error, Row, Statements, Value};
use crate::mail::{Address, fold};

const VALID: i64 = 1;
const INVALID: i64 = 2;
/// OTOBO's first agent, root@localhost, on whose behalf the package writes.
const ROOT: i64 = 1;

/// The columns that [`customer`] reads, in its order; behind them those in which senders are looked for, and
/// last a word on why the row is here.
fn select(source: &Source, why: &str) -> String {
    let Names { table, login, email, search, customer_id, valid, person: [first, last], password } = &source.names;
    let valid = valid.as_deref().unwrap_or("1");
    let password = password
        .as_ref()
        .map_or_else(|| "0".to_owned(), |pw| format!("CASE WHEN {pw} IS NULL OR {pw} = '' THEN 0 ELSE 1 END"));
    let search = search.join(", ");
    format!(
        "SELECT {login}, {email}, {customer_id}, {first}, {last}, {valid}, {password}, {search}, {why} FROM {table}"
    )
}

/// The number of the first of the columns in which senders are looked for.
const SEARCH: usize = 7;

/// Holds where a text is other than printable ASCII: `LOWER()` folds ASCII letters only in SQLite, and
/// elsewhere by a locale that nobody knows.
///
/// In SQLite these are word for word the conditions of the partial indexes, or it reads the whole table.
fn is_odd(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("{column} GLOB '*[^ -~]*'"),
        Dialect::PostgreSql => format!("{} ~ '[^ -~]'", text(dialect, column)),
        // Its own regular expressions fold letters, and take the Kelvin sign for a plain K.
        Dialect::MariaDb => {
            format!("LENGTH(CONVERT({column} USING utf8mb4)) <> CHAR_LENGTH({column}) OR {column} REGEXP '[[:cntrl:]]'")
        }
    }
}

/// Holds for odd texts, and for those with blanks around.
fn is_odd_or_padded(dialect: Dialect, column: &str) -> String {
    let odd = is_odd(dialect, column);
    match dialect {
        // GLOB stops at a NUL, the lengths do not.
        Dialect::Sqlite => format!("{odd} OR LENGTH(CAST({column} AS BLOB)) <> LENGTH(TRIM({column}))"),
        Dialect::PostgreSql | Dialect::MariaDb => {
            let text = text(dialect, column);
            format!("{odd} OR LENGTH({text}) <> LENGTH(TRIM({text}))")
        }
    }
}

/// A column that may hold numbers, as a text. PostgreSQL does not compare one with the other; and to it, this
/// is what stands in an index anyway.
fn text(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::PostgreSql => format!("CAST({column} AS TEXT)"),
        Dialect::Sqlite | Dialect::MariaDb => column.to_owned(),
    }
}

/// What candidates are looked for by.
struct Wanted {
    /// Conditions by which the database itself calls a row equal, with their values.
    equal: Vec<(String, Vec<Value>)>,
    /// Conditions for rows that only otab can compare.
    odd: Vec<String>,
}

impl Wanted {
    /// The statements that find the candidates. Each row says in its last column whether it is `equal`.
    ///
    /// SQLite has an index for each condition, and uses none where they are joined. Servers have none, and
    /// read the table: once for all conditions together.
    fn statements(&self, dialect: Dialect, source: &Source) -> Vec<(String, Vec<Value>)> {
        if dialect == Dialect::Sqlite {
            let equal = self.equal.iter().map(|(sql, values)| (sql, "1", values.clone()));
            let odd = self.odd.iter().map(|sql| (sql, "0", Vec::new()));
            let one = |(sql, why, values)| (format!("{} WHERE {sql}", select(source, why)), values);
            return equal.chain(odd).map(one).collect();
        }
        let equal: Vec<&str> = self.equal.iter().map(|(sql, _)| sql.as_str()).collect();
        let all = equal.iter().copied().chain(self.odd.iter().map(String::as_str)).collect::<Vec<_>>().join(" OR ");
        let why = format!("CASE WHEN {} THEN 1 ELSE 0 END", equal.join(" OR "));
        let values = self.equal.iter().flat_map(|(_, values)| values.clone());
        vec![(format!("{} WHERE {all}", select(source, &why)), values.clone().chain(values).collect())]
    }

    fn rows(&self, db: &mut impl Statements, source: &Source) -> Result<Vec<Row>, Error> {
        let mut rows = Vec::new();
        for (sql, values) in self.statements(db.dialect(), source) {
            rows.extend(db.rows(&sql, &values)?);
        }
        Ok(rows)
    }
}

/// Holds where the column is one of the texts, as the database compares: case aside, and by its collation.
fn broadly<'t>(dialect: Dialect, column: &str, texts: impl Iterator<Item = &'t String>) -> (String, Vec<Value>) {
    let values: Vec<Value> = texts.map(Value::from).collect();
    let marks = vec!["LOWER(?)"; values.len()].join(", ");
    (format!("LOWER({}) IN ({marks})", text(dialect, column)), values)
}

/// The customer with a login, for whatever the database calls equal.
fn with_login(dialect: Dialect, source: &Source) -> String {
    format!("{} WHERE {} = ?", select(source, "1"), text(dialect, &source.names.login))
}

/// The rows of senders with this address, among others.
fn stating(dialect: Dialect, source: &Source, address: &Address) -> Wanted {
    let (columns, forms) = (&source.names.search, address.forms());
    // LOWER() may leave the `Ü` of a stored `HANS@MÜLLER.TEST`.
    let is_international = !address.unicode().is_ascii();
    Wanted {
        equal: columns.iter().map(|column| broadly(dialect, column, forms.iter())).collect(),
        odd: columns.iter().filter(|_| is_international).map(|column| is_odd(dialect, column)).collect(),
    }
}

/// Everybody whose stored address is strictly this one: valid ones first, then in bytewise order of
/// login.
pub(super) fn by_address(
    db: &mut impl Statements,
    source: &Source,
    address: &Address,
) -> Result<Vec<CustomerUser>, Error> {
    let mut rows = stating(db.dialect(), source, address).rows(db, source)?;
    rows.retain(|row| states(row, source, address));
    let mut found: Vec<CustomerUser> = rows.iter().map(|row| customer(row, source)).collect::<Result<_, _>>()?;
    found.sort_by(|a, b| (!a.valid, &a.login).cmp(&(!b.valid, &b.login)));
    found.dedup_by(|a, b| a.login == b.login);
    Ok(found)
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
    let rows = db.rows(&with_login(db.dialect(), source), &[login.into()])?;
    rows.iter().find(|row| row.lossy(0) == login).map(|row| customer(row, source)).transpose()
}

/// Whether any row can have this text.
fn can_hold(dialect: Dialect, text: &str) -> bool {
    dialect.holds_nul() || !text.contains('\0')
}

/// The first row that has one of `texts` as its login or customer id, broadly compared. Rows that
/// state `owner` as their own address do not count.
pub(super) fn claim(
    db: &mut impl Statements,
    source: &Source,
    texts: &[String],
    owner: Option<&Address>,
) -> Result<Option<Claim>, Error> {
    let folded: BTreeSet<String> = texts.iter().map(|text| fold(text)).collect();
    let rows = claiming(db.dialect(), source, texts, &folded).rows(db, source)?;
    let why = SEARCH + source.names.search.len();
    let claims = |row: &&Row| {
        let is_equal = row.lossy(why) == "1" || [0, 2].iter().any(|column| folded.contains(&fold(&row.lossy(*column))));
        is_equal && !owner.is_some_and(|owner| states(row, source, owner))
    };
    let claim = |row: &Row| Claim { source: source.name.clone(), login: row.lossy(0).into_owned() };
    Ok(rows.iter().find(claims).map(claim))
}

/// The rows with one of the texts as login or customer id: as given, folded, and all odd stored texts, which
/// have to be folded here. For all other stored texts, folding is what `LOWER()` does.
fn claiming(dialect: Dialect, source: &Source, texts: &[String], folded: &BTreeSet<String>) -> Wanted {
    let keys: BTreeSet<&String> = texts.iter().chain(folded).filter(|text| can_hold(dialect, text)).collect();
    let columns = [&source.names.login, &source.names.customer_id];
    let are_addresses = folded.iter().all(|text| text.contains('@'));
    let odd = |column: &&String| {
        let odd = is_odd_or_padded(dialect, column);
        if are_addresses && dialect != Dialect::Sqlite {
            format!("({odd}) AND ({})", has_at(dialect, column))
        } else {
            format!("({odd})")
        }
    };
    Wanted {
        equal: columns.iter().map(|column| broadly(dialect, column, keys.iter().copied())).collect(),
        odd: columns.iter().map(odd).collect(),
    }
}

/// Holds where a text has one of the three letters that fold to `@`. Companies are called `Müller` by the
/// thousands, and need not be sent where an address is wanted. (Not for SQLite, whose LIKE stops at a NUL.)
fn has_at(dialect: Dialect, column: &str) -> String {
    let text = text(dialect, column);
    format!("{text} LIKE '%@%' OR {text} LIKE '%\u{fe6b}%' OR {text} LIKE '%\u{ff20}%'")
}

/// A new valid row without a password, as OTOBO's package writes it, and its preferences.
pub(super) fn insert(db: &mut impl Statements, source: &Source, entry: &Entry, now: Timestamp) -> Result<(), Error> {
    let time = Value::from(source.zone.write(now));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Access, Database, Url, sqlite};
    use std::time::Duration;

    #[test]
    fn no_letter_but_the_three_folds_to_an_at_sign() {
        let folds = |c: &char| fold(&format!("a{c}b")).contains('@');
        let found: Vec<char> = ('\0'..=char::MAX).filter(folds).collect();
        assert_eq!(found, ['@', '\u{fe6b}', '\u{ff20}']);
    }

    #[test]
    fn no_look_up_reads_the_whole_table() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.db");
        sqlite::create(&path, 0o600).unwrap();
        let busy = Duration::from_secs(5);
        let url = Url::Sqlite(path);
        let mut db = Database::open(&url, Access::ReadOnly, busy).unwrap();
        let (dialect, source) = (Dialect::Sqlite, Source::new("A", url));
        let address = Address::parse("hans@müller.test").unwrap();
        let broad = BTreeSet::from(["hans@muller.test".to_owned()]);
        let asked = stating(dialect, &source, &address).statements(dialect, &source);
        let claims = claiming(dialect, &source, &["Hans@müller.test".to_owned()], &broad).statements(dialect, &source);
        let login = (with_login(dialect, &source), vec!["x".into()]);
        let indexes = [
            "customer_user_email",
            "customer_user_odd_email",
            "customer_user_login",
            "customer_user_customer_id",
            "customer_user_odd_login",
            "customer_user_odd_customer_id",
            "sqlite_autoindex_customer_user_1",
        ];
        let statements = [asked, claims, vec![login]].concat();
        assert_eq!(statements.len(), indexes.len());
        for ((sql, values), index) in statements.iter().zip(indexes) {
            let plan = db.rows(&format!("EXPLAIN QUERY PLAN {sql}"), values).unwrap();
            assert_eq!(plan.len(), 1, "{sql}: {plan:?}");
            let plan = plan[0].text(3).unwrap().into_owned();
            assert!(plan.contains(&format!("INDEX {index}")), "{sql}: {plan}");
        }
    }
}
