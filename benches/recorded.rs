//! What otab writes for a new sender, as statements that another program can run for another sender: read from the
//! store after it wrote, with the number of its transactions from SQLite's log.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use rusqlite::Connection;
use sha2::{Digest, Sha256};

use crate::site::Site;

/// The tables that a new sender's mail may write to, in its order; those of one group are written together.
const GROUPS: [&[&str]; 3] = [&["newcomer"], &["customer_user", "customer_preferences"], &["token", "outbox"]];

/// Who writes for the recording; the same length as every other sender, see [`address`].
const SAMPLE: &str = "sender-0000000@new.example";

/// The address of a sender by his number.
pub fn address(number: usize) -> String {
    format!("sender-{:07}@new.example", number + 1)
}

/// The statements of one mail, transaction by transaction.
pub struct Recorded {
    transactions: Vec<Vec<String>>,
    /// Texts that have to be unique, and are of chance with otab.
    hashes: Vec<String>,
}

impl Recorded {
    /// Has otab filter one mail in that site and looks what it wrote.
    pub fn of(site: &Site) -> Result<Self> {
        let store = site.database()?;
        let before: Vec<(String, i64)> = tables(&store)?;
        // This reader keeps the log from being folded in.
        site.new_sender(SAMPLE)?.check()?;
        let commits = commits(&site.path("otab.db-wal"))?;
        let groups = groups(&store, &before)?;
        ensure!(groups.len() >= 2, "otab has not written customer and token");
        let hashes = store.query_row("SELECT hash, mail_key FROM token ORDER BY rowid DESC", [], |r| {
            Ok(vec![r.get(0)?, r.get(1)?])
        })?;
        let transactions = match commits {
            1 => vec![groups.concat()],
            n if n == groups.len() => groups,
            n => bail!("otab has {n} transactions for {} groups of tables", groups.len()),
        };
        Ok(Self { transactions, hashes })
    }

    /// How many transactions otab has for it.
    pub fn transactions(&self) -> usize {
        self.transactions.len()
    }

    /// The statements for another sender, with as many transactions as otab has.
    pub fn script(&self, address: &str) -> String {
        let all = self.transactions.iter().map(|statements| transaction(statements));
        format!("PRAGMA synchronous = FULL;\n{}", self.for_another(&all.collect::<String>(), address))
    }

    /// The same in one transaction, which is the least.
    pub fn in_one(&self, address: &str) -> String {
        self.for_another(&transaction(&self.transactions.concat()), address)
    }

    fn for_another(&self, script: &str, address: &str) -> String {
        let mut script = script.replace(SAMPLE, address);
        for hash in &self.hashes {
            script = script.replace(hash, &data_encoding::HEXLOWER.encode(&Sha256::digest(format!("{hash}{address}"))));
        }
        script
    }
}

/// What was written behind these rows, group by group; the empty ones left out.
fn groups(store: &Connection, before: &[(String, i64)]) -> Result<Vec<Vec<String>>> {
    let known = GROUPS.concat();
    let mut groups = vec![Vec::new(); GROUPS.len()];
    for (table, last) in before {
        let rows = statements(store, table, *last)?;
        ensure!(
            rows.is_empty() || known.contains(&table.as_str()),
            "otab writes to {table}, and the yardstick does not"
        );
    }
    for (group, all) in GROUPS.iter().zip(&mut groups) {
        for table in *group {
            let (_, last) = before.iter().find(|(name, _)| name == table).context("a table is gone")?;
            all.extend(statements(store, table, *last)?);
        }
    }
    groups.retain(|group| !group.is_empty());
    Ok(groups)
}

fn transaction(statements: &[String]) -> String {
    format!("BEGIN IMMEDIATE;\n{}COMMIT;\n", statements.concat())
}

/// All tables with the number of their last row.
fn tables(store: &Connection) -> Result<Vec<(String, i64)>> {
    let mut names = store.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names
        .into_iter()
        .map(|name| {
            let last = store.query_row(&format!("SELECT COALESCE(MAX(rowid), 0) FROM {name}"), [], |row| row.get(0))?;
            Ok((name, last))
        })
        .collect()
}

/// An INSERT for each row behind that one. Numbers of rows are the database's to give, and a token's is that of the
/// row before.
fn statements(store: &Connection, table: &str, last: i64) -> Result<Vec<String>> {
    let mut columns = store.prepare(&format!("SELECT name FROM pragma_table_info('{table}')"))?;
    let columns: Vec<String> = columns.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let columns: Vec<&str> = columns.iter().map(String::as_str).filter(|name| *name != "id").collect();
    let values = columns.iter().map(|name| match *name {
        "token_id" => "'last_insert_rowid()'".to_owned(),
        name => format!("quote({name})"),
    });
    let values = values.collect::<Vec<_>>().join(" || ', ' || ");
    let mut rows = store.prepare(&format!("SELECT {values} FROM {table} WHERE rowid > {last} ORDER BY rowid"))?;
    let rows = rows.query_map([], |row| row.get::<_, String>(0))?;
    rows.map(|row| Ok(format!("INSERT INTO {table} ({}) VALUES ({});\n", columns.join(", "), row?))).collect()
}

/// The transactions in a write-ahead log: frames that say how large the database is after them. See SQLite's file
/// format, section 4.1: 32 bytes, then frames of 24 bytes and a page.
fn commits(log: &Path) -> Result<usize> {
    let bytes = fs::read(log).context("SQLite's log")?;
    let word = |at: usize| bytes.get(at..at + 4).map_or(0, |four| four.iter().fold(0, |n, b| n << 8 | usize::from(*b)));
    let page = word(8);
    ensure!(page > 0, "SQLite's log is empty");
    // Frames of an older log have another salt.
    let frames = (32..bytes.len()).step_by(24 + page).filter(|at| bytes[at + 8..].starts_with(&bytes[16..24]));
    Ok(frames.filter(|at| word(at + 4) > 0).count())
}
