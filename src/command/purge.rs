//! `otab purge`: deletes tokens and sessions that are over, and says how many. Names no token and no customer.

use serde_json::json;

use super::cli;
use super::failure::Done;
use super::people;
use super::print;
use super::site::{self, Site};
use crate::clock;
use crate::exit::Exit;
use crate::link::{mailed, queue};
use crate::session;
use crate::token;

/// Runs it.
pub fn run(site: &Site, args: &cli::Purge) -> Done {
    let mut dbs = if args.dry_run { people::reading() } else { people::changing() };
    // As long as the lock was held the filters get to write, so they never wait for long.
    let mut pause = std::thread::sleep;
    let (limits, now) = (site.limits(), clock::now());
    let counts = token::purge(&mut dbs, &site.store, &site.tickets, &limits, now, args.dry_run, &mut pause)?;
    if !args.dry_run {
        // Addresses that the caps on link mails need no more.
        dbs.get(&site.store)?.write(|tx| queue::forget(tx, now))?;
    }
    let link_mails = mailed::forget(dbs.get(&site.store)?, now, args.dry_run)?;
    let sessions = session::purge(dbs.get(&site.store)?, &site.session_ends(), now, args.dry_run)?;
    drop(dbs);
    let token::Counts { closed, gone, unbound, too_old } = counts;
    if !args.dry_run {
        site::open_log(&site.config).info(&format!(
            "purge: deleted {closed} closed, {gone} without their ticket, {unbound} never bound, {too_old} too old; {sessions} sessions; {link_mails} Message-IDs of link mails"
        ));
    }
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
