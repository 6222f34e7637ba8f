//! `otab deliver`: the mail into a command's standard input, without a shell.
//!
//! The whole mail is written to an unlinked temporary file first. A killed otab, a full disk or a mail
//! that breaks off can so never pass half a mail off as a whole one: the command has not begun. The
//! token is pending until the command has ended with 0. From then on otab ends with 0, whatever fails.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::filter::{Filter, half_way};
use super::output::CopyError;
use crate::engine::{Deferred, Fate, Owed};
use crate::failpoint;
use crate::process::{self, Ended};

/// Hands the mail, which `write` writes, to the command; the status to end with.
pub fn pass_on(
    filter: &Filter<'_>,
    command: &[OsString],
    pass_status: bool,
    owed: Option<&Owed>,
    write: impl FnOnce(&mut File) -> Result<(), CopyError>,
) -> Result<u8, Deferred> {
    let (config, log) = (&filter.engine.config, &filter.engine.log);
    let ended = spool(filter, write).and_then(|mail| {
        failpoint::at("spooled");
        process::run(command, &config.variables, mail, config.limits.command)
            .map_err(|error| Deferred::new("the next stage cannot be started", error))
    });
    let ended = ended.map(|finished| {
        if !finished.said.is_empty() {
            log.info(&format!("the next stage says: {}", finished.said));
        }
        finished.ended
    });
    if let Some(owed) = owed {
        let fate = if matches!(ended, Ok(Ended::Status(0))) { Fate::Taken } else { Fate::Refused };
        if matches!(ended, Ok(Ended::Unknown(_))) {
            // Its mail may be with the customer's ticket, and its link be needed.
            log.warning("the token stays pending: the next stage may have taken the mail");
        } else {
            // A fault in otab itself must not make a mail that was taken one to be tried again.
            match catch_unwind(AssertUnwindSafe(|| filter.engine.settle(owed, fate))) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => log.warning(&format!("the token stays pending: {error}")),
                Err(_) => log.error("not deferred for that: the next stage has ended; the token stays pending"),
            }
        }
    }
    match ended? {
        Ended::Status(0) => Ok(0),
        Ended::Status(status) if pass_status => Ok(status),
        ended @ Ended::Unknown(_) => Err(Deferred::new("how the next stage ended is unknown", ended)),
        ended => Err(Deferred::new("the next stage has failed", ended)),
    }
}

/// The mail as a file without a name, at its start. The idle limit holds while it is written, and no
/// limit of otab's own afterwards: the command has its own.
fn spool(filter: &Filter<'_>, write: impl FnOnce(&mut File) -> Result<(), CopyError>) -> Result<File, Deferred> {
    let unwritten = |error: std::io::Error| half_way(CopyError::Write(error));
    let mut mail = tempfile::tempfile().map_err(unwritten)?;
    filter.deadline.first_byte(filter.idle);
    write(&mut mail).map_err(half_way)?;
    mail.flush().and_then(|()| mail.rewind()).map_err(unwritten)?;
    filter.deadline.done();
    Ok(mail)
}
