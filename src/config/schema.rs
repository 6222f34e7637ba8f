//! The keys of a file that `settings` does not declare: unknown ones.
//!
//! Pure. This file never decides what a key means; it only compares names.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

use super::problem::complaint;
use super::reader::{Reading, join};
use super::settings::{self, SECTIONS};

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

/// Records every key of the file that does not exist.
pub(super) fn report_unknown(reading: &Reading<'_>, root: &DeTable<'_>) {
    walk(reading, root, "", "");
}

fn walk(reading: &Reading<'_>, table: &DeTable<'_>, path: &str, normal: &str) {
    let section = settings::section(normal);
    if section.is_some_and(|section| section.is_free) {
        return;
    }
    for (key, value) in table {
        let name = key.get_ref();
        let (path, normal) = (join(path, name), join(normal, name));
        let entries = format!("{normal}[]");
        match value.get_ref() {
            DeValue::Array(array) if settings::section(&entries).is_some() => {
                for (index, entry) in array.iter().enumerate() {
                    if let Some(table) = entry.get_ref().as_table() {
                        walk(reading, table, &format!("{path}[{}]", index + 1), &entries);
                    }
                }
            }
            DeValue::Table(table) if settings::section(&entries).is_none() && settings::leads_to_tables(&normal) => {
                walk(reading, table, &path, &normal);
            }
            // A table's or a setting's name with a value of another type is a problem of that type.
            _ if settings::leads_to_tables(&normal) => {}
            _ if section.is_some_and(|section| section.setting(name).is_some()) => {}
            _ => {
                let complaint = match REMOVED.iter().find(|(removed, ..)| *removed == normal) {
                    Some((_, what, remedy)) => complaint(*what, *remedy),
                    None => complaint("is unknown", remedy(&normal)),
                };
                reading.problem(key.span().start, &path, complaint);
            }
        }
    }
}

/// The paths of all tables and settings.
fn known() -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for section in SECTIONS {
        let path = section.path.strip_suffix("[]").unwrap_or(section.path);
        known.extend(path.match_indices('.').map(|(at, _)| path[..at].to_owned()));
        known.insert(path.to_owned());
        known.extend(section.settings.iter().map(|setting| join(section.path, setting.name)));
    }
    known
}

/// What to do about an unknown key: most are misspelt, or stand in the wrong table.
fn remedy(unknown: &str) -> String {
    let known = known();
    let (table, name) = split(unknown);
    let table = settings::section(table).map_or(table, |section| section.path);
    if let Some(path) = known.iter().find(|path| split(path).1 == name) {
        return format!("remove it, or did you mean {path}?");
    }
    let siblings = known.iter().filter(|path| split(path).0 == table);
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
