//! `otab purge`: deletes tokens and sessions that are over, and says how many. Names no token and no customer.

use serde_json::json;

use super::args;
use super::print;
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failure::Done;
use crate::store::tokens;
use crate::worker::purge::{Deleted, How, purge};

/// Runs it.
pub fn run(engine: &Engine, args: &args::Purge) -> Done {
    let Deleted { tokens, sessions, link_mails } =
        purge(engine, How { dry_run: args.dry_run, force: args.force, may_ask: true })?;
    let tokens::Counts { closed, gone, unbound, too_old } = tokens;
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
