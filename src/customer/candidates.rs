//! By what rows of a customer source are looked for: more of them than are wanted, and never fewer.
//!
//! What a row is taken for is `sql`'s matter.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::Source;
use super::source::Names;
use crate::db::{Dialect, Error, Row, Statements, Value};
use crate::mail::Address;

/// The columns that `sql` reads of a customer, in its order; behind them those in which senders are looked for, and
/// last a word on why the row is here.
pub(super) fn select(source: &Source, why: &str) -> String {
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
pub(super) const SEARCH: usize = 7;

/// Holds where a text is other than printable ASCII: `LOWER()` folds ASCII letters only in SQLite, and
/// elsewhere by a locale that nobody knows.
///
/// In SQLite these are word for word the conditions of the partial indexes, or it reads the whole table.
fn is_odd(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Sqlite => format!("{column} GLOB '*[^ -~]*'"),
        Dialect::PostgreSql => format!("{} ~ '[^ -~]'", plain(dialect, column)),
        // Its regular expressions are slow, fold letters, and take the Kelvin sign for a plain K. As JSON, controls
        // get longer (and quotes and backslashes, which does no harm), but for DEL.
        Dialect::MariaDb => {
            let text = format!("CONVERT({column} USING utf8mb4)");
            format!(
                "LENGTH(JSON_QUOTE({text})) <> CHAR_LENGTH({column}) + 2 OR INSTR(CAST({text} AS BINARY), X'7F') > 0"
            )
        }
    }
}

