//! The helpdesk's tickets: tables, rights, the index for Message-IDs, and whether its times are read in their zone.

use jiff::SignedDuration;

use super::finding::{Finding, Grade};
use super::{Bench, shape};
use crate::clock;
use crate::db::{Error, survey};
use crate::exit::Exit;
use crate::ticket::Otobo;

/// How far ahead a change may be before it is the zone's doing: clocks are looked at by themselves.
const FUTURE: SignedDuration = SignedDuration::from_mins(10);

/// Looks at OTOBO's tables; there is nothing to look at where tickets are in the store.
pub fn check(bench: &mut Bench<'_>) -> Vec<Finding> {
    let Some(tables) = bench.engine.tickets.otobo() else { return Vec::new() };
    let url = &bench.engine.config.tickets.url;
    match try_to_look(bench, tables, url) {
        Ok(findings) => findings,
        Err(error) => {
            let remedy = "see tickets.url, and whether its user may read OTOBO's tables for tickets and articles";
            vec![Finding::bad("tickets", Exit::Unavailable, error, remedy)]
        }
    }
}

fn try_to_look(bench: &mut Bench<'_>, tables: &Otobo, url: &str) -> Result<Vec<Finding>, Error> {
    let db = tables.database(&mut bench.dbs)?;
    let (product, mut findings) =
        shape::check("tickets", "the helpdesk's tickets", db, &tables.needs(), "tickets.url")?;
    if findings.iter().any(|finding| matches!(finding.grade, Grade::Bad(_))) {
        return Ok(findings);
    }
    if !survey::has_index(tables.database(&mut bench.dbs)?, "article_data_mime", "a_message_id_md5")? {
        let says = "no index begins with article_data_mime.a_message_id_md5: each follow-up reads all articles";
        let remedy = "OTOBO makes one: CREATE INDEX article_data_mime_message_id_md5 ON article_data_mime \
                      (a_message_id_md5); otab never alters the helpdesk's tables itself";
        findings.push(Finding::note("tickets", says, remedy));
    }
    bench.engine.tickets.probe(&mut bench.dbs)?;
    findings.insert(0, Finding::good("tickets", format!("{url} answers ({product})")));
    findings.extend(future(bench, tables)?);
    Ok(findings)
}

/// Changes that are still to come say that their times are of another zone.
fn future(bench: &mut Bench<'_>, tables: &Otobo) -> Result<Option<Finding>, Error> {
    let ahead = tables.last_change(&mut bench.dbs)?.map(|last| last.duration_since(clock::now()));
    let Some(ahead) = ahead.filter(|ahead| *ahead > FUTURE) else { return Ok(None) };
    let zone = &bench.engine.config.tickets.time_zone;
    let says = format!("a ticket was changed {} minutes from now, by tickets.time_zone = {zone:?}", ahead.as_mins());
    let remedy = "write the zone that OTOBO has in OTOBOTimeZone; links would outlive their ticket by the difference";
    Ok(Some(Finding::note("time zone", says, remedy)))
}
