//! This machine's clock beside the newest row of the store. Links and sessions live by it, and `otab purge` deletes by
//! it. The clocks of database servers are compared where each database is looked at (`shape`).

use jiff::{SignedDuration, Timestamp};

use super::Bench;
use super::finding::Finding;
use crate::clock;
use crate::db::Error;
use crate::store::{sessions, tokens};
use crate::token;

/// A store in use has a row that is younger than this.
const LONG: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Looks at it. A store that cannot be asked is spoken of elsewhere.
pub fn check(bench: &mut Bench<'_>) -> Option<Finding> {
    let newest = newest(bench).ok()?;
    Some(judge(newest, clock::now()))
}

/// When the newest token or session was created, whatever clock said so.
fn newest(bench: &mut Bench<'_>) -> Result<Option<Timestamp>, Error> {
    let db = bench.dbs.get(&bench.engine.store)?;
    let (token, _) = tokens::newest(db, Timestamp::MAX)?;
    let (session, _) = sessions::newest(db, Timestamp::MAX)?;
    Ok(token.max(session))
}

fn judge(newest: Option<Timestamp>, now: Timestamp) -> Finding {
    let Some(newest) = newest else { return Finding::good("clock", format!("it is {now}")) };
    let says = format!("it is {now}; the newest token or session is of {newest}");
    if token::is_ahead(newest, now) {
        let remedy =
            "is this machine's clock right (timedatectl)? If so, it was ahead then: what it made counts as over";
        return Finding::note("clock", format!("{says}, which is ahead"), remedy);
    }
    if now.duration_since(newest) > LONG {
        let remedy = "have new mails come since? If so, set this machine's clock (timedatectl), before otab purge runs";
        return Finding::note("clock", format!("{says}, more than 30 days ago"), remedy);
    }
    Finding::good("clock", says)
}
