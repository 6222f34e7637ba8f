//! What can be said of a source as a whole: what otab needs of its tables, how many customers there are, whose
//! addresses and companies are the same. Only counts; nothing is changed, and nobody is let in by it.

use std::collections::{BTreeMap, BTreeSet};

use super::question::{ask, list};
use super::{CustomerUser, Directory, Error, Source, candidates, sql};
use crate::db::survey::{Kind, Need};
use crate::db::{self, Database, Databases, Dialect, Statements, Url, Value};
use crate::mail::{self, Address, Pattern};

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

/// Most domains that are brought to be told apart, and most values in one IN list.
const MOST_DOMAINS: usize = 10_000;
const LIST: usize = 500;

/// The helpdesk's own table of companies, and their ids in it.
const COMPANY: &str = "customer_company";
const COMPANY_ID: &str = "customer_id";

/// What was counted in a source.
#[derive(Debug)]
pub struct Census {
    /// How many customers there are, and how many of them are valid.
    pub customers: Result<(i64, i64), db::Error>,
    /// How many addresses more than one customer has, and a few of them.
    pub doubled: Result<(i64, Vec<Shared>), db::Error>,
    /// The customer id that most valid customers have.
    pub largest: Result<Option<Shared>, db::Error>,
    /// How many customers share a domain as their customer id that is neither named as a company's nor a company of the
    /// helpdesk's, and the largest of these domains.
    pub strangers: Result<(i64, Vec<Shared>), db::Error>,
}

impl Census {
    /// Of customers who are all known, as those of a directory.
    fn of(all: &[CustomerUser], named: &[Pattern]) -> Self {
        let valid: Vec<&CustomerUser> = all.iter().filter(|customer| customer.valid).collect();
        let mut doubled = counted(all.iter().map(|customer| customer.email.to_lowercase()));
        doubled.retain(|(text, count)| *count > 1 && !text.is_empty());
        let several = number(doubled.len());
        doubled.truncate(EXAMPLES);
        let shared = counted(all.iter().map(|customer| customer.customer_id.to_lowercase()));
        let shared = shared.into_iter().filter(|(_, count)| *count > 1).collect();
        let companies = counted(valid.iter().map(|customer| customer.customer_id.clone()));
        Self {
            customers: Ok((number(all.len()), number(valid.len()))),
            doubled: Ok((several, doubled)),
            largest: Ok(companies.into_iter().next()),
            strangers: Ok(summed(unnamed(shared, named))),
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
        if !is_backend {
            preferences.otherwise = "no customer of this source has a language of their own";
        }
        if is_backend {
            let text = |(name, width): &(&str, i64)| ((*name).to_owned(), Kind::Text(*width));
            let other = |name: &&str| ((*name).to_owned(), Kind::Other);
            customers.written = TEXTS.iter().map(text).chain(OTHERS.iter().map(other)).collect();
            preferences.written = PREFERENCES.iter().map(text).collect();
            preferences.deletes = true;
        }
        Ok(vec![customers, preferences])
    }

    /// What is needed to tell by the helpdesk's own table which domains are companies.
    #[must_use]
    pub fn company_need() -> Need {
        Need {
            table: COMPANY.to_owned(),
            read: vec![COMPANY_ID.to_owned()],
            otherwise: "{{domain}} counts for create.company_domains only, and the address is everybody else's customer id",
            ..Need::default()
        }
    }

    /// Whether one of these texts is, byte for byte, the id of a company in the helpdesk's own table. The inner error says
    /// why nobody knows: there is no such table, or no right to read it.
    pub fn has_company(
        &self,
        dbs: &mut Databases,
        source: &str,
        ids: &[&str],
    ) -> Result<Result<bool, db::Error>, Error> {
        let source = self.source(source)?;
        ask(dbs, source, |db| match companies(db, COMPANY_ID, ids) {
            Ok(found) => Ok(Ok(ids.iter().any(|id| found.contains(*id)))),
            Err(error) if is_unreadable(&error) => Ok(Err(error)),
            Err(error) => Err(error),
        })
    }

    /// Counts the customers of a source, their addresses and their companies; `named` are the domains that the site
    /// calls companies. One count that fails, or takes too long, leaves the others.
    pub fn census(&self, dbs: &mut Databases, source: &str, named: &[Pattern]) -> Result<Census, Error> {
        let source = self.source(source)?;
        if source.is_directory() {
            return Ok(Census::of(&list(dbs, source, u32::MAX)?, named));
        }
        let db = super::question::open(dbs, source)?;
        Ok(Census {
            customers: customers(db, source),
            doubled: doubled(db, source),
            largest: largest_company(db, source),
            strangers: strangers(db, source, named),
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

/// Those who share a domain as customer id, unless it is a company's.
fn strangers(db: &mut Database, source: &Source, named: &[Pattern]) -> Result<(i64, Vec<Shared>), db::Error> {
    let (dialect, column) = (db.dialect(), &source.names.customer_id);
    let company = exactly(dialect, column);
    // A collation that folds by itself refuses patterns in PostgreSQL.
    let plain = if dialect == Dialect::PostgreSql {
        format!("({} COLLATE \"C\")", text(dialect, column))
    } else {
        column.clone()
    };
    let groups = format!(
        "SELECT {company} AS text, COUNT(*) AS how_many FROM {} WHERE {plain} LIKE '%.%' AND {plain} NOT LIKE '%@%' \
         GROUP BY {company} HAVING COUNT(*) > 1",
        source.names.table
    );
    let mut shared = unnamed(shared(db, &most(&groups, MOST_DOMAINS), &[])?, named);
    let ids: Vec<String> = shared.iter().map(|(domain, _)| domain.clone()).collect();
    for chunk in ids.chunks(LIST) {
        let chunk: Vec<&str> = chunk.iter().map(String::as_str).collect();
        match companies(db, &format!("LOWER({COMPANY_ID})"), &chunk) {
            Ok(known) => shared.retain(|(domain, _)| !known.contains(domain)),
            Err(error) if is_unreadable(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(summed(shared))
}

/// Of these texts the domains that the site does not call companies.
fn unnamed(mut shared: Vec<Shared>, named: &[Pattern]) -> Vec<Shared> {
    shared.retain(|(text, _)| {
        let somebody = mail::domain(text).filter(|domain| domain.contains('.'));
        let somebody = somebody.and_then(|domain| Address::parse(&format!("x@{domain}")));
        somebody.is_some_and(|somebody| !named.iter().any(|pattern| pattern.matches(&somebody)))
    });
    shared
}

/// How many there are in all, and the first few.
fn summed(mut shared: Vec<Shared>) -> (i64, Vec<Shared>) {
    let count = shared.iter().map(|(_, count)| count).sum();
    shared.truncate(EXAMPLES);
    (count, shared)
}

/// Which of these texts are ids of companies, as `column` has them.
fn companies(db: &mut Database, column: &str, ids: &[&str]) -> Result<BTreeSet<String>, db::Error> {
    let marks = vec!["?"; ids.len()].join(", ");
    let sql = format!("SELECT {column} FROM {COMPANY} WHERE {column} IN ({marks})");
    let values: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
    Ok(db.rows(&sql, &values)?.iter().map(|row| row.lossy(0).into_owned()).collect())
}

/// Whether a table is not there, is another one, or may not be read; all else may pass.
fn is_unreadable(error: &db::Error) -> bool {
    matches!(error.kind(), db::Kind::Denied | db::Kind::Other)
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
