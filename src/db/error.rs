//! What can go wrong with a database: a kind for the program, a sentence for the administrator.
//!
//! Messages name the file and the remedy, so they belong in the log and never on the mail path's
//! standard error (promise 3). They hold no values of a statement.

use std::fmt;
use std::path::Path;

/// What went wrong, as far as a program can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The database file is not there.
    Missing,
    /// The file is no SQLite database, or not one of otab's.
    Foreign,
    /// A newer otab made or migrated the database.
    Newer,
    /// The database still has an older otab's schema.
    Older,
    /// Its tables have been copied elsewhere, and nobody reads them here any more.
    Moved,
    /// Others held the lock for longer than the limit, or a server did not answer in time.
    Busy,
    /// No space left.
    Full,
    /// The database cannot be written, or was opened for reading only.
    ReadOnly,
    /// The user who is logged in has not the right to it.
    Denied,
    /// The statement was refused for good: unique, check, not null, foreign key, a value that does not fit.
    Constraint,
    /// The database cannot be opened or reached, or input and output failed.
    Unavailable,
    /// The file to be made is there already.
    Exists,
    /// The file is damaged: what SQLite finds there contradicts itself.
    Damaged,
    /// Anything else: a value of an unexpected type, a fault in otab.
    Other,
}

impl Kind {
    fn remedy(self) -> &'static str {
        match self {
            Self::Missing => "check the path, or have it made: `otab init`, or `create = true` in [store]",
            Self::Foreign => "check the path; otab leaves the file untouched",
            Self::Newer => "use the otab that made it, or a newer one",
            Self::Older => "run `otab store migrate`",
            Self::Moved => "whoever wrote here would write for nobody",
            Self::Busy => "another process holds the database for long, or the server is slow; try again",
            Self::Full => "free some space",
            Self::ReadOnly => {
                "let this user write there; with SQLite, the file and its folder (there are files beside it)"
            }
            Self::Denied => "let the user of the URL do it, by a GRANT; `otab check` says which",
            Self::Constraint => "the same would be refused again",
            Self::Unavailable => "check the place, the rights of this user there, and the disk",
            Self::Exists => "it is left as it is; remove it first to start anew",
            Self::Damaged => "put a backup in its place, or what `.recover` of the program sqlite3 can save",
            Self::Other => "see the message of the database",
        }
    }
}

/// A failed database call. `Display` names the place, what happened, and the remedy.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Error {
    kind: Kind,
    place: String,
    what: String,
}

impl Error {
    /// An error at a place (a path, or a URL without its password).
    pub(crate) fn new(kind: Kind, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { kind, place: place.into(), what: what.into() }
    }

    /// The same, of something that is named first.
    #[must_use]
    pub fn told_of(self, of: &str) -> Self {
        Self { what: format!("{of} ({})", self.what), ..self }
    }

    pub(super) fn at(path: &Path, kind: Kind, what: impl Into<String>) -> Self {
        Self::new(kind, path.display().to_string(), what)
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether an administrator or time can heal it, so that trying again makes sense. Only a
    /// refused statement cannot heal.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.kind != Kind::Constraint
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remedy = self.kind.remedy();
        write!(f, "{}: {} ({remedy})", self.place, self.what)
    }
}
