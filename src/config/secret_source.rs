//! Secrets in the configuration, in a file or in an environment variable.
//!
//! A secret never shows in a problem's text.

use std::path::{Path, PathBuf};

use super::file;
use super::names;
use super::problem::{Complaint, complaint};
use super::reader::Table;

/// Where secrets are looked for.
pub(super) struct Source<'a> {
    /// The folder from which relative paths count.
    pub(super) folder: &'a Path,
    /// The environment.
    pub(super) env: &'a dyn Fn(&str) -> Option<String>,
}

/// The variable of this process's environment.
pub(super) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// What a file's name begins with if the file is one of systemd's credentials (`LoadCredential=`).
const CREDENTIALS: &str = "$CREDENTIALS_DIRECTORY";

impl Source<'_> {
    /// The path of a file with a secret.
    ///
    /// `$CREDENTIALS_DIRECTORY/NAME` is the one thing that is expanded, and in this form alone: a `$` anywhere else is a
    /// part of a file's name, as it always was, and no variable can lead to a file outside of that folder.
    pub(super) fn path(&self, text: &str) -> Result<PathBuf, Complaint> {
        let Some(rest) = text.strip_prefix(CREDENTIALS) else { return Ok(self.folder.join(text)) };
        let name = rest.strip_prefix('/').filter(|name| !["", ".", ".."].contains(name) && !name.contains('/'));
        let name = name.ok_or_else(|| {
            let remedy = format!("write {CREDENTIALS}/ and the name that LoadCredential= gives it");
            complaint("is not the name of a credential", remedy)
        })?;
        let folder = (self.env)(&CREDENTIALS[1..]).filter(|folder| folder.starts_with('/'));
        let folder = folder.ok_or_else(|| {
            complaint(
                format!("names a credential, and {CREDENTIALS} is not set"),
                "start otab by a unit of systemd's with LoadCredential=, or name a file",
            )
        })?;
        Ok(Path::new(&folder).join(name))
    }
}

/// The secret under `name`, `name`_file or `name`_env that `check` finds good; `None` where there is none,
/// or where it is a problem already. Without a default, one of the three must be there.
pub(super) fn secret(
    table: &Table<'_, '_>,
    name: &str,
    is_required: bool,
    source: &Source<'_>,
    check: impl Fn(&str) -> Result<(), Complaint>,
) -> Option<String> {
    let (key, found) = look(table, name, is_required, source, check)?;
    found.map_err(|complaint| table.problem(&key, complaint)).ok()
}

/// The same for a secret that the mail path does not need: where its file or variable cannot be read, the
/// reason stands in its place. Mails must not wait for a password that only link mails need.
pub(super) fn secret_for_later(
    table: &Table<'_, '_>,
    name: &str,
    source: &Source<'_>,
    check: impl Fn(&str) -> Result<(), Complaint>,
) -> Option<Result<String, String>> {
    let (key, found) = look(table, name, false, source, check)?;
    match found {
        Ok(secret) => Some(Ok(secret)),
        Err(complaint) if key != name => {
            Some(Err(format!("{} {}; {}", table.full(&key), complaint.what, complaint.remedy)))
        }
        Err(complaint) => {
            table.problem(&key, complaint);
            None
        }
    }
}

/// The key that gives the secret called `name`, if one does.
pub(super) fn key(table: &Table<'_, '_>, name: &str) -> Option<String> {
    let keys = ["", "_file", "_env"].map(|end| format!("{name}{end}"));
    keys.into_iter().find(|key| table.has(key))
}

/// A secret that a command line names: in a file, which is judged as those of a configuration are, or in a variable.
pub fn named(file: Option<&Path>, variable: Option<&str>) -> Result<Option<String>, String> {
    let secret = match (file, variable) {
        (Some(path), _) => file::secret(path),
        (None, Some(name)) => std::env::var(name)
            .map_err(|_| complaint("names a variable that is not set", "set it where otab is started")),
        (None, None) => return Ok(None),
    };
    let secret = secret.and_then(|secret| names::not_empty(&secret).map(|()| secret));
    secret.map(Some).map_err(|complaint| format!("{}; {}", complaint.what, complaint.remedy))
}

/// What is given, and the key that gives it.
fn look(
    table: &Table<'_, '_>,
    name: &str,
    is_required: bool,
    source: &Source<'_>,
    check: impl Fn(&str) -> Result<(), Complaint>,
) -> Option<(String, Result<String, Complaint>)> {
    let keys = [name.to_owned(), format!("{name}_file"), format!("{name}_env")];
    let inline = table.optional_string(&keys[0], names::any);
    let file = table.optional_string(&keys[1], names::not_empty);
    let env = table.optional_string(&keys[2], names::not_empty);
    let given: Vec<&String> = keys.iter().filter(|key| table.has(key)).collect();
    if given.is_empty() && !is_required {
        return None;
    }
    let [key] = given[..] else {
        let of = format!("{}, {} and {}", keys[0], keys[1], keys[2]);
        let wanted = if is_required { "give exactly one" } else { "give at most one" };
        let key = given.last().map_or(name, |key| key.as_str());
        table.problem(key, complaint(format!("{} of {of} are given", given.len()), wanted));
        return None;
    };
    let found = match (inline, file, env) {
        (Some(value), _, _) => Ok(value),
        (_, Some(name), _) => source.path(&name).and_then(|path| file::secret(&path)),
        (_, _, Some(name)) => (source.env)(&name)
            .ok_or_else(|| complaint("names a variable that is not set", "set it where otab is started")),
        // The one that is given is of the wrong type, which is a problem already.
        _ => return None,
    };
    Some((key.clone(), found.and_then(|value| check(&value).map(|()| value))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str, credentials: Option<&str>) -> Result<PathBuf, String> {
        let env = |name: &str| credentials.filter(|_| name == "CREDENTIALS_DIRECTORY").map(str::to_owned);
        let source = Source { folder: Path::new("/etc/otab"), env: &env };
        source.path(text).map_err(|complaint| complaint.what)
    }

    #[test]
    fn a_credential_is_named_in_one_form_only() {
        let set = Some("/run/credentials/otab.service");
        let good = |text, wanted: &str| assert_eq!(path(text, set).as_deref(), Ok(Path::new(wanted)), "{text}");
        good("$CREDENTIALS_DIRECTORY/db", "/run/credentials/otab.service/db");
        good("store.secret", "/etc/otab/store.secret");
        good("/run/db", "/run/db");
        good("secrets/$CREDENTIALS_DIRECTORY", "/etc/otab/secrets/$CREDENTIALS_DIRECTORY");
        good("${CREDENTIALS_DIRECTORY}/db", "/etc/otab/${CREDENTIALS_DIRECTORY}/db");
        good("$HOME/db", "/etc/otab/$HOME/db");
        for end in ["", "/", "/..", "/.", "/../shadow", "/a/b", "S/db"] {
            let error = path(&format!("$CREDENTIALS_DIRECTORY{end}"), set).unwrap_err();
            assert!(error.contains("not the name of a credential"), "{end}");
        }
        for unset in [None, Some(""), Some("run")] {
            assert!(path("$CREDENTIALS_DIRECTORY/db", unset).unwrap_err().contains("is not set"));
        }
    }
}
