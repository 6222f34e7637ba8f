//! Where an LDAP directory is, how it is spoken to, and which part of it counts. Never connects.
//!
//! What the texts hold is never repeated in an error: a part of them may be a password.

use std::fmt;
use std::path::PathBuf;

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

/// One thing that is wrong with a place, and at which setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The setting, as [`Settings`] calls it.
    pub key: &'static str,
    /// What is wrong.
    pub what: &'static str,
    /// What to do about it.
    pub remedy: &'static str,
}

impl Place {
    /// Checks what a configuration says, and tells all that is wrong with it.
    pub fn new(settings: &Settings<'_>) -> Result<Self, Vec<Fault>> {
        if !cfg!(feature = "ldap") {
            let what = "needs LDAP, without which this otab was built";
            return Err(vec![Fault { key: "url", what, remedy: "build it with the cargo feature `ldap`" }]);
        }
        let mut faults = Vec::new();
        let server = server(settings);
        faults.extend(server.as_ref().err());
        // A DN without a password would be let in as nobody (RFC 4513, section 5.1.2).
        if settings.bind_dn.is_some() != settings.password.is_some() {
            let (what, remedy) = ("is given without a password, or a password without it", "give both, or none");
            faults.push(Fault { key: "bind_dn", what, remedy });
        }
        if settings.base.is_empty() {
            let remedy = "write the DN below which the customers are, such as \"ou=people,dc=example,dc=org\"";
            faults.push(Fault { key: "base", what: "is missing", remedy });
        }
        if !settings.filter.is_empty() && !super::checked(settings.filter) {
            let remedy = "write it in parentheses, such as (objectClass=inetOrgPerson)";
            faults.push(Fault { key: "filter", what: "is not an LDAP filter", remedy });
        }
        let (Ok((host, port, tls)), []) = (server, &faults[..]) else { return Err(faults) };
        let bind = settings.bind_dn.zip(settings.password);
        Ok(Self {
            host: host.to_owned(),
            port,
            tls,
            ca_file: settings.ca_file.clone(),
            bind: bind.map(|(dn, password)| (dn.to_owned(), Password(password.to_owned()))),
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

const URL: Fault = Fault {
    key: "url",
    what: "is not the URL of an LDAP server",
    remedy: "write ldap://HOST:PORT or ldaps://HOST:PORT and nothing else; base, bind_dn and the password are settings",
};

/// Host, port and encryption.
fn server<'s>(settings: &Settings<'s>) -> Result<(&'s str, u16, Tls), Fault> {
    let (scheme, rest) = settings.url.split_once("://").ok_or(URL)?;
    let (host, port) = split_port(rest.strip_suffix('/').unwrap_or(rest)).map_err(|_| URL)?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    if host.is_empty() || !host.chars().all(is_plain) {
        return Err(URL);
    }
    let port = port.unwrap_or(if scheme == "ldaps" { 636 } else { 389 });
    Ok((host, port, tls(scheme, host, settings)?))
}

fn tls(scheme: &str, host: &str, settings: &Settings<'_>) -> Result<Tls, Fault> {
    let tls = match (scheme, settings.tls) {
        ("ldaps", None) => Tls::Ldaps,
        ("ldap", Some(tls)) => tls,
        ("ldap", None) if is_loopback(host) => Tls::None,
        ("ldap", None) => {
            return Err(Fault {
                key: "url",
                what: "names a host that is not this machine, without encryption",
                remedy: "use ldaps://, or tls = \"starttls\"; tls = \"none\" sends the password, and believes every \
                         answer, unprotected",
            });
        }
        ("ldaps", Some(_)) => {
            return Err(Fault {
                key: "tls",
                what: "has no effect: ldaps:// is encrypted already",
                remedy: "remove it",
            });
        }
        _ => return Err(URL),
    };
    if tls == Tls::None && settings.ca_file.is_some() {
        let (what, remedy) = ("has no effect without encryption", "use ldaps://, or tls = \"starttls\"");
        return Err(Fault { key: "ca_file", what, remedy });
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
    fn a_host_far_away_needs_tls_unless_set_otherwise() {
        let far = settings("ldap://ldap.corp.test");
        let tls = |tls| Place::new(&Settings { tls, ..far.clone() }).map(|place| place.tls);
        assert!(tls(None).is_err());
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
    fn what_is_no_place_is_refused_without_its_password() {
        let good = settings("ldap://localhost");
        for (bad, keys) in [
            (settings("ldap://u:hunter2@localhost"), &["url"][..]),
            (settings("ldap://localhost/dc=corp?x"), &["url"]),
            (settings("ldap://"), &["url"]),
            (settings("ldapi:///run/ldapi"), &["url"]),
            (Settings { base: "", ..good.clone() }, &["base"]),
            (Settings { filter: "(a=1)(b=2)", ..good.clone() }, &["filter"]),
            (Settings { bind_dn: Some("cn=x"), ..good.clone() }, &["bind_dn"]),
            (Settings { password: Some("hunter2"), ..good.clone() }, &["bind_dn"]),
            (Settings { ca_file: Some("/ca.pem".into()), ..good.clone() }, &["ca_file"]),
            (Settings { tls: Some(Tls::StartTls), ..settings("ldaps://localhost") }, &["tls"]),
            (
                Settings { base: "", filter: "x", bind_dn: Some("cn=x"), ..settings("ldap:x") },
                &["url", "bind_dn", "base", "filter"],
            ),
        ] {
            let faults = Place::new(&bad).unwrap_err();
            assert_eq!(faults.iter().map(|fault| fault.key).collect::<Vec<_>>(), keys, "{bad:?}");
            assert!(!format!("{faults:?}").contains("hunter2"), "{faults:?}");
        }
        let bind = Settings { bind_dn: Some("cn=x"), password: Some("hunter2"), ..good };
        assert!(!format!("{:?}", Place::new(&bind).unwrap()).contains("hunter2"));
    }
}
