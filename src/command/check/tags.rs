//! Whether texts of the helpdesk's still make links of the package `OneTimeAuthentificationLink`.
//!
//! Its tag makes a token and a link wherever it is, whether or not the package's filter is on. otab knows only the tokens
//! that it has taken over: the others open nothing.

use super::finding::Finding;
use super::{Bench, shape};
use crate::db::{Error, survey};
use crate::exit::Exit;
use crate::ticket::{Otobo, TEXTS};

const TAG: &str = "OTOBO_OTACustomerTicketLink";

/// Names each text with the tag.
pub fn look(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    // There the tag becomes otab's own link.
    let own = bench.site.config.one_time_auth.token_refresh_notification;
    let (mut found, mut unread, mut why) = (Vec::new(), Vec::new(), None);
    for texts in &TEXTS {
        match tables.tagged(&mut bench.dbs, texts, TAG, own) {
            Ok(names) => found.extend(names.iter().map(|name| format!("{} {name:?}", texts.what))),
            Err(error) => {
                unread.extend_from_slice(texts.tables);
                why.get_or_insert(error);
            }
        }
    }
    let mut findings = Vec::new();
    if !found.is_empty() {
        findings.push(tagged(bench, &found.join(", ")));
    }
    if let Some(error) = why {
        findings.push(unreadable(bench, tables, &unread, &error));
    }
    if findings.is_empty() {
        findings.push(Finding::good("package", "no text of the helpdesk's makes its links"));
    }
    findings
}

fn tagged(bench: &Bench<'_>, found: &str) -> Finding {
    let config = &bench.site.config;
    let says = format!("<{TAG}> is in: {found}");
    let placeholder = &config.postmaster.link_placeholder;
    if config.one_time_auth.link_url.is_none() {
        let remedy =
            format!("when links become otab's, write {placeholder} instead, or take it out: otab knows no such link");
        return Finding::note("package", says, remedy);
    }
    let says = format!("{says}: the package still makes links there, which otab calls no longer valid");
    let remedy = format!("write {placeholder} instead, where mails leave by `otab outgoing`; or take it out");
    Finding::bad("package", Exit::Config, says, remedy)
}

/// What could not be read, with the statements that let it be.
fn unreadable(bench: &mut Bench<'_>, tables: &Otobo, unread: &[&str], error: &Error) -> Finding {
    let says = format!("{} cannot be read for the tag <{TAG}>: {error}", unread.join(", "));
    let user = tables.database(&mut bench.dbs).and_then(survey::user).ok().flatten();
    let look = format!("look for <{TAG}> in the helpdesk's templates");
    let Some(user) = user else { return Finding::note("package", says, look) };
    let grants: Vec<_> = unread.iter().map(|table| shape::grant(&["SELECT"], table, Some(&user))).collect();
    Finding::note("package", says, format!("{} Or {look}", grants.join(" ")))
}
