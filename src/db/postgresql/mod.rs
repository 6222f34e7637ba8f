//! The PostgreSQL driver: one connection, which never waits longer than its limit.
//!
//! It drives the asynchronous client on a runtime of its own, in this thread: the synchronous one has no time limit
//! for a server that accepts and says nothing. Values are sent as text, and the server gives them the type that the
//! statement wants, so a number fits a smallint and a text a timestamp.

mod failure;
mod value;

use std::future::Future;

use tokio::runtime::Runtime;
use tokio_postgres::config::SslMode;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::dialect::numbered;
use super::server::{Host, Server, Tls};
use super::time_limits::TimeLimits;
use super::trust::trust;
use super::{Access, Error, Kind, Row, Value};
use failure::failed;
use value::Read;

/// The lock that writers of otab wait for, in the database's own list of advisory locks: "otab".
const LOCK: i64 = i64::from_be_bytes(*b"\0\0\0\0otab");

/// How many rows of a cursor come at a time.
const FETCH: &str = "FETCH 500 FROM otab";

/// One open connection to a PostgreSQL server.
pub(super) struct Connection {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    client: Client,
    place: String,
    limits: TimeLimits,
    /// A wait in vain: what the server does with the statement is unknown, and nothing more is asked.
    is_lost: bool,
    /// A statement of the open transaction failed. PostgreSQL would answer COMMIT with a silent ROLLBACK.
    has_failed: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("place", &self.place).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects, logs in and sets the session up.
    pub(super) fn open(server: &Server, access: Access, limits: TimeLimits) -> Result<Self, Error> {
        let place = format!("PostgreSQL {server}");
        let unavailable = |what: String| Error::new(Kind::Unavailable, &place, what);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unavailable(format!("no runtime: {error}")))?;
        let opened = runtime.block_on(async {
            let open = open(server, &place, session(access, limits));
            tokio::time::timeout(limits.connect, open).await
        });
        let client = match opened {
            Ok(Ok(client)) => client,
            Ok(Err(error)) => return Err(error),
            Err(_) => {
                // Looking up a name happens in a thread that nobody can stop.
                runtime.shutdown_background();
                let what = format!("no answer within {:.1} s", limits.connect.as_secs_f64());
                return Err(unavailable(what));
            }
        };
        Ok(Self { runtime: Some(runtime), client, place, limits, is_lost: false, has_failed: false })
    }

    /// Begins a write transaction and waits for its turn: two writers never look at the same moment.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        self.batch("BEGIN ISOLATION LEVEL READ COMMITTED")?;
        self.has_failed = false;
        // It ends with the transaction, also where this process dies.
        self.rows("SELECT pg_advisory_xact_lock(?)", &[LOCK.into()]).map(drop).inspect_err(|_| self.rollback())
    }

    pub(super) fn commit(&mut self) -> Result<(), Error> {
        if self.has_failed {
            return Err(Error::new(Kind::Other, &self.place, "a statement of the transaction has failed"));
        }
        self.batch("COMMIT")
    }

    /// One that fails has nothing left to undo: the server does it when the connection ends.
    pub(super) fn rollback(&mut self) {
        let _ = self.batch("ROLLBACK");
    }

    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>, Error> {
        let parameters = self.parameters(values)?;
        let sql = numbered(sql);
        let found = self.wait(|client| async move { client.query_typed(&sql, &parameters).await })?;
        let values = |row: &tokio_postgres::Row| {
            (0..row.len()).map(|column| row.try_get::<_, Read>(column).map(|read| read.0)).collect::<Result<_, _>>()
        };
        let rows = found.iter().map(|row| values(row).map(|values| Row::new(&self.place, values)));
        rows.collect::<Result<_, _>>().map_err(|error| failed(&self.place, &error))
    }

    /// Each row of a query, some hundreds of them held at a time. Inside of a transaction, since only there is
    /// a cursor.
    pub(super) fn each(&mut self, sql: &str, found: &mut dyn FnMut(Row) -> Result<(), Error>) -> Result<(), Error> {
        self.execute(&format!("DECLARE otab NO SCROLL CURSOR FOR {sql}"), &[])?;
        loop {
            let rows = self.rows(FETCH, &[])?;
            if rows.is_empty() {
                return self.batch("CLOSE otab");
            }
            rows.into_iter().try_for_each(&mut *found)?;
        }
    }

    /// The same outside of one.
    pub(super) fn each_alone(
        &mut self,
        sql: &str,
        found: &mut dyn FnMut(Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.batch("BEGIN")?;
        let done = self.each(sql, found);
        self.rollback();
        done
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64, Error> {
        let parameters = self.parameters(values)?;
        let sql = numbered(sql);
        self.wait(|client| async move { client.execute_typed(&sql, &parameters).await })
    }

    pub(super) fn insert(&mut self, sql: &str, values: &[Value]) -> Result<i64, Error> {
        let rows = self.rows(&format!("{sql} RETURNING id"), values)?;
        rows.first().map_or(Ok(0), |row| row.int(0))
    }

    fn batch(&mut self, sql: &'static str) -> Result<(), Error> {
        self.wait(|client| client.batch_execute(sql))
    }

    /// A NUL would end the text for some server, and be refused by others: otab refuses it itself.
    fn parameters<'v>(&self, values: &'v [Value]) -> Result<Vec<(&'v (dyn ToSql + Sync), Type)>, Error> {
        if values.iter().any(|value| matches!(value, Value::Text(text) if text.contains('\0'))) {
            return Err(Error::new(Kind::Constraint, &self.place, "a text with a NUL cannot be stored"));
        }
        Ok(values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::UNKNOWN)).collect())
    }

    fn wait<'c, T, F>(&'c mut self, ask: impl FnOnce(&'c Client) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, tokio_postgres::Error>>,
    {
        let (Some(runtime), false) = (&self.runtime, self.is_lost) else {
            return Err(Error::new(Kind::Unavailable, &self.place, "the connection was given up"));
        };
        let (client, limit) = (&self.client, self.limits.statement);
        match runtime.block_on(async { tokio::time::timeout(limit, ask(client)).await }) {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.has_failed = true;
                Err(failed(&self.place, &error))
            }
            Err(_) => {
                self.is_lost = true;
                let what = format!("no answer within {:.1} s", limit.as_secs_f64());
                Err(Error::new(Kind::Busy, &self.place, what))
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// The statement that sets the session up.
fn session(access: Access, limits: TimeLimits) -> String {
    let read_only = if matches!(access, Access::ReadWrite { .. }) { "off" } else { "on" };
    let (limit, turn) = (limits.at_server.as_millis().max(1), limits.turn.as_millis().max(1));
    format!(
        "SET statement_timeout = {limit}; SET lock_timeout = {turn}; \
         SET idle_in_transaction_session_timeout = {}; SET standard_conforming_strings = on; \
         SET default_transaction_read_only = {read_only}",
        limit * 4
    )
}

async fn open(server: &Server, place: &str, session: String) -> Result<Client, Error> {
    let mut config = Config::new();
    config.dbname(&server.database).application_name("otab");
    if let Some(user) = &server.user {
        config.user(user);
    }
    if let Some(password) = &server.password {
        config.password(&password.0);
    }
    let no_tls = Tls::Off;
    let tls = match &server.host {
        Host::Socket(folder, port) => {
            config.host_path(folder).port(*port);
            &no_tls
        }
        Host::Tcp(name, port, tls) => {
            config.host(name).port(*port);
            tls
        }
    };
    let error = |error: tokio_postgres::Error| failed(place, &error);
    // The task reads and writes while this thread waits for an answer.
    let client = match tls {
        Tls::Off => {
            let (client, connection) = config.ssl_mode(SslMode::Disable).connect(NoTls).await.map_err(error)?;
            tokio::spawn(connection);
            client
        }
        Tls::Checked(ca_file) => {
            let tls = MakeRustlsConnect::new(trust(place, ca_file.as_deref())?);
            let (client, connection) = config.ssl_mode(SslMode::Require).connect(tls).await.map_err(error)?;
            tokio::spawn(connection);
            client
        }
    };
    client.batch_execute(&session).await.map_err(error)?;
    Ok(client)
}
