//! The keys that exist, as far as a reading has asked for them, and the others: unknown ones.
//!
//! Pure. This file never decides what a key means; it only compares names.

use std::collections::BTreeMap;

use toml::de::{DeTable, DeValue};

use super::problem::complaint;
use super::reader::{Reading, join};

/// A slip of the pen changes one letter in three at most; beyond that, `log.file` would suggest
/// `limits.idle`.
const LETTERS_PER_SLIP: usize = 3;

/// Settings of earlier versions, what became of them, and what to write now.
const REMOVED: [(&str, &str, &str); 1] = [(
    "create.public_mail_domains",
    "was replaced by company_domains",
    "remove it, and name in create.company_domains the domains that are companies: at any other domain, each address is \
     a customer id of its own",
)];

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Integer,
    Boolean,
    List,
    Table,
    /// A table whose keys are free.
    Map,
    /// An array of tables.
    Tables,
}

/// A key that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) kind: Kind,
    /// Its default as TOML; `None` for tables and for keys that may be missing.
    pub(super) default: Option<String>,
}

/// Records every key of the file that nobody asked for. To be called once all keys are read.
pub(super) fn report_unknown(reading: &Reading<'_>, root: &DeTable<'_>) {
    let known = reading.known();
    walk(reading, &known, root, "", "");
}

fn walk(reading: &Reading<'_>, known: &BTreeMap<String, Known>, table: &DeTable<'_>, path: &str, normal: &str) {
    for (key, value) in table {
        let (path, normal) = (join(path, key.get_ref()), join(normal, key.get_ref()));
        match (known.get(&normal).map(|k| k.kind), value.get_ref()) {
            (None, _) => {
                let complaint = match REMOVED.iter().find(|(removed, ..)| *removed == normal) {
                    Some((_, what, remedy)) => complaint(*what, *remedy),
                    None => complaint("is unknown", remedy(known, &normal)),
                };
                reading.problem(key.span().start, &path, complaint);
            }
            (Some(Kind::Table), DeValue::Table(table)) => {
                walk(reading, known, table, &path, &normal);
            }
            (Some(Kind::Tables), DeValue::Array(array)) => {
                for (index, entry) in array.iter().enumerate() {
                    if let Some(table) = entry.get_ref().as_table() {
                        let path = format!("{path}[{}]", index + 1);
                        walk(reading, known, table, &path, &format!("{normal}[]"));
                    }
                }
            }
            _ => {}
        }
    }
}

/// What to do about an unknown key: most are misspelt, or stand in the wrong table.
fn remedy(known: &BTreeMap<String, Known>, unknown: &str) -> String {
    let (table, name) = split(unknown);
    if let Some(path) = known.keys().find(|path| split(path).1 == name) {
        return format!("remove it, or did you mean {path}?");
    }
    let siblings = known.keys().filter(|path| split(path).0 == table);
    let slips = |path: &&String| strsim::damerau_levenshtein(split(path).1, name);
    let nearest = siblings.min_by_key(slips);
    match nearest.filter(|path| slips(path) * LETTERS_PER_SLIP <= name.chars().count()) {
        Some(path) => format!("remove it, or did you mean {}?", split(path).1),
        None => "remove it".to_owned(),
    }
}

/// A path's table and its last name.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('.').unwrap_or(("", path))
}
