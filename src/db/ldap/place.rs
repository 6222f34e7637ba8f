//! Where an LDAP directory is, how it is spoken to, and which part of it counts. Never connects.
//!
//! What the texts hold is never repeated in an error: a part of them may be a password.

use std::fmt;
use std::path::PathBuf;

use crate::db::UrlError;
use crate::db::server::{Password, is_loopback, split_port};

/// A part of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: Tls,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) bind: Option<(String, Password)>,
    pub(super) base: String,
    filter: String,
    pub(super) page_size: i32,
}

/// How the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tls {
    /// Not at all.
    None,
    /// From a word on (RFC 4511, section 4.14), before anything else is said.
    StartTls,
    /// From the first byte.
    Ldaps,
}

/// What a configuration says of a place.
#[derive(Debug, Clone, Default)]
pub struct Settings<'s> {
    /// `ldap://HOST:PORT` or `ldaps://HOST:PORT`.
    pub url: &'s str,
    /// Where the customers are.
    pub base: &'s str,
    /// Which of the entries are customers; empty: all.
    pub filter: &'s str,
    /// Who asks, and his password; without both, nobody says who he is.
    pub bind_dn: Option<&'s str>,
    /// The password.
    pub password: Option<&'s str>,
    /// `none` or `starttls`, where the setting is written.
    pub tls: Option<Tls>,
    /// The authorities to check the server's certificate with, in PEM.
    pub ca_file: Option<PathBuf>,
    /// How many entries come at once where all are listed.
    pub page_size: i32,
}

impl Place {
    /// Checks what a configuration says.
    pub fn new(settings: &Settings<'_>) -> Result<Self, UrlError> {
        let (scheme, rest) = settings.url.split_once("://").ok_or(UrlError::Ldap(URL))?;
        if !cfg!(feature = "ldap") {
            return Err(UrlError::NotBuilt(scheme.to_owned(), "ldap"));
        }
        let place = rest.strip_suffix('/').unwrap_or(rest);
        let (host, port) = split_port(place).map_err(|_| UrlError::Ldap(URL))?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        if host.is_empty() || !host.chars().all(is_plain) {
            return Err(UrlError::Ldap(URL));
        }
        let tls = tls(scheme, host, settings)?;
        let bind = match (settings.bind_dn, settings.password) {
            (Some(dn), Some(password)) => Some((dn.to_owned(), Password(password.to_owned()))),
            (None, None) => None,
            // A DN without a password would be let in as nobody (RFC 4513, section 5.1.2).
            _ => return Err(UrlError::Ldap("bind_dn and the password go together: give both, or none")),
        };
        if settings.base.is_empty() {
            return Err(UrlError::Ldap("base is missing: the DN below which the customers are"));
        }
        if !settings.filter.is_empty() && !super::checked(settings.filter) {
            return Err(UrlError::Ldap("filter is none: write it in parentheses, such as (objectClass=inetOrgPerson)"));
        }
        Ok(Self {
            host: host.to_owned(),
            port: port.unwrap_or(if scheme == "ldaps" { 636 } else { 389 }),
            tls,
            ca_file: settings.ca_file.clone(),
            bind,
            base: settings.base.to_owned(),
            filter: settings.filter.to_owned(),
            page_size: settings.page_size,
        })
    }

    /// Which of the entries count; may be empty.
    #[must_use]
    pub fn filter(&self) -> &str {
        &self.filter
    }
}

const URL: &str = "an LDAP server's URL is written ldap://HOST:PORT or ldaps://HOST:PORT, and nothing behind; base, \
                   bind_dn and the password are settings of their own";

fn tls(scheme: &str, host: &str, settings: &Settings<'_>) -> Result<Tls, UrlError> {
    let tls = match (scheme, settings.tls) {
        ("ldaps", None) => Tls::Ldaps,
        ("ldap", Some(tls)) => tls,
        ("ldap", None) if is_loopback(host) => Tls::None,
        ("ldap", None) => {
            return Err(UrlError::Ldap(
                "names a host that is not this machine: use ldaps://, or tls = \"starttls\"; \
                 tls = \"none\" sends the password, and believes every answer, unprotected",
            ));
        }
        ("ldaps", Some(_)) => return Err(UrlError::Ldap("ldaps:// is encrypted already: remove tls")),
        _ => return Err(UrlError::Ldap(URL)),
    };
    if tls == Tls::None && settings.ca_file.is_some() {
        return Err(UrlError::Ldap("ca_file is for ldaps://, or tls = \"starttls\""));
    }
    Ok(tls)
}

/// As it may be shown: without the password.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls == Tls::Ldaps { "ldaps" } else { "ldap" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        write!(f, "{scheme}://{host}:{}", self.port)
    }
}

#[cfg(all(test, feature = "ldap"))]
mod tests {
    use super::*;

    fn settings(url: &str) -> Settings<'_> {
        Settings { url, base: "dc=corp,dc=test", page_size: 500, ..Settings::default() }
    }

    #[test]
    fn a_host_far_away_needs_tls_unless_the_configuration_says_otherwise() {
        let far = settings("ldap://ldap.corp.test");
        let tls = |tls| Place::new(&Settings { tls, ..far.clone() }).map(|place| place.tls);
        assert!(matches!(tls(None), Err(UrlError::Ldap(_))));
        assert_eq!(tls(Some(Tls::None)), Ok(Tls::None));
        assert_eq!(tls(Some(Tls::StartTls)), Ok(Tls::StartTls));
        for (url, wanted, shown) in [
            ("ldap://localhost", Tls::None, "ldap://localhost:389"),
            ("ldap://[::1]:7/", Tls::None, "ldap://[::1]:7"),
            ("ldaps://ldap.corp.test", Tls::Ldaps, "ldaps://ldap.corp.test:636"),
        ] {
            let place = Place::new(&settings(url)).unwrap();
            assert_eq!((place.tls, place.to_string().as_str()), (wanted, shown));
        }
    }

    #[test]
    fn what_is_no_place_is_refused_without_repeating_a_password() {
        let good = settings("ldap://localhost");
        for bad in [
            settings("ldap://u:hunter2@localhost"),
            settings("ldap://localhost/dc=corp?x"),
            settings("ldap://"),
            settings("ldapi:///run/ldapi"),
            Settings { base: "", ..good.clone() },
            Settings { filter: "(a=1)(b=2)", ..good.clone() },
            Settings { bind_dn: Some("cn=x"), ..good.clone() },
            Settings { password: Some("hunter2"), ..good.clone() },
            Settings { ca_file: Some("/ca.pem".into()), ..good.clone() },
            Settings { tls: Some(Tls::StartTls), ..settings("ldaps://localhost") },
        ] {
            let error = Place::new(&bad).unwrap_err();
            assert!(matches!(error, UrlError::Ldap(_)), "{bad:?}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let bind = Settings { bind_dn: Some("cn=x"), password: Some("hunter2"), ..good };
        assert!(!format!("{:?}", Place::new(&bind).unwrap()).contains("hunter2"));
    }
}
