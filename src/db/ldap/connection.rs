//! The LDAP driver: one connection, which never waits longer than its limit.
//!
//! It drives the asynchronous client on a runtime of its own, in this thread. The synchronous one limits each entry
//! and no search as a whole, and waits, when it is dropped, for a name to be looked up.

use std::sync::Arc;
use std::time::Duration;

use ldap3::adapters::{Adapter, PagedResults};
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, LdapError, ResultEntry, Scope, SearchOptions};
use tokio::runtime::Runtime;

use super::{Entry, Place, Tls};
use crate::db::time_limits::TimeLimits;
use crate::db::trust::trust;
use crate::db::{Error, Kind};

/// One open connection to an LDAP server.
pub struct Connection {
    /// `None` only while it is dropped.
    runtime: Option<Runtime>,
    ldap: Ldap,
    place: Place,
    limits: TimeLimits,
    /// A wait in vain, or an answer that was none: nothing more is asked.
    is_lost: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("place", &self.place.to_string()).finish_non_exhaustive()
    }
}

impl Connection {
    /// Connects, and says who asks.
    pub fn open(place: &Place, busy: Duration) -> Result<Self, Error> {
        let unavailable = |what: String| Error::new(Kind::Unavailable, place.to_string(), what);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| unavailable(format!("no runtime: {error}")))?;
        let limits = TimeLimits::within(busy);
        let opened = runtime.block_on(async { tokio::time::timeout(limits.connect, open(place)).await });
        // Looking up a name happens in a thread that nobody can stop.
        match opened {
            Ok(Ok(ldap)) => Ok(Self { runtime: Some(runtime), ldap, place: place.clone(), limits, is_lost: false }),
            Ok(Err(error)) => {
                runtime.shutdown_background();
                Err(error)
            }
            Err(_) => {
                runtime.shutdown_background();
                Err(unavailable(format!("no answer within {:.1} s", limits.connect.as_secs_f64())))
            }
        }
    }

    /// All entries that the filter holds for. More than `most` are an error: part of an answer is none.
    pub fn search(&mut self, filter: &str, attributes: &[&str], most: usize) -> Result<Vec<Entry>, Error> {
        let found = self.run(filter, attributes, Vec::new(), most + 1)?;
        if found.len() > most {
            return Err(self.failed(Kind::Other, format!("more than {most} entries where a few were expected")));
        }
        Ok(found)
    }

    /// The first entries that the filter holds for, as many as `most`, which come page by page.
    pub fn list(&mut self, filter: &str, attributes: &[&str], most: usize) -> Result<Vec<Entry>, Error> {
        let pages: Box<dyn Adapter<'_, String, Vec<String>>> = Box::new(PagedResults::new(self.place.page_size));
        self.run(filter, attributes, vec![pages], most)
    }

    fn run<'a>(
        &mut self,
        filter: &str,
        attributes: &[&str],
        adapters: Vec<Box<dyn Adapter<'a, String, Vec<String>> + 'a>>,
        most: usize,
    ) -> Result<Vec<Entry>, Error> {
        let (Some(runtime), false) = (&self.runtime, self.is_lost) else {
            return Err(self.failed(Kind::Unavailable, "the connection was given up".to_owned()));
        };
        let (limit, seconds) = (self.limits.statement, self.limits.at_server.as_secs().max(1));
        let options = SearchOptions::new().timelimit(i32::try_from(seconds).unwrap_or(i32::MAX));
        self.ldap.with_search_options(options);
        let search = read(&mut self.ldap, &self.place.base, filter, attributes, adapters, most);
        match runtime.block_on(async { tokio::time::timeout(limit, search).await }) {
            Ok(Ok(entries)) => Ok(entries),
            Ok(Err(error)) => {
                self.is_lost = true;
                Err(failed(&self.place, &error))
            }
            Err(_) => {
                self.is_lost = true;
                Err(self.failed(Kind::Busy, format!("no answer within {:.1} s", limit.as_secs_f64())))
            }
        }
    }

    fn failed(&self, kind: Kind, what: String) -> Error {
        Error::new(kind, self.place.to_string(), what)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn open(place: &Place) -> Result<Ldap, Error> {
    let mut settings = LdapConnSettings::new().set_starttls(place.tls == Tls::StartTls);
    if place.tls != Tls::None {
        settings = settings.set_config(Arc::new(trust(&place.to_string(), place.ca_file.as_deref())?));
    }
    let error = |error: LdapError| failed(place, &error);
    let (connection, mut ldap) = LdapConnAsync::with_settings(settings, &place.to_string()).await.map_err(error)?;
    // The task reads and writes while this thread waits for an answer. Why it ended, the answers tell.
    tokio::spawn(connection.drive());
    if let Some((dn, password)) = &place.bind {
        ldap.simple_bind(dn, &password.0).await.and_then(ldap3::LdapResult::success).map_err(error)?;
    }
    Ok(ldap)
}

/// Reads up to `most` entries. References to other servers, which may stand between, are passed by.
async fn read<'a>(
    ldap: &mut Ldap,
    base: &str,
    filter: &str,
    attributes: &[&str],
    adapters: Vec<Box<dyn Adapter<'a, String, Vec<String>> + 'a>>,
    most: usize,
) -> Result<Vec<Entry>, LdapError> {
    let names: Vec<String> = attributes.iter().map(|&name| name.to_owned()).collect();
    let mut stream = ldap.streaming_search_with(adapters, base, Scope::Subtree, filter, names).await?;
    let mut found = Vec::new();
    while found.len() < most {
        let Some(next) = stream.next().await? else {
            // Only now is it sure that nothing is missing.
            stream.finish().await.success()?;
            return Ok(found);
        };
        if !next.is_ref() && !next.is_intermediate() {
            found.push(entry(next, attributes).ok_or(LdapError::EndOfStream)?);
        }
    }
    Ok(found)
}

