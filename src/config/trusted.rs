//! `[[postmaster.trusted]]`: secret fields by which a mail from a system of one's own is known.
//!
//! The secret stands in the configuration, in a file or in an environment variable. It never shows
//! in a problem's text.

use std::path::Path;

use super::file;
use super::names;
use super::problem::{Complaint, complaint};
use super::reader::Table;
use super::secret::Secret;

/// Shortest secret, in characters. Anybody may send as many guesses as he likes.
const SHORTEST: usize = 16;

/// One `[[postmaster.trusted]]` entry.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The field's name, as written.
    pub field: String,
    /// Its whole value: one line, no outer blanks.
    pub value: Secret,
}

/// Where secrets are looked for.
pub(super) struct Source<'a> {
    /// The folder from which relative paths count.
    pub(super) folder: &'a Path,
    /// The environment.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

pub(super) fn read(table: &Table<'_, '_>, source: &Source<'_>) -> Option<Trusted> {
    let field = table.required_string("field", names::secret_field);
    let value = value(table, source);
    Some(Trusted { field: field?, value: Secret::new(value?) })
}

fn value(table: &Table<'_, '_>, source: &Source<'_>) -> Option<String> {
    let inline = table.optional_string("value", names::any);
    let file = table.optional_string("value_file", names::not_empty);
    let env = table.optional_string("value_env", names::not_empty);
    let keys = ["value", "value_file", "value_env"];
    let given: Vec<_> = keys.into_iter().filter(|key| table.has(key)).collect();
    let [key] = given[..] else {
        table.problem(
            given.last().unwrap_or(&"value"),
            complaint(format!("{} of value, value_file and value_env are given", given.len()), "give exactly one"),
        );
        return None;
    };
    let found = match (inline, file, env) {
        (Some(value), _, _) => Ok(value),
        (_, Some(name), _) => file::secret(&source.folder.join(name)),
        (_, _, Some(name)) => (source.env)(&name)
            .ok_or_else(|| complaint("names a variable that is not set", "set it where otab is started")),
        // The one that is given is of the wrong type, which is a problem already.
        _ => return None,
    };
    let checked = found.and_then(|value| check(&value).map(|()| value));
    checked.map_err(|complaint| table.problem(key, complaint)).ok()
}

fn check(value: &str) -> Result<(), Complaint> {
    if value.trim() != value || value.chars().any(char::is_control) {
        return Err(complaint(
            "is a secret with a line break, a control character or outer blanks",
            "use one line of plain text",
        ));
    }
    if value.chars().count() < SHORTEST || value.len() > 500 {
        return Err(complaint(
            "is a secret that is too short or too long",
            format!("use {SHORTEST} to 500 random characters (openssl rand -hex 16)"),
        ));
    }
    // A field's value is compared as bytes, and what is not ASCII is spelt differently on the way.
    if !value.is_ascii() {
        return Err(complaint("is a secret with characters beyond ASCII", "use ASCII only"));
    }
    Ok(())
}