/// Holds for odd texts, and for those with blanks around.
fn is_odd_or_padded(dialect: Dialect, column: &str) -> String {
    let (odd, text) = (is_odd(dialect, column), plain(dialect, column));
    match dialect {
        // GLOB stops at a NUL, the lengths do not.
        Dialect::Sqlite => format!("{odd} OR LENGTH(CAST({column} AS BLOB)) <> LENGTH(TRIM({column}))"),
        // Matching a second time would cost as much again.
        Dialect::PostgreSql => format!("{text} ~ '[^ -~]|^ | $'"),
        Dialect::MariaDb => format!("{odd} OR LENGTH({text}) <> LENGTH(TRIM({text}))"),
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

/// The same for patterns. In PostgreSQL a collation that folds by itself (`deterministic = false`) refuses them; in
/// MariaDB a column in another character set refuses those with letters that it lacks.
fn plain(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::Sqlite => column.to_owned(),
        Dialect::PostgreSql => format!("({} COLLATE \"C\")", text(dialect, column)),
        Dialect::MariaDb => format!("CONVERT({column} USING utf8mb4)"),
    }
}

/// What candidates are looked for by.
pub(super) struct Wanted {
    /// Conditions by which the database itself calls a row equal, with their values.
    pub(super) equal: Vec<(String, Vec<Value>)>,
    /// Conditions for rows that are wanted for another reason, with their values.
    pub(super) other: Vec<(String, Vec<Value>)>,
    /// Conditions for rows that only otab can compare.
    pub(super) odd: Vec<String>,
}

impl Wanted {
    /// The statements that find the candidates. Each row says in its last column whether it is `equal`.
    ///
    /// SQLite has an index for each condition, and uses none where they are joined. Servers have none, and
    /// read the table: once for all conditions together.
    pub(super) fn statements(&self, dialect: Dialect, source: &Source) -> Vec<(String, Vec<Value>)> {
        if dialect == Dialect::Sqlite {
            let equal = self.equal.iter().map(|(sql, values)| (sql, 1, values.as_slice()));
            let other = self.other.iter().map(|(sql, values)| (sql, 0, values.as_slice()));
            let odd = self.odd.iter().map(|sql| (sql, 0, [].as_slice()));
            // A value, so that one look's statement is another's, and prepared once.
            let one = |(sql, why, values): (_, i64, &[Value])| {
                (format!("{} WHERE {sql}", select(source, "?")), [&[why.into()], values].concat())
            };
            return equal.chain(other).chain(odd).map(one).collect();
        }
        let equal: Vec<&str> = self.equal.iter().map(|(sql, _)| sql.as_str()).collect();
        let others = self.other.iter().map(|(sql, _)| sql).chain(&self.odd).map(String::as_str);
        let all = equal.iter().copied().chain(others).collect::<Vec<_>>().join(" OR ");
        let why = format!("CASE WHEN {} THEN 1 ELSE 0 END", equal.join(" OR "));
        let values =
            [&self.equal, &self.equal, &self.other].into_iter().flatten().flat_map(|(_, values)| values.clone());
        vec![(format!("{} WHERE {all}", select(source, &why)), values.collect())]
    }

    pub(super) fn rows(&self, db: &mut impl Statements, source: &Source) -> Result<Vec<Row>, Error> {
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
pub(super) fn with_login(dialect: Dialect, source: &Source) -> String {
    format!("{} WHERE {} = ?", select(source, "1"), text(dialect, &source.names.login))
}

/// The rows of senders with this address, among others. `folds` names the columns that compare without regard
/// to case by themselves, where an index of theirs serves.
pub(super) fn stating(dialect: Dialect, source: &Source, address: &Address, folds: &[bool]) -> Wanted {
    let (columns, forms) = (&source.names.search, address.forms());
    let equal = |(at, column): (usize, &String)| {
        if folds.get(at) == Some(&true) {
            let marks = vec!["?"; forms.len()].join(", ");
            return (format!("{column} IN ({marks})"), forms.iter().map(Value::from).collect());
        }
        broadly(dialect, column, forms.iter())
    };
    // LOWER() may leave the `Ü` of a stored `HANS@MÜLLER.TEST`.
    let is_international = !address.unicode().is_ascii();
    Wanted {
        equal: columns.iter().enumerate().map(equal).collect(),
        other: Vec::new(),
        odd: columns.iter().filter(|_| is_international).map(|column| is_odd(dialect, column)).collect(),
    }
}

/// How the columns of a source are best asked for some texts.
pub(super) struct Comparable<'s> {
    /// The source. Columns that the server could not compare with the texts stand there as their conversion.
    pub(super) source: Cow<'s, Source>,
    /// For each column in which senders are looked for, whether its collation folds case: MariaDB's and MySQL's
    /// common ones do. There an index on the column is of use, and none on `LOWER()` of it can be had everywhere.
    pub(super) folds: Vec<bool>,
}

/// Asks the server by which collations the columns compare. Only MariaDB and MySQL have many.
pub(super) fn comparable<'s>(
    db: &mut impl Statements,
    source: &'s Source,
    texts: &[String],
) -> Result<Comparable<'s>, Error> {
    let as_it_is = Comparable { source: Cow::Borrowed(source), folds: Vec::new() };
    if db.dialect() != Dialect::MariaDb {
        return Ok(as_it_is);
    }
    let names = &source.names;
    let columns: Vec<&String> =
        [&names.login, &names.customer_id, &names.email].into_iter().chain(&names.search).collect();
    let asked: Vec<String> = columns.iter().map(|column| format!("COLLATION({column})")).collect();
    let sql = format!("SELECT {} FROM {} LIMIT 1", asked.join(", "), names.table);
    let Some(row) = db.row(&sql, &[])? else { return Ok(as_it_is) };
    let is_ascii = texts.iter().all(|text| text.is_ascii());
    let fits = |at: usize| compares(&row.lossy(at), is_ascii);
    let folds = (3..columns.len()).map(|at| fits(at) && row.lossy(at).ends_with("_ci")).collect();
    if (0..columns.len()).all(fits) {
        return Ok(Comparable { folds, ..as_it_is });
    }
    let mut converted: Vec<String> = columns.iter().map(|column| (*column).clone()).collect();
    for (at, column) in converted.iter_mut().enumerate().filter(|(at, _)| !fits(*at)) {
        *column = format!("CONVERT({} USING utf8mb4)", columns[at]);
    }
    let mut source = source.clone();
    source.names.search = converted.split_off(3);
    source.names.email = converted.swap_remove(2);
    source.names.customer_id = converted.swap_remove(1);
    source.names.login = converted.swap_remove(0);
    Ok(Comparable { source: Cow::Owned(source), folds })
}

/// Whether a column of this collation can be compared with texts, and with case aside. Bytes have no case; to the
/// Turkish ones `I` is no `i`; and other character sets refuse (1267) letters that they lack.
fn compares(collation: &str, is_ascii: bool) -> bool {
    let is_turkish = collation.contains("turkish") || collation.contains("_tr_");
    collation != "binary" && !is_turkish && (is_ascii || collation.starts_with("utf8"))
}

