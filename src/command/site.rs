//! From the configuration to the things that commands work with: rules, directory, databases, log.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use jiff::SignedDuration;

use crate::config::{self, Config, OnError, OneTimeAuth, Prefix, TicketSource};
use crate::customer::{Directory, HasPassword, Names, Source};
use crate::db::{self, Access, Databases, Url, UrlError, Zone};
use crate::log::{self, Log};
use crate::mail::Address;
use crate::policy::{Protect, Rules, TicketNumbers, Trusted};
use crate::session;
use crate::ticket::{ClosedSince, Facts, Otobo};
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
        let store = store_of(&config).context("store.url")?;
        let source = |source: &config::CustomerSource| {
            source_of(source, &store, &config.folder).with_context(|| format!("customer_user `{}`", source.name))
        };
        let sources = config.customer_user.iter().map(source).collect::<Result<Vec<_>, _>>()?;
        let backend = backend.unwrap_or(&config.postmaster.customer_user_backend).to_owned();
        if !sources.iter().any(|s| s.name == backend) {
            anyhow::bail!("no [[customer_user]] is called `{backend}`");
        }
        let directory = Directory::new(sources);
        let tickets = tickets_of(&config, &store).context("tickets")?;
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
        let named = self.config.customer_user.iter().find(|entry| Some(entry.name.as_str()) == source);
        named.and_then(|entry| entry.on_error).unwrap_or(self.config.postmaster.on_error)
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
                config::Protect::All => Protect::All,
                config::Protect::Customer => Protect::Customer,
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

fn store_of(config: &Config) -> Result<Url, UrlError> {
    let url = Url::parse(&config.store.url, &config.folder)?.as_store();
    config
        .store
        .password
        .as_ref()
        .map_or_else(|| Ok(url.clone()), |password| url.clone().with_password(password.expose()))
}

/// What is known of tickets. A URL that is missing has been a problem of the configuration.
fn tickets_of(config: &Config, store: &Url) -> anyhow::Result<Facts> {
    let config::Tickets { source, url: Some(url), password, time_zone, closed_since } = &config.tickets else {
        return Ok(Facts::embedded(store.clone()));
    };
    if *source == TicketSource::Embedded {
        return Ok(Facts::embedded(store.clone()));
    }
    let mut url = Url::parse(url, &config.folder).context("url")?;
    if let Some(password) = password {
        url = url.with_password(password.expose()).context("url")?;
    }
    let closed_since = match closed_since {
        config::ClosedSince::History => ClosedSince::History,
        config::ClosedSince::ChangeTime => ClosedSince::ChangeTime,
    };
    Ok(Facts::Otobo(Otobo::new(url, time_zone, closed_since).context("time_zone")?))
}

fn source_of(source: &config::CustomerSource, store: &Url, folder: &Path) -> anyhow::Result<Source> {
    let url = url_of(source, store, folder).context("url")?;
    let columns = &source.columns;
    Ok(Source {
        name: source.name.clone(),
        url,
        has_password: match source.has_password {
            config::HasPassword::Column => HasPassword::Column,
            config::HasPassword::Always => HasPassword::Always,
            config::HasPassword::Never => HasPassword::Never,
        },
        is_read_only: source.read_only,
        names: Names {
            table: columns.table.clone(),
            login: columns.key.clone(),
            email: columns.email.clone(),
            search: columns.search.clone(),
            customer_id: columns.customer_id.clone(),
            valid: columns.valid.clone(),
            person: [columns.first_name.clone(), columns.last_name.clone()],
            password: columns.password.clone(),
        },
        zone: Zone::named(&source.time_zone).context("time_zone")?,
    })
}

fn url_of(source: &config::CustomerSource, store: &Url, folder: &Path) -> Result<Url, UrlError> {
    let Some(text) = &source.url else {
        return Ok(store.clone());
    };
    let password = source.password.as_ref().map(config::Secret::expose);
    if let Some(ldap) = &source.ldap {
        let settings = db::ldap::Settings {
            url: text,
            base: &ldap.base,
            filter: &ldap.filter,
            bind_dn: ldap.bind_dn.as_deref(),
            password,
            tls: ldap.tls.map(|tls| match tls {
                config::LdapTls::None => db::ldap::Tls::None,
                config::LdapTls::StartTls => db::ldap::Tls::StartTls,
            }),
            ca_file: ldap.ca_file.clone(),
            page_size: ldap.page_size,
        };
        return db::ldap::Place::new(&settings).map(Url::Ldap);
    }
    let url = Url::parse(text, folder)?;
    password.map_or(Ok(url.clone()), |password| url.with_password(password))
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
