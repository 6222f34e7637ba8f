//! The ways by which a link mail leaves. Each ends within its time limit, and says whether trying again
//! makes sense.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::compose::Ready;
use super::smtp;
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
    /// Held by each try that is at it, also after its limit.
    pub tries: Arc<()>,
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
    /// The same, but the whole mail is out: the server may have it all the same (RFC 1047).
    Unanswered,
}

impl Failure {
    pub(super) fn all(what: impl std::fmt::Display) -> Self {
        Self { away: Away::All, what: what.to_string() }
    }
}

impl Transport {
    /// Sends a mail with the null reverse-path, within `limit`. A program inherits none of the variables in `without`. After [`Away::All`] and [`Away::Unanswered`]
    /// the caller sends nothing else, and pauses: a thread may still be at it.
    pub fn send(&self, mail: &Ready, without: &[String], limit: Duration) -> Result<(), Failure> {
        match self {
            Self::Sendmail(program) => sendmail(program, mail, without, limit),
            Self::Smtp(server) => smtp::send(server, mail, limit),
            Self::Folder(folder) => keep(folder, mail).map_err(|e| Failure::all(format!("{}: {e}", folder.display()))),
        }
    }
}

/// The message with the line ends that local programs expect.
fn with_lf(mail: &Ready) -> Vec<u8> {
    mail.bytes.iter().copied().filter(|byte| *byte != b'\r').collect()
}

/// As a file that appears once it is whole. It holds a secret: it is for otab's user alone, and so is the
/// folder, where it is made.
fn keep(folder: &Path, mail: &Ready) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut file = tempfile::Builder::new().prefix("link.").suffix(".eml.part").tempfile_in(folder)?;
    file.write_all(&with_lf(mail))?;
    file.as_file().sync_all()?;
    let kept = file.path().with_extension("");
    file.persist_noclobber(kept)?;
    Ok(())
}

/// `-i -f '' -- RECIPIENT`, as every sendmail understands it.
fn sendmail(program: &Path, mail: &Ready, without: &[String], limit: Duration) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::all(format!("{}: {error}", program.display()));
    let mut input: File = tempfile::tempfile().map_err(failed)?;
    input.write_all(&with_lf(mail)).and_then(|()| input.rewind()).map_err(failed)?;
    let mut command: Vec<OsString> = vec![program.into()];
    command.extend(["-i", "-f", "", "--"].map(OsString::from));
    command.push(mail.recipient.to_string().into());
    let finished = process::run(&command, without, input, limit).map_err(failed)?;
    match finished.ended {
        Ended::Status(0) => Ok(()),
        // sysexits.h: wrong data, no such user, no such host, refused by policy.
        Ended::Status(status @ (65 | 67 | 68)) => Err(Failure {
            away: Away::ThisMailForGood,
            what: format!("sendmail ended with {status}: {}", finished.said),
        }),
        // It has read the mail, or might have.
        ended @ (Ended::TimedOut | Ended::Signal(_) | Ended::Unknown(_)) => {
            Err(Failure { away: Away::Unanswered, what: format!("sendmail: {ended}: {}", finished.said) })
        }
        // Postfix's sendmail: 75 where the mail cannot be queued now.
        ended => Err(Failure::all(format!("sendmail: {ended}: {}", finished.said))),
    }
}
