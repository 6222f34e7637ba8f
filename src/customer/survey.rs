//! What can be said of a source as a whole: what otab needs of its tables, how many customers there are, whose
//! addresses and companies are the same. Only counts; nothing is changed, and nobody is let in by it.

use std::collections::BTreeMap;

use super::question::{ask, list};
use super::{Directory, Error, sql};
use crate::db::survey::{Kind, Need};
use crate::db::{self, Database, Databases, Dialect, Statements, Url, Value};
use crate::mail::Address;

/// How many examples are brought of each thing.
const EXAMPLES: usize = 3;

/// A text that several customers have, and how many do.
pub type Shared = (String, i64);

/// What otab writes of a new customer: columns and longest texts (`Entry::check` holds values to these), and the
/// others, in which there is a number, a time or nothing.
const TEXTS: [(&str, i64); 5] =
    [("login", 191), ("email", 150), ("customer_id", 150), ("first_name", 100), ("last_name", 100)];
const OTHERS: [&str; 15] = [
    "pw",
    "title",
    "phone",
    "fax",
    "mobile",
    "street",
    "zip",
    "city",
    "country",
    "comments",
    "valid_id",
    "create_time",
    "create_by",
    "change_time",
    "change_by",
];
const PREFERENCES: [(&str, i64); 3] = [("user_id", 191), ("preferences_key", 150), ("preferences_value", 250)];

