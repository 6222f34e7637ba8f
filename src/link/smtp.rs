//! A link mail to a mail server (RFC 5321), with a time limit for the whole of it.
//!
//! What goes wrong before the recipient is named is no fault of this mail: a server that is full, that wants
//! no more of us, or refuses the login. It would refuse all others as well, so none is given up for it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{Certificate, SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Severity;

use super::compose::Ready;
use super::transport::{Away, Failure, Security, Smtp};

/// How many tries may outlive their limit, in a process that stays: a server that sends a byte now and then keeps each.
const HANGING: usize = 4;
/// How long the answer to QUIT is waited for, behind the mail's own limit.
const QUIT: Duration = Duration::from_secs(2);

/// Sends a mail with the null reverse-path, within `limit`.
pub(super) fn send(server: &Smtp, mail: &Ready, limit: Duration) -> Result<(), Failure> {
    // The server of the settings holds one.
    if Arc::strong_count(&server.tries) > HANGING {
        return Err(Failure::all("earlier tries still hang at the mail server"));
    }
    let (server, mail) = (server.clone(), mail.clone());
    let is_out = Arc::new(AtomicBool::new(false));
    let goes_out = Arc::clone(&is_out);
    // lettre limits each read and write; a server that sends a byte now and then is left alone with its thread here,
    // which ends with the connection or the process.
    let (done, outcome) = mpsc::channel();
    let worker = std::thread::Builder::new().spawn(move || {
        let mut connection = match connect(&server, limit) {
            Ok(connection) => connection,
            Err(failure) => return drop(done.send(Err(failure))),
        };
        // Told before QUIT: whatever comes of that, the mail is with the server.
        let _ = done.send(hand_over(&mut connection, &mail, &goes_out));
        let _ = connection.set_timeout(Some(QUIT));
        let _ = connection.quit();
    });
    worker.map_err(Failure::all)?;
    let silent = |_| {
        let away = if is_out.load(Ordering::SeqCst) { Away::Unanswered } else { Away::All };
        Err(Failure { away, what: "the mail server has not finished within mail.timeout".to_owned() })
    };
    outcome.recv_timeout(limit).unwrap_or_else(silent)
}

/// Connects, protects the connection, logs in, and says goodbye, within `limit`.
pub(super) fn greet(server: &Smtp, limit: Duration) -> Result<(), Failure> {
    let server = server.clone();
    let (done, outcome) = mpsc::channel();
    let worker = std::thread::Builder::new().spawn(move || {
        let connected = connect(&server, limit).map(|mut connection| drop(connection.quit()));
        let _ = done.send(connected);
    });
    worker.map_err(Failure::all)?;
    let silent = || Failure::all("the mail server has not answered in time");
    outcome.recv_timeout(limit).unwrap_or_else(|_| Err(silent()))
}

/// A connection, protected and logged in as the settings have it.
fn connect(server: &Smtp, limit: Duration) -> Result<SmtpConnection, Failure> {
    let away = |error: Error| Failure::all(chain(&error));
    let hello = ClientId::default();
    let tls = if server.security == Security::None { None } else { Some(parameters(server)?) };
    let from_the_start = tls.as_ref().filter(|_| server.security == Security::Implicit);
    let place = (server.host.as_str(), server.port);
    let mut connection = SmtpConnection::connect(place, Some(limit), &hello, from_the_start, None).map_err(away)?;
    if let Some(tls) = tls.filter(|_| server.security == Security::StartTls) {
        connection.starttls(&tls, &hello).map_err(away)?;
    }
    if let Some((user, password)) = &server.login {
        let login = Credentials::new(user.clone(), password.clone());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &login).map_err(away)?;
    }
    Ok(connection)
}

/// How the server's certificate is checked: by the system's authorities, and the site's own one.
fn parameters(server: &Smtp) -> Result<TlsParameters, Failure> {
    let mut parameters = TlsParameters::builder(server.host.clone());
    if let Some(path) = &server.ca_file {
        let wrong = |error: &dyn std::fmt::Display| Failure::all(format!("mail.ca_file {}: {error}", path.display()));
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        parameters = parameters.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(&error))?);
    }
    parameters.build().map_err(|error| Failure::all(chain(&error)))
}

/// MAIL, RCPT, DATA and the mail; `Ok` once the server has taken it. `goes_out` is set before the server can
/// have the whole mail.
fn hand_over(connection: &mut SmtpConnection, mail: &Ready, goes_out: &AtomicBool) -> Result<(), Failure> {
    let knows = |extension| connection.server_info().supports_feature(extension);
    let mut parameters = Vec::new();
    // RFC 6531: only where the address needs it.
    if !AsRef::<str>::as_ref(&mail.recipient).is_ascii() {
        if !knows(Extension::SmtpUtfEight) {
            let what = "the mail server takes no addresses beyond ASCII (SMTPUTF8)".to_owned();
            return Err(Failure { away: Away::ThisMailForGood, what });
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if !mail.bytes.is_ascii() && knows(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection.command(Mail::new(None, parameters)).map_err(|error| Failure::all(chain(&error)))?;
    connection.command(Rcpt::new(mail.recipient.clone(), Vec::new())).map_err(|error| judge(&error))?;
    connection.command(Data).map_err(|error| judge(&error))?;
    goes_out.store(true, Ordering::SeqCst);
    let answer = connection.message(&mail.bytes).map_err(|error| match error.status() {
        Some(_) => judge(&error),
        None => Failure { away: Away::Unanswered, what: chain(&error) },
    })?;
    if answer.code().severity == Severity::PositiveCompletion {
        return Ok(());
    }
    let what = format!("the mail server answered {} to the end of the mail", answer.code());
    Err(Failure { away: Away::Unanswered, what })
}

/// What the server said of this mail. A login that it misses is the site's fault (RFC 4954, section 6), and
/// 421 is a server that closes down.
fn judge(error: &Error) -> Failure {
    let code = error.status().map(|code| code.to_string()).unwrap_or_default();
    let is_login = ["530", "534", "535", "538"].contains(&code.as_str());
    let away = if error.is_permanent() && !is_login {
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
