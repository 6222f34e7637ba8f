//! From the configuration to the things that commands work with: rules, directory, databases, log.

use std::time::Duration;

use anyhow::Context;

use crate::config::{Config, OneTimeAuth, Prefix};
use crate::customer::{Directory, Source};
use crate::db::{Access, Databases, Url};
use crate::log::{self, Log};
use crate::mail::Address;
use crate::policy::{Protect, Rules, TicketNumbers, Trusted};
use crate::ticket::Facts;
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
        let store = Url::parse(&config.store.url, &config.folder).context("store.url")?;
        let source = |source: &crate::config::CustomerSource| -> anyhow::Result<Source> {
            let url = match &source.url {
                None => store.clone(),
                Some(url) => {
                    Url::parse(url, &config.folder).with_context(|| format!("customer_user `{}`: url", source.name))?
                }
            };
            Ok(Source { name: source.name.clone(), url })
        };
        let sources = config.customer_user.iter().map(source).collect::<Result<Vec<_>, _>>()?;
        let backend = backend.unwrap_or(&config.postmaster.customer_user_backend).to_owned();
        if !sources.iter().any(|s| s.name == backend) {
            anyhow::bail!("no [[customer_user]] is called `{backend}`");
        }
        let directory = Directory::new(sources);
        let tickets = Facts::new(store.clone());
        Ok(Self { config, store, directory, backend, tickets })
    }

    /// Databases for writing; `busy` is how long one statement waits for other writers.
    #[must_use]
    pub fn databases(&self, busy: Duration) -> Databases {
        Databases::new(Access::ReadWrite { create: self.config.store.create }, busy).making_only(&self.store)
    }

    /// How long tokens live here.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let OneTimeAuth { access_days_after_close, unbound_days, max_token_days, .. } = self.config.one_time_auth;
        Limits { access_days_after_close, unbound_days, max_token_days }
    }

    /// Databases that nothing is written to.
    #[must_use]
    pub fn databases_for_trial(&self, busy: Duration) -> Databases {
        let access = if self.config.store.create { Access::Trial } else { Access::ReadOnly };
        Databases::new(access, busy).making_only(&self.store)
    }

    /// The policy's rules for a mail to this recipient, whose address is the helpdesk's own.
    #[must_use]
    pub fn rules(&self, recipient: Option<&str>) -> Rules {
        let postmaster = &self.config.postmaster;
        let own = postmaster.own_addresses.iter().cloned().chain(recipient.and_then(Address::parse));
        Rules {
            protection: postmaster.customer_header_spoof_protection,
            protect: match postmaster.protect {
                crate::config::Protect::All => Protect::All,
                crate::config::Protect::Customer => Protect::Customer,
            },
            prefix: match postmaster.header_prefix {
                Prefix::Otobo | Prefix::Otrs => postmaster.header_prefix.as_str().to_owned(),
            },
            check_box: postmaster.set_check_box_name.clone(),
            link_field: postmaster.link_field.clone(),
            link_placeholder: postmaster.link_placeholder.clone(),
            marker: postmaster.marker.clone(),
            trusted: postmaster
                .trusted
                .iter()
                .map(|t| Trusted { field: t.field.clone(), value: t.value.expose().to_owned() })
                .collect(),
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
    let log = &config.log;
    Log::open(&log::Settings {
        stderr: log.stderr,
        syslog: log.syslog,
        syslog_socket: log.syslog_socket.clone(),
        facility: log.facility,
        journald: log.journald,
        journald_socket: log.journald_socket.clone(),
        file: log.file.clone(),
    })
}
