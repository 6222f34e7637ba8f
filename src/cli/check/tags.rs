//! Whether texts of the helpdesk's still make links of the package `OneTimeAuthentificationLink`.
//!
//! Its tag makes a token and a link wherever it is, whether or not the package's filter is on. otab knows only the tokens
//! that it has taken over: the others open nothing.

use super::finding::Finding;
use super::helpdesk::FILTER;
use super::{Bench, shape};
use crate::db::{Error, Kind, survey};
use crate::exit::Exit;
use crate::ticket::{Otobo, Setting, TEXTS, Texts};

const TAG: &str = "OTOBO_OTACustomerTicketLink";

/// Names each text with the tag.
pub fn check(bench: &mut Bench<'_>, tables: &Otobo) -> Vec<Finding> {
    // There the tag becomes otab's own link.
    let own = bench.engine.config.one_time_auth.token_refresh_notification;
    let (mut found, mut unread, mut why) = (Vec::new(), Vec::new(), None);
    for texts in &TEXTS {
        match tables.tagged(&mut bench.dbs, texts, TAG, own) {
            Ok(names) => found.extend(names.iter().map(|name| format!("{} {name:?}", texts.what))),
            Err(error) => {
                unread.extend(refused(bench, tables, texts));
                why.get_or_insert(error);
            }
        }
    }
    let mut findings = Vec::new();
    if !found.is_empty() {
        // Its filter is the first thing that a package brings.
        let is_installed = !matches!(tables.setting(&mut bench.dbs, FILTER), Ok(Setting::Unknown));
        findings.push(tagged(bench, &found.join(", "), is_installed));
    }
    if let Some(error) = why {
        findings.push(unreadable(bench, tables, &unread, &error));
    }
    if findings.is_empty() {
        findings.push(Finding::good("package", "no text of the helpdesk's makes its links"));
    }
    findings
}

/// Those of a text's tables that cannot be read, each with whether a right is what it lacks.
fn refused(bench: &mut Bench<'_>, tables: &Otobo, texts: &Texts) -> Vec<(&'static str, bool)> {
    let mut refused = Vec::new();
    for table in texts.tables {
        if let Err(error) = tables.reads(&mut bench.dbs, table) {
            refused.push((*table, error.kind() == Kind::Denied));
        }
    }
    if refused.is_empty() {
        // It is in their columns.
        refused.extend(texts.tables.iter().map(|table| (*table, false)));
    }
    refused
}

fn tagged(bench: &Bench<'_>, found: &str, is_installed: bool) -> Finding {
    let config = &bench.engine.config;
    let says = format!("<{TAG}> is in: {found}");
    let placeholder = &config.postmaster.link_placeholder;
    if !is_installed {
        let says = format!("{says}: the package is not installed, so customers see the tag itself there, or -");
        let remedy = format!("take it out, or write {placeholder} instead, where mails leave by `otab outgoing`");
        return Finding::note("package", says, remedy);
    }
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
fn unreadable(bench: &mut Bench<'_>, tables: &Otobo, unread: &[(&str, bool)], error: &Error) -> Finding {
    let names: Vec<_> = unread.iter().map(|(table, _)| *table).collect();
    let says = format!("{} cannot be read for the tag <{TAG}>: {error}", names.join(", "));
    let user = tables.database(&mut bench.dbs).and_then(survey::user).ok().flatten();
    let look = format!("look for <{TAG}> in the helpdesk's templates");
    let Some(user) = user else { return Finding::note("package", says, look) };
    let denied = unread.iter().filter(|(_, is_denied)| *is_denied);
    let grants: Vec<_> = denied.map(|(table, _)| shape::grant(&["SELECT"], table, Some(&user))).collect();
    if grants.is_empty() {
        return Finding::note("package", says, look);
    }
    Finding::note("package", says, format!("{} Or {look}", grants.join(" ")))
}
