//! Where a configuration keeps its secrets: in itself, or in files that it names. For the code that checks their
//! modes.
//!
//! No secret is returned, and none of the files is opened.

use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

use super::secret::masked_url;
use super::secret_source::{self, Source};
use super::{Error, file};

/// A secret's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    /// The key, such as `store.password_file`.
    pub key: String,
    /// The file that it names; `None`: the secret stands in the configuration itself.
    pub file: Option<PathBuf>,
}

/// The places of all secrets of the configuration at `path`.
pub fn secrets(path: &Path) -> Result<Vec<SecretFile>, Error> {
    let (text, folder) = file::configuration(path)?;
    let (root, _) = DeTable::parse_recoverable(&text);
    let mut found = Vec::new();
    let source = Source { folder: &folder, env: &secret_source::environment };
    table("", root.get_ref(), &source, &mut found);
    Ok(found)
}

/// The names of all environment variables that the configuration takes secrets from, good or not: what it starts must
/// not inherit them.
pub(super) fn variables(root: &DeTable<'_>) -> Vec<String> {
    let mut found = Vec::new();
    variables_in(root, &mut found);
    found
}

/// The same for the configuration at `path`, as far as it can be read: also where it cannot be used.
#[must_use]
pub fn secret_variables(path: &Path) -> Vec<String> {
    let text = file::configuration(path).map(|(text, _)| text).unwrap_or_default();
    variables(DeTable::parse_recoverable(&text).0.get_ref())
}

fn variables_in(entries: &DeTable<'_>, found: &mut Vec<String>) {
    for (key, value) in entries {
        match value.get_ref() {
            DeValue::Table(inner) => variables_in(inner, found),
            DeValue::Array(list) => {
                let tables = list.iter().filter_map(|entry| entry.get_ref().as_table());
                tables.for_each(|inner| variables_in(inner, found));
            }
            DeValue::String(name) if key.get_ref().ends_with("_env") => found.push(name.as_ref().to_owned()),
            _ => {}
        }
    }
}

fn table(path: &str, entries: &DeTable<'_>, source: &Source<'_>, found: &mut Vec<SecretFile>) {
    for (key, value) in entries {
        let name = key.get_ref().as_ref();
        let key = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        match value.get_ref() {
            DeValue::Table(inner) => table(&key, inner, source, found),
            DeValue::Array(list) => {
                let tables = list.iter().filter_map(|entry| entry.get_ref().as_table());
                tables.for_each(|inner| table(&key, inner, source, found));
            }
            DeValue::String(text) => match name {
                // A credential that is not there now has no modes to look at.
                "password_file" | "value_file" => {
                    found.extend(source.path(text).ok().map(|file| SecretFile { key, file: Some(file) }));
                }
                "password" => found.push(SecretFile { key, file: None }),
                "value" if path.ends_with("trusted") => found.push(SecretFile { key, file: None }),
                "url" if masked_url(text).contains(":***@") => found.push(SecretFile { key, file: None }),
                _ => {}
            },
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_is_found_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.toml");
        // It cannot be used, and names them all the same.
        let text = "[mail]\npassword_env = \"A\"\nhost = \"B\"\nno_such = 1\n[[postmaster.trusted]]\nvalue_env = \"C\"\n\
                    [[customer_user]]\nname = \"x\"\npassword_env = \"D\"\n[store]\npassword_env = 7\n";
        std::fs::write(&path, text).unwrap();
        let mut found = secret_variables(&path);
        found.sort();
        assert_eq!(found, ["A", "C", "D"]);
        assert!(secret_variables(&folder.path().join("none")).is_empty());
    }

    #[test]
    fn every_place_of_a_secret_is_found_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("otab.toml");
        let text = "[store]\nurl = \"postgresql://u:p@h/d\"\n[mail]\npassword_file = \"mail.secret\"\n\
                    [[postmaster.trusted]]\nfield = \"X-A\"\nvalue = \"v\"\n[[postmaster.trusted]]\nvalue_file = \"/v\"\n\
                    [[customer_user]]\nname = \"value\"\nurl = \"mysql://u@h/d\"\npassword = \"p\"\n\
                    [create.preferences]\nvalue = \"x\"\n";
        std::fs::write(&path, text).unwrap();
        let found = secrets(&path).unwrap();
        let file = |key: &str| found.iter().find(|kept| kept.key == key).unwrap().file.clone();
        assert_eq!(found.len(), 5, "{found:?}");
        assert_eq!(file("mail.password_file"), Some(folder.path().canonicalize().unwrap().join("mail.secret")));
        assert_eq!(file("postmaster.trusted.value_file"), Some("/v".into()));
        for inline in ["store.url", "postmaster.trusted.value", "customer_user.password"] {
            assert_eq!(file(inline), None);
        }
    }
}
