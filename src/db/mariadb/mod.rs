//! The driver for MariaDB and MySQL: one connection, with time limits on every read and write.
//!
//! Values go into prepared statements, so nothing has to be quoted. The session is strict: a text that does
//! not fit is an error, and never cut.

mod failure;
mod value;

use mysql::consts::CapabilityFlags;
use mysql::prelude::Queryable;
use mysql::{Conn, OptsBuilder, SslOpts};

use super::server::{Host, Server, Tls};
use super::time_limits::TimeLimits;
use super::{Access, Error, Kind, Row, Value};
use failure::failed;
use value::{parameter, read};

/// What the writers of otab wait for; the database's name comes behind it.
const LOCK: &str = "otab:";
/// Longest name of a lock, in characters.
const LONGEST_LOCK: usize = 64;

/// One open connection to a MariaDB or MySQL server.
pub(super) struct Connection {
    inner: Conn,
    place: String,
    lock: String,
    limits: TimeLimits,
    has_lock: bool,
    /// Reading or writing failed: what the server does with the statement is unknown, and nothing more is asked.
    is_lost: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects, logs in and sets the session up.
    pub(super) fn open(server: &Server, access: Access, limits: TimeLimits) -> Result<Self, Error> {
        let place = format!("MariaDB {server}");
        let inner = Conn::new(options(server, access, limits)).map_err(|error| failed(&place, &error))?;
        let lock = format!("{LOCK}{}", server.database).chars().take(LONGEST_LOCK).collect();
        Ok(Self { inner, place, lock, limits, has_lock: false, is_lost: false })
    }

    /// Begins a write transaction once it is this writer's turn: two writers never look at the same moment.
    ///
    /// The lock comes first: what a transaction sees is as old as its first look.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let seconds = i64::try_from(self.limits.turn.as_secs()).unwrap_or(i64::MAX).max(1);
        let lock = self.lock.as_str().into();
        let turn = self.rows("SELECT GET_LOCK(?, ?)", &[lock, seconds.into()])?;
        if turn.first().map(|row| row.opt_int(0)).transpose()?.flatten() != Some(1) {
            return Err(Error::new(Kind::Busy, &self.place, "other writers hold otab's lock"));
        }
        self.has_lock = true;
        self.batch("START TRANSACTION").inspect_err(|_| self.unlock())
    }

    pub(super) fn commit(&mut self) -> Result<(), Error> {
        self.batch("COMMIT")?;
        self.unlock();
        Ok(())
    }

    /// One that fails has nothing left to undo: the server does it when the connection ends.
    pub(super) fn rollback(&mut self) {
        let _ = self.batch("ROLLBACK");
        self.unlock();
    }

    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        self.attempt(|this| {
            let found = this.inner.exec_iter(sql, parameters(values))?;
            found.map(|row| Ok(Row::new(&this.place, row?.unwrap().into_iter().map(read).collect()))).collect()
        })
    }

    /// Each row of a query, as it comes from the server: none is held.
    pub(super) fn each(&mut self, sql: &str, found: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        let mut told = Ok(());
        self.attempt(|this| {
            for row in this.inner.exec_iter(sql, mysql::Params::Empty)? {
                told = found(Row::new(&this.place, row?.unwrap().into_iter().map(read).collect()));
                if told.is_err() {
                    break;
                }
            }
            Ok(())
        })?;
        told
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        self.attempt(|this| Ok(this.inner.exec_iter(sql, parameters(values))?.affected_rows()))
    }

    pub(super) fn insert(&mut self, sql: &str, values: &[Value]) -> Result<i64, Error> {
        let id = self.attempt(|this| Ok(this.inner.exec_iter(sql, parameters(values))?.last_insert_id()))?;
        Ok(id.and_then(|id| i64::try_from(id).ok()).unwrap_or_default())
    }

    /// The server frees it by itself when the connection ends.
    fn unlock(&mut self) {
        if self.has_lock {
            self.has_lock = false;
            let lock = self.lock.as_str().into();
            let _ = self.rows("SELECT RELEASE_LOCK(?)", &[lock]);
        }
    }

    fn batch(&mut self, sql: &str) -> Result<(), Error> {
        self.attempt(|this| this.inner.query_drop(sql))
    }

    fn attempt<T>(&mut self, ask: impl FnOnce(&mut Self) -> mysql::Result<T>) -> Result<T, Error> {
        if self.is_lost {
            return Err(Error::new(Kind::Unavailable, &self.place, "the connection was given up"));
        }
        ask(self).map_err(|error| {
            self.is_lost = !matches!(error, mysql::Error::MySqlError(_));
            failed(&self.place, &error)
        })
    }
}

fn parameters(values: &[Value]) -> mysql::Params {
    if values.is_empty() { mysql::Params::Empty } else { values.iter().map(parameter).collect::<Vec<_>>().into() }
}

fn options(server: &Server, access: Access, limits: TimeLimits) -> OptsBuilder {
    let mut options = OptsBuilder::new()
        .user(server.user.as_deref())
        .pass(server.password.as_ref().map(|password| password.0.as_str()))
        .db_name(Some(&server.database))
        .tcp_connect_timeout(Some(limits.connect))
        .read_timeout(Some(limits.statement))
        .write_timeout(Some(limits.statement))
        // Else it would look for a socket on its own.
        .prefer_socket(false)
        // Saves a question to the server; a statement of otab's is far shorter.
        .max_allowed_packet(Some(4 << 20))
        // A row that an UPDATE found counts, also where it held the new values already: as with the others.
        .additional_capabilities(CapabilityFlags::CLIENT_FOUND_ROWS)
        .init(session(access, limits));
    options = match &server.host {
        Host::Socket(path, _) => options.socket(Some(path.to_string_lossy())),
        Host::Tcp(name, port, tls) => {
            options = options.ip_or_hostname(Some(name)).tcp_port(*port);
            match tls {
                Tls::Off => options,
                Tls::Checked(None) => options.ssl_opts(SslOpts::default()),
                Tls::Checked(Some(path)) => {
                    options.ssl_opts(SslOpts::default().with_root_cert_path(Some(path.clone())))
                }
            }
        }
    };
    options
}

/// The statements that set the session up.
fn session(access: Access, limits: TimeLimits) -> Vec<String> {
    let limit = limits.at_server;
    // MariaDB and MySQL each read the comment that is meant for it, and know their own setting.
    let statement = format!(
        "SET innodb_lock_wait_timeout = {} /*M!100101 , max_statement_time = {:.3} */ \
         /*!50708 , max_execution_time = {} */",
        limit.as_secs().max(1),
        limit.as_secs_f64(),
        limit.as_millis(),
    );
    let mut statements = vec![
        "SET sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'".to_owned(),
        statement,
    ];
    if limits.is_long {
        let (seconds, turn) = (limit.as_secs(), limits.turn.as_secs().max(1));
        statements.push(format!(
            "SET wait_timeout = {seconds}, net_read_timeout = {seconds}, net_write_timeout = {seconds}, \
             lock_wait_timeout = {turn}, innodb_lock_wait_timeout = {turn}"
        ));
    }
    if !matches!(access, Access::ReadWrite { .. }) {
        statements.push("SET SESSION TRANSACTION READ ONLY".to_owned());
    }
    statements
}