impl Directory {
    /// What otab needs of the tables of a source; nothing of a directory. `is_backend`: customers are created there.
    pub fn needs(&self, source: &str, is_backend: bool) -> Result<Vec<Need>, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            return Ok(Vec::new());
        }
        let names = &source.names;
        let single = [&names.login, &names.email, &names.customer_id, &names.person[0], &names.person[1]];
        let optional = [&names.valid, &names.password];
        let mut read: Vec<String> = single.into_iter().chain(&names.search).cloned().collect();
        read.extend(optional.into_iter().flatten().cloned());
        let mut customers = Need { table: names.table.clone(), read, ..Need::default() };
        let keys = PREFERENCES.iter().map(|(name, _)| (*name).to_owned());
        let mut preferences =
            Need { table: "customer_preferences".to_owned(), read: keys.collect(), ..Need::default() };
        // Without it, no customer has a language of his own.
        preferences.is_optional = !is_backend;
        if is_backend {
            let text = |(name, width): &(&str, i64)| ((*name).to_owned(), Kind::Text(*width));
            let other = |name: &&str| ((*name).to_owned(), Kind::Other);
            customers.written = TEXTS.iter().map(text).chain(OTHERS.iter().map(other)).collect();
            customers.numbered = Some("id".to_owned());
            preferences.written = PREFERENCES.iter().map(text).collect();
            preferences.deletes = true;
        }
        Ok(vec![customers, preferences])
    }

    /// How many customers the source has, and how many of them are valid.
    pub fn count(&self, dbs: &mut Databases, source: &str) -> Result<(i64, i64), Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            let all = list(dbs, source, u32::MAX)?;
            let valid = all.iter().filter(|customer| customer.valid).count();
            return Ok((number(all.len()), number(valid)));
        }
        let valid = source.names.valid.as_deref().unwrap_or("1");
        let sql = format!("SELECT COUNT(*), COUNT(CASE WHEN {valid} = 1 THEN 1 END) FROM {}", source.names.table);
        ask(dbs, source, |db| db.row(&sql, &[])?.map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?))))
    }

    /// How many addresses more than one customer has, and a few of them.
    pub fn doubled(&self, dbs: &mut Databases, source: &str) -> Result<(i64, Vec<Shared>), Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            let all = list(dbs, source, u32::MAX)?;
            let mut several = counted(all.iter().map(|customer| customer.email.to_lowercase()));
            several.retain(|(text, count)| *count > 1 && !text.is_empty());
            let count = number(several.len());
            several.truncate(EXAMPLES);
            return Ok((count, several));
        }
        ask(dbs, source, |db| {
            let table = &source.names.table;
            let email = exactly(db.dialect(), &source.names.search[0]);
            let groups = format!(
                "SELECT {email} AS text, COUNT(*) AS how_many FROM {table} WHERE {} <> '' GROUP BY {email} \
                 HAVING COUNT(*) > 1",
                source.names.search[0]
            );
            let count = db.row(&format!("SELECT COUNT(*) FROM ({groups}) several"), &[])?;
            let count = count.map_or(Ok(0), |row| row.int(0))?;
            let examples = if count == 0 { Vec::new() } else { shared(db, &most(&groups, EXAMPLES), &[])? };
            Ok((count, examples))
        })
    }

    /// The customer id that most valid customers have.
    pub fn largest_company(&self, dbs: &mut Databases, source: &str) -> Result<Option<Shared>, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            let valid = list(dbs, source, u32::MAX)?.into_iter().filter(|customer| customer.valid);
            return Ok(counted(valid.map(|customer| customer.customer_id)).into_iter().next());
        }
        ask(dbs, source, |db| {
            let (table, company) = (&source.names.table, text(db.dialect(), &source.names.customer_id));
            let valid = source.names.valid.as_deref().unwrap_or("1");
            let groups = format!(
                "SELECT {company} AS text, COUNT(*) AS how_many FROM {table} WHERE {valid} = 1 GROUP BY {company}"
            );
            Ok(shared(db, &most(&groups, 1), &[])?.into_iter().next())
        })
    }

    /// Which of these domains are the customer id of more than one customer.
    pub fn companies_called(
        &self,
        dbs: &mut Databases,
        source: &str,
        domains: &[String],
    ) -> Result<Vec<Shared>, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            let mut all = counted(list(dbs, source, u32::MAX)?.into_iter().map(|one| one.customer_id.to_lowercase()));
            all.retain(|(company, count)| *count > 1 && domains.contains(company));
            return Ok(all);
        }
        if domains.is_empty() {
            return Ok(Vec::new());
        }
        ask(dbs, source, |db| {
            let company = format!("LOWER({})", text(db.dialect(), &source.names.customer_id));
            let marks = vec!["?"; domains.len()].join(", ");
            let groups = format!(
                "SELECT {company} AS text, COUNT(*) AS how_many FROM {} WHERE {company} IN ({marks}) \
                 GROUP BY {company} HAVING COUNT(*) > 1",
                source.names.table
            );
            let values: Vec<Value> = domains.iter().map(Value::from).collect();
            shared(db, &most(&groups, EXAMPLES), &values)
        })
    }

    /// Whether the look-up of a sender reads the whole table, by the very statement that looks one up.
    pub fn reads_all(&self, dbs: &mut Databases, source: &str, address: &Address) -> Result<bool, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            return Ok(false);
        }
        ask(dbs, source, |db| {
            let mut reads = false;
            for (sql, values) in sql::look_up(db.dialect(), source, address) {
                reads |= db::survey::reads_all(db, &sql, &values)?;
            }
            Ok(reads)
        })
    }

    /// Where a source is.
    pub fn url(&self, source: &str) -> Result<&Url, Error> {
        Ok(&self.source(source)?.url)
    }

    /// The database of a source that is one.
    pub fn database<'d>(&self, dbs: &'d mut Databases, source: &str) -> Result<Option<&'d mut Database>, Error> {
        let source = self.source(source)?;
        match &source.url {
            Url::Ldap(_) => Ok(None),
            _ => super::question::open(dbs, source).map(Some),
        }
    }
}

/// A text of any case as it is grouped: MariaDB's collation would call other letters equal, too.
fn exactly(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::MariaDb => format!("CAST(LOWER({column}) AS BINARY)"),
        Dialect::Sqlite | Dialect::PostgreSql => format!("LOWER({})", text(dialect, column)),
    }
}

/// A column that may hold numbers.
fn text(dialect: Dialect, column: &str) -> String {
    match dialect {
        Dialect::PostgreSql => format!("CAST({column} AS TEXT)"),
        Dialect::Sqlite | Dialect::MariaDb => column.to_owned(),
    }
}

fn most(groups: &str, limit: usize) -> String {
    format!("SELECT text, how_many FROM ({groups}) several ORDER BY how_many DESC, text LIMIT {limit}")
}

fn shared(db: &mut Database, sql: &str, values: &[Value]) -> Result<Vec<Shared>, db::Error> {
    let rows = db.rows(sql, values)?;
    rows.iter().map(|row| Ok((row.lossy(0).into_owned(), row.int(1)?))).collect()
}

/// How often each text is there, the most frequent first.
fn counted(texts: impl Iterator<Item = String>) -> Vec<Shared> {
    let mut counts = BTreeMap::<String, i64>::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    let mut counts: Vec<Shared> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
