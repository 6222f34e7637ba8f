//! MariaDB's and MySQL's errors, told apart by what an administrator can do about them.

use std::error::Error as _;
use std::io::ErrorKind;

use mysql::Error as Cause;

use crate::db::{Error, Kind};

/// The error of a call that failed at `place`. Texts of the server that repeat values are left out.
pub(super) fn failed(place: &str, error: &Cause) -> Error {
    match error {
        Cause::MySqlError(error) => {
            let kind = kind(error.code);
            let what = match kind {
                Kind::Constraint => refused(error.code),
                _ => &error.message,
            };
            Error::new(kind, place, format!("{what} [MariaDB {}]", error.code))
        }
        Cause::IoError(io) => unheard(place, io),
        Cause::CodecError(error) => match error.source().and_then(|cause| cause.downcast_ref()) {
            Some(io) => unheard(place, io),
            None => Error::new(Kind::Unavailable, place, format!("not MariaDB's protocol: {error}")),
        },
        Cause::DriverError(error) => Error::new(Kind::Unavailable, place, error.to_string()),
        Cause::TlsError(error) => Error::new(Kind::Unavailable, place, format!("TLS: {error}")),
        other => Error::new(Kind::Other, place, other.to_string()),
    }
}

/// Reading or writing failed; where it was given up, so says the system.
fn unheard(place: &str, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::new(Kind::Busy, place, "no answer in time"),
        _ => Error::new(Kind::Unavailable, place, error.to_string()),
    }
}

/// The server's numbers (MariaDB Server, "MariaDB Error Codes"; MySQL has the same ones up to 2000).
fn kind(code: u16) -> Kind {
    match code {
        // A lock or a statement that took too long, a deadlock, somebody's KILL QUERY.
        1205 | 1213 | 1317 | 1969 | 3024 | 3058 => Kind::Busy,
        1021 | 1114 => Kind::Full,
        1290 | 1792 | 1836 => Kind::ReadOnly,
        1142 | 1143 => Kind::Denied,
        // Too many connections, not let in, no such database, a server that goes down.
        1040
        | 1041
        | 1042
        | 1043
        | 1044
        | 1045
        | 1049
        | 1053
        | 1129
        | 1130
        | 1152
        | 1158..=1161
        | 1203
        | 1226
        | 1227
        | 1698
        | 1927 => Kind::Unavailable,
        1022 | 1048 | 1062 | 1264 | 1265 | 1292 | 1364 | 1366 | 1406 | 1451 | 1452 | 1557 | 1586 | 1859 | 3819
        | 3854 | 4025 => Kind::Constraint,
        _ => Kind::Other,
    }
}

/// Instead of the server's own words, which repeat the value.
fn refused(code: u16) -> &'static str {
    match code {
        1022 | 1062 | 1557 | 1586 | 1859 => "a value that must be unique is there already",
        1264 | 1265 | 1406 => "a value is too large for its column",
        1292 | 1366 => "a value cannot be stored in its column",
        1048 | 1364 => "a value is missing",
        1451 | 1452 => "a foreign key does not allow it",
        _ => "a rule of the table does not allow it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_words_that_hold_values_do_not_show() {
        let refused =
            mysql::MySqlError { state: "23000".into(), code: 1062, message: "Duplicate entry 'carol'".into() };
        let error = failed("place", &Cause::MySqlError(refused));
        assert_eq!(error.kind(), Kind::Constraint);
        assert!(!error.to_string().contains("carol") && error.to_string().contains("unique"));
        let missing = mysql::MySqlError { state: "42S22".into(), code: 1054, message: "Unknown column 'x'".into() };
        assert!(failed("place", &Cause::MySqlError(missing)).to_string().contains("Unknown column"));
    }
}
