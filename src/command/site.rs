//! From the configuration to the things that commands work with: rules, directory, databases, log.

use std::time::Duration;

use jiff::SignedDuration;

use crate::config::{Config, OnError, OneTimeAuth};
use crate::customer::Directory;
use crate::db::{Access, Databases, Url};
use crate::log::Log;
use crate::mail::Address;
use crate::policy::{Rules, TicketNumbers};
use crate::session;
use crate::store::tickets::Facts;
use crate::token::Limits;

/// A site's parts, wired together; nothing is opened yet.
pub struct Site {
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
}

impl Site {
    /// Wires a site. `backend`: another source to create customers in than the configured one.
    pub fn new(config: Config, backend: Option<&str>) -> anyhow::Result<Self> {
        let backend = backend.unwrap_or(&config.postmaster.customer_user_backend).to_owned();
        if !config.customer_user.iter().any(|source| source.name == backend) {
            anyhow::bail!("no [[customer_user]] is called `{backend}`");
        }
        let directory = Directory::new(config.customer_user.clone());
        let (store, tickets) = (config.store.place.clone(), config.tickets.facts.clone());
        Ok(Self { config, store, directory, backend, tickets })
    }

    /// Refuses a directory as the place in which customers are created: nothing is ever written there.
    pub fn check_backend(&self) -> anyhow::Result<()> {
        if self.directory.source(&self.backend)?.is_directory() {
            anyhow::bail!("`{}` is an LDAP directory, in which no customer can be created", self.backend);
        }
        Ok(())
    }

    /// What is to become of a mail when this source of customers cannot be asked.
    #[must_use]
    pub fn on_error(&self, source: Option<&str>) -> OnError {
        let named = source.and_then(|name| self.config.on_error.get(name));
        named.copied().unwrap_or(self.config.postmaster.on_error)
    }

    /// Databases for writing; `busy` is how long one statement waits for other writers.
    #[must_use]
    pub fn databases(&self, busy: Duration) -> Databases {
        crate::store::databases(Access::ReadWrite { create: self.config.store.create }, busy).making_only(&self.store)
    }

    /// How long tokens live here.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let OneTimeAuth { access_days_after_close, unbound_days, max_token_days, .. } = self.config.one_time_auth;
        Limits { access_days_after_close, unbound_days, max_token_days }
    }

    /// How long the door's sessions last here.
    #[must_use]
    pub fn session_ends(&self) -> session::Ends {
        // Both are a week at most.
        let length = |time| SignedDuration::try_from(time).unwrap_or(SignedDuration::ZERO);
        session::Ends { idle: length(self.config.door.session_idle), length: length(self.config.door.session_length) }
    }

    /// Databases that nothing is written to.
    #[must_use]
    pub fn databases_for_trial(&self, busy: Duration) -> Databases {
        let access = if self.config.store.create { Access::Trial } else { Access::ReadOnly };
        crate::store::databases(access, busy).making_only(&self.store)
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

/// The log that the configuration asks for.
#[must_use]
pub fn open_log(config: &Config) -> Log {
    Log::open(&config.log)
}
