//! What can be said of a source as a whole: what otab needs of its tables, how many customers there are, whose
//! addresses and companies are the same. Only counts; nothing is changed, and nobody is let in by it.

use std::collections::BTreeMap;

use super::question::{ask, list};
use super::{CustomerUser, Directory, Error, Source, candidates, sql};
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

/// What was counted in a source.
#[derive(Debug)]
pub struct Census {
    /// How many customers there are, and how many of them are valid.
    pub customers: Result<(i64, i64), db::Error>,
    /// How many addresses more than one customer has, and a few of them.
    pub doubled: Result<(i64, Vec<Shared>), db::Error>,
    /// The customer id that most valid customers have.
    pub largest: Result<Option<Shared>, db::Error>,
    /// Domains of public mail providers that are the customer id of more than one customer; a few of them.
    pub public: Result<Vec<Shared>, db::Error>,
}

impl Census {
    /// Of customers who are all known, as those of a directory.
    fn of(all: &[CustomerUser], public: &[String]) -> Self {
        let valid: Vec<&CustomerUser> = all.iter().filter(|customer| customer.valid).collect();
        let mut doubled = counted(all.iter().map(|customer| customer.email.to_lowercase()));
        doubled.retain(|(text, count)| *count > 1 && !text.is_empty());
        let several = number(doubled.len());
        doubled.truncate(EXAMPLES);
        let mut named = counted(all.iter().map(|customer| customer.customer_id.to_lowercase()));
        named.retain(|(company, count)| *count > 1 && public.contains(company));
        named.truncate(EXAMPLES);
        let companies = counted(valid.iter().map(|customer| customer.customer_id.clone()));
        Self {
            customers: Ok((number(all.len()), number(valid.len()))),
            doubled: Ok((several, doubled)),
            largest: Ok(companies.into_iter().next()),
            public: Ok(named),
        }
    }
}

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
            preferences.written = PREFERENCES.iter().map(text).collect();
            preferences.deletes = true;
        }
        Ok(vec![customers, preferences])
    }

    /// Counts the customers of a source, their addresses and their companies; `public` are the domains of public
    /// mail providers. One count that fails, or takes too long, leaves the others.
    pub fn census(&self, dbs: &mut Databases, source: &str, public: &[String]) -> Result<Census, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            return Ok(Census::of(&list(dbs, source, u32::MAX)?, public));
        }
        let db = super::question::open(dbs, source)?;
        Ok(Census {
            customers: customers(db, source),
            doubled: doubled(db, source),
            largest: largest_company(db, source),
            public: companies_called(db, source, public),
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
            for (sql, values) in sql::look_up(db, source, address)? {
                reads |= db::survey::reads_all(db, &sql, &values)?;
            }
            Ok(reads)
        })
    }

    /// Whether the columns in which senders are looked for fold case by themselves, so that a plain index on each
    /// serves (MariaDB's and MySQL's common collations; never elsewhere).
    pub fn folds(&self, dbs: &mut Databases, source: &str) -> Result<bool, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            return Ok(false);
        }
        let folds = ask(dbs, source, |db| Ok(candidates::comparable(db, source, &[])?.folds))?;
        Ok(!folds.is_empty() && folds.into_iter().all(|folds| folds))
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

fn customers(db: &mut Database, source: &Source) -> Result<(i64, i64), db::Error> {
    let valid = source.names.valid.as_deref().unwrap_or("1");
    let sql = format!("SELECT COUNT(*), COUNT(CASE WHEN {valid} = 1 THEN 1 END) FROM {}", source.names.table);
    let rows = db.rows_in_time(&sql, &[])?;
    rows.first().map_or(Ok((0, 0)), |row| Ok((row.int(0)?, row.int(1)?)))
}

fn doubled(db: &mut Database, source: &Source) -> Result<(i64, Vec<Shared>), db::Error> {
    let (table, column) = (&source.names.table, &source.names.search[0]);
    let email = exactly(db.dialect(), column);
    let groups = format!(
        "SELECT {email} AS text, COUNT(*) AS how_many FROM {table} WHERE {column} <> '' GROUP BY {email} \
         HAVING COUNT(*) > 1"
    );
    let rows = db.rows_in_time(&format!("SELECT COUNT(*) FROM ({groups}) several"), &[])?;
    let count = rows.first().map_or(Ok(0), |row| row.int(0))?;
    let examples = if count == 0 { Vec::new() } else { shared(db, &most(&groups, EXAMPLES), &[])? };
    Ok((count, examples))
}

fn largest_company(db: &mut Database, source: &Source) -> Result<Option<Shared>, db::Error> {
    let (table, company) = (&source.names.table, text(db.dialect(), &source.names.customer_id));
    let valid = source.names.valid.as_deref().unwrap_or("1");
    let groups =
        format!("SELECT {company} AS text, COUNT(*) AS how_many FROM {table} WHERE {valid} = 1 GROUP BY {company}");
    Ok(shared(db, &most(&groups, 1), &[])?.into_iter().next())
}

fn companies_called(db: &mut Database, source: &Source, domains: &[String]) -> Result<Vec<Shared>, db::Error> {
    if domains.is_empty() {
        return Ok(Vec::new());
    }
    let company = format!("LOWER({})", text(db.dialect(), &source.names.customer_id));
    let marks = vec!["?"; domains.len()].join(", ");
    let groups = format!(
        "SELECT {company} AS text, COUNT(*) AS how_many FROM {} WHERE {company} IN ({marks}) GROUP BY {company} \
         HAVING COUNT(*) > 1",
        source.names.table
    );
    let values: Vec<Value> = domains.iter().map(Value::from).collect();
    shared(db, &most(&groups, EXAMPLES), &values)
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
    let rows = db.rows_in_time(sql, values)?;
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
