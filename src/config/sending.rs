//! `[mail]`: how link mails leave, and how many at most.
//!
//! This file only reads and checks settings; it never connects to anything.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::names;
use super::pattern;
use super::problem::{Complaint, complaint};
use super::reader::Table;
use super::secret::Secret;
use super::secret_source::{self, Source};
use crate::mail::Address;

/// `[mail]`.
#[derive(Debug, Clone)]
pub struct Sending {
    /// How link mails leave.
    pub transport: Transport,
    /// The address in their From field. There, unless the transport is none.
    pub from: Option<Address>,
    /// The name beside it; empty: none.
    pub from_name: String,
    /// Whether the mail path starts `otab notify` after each mail that has ordered one.
    pub wake: bool,
    /// How long one mail may take to be sent.
    pub timeout: Duration,
    /// How long an order is tried.
    pub give_up: Duration,
    /// Most link mails to one address within an hour; 0: any number.
    pub per_address: u32,
    /// Most link mails to one domain within an hour; 0: any number.
    pub per_domain: u32,
    /// Most link mails within an hour; 0: any number.
    pub per_hour: u32,
}

/// `mail.transport`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// They do not leave; their orders wait.
    None,
    /// By a program that takes sendmail's arguments.
    Sendmail(PathBuf),
    /// By a mail server.
    Smtp(Box<Smtp>),
    /// As files into this folder, for trying out.
    File(PathBuf),
}

/// A mail server (RFC 5321).
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Its name, for which its certificate must be good.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: Tls,
    /// A file with one more certificate to trust, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Who logs in (RFC 4954), and with what, or why that is not known.
    pub login: Option<(String, Result<Secret, String>)>,
}

impl PartialEq for Smtp {
    fn eq(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port && self.tls == other.tls
    }
}

impl Eq for Smtp {}

/// `mail.tls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// STARTTLS is demanded (RFC 3207).
    StartTls,
    /// From the first byte on (RFC 8314).
    Implicit,
    /// Not at all.
    None,
}

impl Tls {
    /// The port where none is given.
    const fn port(self) -> u16 {
        match self {
            Self::StartTls => 587,
            Self::Implicit => 465,
            Self::None => 25,
        }
    }
}

#[derive(Clone, Copy)]
enum Way {
    None,
    Sendmail,
    Smtp,
    File,
}

pub(super) fn read(table: &Table<'_, '_>, folder: &Path, secrets: &Source<'_>) -> Sending {
    let way = table.choice("transport", |word| match word {
        "sendmail" => Way::Sendmail,
        "smtp" => Way::Smtp,
        "file" => Way::File,
        _ => Way::None,
    });
    let is_off = Cell::new(true);
    let from = table.string_or_off("from", |text| {
        is_off.set(false);
        sender(text)
    });
    if is_off.get() && !matches!(way, Way::None) {
        table.problem("from", complaint("is empty", "write the address that link mails come from"));
    }
    let sendmail = folder.join(table.string("sendmail", names::not_empty));
    let files = folder.join(table.string("folder", names::not_empty));
    let smtp = smtp(table, folder, secrets);
    Sending {
        transport: match way {
            Way::None => Transport::None,
            Way::Sendmail => Transport::Sendmail(sendmail),
            Way::Smtp => Transport::Smtp(Box::new(smtp)),
            Way::File => Transport::File(files),
        },
        from: from.as_deref().and_then(Address::parse),
        from_name: table.string("from_name", names::any),
        wake: table.boolean("wake"),
        timeout: Duration::from_secs(table.integer("timeout")),
        give_up: Duration::from_secs(3600 * table.integer::<u64>("give_up_hours")),
        per_address: table.integer("per_address"),
        per_domain: table.integer("per_domain"),
        per_hour: table.integer("per_hour"),
    }
}

/// An address that can stand in From for every mail server.
fn sender(text: &str) -> Result<(), Complaint> {
    if pattern::address(text)?.to_string().is_ascii() {
        return Ok(());
    }
    Err(complaint("has signs beyond ASCII before the @", "name one that every mail server takes"))
}

fn smtp(table: &Table<'_, '_>, folder: &Path, secrets: &Source<'_>) -> Smtp {
    let host = table.string("host", names::host);
    let tls = table.choice("tls", |word| match word {
        "tls" => Tls::Implicit,
        "none" => Tls::None,
        _ => Tls::StartTls,
    });
    let port = table.integer("port");
    let user = table.string_or_off("user", names::any);
    let password = secret_source::secret_for_later(table, "password", secrets, names::not_empty);
    let ca_file = table.string_or_off("ca_file", names::not_empty);
    let login = match (user, password) {
        (Some(user), Some(password)) => Some((user, password.map(Secret::new))),
        (None, None) => None,
        (Some(_), None) => {
            table.problem("user", complaint("has no password", "write password_file, password_env or password"));
            None
        }
        (None, Some(_)) => {
            table.problem("user", complaint("is empty, but there is a password", "write both, or neither"));
            None
        }
    };
    let is_here = ["localhost", "127.0.0.1", "::1"].contains(&host.as_str());
    if tls == Tls::None && !is_here && login.is_some() {
        let remedy = "write \"starttls\" or \"tls\", or leave user and password out";
        table.problem("tls", complaint("sends the password in clear over the network", remedy));
    }
    Smtp {
        host,
        port: if port == 0 { tls.port() } else { port },
        tls,
        ca_file: ca_file.map(|file| folder.join(file)),
        login,
    }
}
