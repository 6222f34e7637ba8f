//! Why a command for people failed, and the status it ends with.
//!
//! Here, and nowhere else, an error of a room becomes an exit status. This file prints nothing.

use anyhow::anyhow;

use crate::config;
use crate::customer::{self, Refusal};
use crate::db::{self, Kind};
use crate::exit::Exit;

/// A failed command for people.
#[derive(Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: Exit,
    /// What the person is told.
    pub error: anyhow::Error,
}

/// What a command came to: a status (`redeem` has several that are no failures), or why not.
pub type Done = Result<Exit, Failure>;

impl Failure {
    /// A failure that no error stands behind.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, error: anyhow!(what.into()) }
    }
}

/// Gives errors a status where the kind of error does not decide it.
pub trait Ends<T> {
    /// The error ends the command with this status; `what` was being done.
    fn ends(self, exit: Exit, what: &str) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> Ends<T> for Result<T, E> {
    fn ends(self, exit: Exit, what: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into().context(what.to_owned()) })
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Self {
        let missing = matches!(&error, config::Error::Unreadable { source, .. }
            if source.kind() == std::io::ErrorKind::NotFound);
        // Its own text ends with the system's; as a chain of errors that would be told twice.
        let error = anyhow!(error.to_string());
        let remedy = "there is no configuration; name one with --config or OTAB_CONFIG, or write one with `otab init`";
        Self { exit: Exit::Config, error: if missing { error.context(remedy) } else { error } }
    }
}

impl From<db::Error> for Failure {
    fn from(error: db::Error) -> Self {
        let exit = match error.kind() {
            // Time alone heals these.
            Kind::Busy | Kind::Full => Exit::TempFail,
            Kind::Exists => Exit::CantCreate,
            Kind::Constraint => Exit::DataErr,
            Kind::Missing
            | Kind::Foreign
            | Kind::Newer
            | Kind::Older
            | Kind::Moved
            | Kind::ReadOnly
            | Kind::Denied
            | Kind::Unavailable
            | Kind::Damaged
            | Kind::Other => Exit::Unavailable,
        };
        Self { exit, error: error.into() }
    }
}

impl From<customer::Error> for Failure {
    fn from(error: customer::Error) -> Self {
        let exit = match error {
            customer::Error::Db { error, .. } | customer::Error::Unnoted(error) => return error.into(),
            customer::Error::UnknownSource(_) => Exit::Usage,
            // The one rule that a new row can break is that its login is there already.
            customer::Error::Refused(Refusal::Constraint(_)) => Exit::CantCreate,
            customer::Error::Refused(Refusal::Claimed { .. } | Refusal::Marker | Refusal::ReadOnly(_)) => Exit::NoPerm,
            customer::Error::Refused(Refusal::TooLong { .. } | Refusal::Empty(_) | Refusal::Control(_)) => {
                Exit::DataErr
            }
        };
        Self { exit, error: error.into() }
    }
}
