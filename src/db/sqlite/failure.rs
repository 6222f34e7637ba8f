//! SQLite's errors, told apart by what an administrator can do about them.

use std::io;

use rusqlite::ErrorCode;

use crate::db::{Error, Kind};

/// The error of a call that failed at `place`.
pub(super) fn failed(place: &str, error: &rusqlite::Error) -> Error {
    let kind = error.sqlite_error_code().map_or(Kind::Other, kind);
    Error::new(kind, place, message(error))
}

/// What kind a failure is that the system told by itself, where a database is made or its folder synced.
pub(super) fn io_kind(error: &io::Error) -> Kind {
    match error.kind() {
        io::ErrorKind::AlreadyExists => Kind::Exists,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Kind::Full,
        io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied => Kind::ReadOnly,
        _ => Kind::Unavailable,
    }
}

/// The text without the statement: it adds nothing for the administrator.
fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(code, Some(text)) => {
            format!("{text} [SQLite {}]", code.extended_code)
        }
        other => other.to_string(),
    }
}

fn kind(code: ErrorCode) -> Kind {
    match code {
        // A protocol failure is a lock that could not be had in very many tries; interrupted is what took too long.
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::OperationInterrupted => Kind::Busy,
        ErrorCode::DiskFull => Kind::Full,
        ErrorCode::ReadOnly => Kind::ReadOnly,
        ErrorCode::ConstraintViolation => Kind::Constraint,
        ErrorCode::NotADatabase => Kind::Foreign,
        ErrorCode::DatabaseCorrupt => Kind::Damaged,
        ErrorCode::CannotOpen | ErrorCode::SystemIoFailure | ErrorCode::PermissionDenied => Kind::Unavailable,
        _ => Kind::Other,
    }
}
