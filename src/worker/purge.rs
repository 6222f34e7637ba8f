//! Deletes tokens, sessions and Message-IDs that are over. Names no token and no customer.

use std::io::IsTerminal;

use jiff::{SignedDuration, Timestamp};

use crate::db::Databases;
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Ends, Failure};
use crate::log::say;
use crate::store::{link_mails, queue, sessions, tokens};
use crate::token;

/// From how many rows on it is asked whether the clock is right.
const MANY: u64 = 1000;

/// A store in use has a row that is younger than this.
const LONG: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What was deleted.
pub struct Deleted {
    /// Tokens, by the reason.
    pub tokens: tokens::Counts,
    /// Sessions.
    pub sessions: u64,
    /// Message-IDs of link mails.
    pub link_mails: u64,
}

/// How it is done.
#[derive(Debug, Clone, Copy, Default)]
pub struct How {
    /// Nothing is deleted: it is counted only.
    pub dry_run: bool,
    /// Without a look at the clock.
    pub force: bool,
    /// Whether a person may be asked, at the terminal.
    pub may_ask: bool,
}

/// Deletes what is over, and logs how much it was.
pub fn purge(engine: &Engine, how: How) -> Result<Deleted, Failure> {
    let mut dbs = if how.dry_run { engine::reading() } else { engine::changing() };
    // As long as the lock was held the filters get to write, so they never wait for long.
    let mut pause = std::thread::sleep;
    let (limits, now) = (engine.limits(), engine.now());
    if !how.dry_run && !how.force {
        stop_where_the_clock_may_be_wrong(engine, &mut dbs, now, how.may_ask)?;
    }
    let tokens = tokens::purge(&mut dbs, &engine.store, &engine.tickets, &limits, now, how.dry_run, &mut pause)?;
    if !how.dry_run {
        // Addresses that the caps on link mails need no more.
        dbs.get(&engine.store)?.write(|tx| queue::forget(tx, now))?;
    }
    let link_mails = link_mails::forget(dbs.get(&engine.store)?, now, how.dry_run)?;
    let sessions = sessions::purge(dbs.get(&engine.store)?, &engine.session_ends(), now, how.dry_run)?;
    drop(dbs);
    if !how.dry_run {
        let tokens::Counts { closed, gone, unbound, too_old } = tokens;
        engine.log.info(&format!(
            "purge: deleted {closed} closed, {gone} without their ticket, {unbound} never bound, {too_old} too old; {sessions} sessions; {link_mails} Message-IDs of link mails"
        ));
    }
    Ok(Deleted { tokens, sessions, link_mails })
}

/// A clock that is far ahead makes everything old. So where most of many rows would go, and the newest is old as well, a
/// person decides: at a terminal by an answer, elsewhere by `--force`.
fn stop_where_the_clock_may_be_wrong(
    engine: &Engine,
    dbs: &mut Databases,
    now: Timestamp,
    may_ask: bool,
) -> Result<(), Failure> {
    // Rows of a clock that was ahead say nothing of today's.
    let until = now + token::AHEAD;
    let (newest_token, tokens) = tokens::newest(dbs.get(&engine.store)?, until)?;
    let (newest_session, sessions) = sessions::newest(dbs.get(&engine.store)?, until)?;
    let newest = newest_token.max(newest_session);
    let all = u64::try_from(tokens + sessions).unwrap_or_default();
    if all <= MANY || newest.is_some_and(|newest| now.duration_since(newest) <= LONG) {
        return Ok(());
    }
    let nothing_is_deleted = &mut |_| {};
    let doomed = tokens::purge(dbs, &engine.store, &engine.tickets, &engine.limits(), now, true, nothing_is_deleted)?;
    let sessions = sessions::purge(dbs.get(&engine.store)?, &engine.session_ends(), now, true)?;
    let going = doomed.closed + doomed.gone + doomed.unbound + doomed.too_old + sessions;
    if going <= MANY || going * 2 <= all {
        return Ok(());
    }
    let newest = newest.map_or_else(|| "none is of the past".to_owned(), |newest| format!("the newest is of {newest}"));
    let what = format!("{going} of {all} tokens and sessions would go, and {newest}; is it really {now}?");
    if may_ask && std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        say(&format!("{what} Delete them? [y/N]"));
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ends(Exit::IoErr, "standard input cannot be read")?;
        if matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return Ok(());
        }
        return Err(Failure::new(Exit::TempFail, "nothing was deleted"));
    }
    let stopped = format!("nothing was deleted: {what} If so, run otab purge --force");
    engine.log.error(&format!("purge: {stopped}"));
    Err(Failure::new(Exit::TempFail, stopped))
}
