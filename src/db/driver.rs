//! The same calls on whichever connection it is.

#[cfg(feature = "mariadb")]
use super::mariadb;
#[cfg(feature = "postgresql")]
use super::postgresql;
use super::{Dialect, Error, Row, Value, sqlite};

/// A connection of one kind.
#[derive(Debug)]
pub(super) enum Driver {
    Sqlite(sqlite::Connection),
    #[cfg(feature = "postgresql")]
    PostgreSql(postgresql::Connection),
    // Much larger than the others, by its buffers.
    #[cfg(feature = "mariadb")]
    MariaDb(Box<mariadb::Connection>),
}

macro_rules! on {
    ($driver:expr, $connection:ident => $call:expr) => {
        match $driver {
            Driver::Sqlite($connection) => $call,
            #[cfg(feature = "postgresql")]
            Driver::PostgreSql($connection) => $call,
            #[cfg(feature = "mariadb")]
            Driver::MariaDb($connection) => $call,
        }
    };
}

impl Driver {
    pub(super) fn dialect(&self) -> Dialect {
        match self {
            Self::Sqlite(_) => Dialect::Sqlite,
            #[cfg(feature = "postgresql")]
            Self::PostgreSql(_) => Dialect::PostgreSql,
            #[cfg(feature = "mariadb")]
            Self::MariaDb(_) => Dialect::MariaDb,
        }
    }

    pub(super) fn begin(&mut self) -> Result<(), Error> {
        on!(self, connection => connection.begin())
    }

    pub(super) fn commit(&mut self) -> Result<(), Error> {
        on!(self, connection => connection.commit())
    }

    pub(super) fn rollback(&mut self) {
        on!(self, connection => connection.rollback());
    }

    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        on!(self, connection => connection.rows(sql, values))
    }

    pub(super) fn each(&mut self, sql: &str, found: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        on!(self, connection => connection.each(sql, found))
    }

    pub(super) fn insert(&mut self, sql: &str, values: &[Value]) -> Result<i64, Error> {
        on!(self, connection => connection.insert(sql, values))
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        on!(self, connection => connection.execute(sql, values))
    }
}