/// The attributes of an entry; `None` where it is none. (The crate's own way to read one panics then.)
fn entry(raw: ResultEntry, attributes: &[&str]) -> Option<Entry> {
    let mut parts = raw.0.match_id(4)?.expect_constructed()?.into_iter();
    let _name = parts.next()?;
    let mut entry = vec![Vec::new(); attributes.len()];
    for attribute in parts.next()?.expect_constructed()? {
        let mut parts = attribute.expect_constructed()?.into_iter();
        let name = parts.next()?.expect_primitive()?;
        let values = parts.next()?.expect_constructed()?;
        let values: Vec<Vec<u8>> =
            values.into_iter().map(ldap3::asn1::StructureTag::expect_primitive).collect::<Option<_>>()?;
        // The same name may have been asked for twice: an address is often the customer id as well.
        for (place, wanted) in entry.iter_mut().zip(attributes) {
            if name.eq_ignore_ascii_case(wanted.as_bytes()) {
                place.clone_from(&values);
            }
        }
    }
    Some(entry)
}

fn failed(place: &Place, error: &LdapError) -> Error {
    let (kind, what) = match error {
        // 3: the time limit, 51: busy. What the server says besides may repeat what it was asked.
        LdapError::LdapResult { result } => {
            let kind = if matches!(result.rc, 3 | 51) { Kind::Busy } else { Kind::Unavailable };
            (kind, format!("LDAP says {}", said(result.rc)))
        }
        LdapError::EndOfStream | LdapError::ResultRecv { .. } | LdapError::OpSend { .. } => {
            (Kind::Unavailable, "the connection has ended".to_owned())
        }
        other => (Kind::Unavailable, other.to_string()),
    };
    Error::new(kind, place.to_string(), what)
}

/// A result code in words (RFC 4511, appendix A): those that an administrator meets.
fn said(code: u32) -> String {
    let words = match code {
        3 => "time limit exceeded",
        4 => "size limit exceeded",
        10 => "referral: the base is on another server, and otab follows none",
        11 => "administrative limit exceeded",
        13 => "confidentiality required: use ldaps:// or starttls",
        32 => "no such object: check base",
        34 => "invalid DN: check base and bind_dn",
        48 => "inappropriate authentication",
        49 => "invalid credentials: check bind_dn and the password",
        50 => "insufficient access rights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwilling to perform",
        _ => "no",
    };
    format!("{words} [{code}]")
}
