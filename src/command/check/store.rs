//! otab's own database: product, schema, rights, tokens; the orders in it are looked at with the link mails.

use super::finding::Finding;
use super::{Bench, shape};
use crate::config;
use crate::db::survey::{self, Kind, Need};
use crate::db::{Error, Url};
use crate::exit::Exit;
use crate::token;

/// A log of SQLite's that has grown beyond this, in bytes, has a reader that never ends.
const HUGE_LOG: u64 = 256 << 20;

/// Looks at it.
pub fn look(bench: &mut Bench<'_>) -> Vec<Finding> {
    let create = bench.site.config.store.create;
    let mut findings = match try_to_look(bench) {
        Ok(findings) => findings,
        Err(error) if create => {
            return vec![Finding::note("store", error.to_string(), "the first mail makes it where the folder lets it")];
        }
        Err(error) => {
            let remedy = "see store.url, and group and mode of file and folder";
            return vec![Finding::bad("store", Exit::Unavailable, error, remedy)];
        }
    };
    if create {
        let remedy = "set it to false, now that the database is there: a mistyped path is then an error";
        findings.push(Finding::note("store", "store.create is true", remedy));
    }
    findings.extend(log(&bench.site.store));
    findings
}

fn try_to_look(bench: &mut Bench<'_>) -> Result<Vec<Finding>, Error> {
    let url = config::masked_url(&bench.site.config.store.url);
    let db = bench.dbs.get(&bench.site.store)?;
    let (product, mut findings) = shape::look("store", "the store", db, &needs(), "store.url")?;
    let version = survey::schema_version(db)?;
    let states = token::count_by_state(db)?;
    let tokens = if states.is_empty() { String::new() } else { format!("; tokens: {}", shape::examples(&states)) };
    let says = format!("{url} opens ({product}, schema {version}){tokens}");
    findings.insert(0, Finding::good("store", says));
    Ok(findings)
}

/// otab's own tables, each by a column that otab writes: their version says that all others are there. What is left to
/// see is whether they may be written.
fn needs() -> Vec<Need> {
    let tables = [
        ("token", "hash", true),
        ("outbox", "recipient", true),
        ("ticket", "tn", true),
        ("session", "hash", true),
        ("worker", "task", true),
        ("newcomer", "customer", false),
        ("sent", "sent_at", false),
    ];
    let need = |(table, column, is_changed): (&str, &str, bool)| Need {
        table: table.to_owned(),
        read: vec![column.to_owned()],
        written: vec![(column.to_owned(), Kind::Other)],
        changed: if is_changed { vec![column.to_owned()] } else { Vec::new() },
        deletes: true,
        ..Need::default()
    };
    tables.into_iter().map(need).collect()
}

fn log(store: &Url) -> Option<Finding> {
    let Url::Sqlite(path) = store else { return None };
    let mut name = path.clone().into_os_string();
    name.push("-wal");
    let length = std::fs::metadata(&name).ok()?.len();
    if length <= HUGE_LOG {
        return None;
    }
    let says = format!("{} has grown to {} MiB", name.display(), length >> 20);
    let remedy = "some process holds the database open and reads for long: `fuser` names it; never remove this file";
    Some(Finding::note("store", says, remedy))
}
