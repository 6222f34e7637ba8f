//! PostgreSQL's errors, told apart by what an administrator can do about them.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use crate::db::{Error, Kind};

/// The error of a call that failed at `place`. The server's detail is left out: it repeats values.
pub(super) fn failed(place: &str, error: &tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        let what = error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
        // What could not be read came over a connection that works.
        let kind = if what.contains("deserializing") { Kind::Other } else { Kind::Unavailable };
        return Error::new(kind, place, what);
    };
    let code = db.code();
    // Values stand in double quotes behind a colon, as in `invalid input syntax for type integer: "x"`.
    let message = db.message().split(": \"").next().unwrap_or_default();
    Error::new(kind(code), place, format!("{message} [PostgreSQL {}]", code.code()))
}

fn kind(code: &SqlState) -> Kind {
    match *code {
        // Deadlocks, a lock or a statement that took too long.
        SqlState::T_R_SERIALIZATION_FAILURE
        | SqlState::T_R_DEADLOCK_DETECTED
        | SqlState::LOCK_NOT_AVAILABLE
        | SqlState::QUERY_CANCELED => Kind::Busy,
        SqlState::DISK_FULL => Kind::Full,
        SqlState::READ_ONLY_SQL_TRANSACTION => Kind::ReadOnly,
        SqlState::INSUFFICIENT_PRIVILEGE => Kind::Denied,
        SqlState::INVALID_CATALOG_NAME => Kind::Unavailable,
        _ => match code.code().get(..2) {
            // Data that does not fit (too long, out of range, no character of this database); constraints.
            Some("22" | "23") => Kind::Constraint,
            // The connection, who logs in, resources, an administrator or a server that goes down.
            Some("08" | "28" | "53" | "57") => Kind::Unavailable,
            _ => Kind::Other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_apart() {
        for (state, wanted) in [
            ("23505", Kind::Constraint),
            ("22001", Kind::Constraint),
            ("22021", Kind::Constraint),
            ("40P01", Kind::Busy),
            ("40001", Kind::Busy),
            ("55P03", Kind::Busy),
            ("57014", Kind::Busy),
            ("53100", Kind::Full),
            ("53300", Kind::Unavailable),
            ("57P01", Kind::Unavailable),
            ("57P03", Kind::Unavailable),
            ("28P01", Kind::Unavailable),
            ("25006", Kind::ReadOnly),
            ("42501", Kind::Denied),
            ("42P01", Kind::Other),
            ("42703", Kind::Other),
        ] {
            assert_eq!(kind(&SqlState::from_code(state)), wanted, "{state}");
        }
    }
}
