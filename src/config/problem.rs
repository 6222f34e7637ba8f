//! What can be wrong with a configuration, and how it is reported: every problem with its line and key.
//!
//! Pure. A problem's text never repeats a value that may be secret.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// The line in the file, counted from 1.
    pub line: usize,
    /// The full key, such as `postmaster.trusted[1].value` (entries are counted from 1); empty
    /// where the text is no TOML.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: ", self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.what, self.remedy)
    }
}

/// What a check says of a value, before line and key are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) what: String,
    pub(super) remedy: String,
}

/// Shorthand for a complaint.
pub(super) fn complaint(what: impl Into<String>, remedy: impl Into<String>) -> Complaint {
    Complaint { what: what.into(), remedy: remedy.into() }
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be opened or read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file can be read and is not trusted: others can change it, or it is no plain text file.
    #[error("{}: {why}", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do about it.
        why: String,
    },
    /// The text has problems: all of them, in the order of their lines.
    #[error("{}", listed(path.as_ref(), problems))]
    Problems {
        /// The file; `None` for a text that came from none.
        path: Option<PathBuf>,
        /// At least one.
        problems: Vec<Problem>,
    },
}

/// One problem a line, each beginning with the file's name, as compilers do.
fn listed(path: Option<&PathBuf>, problems: &[Problem]) -> String {
    let name = path.map(|p| format!("{}: ", p.display()));
    let name = name.unwrap_or_default();
    let lines: Vec<_> = problems.iter().map(|p| format!("{name}{p}")).collect();
    lines.join("\n")
}
