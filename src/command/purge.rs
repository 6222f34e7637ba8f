//! `otab purge`: deletes tokens and sessions that are over, and says how many. Names no token and no customer.

use std::io::IsTerminal;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::cli;
use super::explain::say;
use super::failure::{Done, Ends, Failure};
use super::people;
use super::print;
use super::site::{self, Site};
use crate::clock;
use crate::db::Databases;
use crate::exit::Exit;
use crate::link::{mailed, queue};
use crate::session;
use crate::token;

/// From how many rows on it is asked whether the clock is right.
const MANY: u64 = 1000;

/// A store in use has a row that is younger than this.
const LONG: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What was deleted.
pub struct Deleted {
    tokens: token::Counts,
    sessions: u64,
    link_mails: u64,
}

/// Deletes what is over, and logs how much it was. `may_ask` whether the clock is right, at the terminal.
pub fn delete(site: &Site, args: &cli::Purge, may_ask: bool) -> Result<Deleted, Failure> {
    let mut dbs = if args.dry_run { people::reading() } else { people::changing() };
    // As long as the lock was held the filters get to write, so they never wait for long.
    let mut pause = std::thread::sleep;
    let (limits, now) = (site.limits(), clock::now());
    if !args.dry_run && !args.force {
        stop_where_the_clock_may_be_wrong(site, &mut dbs, now, may_ask)?;
    }
    let tokens = token::purge(&mut dbs, &site.store, &site.tickets, &limits, now, args.dry_run, &mut pause)?;
    if !args.dry_run {
        // Addresses that the caps on link mails need no more.
        dbs.get(&site.store)?.write(|tx| queue::forget(tx, now))?;
    }
    let link_mails = mailed::forget(dbs.get(&site.store)?, now, args.dry_run)?;
    let sessions = session::purge(dbs.get(&site.store)?, &site.session_ends(), now, args.dry_run)?;
    drop(dbs);
    if !args.dry_run {
        let token::Counts { closed, gone, unbound, too_old } = tokens;
        site::open_log(&site.config).info(&format!(
            "purge: deleted {closed} closed, {gone} without their ticket, {unbound} never bound, {too_old} too old; {sessions} sessions; {link_mails} Message-IDs of link mails"
        ));
    }
    Ok(Deleted { tokens, sessions, link_mails })
}

/// Runs it.
pub fn run(site: &Site, args: &cli::Purge) -> Done {
    let Deleted { tokens, sessions, link_mails } = delete(site, args, true)?;
    let token::Counts { closed, gone, unbound, too_old } = tokens;
    if args.json {
        print::json(&json!({
            "dry_run": args.dry_run, "closed": closed, "gone": gone, "unbound": unbound, "too_old": too_old,
            "sessions": sessions, "link_mails": link_mails,
        }))?;
    } else {
        let heading = if args.dry_run { "WOULD BE DELETED" } else { "DELETED" };
        let row = |count: u64, why: &str| [count.to_string(), why.to_owned()];
        let rows = vec![
            row(closed, "ticket closed, removed or merged for long enough"),
            row(gone, "ticket does not exist"),
            row(unbound, "never bound to a ticket"),
            row(too_old, "older than max_token_days"),
            row(sessions, "session of the door is over"),
            row(link_mails, "Message-ID of a link mail that nobody answers any more"),
        ];
        print::table([heading, "WHY"], rows)?;
    }
    Ok(Exit::Ok)
}

/// A clock that is far ahead makes everything old. So where most of many rows would go, and the newest is old as well, a
/// person decides: at a terminal by an answer, elsewhere by `--force`.
fn stop_where_the_clock_may_be_wrong(
    site: &Site,
    dbs: &mut Databases,
    now: Timestamp,
    may_ask: bool,
) -> Result<(), Failure> {
    // Rows of a clock that was ahead say nothing of today's.
    let until = now + token::AHEAD;
    let (newest_token, tokens) = token::newest(dbs.get(&site.store)?, until)?;
    let (newest_session, sessions) = session::newest(dbs.get(&site.store)?, until)?;
    let newest = newest_token.max(newest_session);
    let all = u64::try_from(tokens + sessions).unwrap_or_default();
    if all <= MANY || newest.is_some_and(|newest| now.duration_since(newest) <= LONG) {
        return Ok(());
    }
    let nothing_is_deleted = &mut |_| {};
    let doomed = token::purge(dbs, &site.store, &site.tickets, &site.limits(), now, true, nothing_is_deleted)?;
    let sessions = session::purge(dbs.get(&site.store)?, &site.session_ends(), now, true)?;
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
    site::open_log(&site.config).error(&format!("purge: {stopped}"));
    Err(Failure::new(Exit::TempFail, stopped))
}