/// The rows with one of the texts as login, customer id or address, in each column in which the helpdesk looks for
/// senders: as given, folded, and all odd stored texts, which have to be folded here. For all other stored texts, folding
/// is what `LOWER()` does.
///
/// All who state an address are among those that claim it.
pub(super) fn claiming(dialect: Dialect, source: &Source, texts: &[String], folded: &BTreeSet<String>) -> Wanted {
    let keys: BTreeSet<&String> = texts.iter().chain(folded).filter(|text| can_hold(dialect, text)).collect();
    let Names { login, customer_id, email, search, .. } = &source.names;
    let mut addresses: Vec<&String> = Vec::new();
    for column in std::iter::once(email).chain(search) {
        if ![login, customer_id].contains(&column) && !addresses.contains(&column) {
            addresses.push(column);
        }
    }
    let are_addresses = folded.iter().all(|text| text.contains('@'));
    let odd = |column: &String| {
        let odd = is_odd_or_padded(dialect, column);
        if dialect == Dialect::Sqlite {
            return format!("({odd})");
        }
        let odd = if are_addresses { format!("({odd}) AND ({})", has_at(dialect, column)) } else { odd };
        // Matching costs most, and many customers have one text in all columns: as a login it was matched already.
        if column == login { format!("({odd})") } else { format!("{} AND ({odd})", differs(dialect, column, login)) }
    };
    let mut wanted = Wanted { equal: Vec::new(), other: Vec::new(), odd: Vec::new() };
    for column in [login, customer_id] {
        wanted.equal.push(broadly(dialect, column, keys.iter().copied()));
        wanted.odd.push(odd(column));
    }
    for column in addresses {
        wanted.equal.push(broadly(dialect, column, keys.iter().copied()));
        if dialect == Dialect::Sqlite {
            wanted.other.extend(padded(column, &keys));
            wanted.odd.push(is_odd(dialect, column));
        } else {
            wanted.odd.push(odd(column));
        }
    }
    wanted
}

/// Holds where two columns do not have the very same text, byte for byte.
fn differs(dialect: Dialect, column: &str, other: &str) -> String {
    let (column, other) = (plain(dialect, column), plain(dialect, other));
    match dialect {
        Dialect::Sqlite | Dialect::PostgreSql => format!("{column} IS DISTINCT FROM {other}"),
        Dialect::MariaDb => format!("NOT (CAST({column} AS BINARY) <=> CAST({other} AS BINARY))"),
    }
}

/// Conditions for texts that begin with a blank or a control character, or have one after a key, in SQLite: the partial
/// index for odd addresses does not have them, and the one on `LOWER()` finds them by their place in its order. (A NUL
/// further inside is not found. otab writes no such address, and SQLite files are otab's own.)
fn padded(column: &str, keys: &BTreeSet<&String>) -> Vec<(String, Vec<Value>)> {
    let range = format!("LOWER({column}) > ? AND LOWER({column}) < ?");
    let begin = (range.clone(), vec!["".into(), "!".into()]);
    let end = |key: &&String| (range.clone(), vec![key.as_str().into(), format!("{key}!").into()]);
    std::iter::once(begin).chain(keys.iter().map(end)).collect()
}

/// Whether any row can have this text.
pub(super) fn can_hold(dialect: Dialect, text: &str) -> bool {
    dialect.holds_nul() || !text.contains('\0')
}

/// Holds where a text has one of the three letters that fold to `@`. Companies are called `Müller` by the
/// thousands, and need not be sent where an address is wanted. (Not for SQLite, whose LIKE stops at a NUL.)
fn has_at(dialect: Dialect, column: &str) -> String {
    let text = plain(dialect, column);
    format!("{text} LIKE '%@%' OR {text} LIKE '%\u{fe6b}%' OR {text} LIKE '%\u{ff20}%'")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Access, Url};
    use crate::mail::fold;
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
        crate::store::create(&path, 0o600).unwrap();
        let busy = Duration::from_secs(5);
        let url = Url::Sqlite(path);
        let mut db = crate::store::open(&url, Access::ReadOnly, busy).unwrap();
        let (dialect, source) = (Dialect::Sqlite, Source::new("A", url));
        let address = Address::parse("hans@müller.test").unwrap();
        let broad = BTreeSet::from(["hans@muller.test".to_owned()]);
        let asked = stating(dialect, &source, &address, &[]).statements(dialect, &source);
        let claims = claiming(dialect, &source, &["Hans@müller.test".to_owned()], &broad).statements(dialect, &source);
        let login = (with_login(dialect, &source), vec!["x".into()]);
        let indexes = [
            "customer_user_email",
            "customer_user_odd_email",
            "customer_user_login",
            "customer_user_customer_id",
            "customer_user_email",
            "customer_user_email",
            "customer_user_email",
            "customer_user_email",
            "customer_user_odd_login",
            "customer_user_odd_customer_id",
            "customer_user_odd_email",
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
