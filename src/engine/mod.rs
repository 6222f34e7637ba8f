//! Everything between "a header block and an envelope" and "edits, an owed token, a report"; links, and what opens them.
//!
//! An [`Engine`] is built once from a configuration and used for any number of mails on any number of threads. It knows no
//! arguments, writes to no standard stream, never ends the process, and keeps nothing between two mails but connections.

mod company;
mod decide;
mod follow_up;
pub mod issue;
pub mod newcomer;
pub mod outgoing;
mod pool;
pub mod portal_fit;
pub mod portal_url;
mod record;
pub mod redeem;
mod report;
mod sender;
mod settle;
pub mod token_facts;
pub mod visit;
mod work;

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use company::{are_there as has_companies, customer_id};
pub use decide::{Decision, Deferred, Owed};
pub use pool::Pool;
pub use record::Recorded;
pub use report::Report;
pub use sender::Finding;
pub use settle::Fate;
pub use work::Purpose;

use crate::clock;
use crate::config::{Config, OnError, OneTimeAuth};
use crate::customer::Directory;
use crate::db::{Access, Databases, Url};
use crate::log::Log;
use crate::mail::Address;
use crate::policy::{Rules, TicketNumbers};
use crate::session;
use crate::store::tickets::Facts;
use crate::token::Limits;

/// How long one statement waits for other writers where a person or cron waits, and not a mail.
const PATIENT: Duration = Duration::from_mins(1);

/// A site's parts, wired together; nothing is opened before it is needed, but the log.
pub struct Engine {
    /// The settings.
    pub config: Config,
    /// Where tokens, orders and embedded tickets are.
    pub store: Url,
    /// The customer sources.
    pub directory: Directory,
    /// The source in which customers are created.
    pub backend: String,
    /// What is known of tickets.
    pub tickets: Facts,
    /// The log that the configuration asks for.
    pub log: Arc<Log>,
    pool: Pool,
    clock: fn() -> Timestamp,
}

impl Engine {
    /// Wires a site, without connections that outlive a mail. `backend`: another source to create customers in than the
    /// configured one.
    ///
    /// # Errors
    ///
    /// No source has the backend's name.
    pub fn new(config: Config, backend: Option<&str>, log: Arc<Log>) -> anyhow::Result<Self> {
        let backend = backend.unwrap_or(&config.postmaster.customer_user_backend).to_owned();
        if !config.customer_user.iter().any(|source| source.name == backend) {
            anyhow::bail!("no [[customer_user]] is called `{backend}`");
        }
        let directory = Directory::new(config.customer_user.clone());
        let (store, tickets) = (config.store.place.clone(), config.tickets.facts.clone());
        Ok(Self { config, store, directory, backend, tickets, log, pool: Pool::none(), clock: clock::now })
    }

    /// Decides with these connections, and at most as many mails at the same time.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.pool = pool;
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// Refuses a directory as the place in which customers are created: nothing is ever written there.
    ///
    /// # Errors
    ///
    /// The backend is one.
    pub fn check_backend(&self) -> anyhow::Result<()> {
        if self.directory.source(&self.backend)?.is_directory() {
            anyhow::bail!("`{}` is an LDAP directory, in which no customer can be created", self.backend);
        }
        Ok(())
    }

    /// What is to become of a mail when this source of customers cannot be asked.
    fn on_error(&self, source: Option<&str>) -> OnError {
        let named = source.and_then(|name| self.config.on_error.get(name));
        named.copied().unwrap_or(self.config.postmaster.on_error)
    }

    /// Databases for writing; `busy` is how long one statement waits for other writers.
    #[must_use]
    pub fn databases(&self, busy: Duration) -> Databases {
        crate::store::databases(Access::ReadWrite { create: self.config.store.create }, busy).making_only(&self.store)
    }

    /// Databases for adding something, for people; a missing one is made where `store.create` allows it.
    #[must_use]
    pub fn adding(&self) -> Databases {
        self.databases(PATIENT)
    }

    /// Databases that nothing is written to.
    fn databases_for_trial(&self, busy: Duration) -> Databases {
        let access = if self.config.store.create { Access::Trial } else { Access::ReadOnly };
        crate::store::databases(access, busy).making_only(&self.store)
    }

    /// How long tokens live here.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let OneTimeAuth { access_days_after_close, unbound_days, max_token_days, .. } = self.config.one_time_auth;
        Limits { access_days_after_close, unbound_days, max_token_days }
    }

    /// How long the portal's sessions last here.
    #[must_use]
    pub fn session_ends(&self) -> session::Ends {
        // Both are a week at most.
        let length = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::ZERO);
        session::Ends { idle: length(self.config.door.session_idle), length: length(self.config.door.session_length) }
    }

    /// The policy's rules for a mail to this recipient, whose address is the helpdesk's own.
    #[must_use]
    pub fn rules(&self, recipient: Option<&str>) -> Rules {
        let postmaster = &self.config.postmaster;
        let own = postmaster.own_addresses.iter().cloned().chain(recipient.and_then(Address::parse));
        Rules {
            protection: postmaster.customer_header_spoof_protection,
            protect: postmaster.protect,
            prefix: postmaster.header_prefix.as_str().to_owned(),
            check_box: postmaster.set_check_box_name.clone(),
            link_field: postmaster.link_field.clone(),
            link_placeholder: postmaster.link_placeholder.clone(),
            marker: postmaster.marker.clone(),
            trusted: postmaster.trusted.clone(),
            own_addresses: own.collect(),
            ticket_numbers: TicketNumbers {
                hook: postmaster.ticket_hook.clone(),
                divider: postmaster.ticket_hook_divider.clone(),
                system_id: postmaster.system_id.clone(),
            },
            allow: self.config.create.allow.clone(),
            deny: self.config.create.deny.clone(),
        }
    }
}

/// The log that a configuration asks for.
#[must_use]
pub fn open_log(config: &Config) -> Arc<Log> {
    Arc::new(Log::open(&config.log))
}

/// Databases for looking only, for people.
#[must_use]
pub fn reading() -> Databases {
    crate::store::databases(Access::ReadOnly, PATIENT)
}

/// Databases for changing what is there, for people. Never makes a missing one: an empty database would turn a
/// mistyped path into "there is no such thing".
#[must_use]
pub fn changing() -> Databases {
    crate::store::databases(Access::ReadWrite { create: false }, PATIENT)
}

/// How the log names a mail: by its Message-ID, where it has one.
#[must_use]
pub fn named(message_id: Option<&str>) -> &str {
    message_id.unwrap_or("<>")
}
