//! The ways by which a link mail leaves. Each ends within its time limit, and says whether trying again
//! makes sense.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};

use super::compose::Ready;
use crate::process::{self, Ended};

/// How link mails leave.
#[derive(Debug, Clone)]
pub enum Transport {
    /// By a program that takes sendmail's arguments.
    Sendmail(PathBuf),
    /// By a mail server.
    Smtp(Box<Smtp>),
    /// As files in this folder.
    Folder(PathBuf),
}

/// A mail server.
#[derive(Debug, Clone)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// A file with one more certificate to trust (PEM).
    pub ca_file: Option<PathBuf>,
    /// Who logs in, with which password.
    pub login: Option<(String, String)>,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// STARTTLS is demanded.
    StartTls,
    /// TLS from the first byte on.
    Implicit,
    /// Not at all.
    None,
}

/// Why a mail did not leave.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    /// What is to be expected of other tries.
    pub away: Away,
    /// For the log: what was said.
    pub what: String,
}

/// What a failure says about other tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Away {
    /// This mail is refused for good (RFC 5321: 5yz).
    ThisMailForGood,
    /// This mail is refused for now (4yz); others may fare better.
    ThisMail,
    /// The mail server cannot be worked with now.
    All,
}

impl Failure {
    fn all(what: impl std::fmt::Display) -> Self {
        Self { away: Away::All, what: what.to_string() }
    }
}

impl Transport {
    /// Sends a mail with the null reverse-path, within `limit`. With [`Away::All`] it may have gone all the
    /// same: a server may have fallen silent behind the last byte. The caller then sends nothing else.
    pub fn send(&self, mail: &Ready, limit: Duration) -> Result<(), Failure> {
        match self {
            Self::Sendmail(program) => sendmail(program, mail, limit),
            Self::Smtp(server) => smtp(server, mail, limit),
            Self::Folder(folder) => keep(folder, mail).map_err(|e| Failure::all(format!("{}: {e}", folder.display()))),
        }
    }
}

/// The message with the line ends that local programs expect.
fn with_lf(mail: &Ready) -> Vec<u8> {
    mail.bytes.iter().copied().filter(|byte| *byte != b'\r').collect()
}

/// As a file that appears once it is whole.
fn keep(folder: &Path, mail: &Ready) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix("link.").suffix(".eml.part").tempfile_in(folder)?;
    file.write_all(&with_lf(mail))?;
    let kept = file.path().with_extension("");
    file.persist_noclobber(kept)?;
    Ok(())
}

/// `-i -f '' -- RECIPIENT`, as every sendmail understands it.
fn sendmail(program: &Path, mail: &Ready, limit: Duration) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::all(format!("{}: {error}", program.display()));
    let mut input: File = tempfile::tempfile().map_err(failed)?;
    input.write_all(&with_lf(mail)).and_then(|()| input.rewind()).map_err(failed)?;
    let mut command: Vec<OsString> = vec![program.into()];
    command.extend(["-i", "-f", "", "--"].map(OsString::from));
    command.push(mail.recipient.to_string().into());
    let finished = process::run(&command, input, limit).map_err(failed)?;
    match finished.ended {
        Ended::Status(0) => Ok(()),
        // sysexits.h: wrong data, no such user, no such host, refused by policy.
        Ended::Status(status @ (65 | 67 | 68)) => Err(Failure {
            away: Away::ThisMailForGood,
            what: format!("sendmail ended with {status}: {}", finished.said),
        }),
        // Postfix's sendmail: 75 where the mail cannot be queued now.
        ended => Err(Failure::all(format!("sendmail: {ended}: {}", finished.said))),
    }
}

fn smtp(server: &Smtp, mail: &Ready, limit: Duration) -> Result<(), Failure> {
    let transport = connect(server, limit).map_err(Failure::all)?;
    let envelope = Envelope::new(None, vec![mail.recipient.clone()]).map_err(Failure::all)?;
    let bytes = mail.bytes.clone();
    // lettre limits each read and write; a server that sends a byte now and then is cut off here. The
    // thread ends with the process, which does nothing else after this failure.
    let (done, outcome) = mpsc::channel();
    let worker = std::thread::Builder::new().spawn(move || {
        let _ = done.send(transport.send_raw(&envelope, &bytes));
    });
    worker.map_err(Failure::all)?;
    match outcome.recv_timeout(limit) {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(judge(&error)),
        Err(_) => Err(Failure::all("the mail server has not finished within mail.timeout")),
    }
}

fn connect(server: &Smtp, limit: Duration) -> Result<SmtpTransport, Box<dyn std::error::Error>> {
    let mut builder = SmtpTransport::builder_dangerous(&server.host).port(server.port).timeout(Some(limit));
    if server.security != Security::None {
        let mut parameters = TlsParameters::builder(server.host.clone());
        if let Some(path) = &server.ca_file {
            let pem = std::fs::read(path).map_err(|error| format!("mail.ca_file {}: {error}", path.display()))?;
            parameters = parameters.add_root_certificate(Certificate::from_pem(&pem)?);
        }
        let parameters = parameters.build()?;
        builder = builder.tls(match server.security {
            Security::Implicit => Tls::Wrapper(parameters),
            _ => Tls::Required(parameters),
        });
    }
    if let Some((user, password)) = &server.login {
        builder = builder.credentials(Credentials::new(user.clone(), password.clone()));
    }
    Ok(builder.build())
}

/// What the server said. A refused login is the site's fault, not the mail's (RFC 4954, section 6).
fn judge(error: &lettre::transport::smtp::Error) -> Failure {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let is_login = ["530", "534", "535", "538"].contains(&code.as_str());
    let needs_utf8 = error.is_client() && error.to_string().contains("SMTPUTF8");
    let away = if (error.is_permanent() && !is_login) || needs_utf8 {
        Away::ThisMailForGood
    } else if error.is_transient() && code != "421" {
        Away::ThisMail
    } else {
        Away::All
    };
    Failure { away, what: chain(error) }
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(this) = cause {
        let more = this.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = this.source();
    }
    text
}
