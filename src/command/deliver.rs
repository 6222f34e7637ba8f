//! `otab deliver`: the mail into a command's standard input, without a shell.
//!
//! The whole mail is written to an unlinked temporary file first. A killed otab, a full disk or a mail
//! that breaks off can so never pass half a mail off as a whole one: the command has not begun. The
//! token is pending until the command has ended with 0. From then on otab ends with 0, whatever fails.

use std::fs::File;
use std::io::{Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::cli;
use super::filter::{Filter, Owed, half_way};
use super::mail_path::Deferred;
use super::output::CopyError;
use crate::clock;
use crate::db::{self, Databases};
use crate::process::{self, Ended};
use crate::store::{outbox, tokens};

/// Hands the mail, which `write` writes, to the command; the status to end with.
pub fn pass_on(
    filter: &Filter<'_>,
    args: &cli::Deliver,
    token: Option<Owed>,
    write: impl FnOnce(&mut File) -> Result<(), CopyError>,
) -> Result<u8, Deferred> {
    let ended = spool(filter, write).and_then(|mail| {
        super::failpoint("spooled");
        let limit = filter.site.config.limits.command;
        process::run(&args.command, &filter.site.config.variables, mail, limit)
            .map_err(|error| Deferred::new("the next stage cannot be started", error))
    });
    let ended = ended.map(|finished| {
        if !finished.said.is_empty() {
            filter.log.info(&format!("the next stage says: {}", finished.said));
        }
        finished.ended
    });
    if let Some(token) = token {
        let was_taken = matches!(ended, Ok(Ended::Status(0)));
        let is_unknown = matches!(ended, Ok(Ended::Unknown(_)));
        if is_unknown {
            // Its mail may be with the customer's ticket, and its link be needed.
            filter.log.warning("the token stays pending: the next stage may have taken the mail");
        // A fault of otab's own must not make a mail that was taken one to be tried again.
        } else if catch_unwind(AssertUnwindSafe(|| settle(filter, &token, was_taken))).is_err() {
            filter.log.error("not deferred for that: the next stage has ended; the token stays pending");
        }
    }
    match ended? {
        Ended::Status(0) => Ok(0),
        Ended::Status(status) if args.pass_status => Ok(status),
        ended @ Ended::Unknown(_) => Err(Deferred::new("how the next stage ended is unknown", ended)),
        ended => Err(Deferred::new("the next stage has failed", ended)),
    }
}

/// The mail as a file without a name, at its start. The idle limit holds while it is written, and no
/// limit of otab's own afterwards: the command has its own.
fn spool(filter: &Filter<'_>, write: impl FnOnce(&mut File) -> Result<(), CopyError>) -> Result<File, Deferred> {
    let unwritten = |error: std::io::Error| half_way(CopyError::Write(error));
    let mut mail = tempfile::tempfile().map_err(unwritten)?;
    filter.watch.first_byte(filter.idle);
    write(&mut mail).map_err(half_way)?;
    mail.flush().and_then(|()| mail.rewind()).map_err(unwritten)?;
    filter.watch.done();
    Ok(mail)
}

/// Says of a pending token what became of its mail: taken, and the link is due; or not, and the token
/// goes, for the next try to issue another. What fails here is told to the log alone. A token that
/// stays pending counts as active once its ticket is known, or after an hour.
fn settle(filter: &Filter<'_>, token: &Owed, was_taken: bool) {
    super::failpoint("settling");
    let now = clock::now();
    let mut dbs = filter.site.databases(filter.site.config.limits.decide).leaving_logs();
    let settled = dbs.get(&filter.site.store).and_then(|store| {
        store.write(|tx| {
            if was_taken {
                tokens::activate(tx, token.id, now)?;
                outbox::release(tx, token.id, now)
            } else {
                tokens::withdraw(tx, token.id).map(|_| ())
            }
        })
    });
    if let Err(error) = settled {
        filter.log.warning(&format!("the token stays pending: {error}"));
        return;
    }
    if was_taken && let Err(error) = bind(filter, &mut dbs, token) {
        filter.log.warning(&format!("the token's ticket is not known yet: {error}"));
    }
    if let Err(error) = dbs.close() {
        filter.log.warning(&format!("closing the databases: {error}"));
    }
}

/// Binds the token to the ticket that the command has just made of the mail, where ticket facts know it
/// by now. Else the ticket is looked for when the link is used, and by purge.
fn bind(filter: &Filter<'_>, dbs: &mut Databases, token: &Owed) -> Result<(), db::Error> {
    let Some(id) = &token.message_id else { return Ok(()) };
    let Some(ticket) = filter.site.tickets.by_message_id(dbs, id)? else { return Ok(()) };
    let bound = dbs.get(&filter.site.store)?.write(|tx| tokens::bind(tx, &ticket))?;
    if bound > 0 {
        filter.log.info(&format!("{id}: became ticket {}", ticket.number));
    }
    Ok(())
}
