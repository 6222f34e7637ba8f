//! The customer sources: whether each answers, has what otab needs, and holds what would surprise somebody.

use super::finding::{Finding, Grade};
use super::{Bench, helpdesk, shape};
use crate::customer::{Census, Directory, Error, Names, Shared, naming};
use crate::db::{Dialect, Kind, Statements};
use crate::engine;
use crate::exit::Exit;
use crate::mail::Address;

/// From how many customers on a shared customer id is worth a word.
const COMPANY: i64 = 20;
/// From how many customers on a look-up without an index is worth a word.
const MANY: i64 = 10_000;

const COMPANIES: &str = "OTOBO's company tickets show them each other's tickets; where they are no company, give each an \
                         id of his own (create.customer_id is for new ones)";

/// One source.
pub fn check(bench: &mut Bench<'_>, source: &str) -> Vec<Finding> {
    match try_to_look(bench, source) {
        Ok(findings) => findings,
        Err(error) => vec![away(bench, source, &error)],
    }
}

fn away(bench: &mut Bench<'_>, source: &str, error: &Error) -> Finding {
    if is_still_to_be_made(bench, error) {
        return Finding::note("customers", format!("the source {source} is not there yet"), "the first mail makes it");
    }
    let remedy = format!("see the url of the [[customer_user]] {source}");
    Finding::bad("customers", Exit::Unavailable, error, remedy)
}

fn is_still_to_be_made(bench: &mut Bench<'_>, error: &Error) -> bool {
    let is_missing = matches!(error, Error::Db { error, .. } if error.kind() == Kind::Missing);
    is_missing && bench.engine.config.store.create && bench.dbs.get(&bench.engine.store).is_err()
}

fn try_to_look(bench: &mut Bench<'_>, source: &str) -> Result<Vec<Finding>, Error> {
    let Bench { engine, dbs } = bench;
    let directory = &engine.directory;
    let mut needs = directory.needs(source, source == engine.backend)?;
    if source == engine.backend
        && naming::uses_domain(&engine.config.create.customer_id)
        && engine::has_companies(engine)?
    {
        needs.push(Directory::company_need());
    }
    let (mut product, mut findings) = ("a directory".to_owned(), Vec::new());
    if let Some(db) = directory.database(dbs, source)? {
        let place = format!("the source {source}");
        let settings = "url, table and the columns of this [[customer_user]]";
        (product, findings) = shape::check("customers", &place, db, &needs, settings).map_err(Error::from)?;
    }
    if findings.iter().any(|finding| matches!(finding.grade, Grade::Bad(_))) {
        return Ok(findings);
    }
    // Any login will do: it is the looking that is tried.
    directory.by_login(dbs, source, &engine.config.postmaster.marker)?;
    let census = directory.census(dbs, source, &engine.config.create.company_domains)?;
    let says = match &census.customers {
        Ok((total, valid)) => {
            format!("the source {source} answers ({product}): customers: {total}, of them valid: {valid}")
        }
        Err(_) => format!("the source {source} answers ({product})"),
    };
    findings.insert(0, Finding::good("customers", says));
    // Many, if counting them takes too long.
    let total = census.customers.as_ref().map_or(i64::MAX, |(total, _)| *total);
    findings.extend(counts(source, directory.needs(source, false)?.is_empty(), census));
    findings.extend(index(bench, source, total));
    findings.extend(untold(bench, source));
    Ok(findings)
}

/// What the counts say; one that failed, or took too long, is worth a word itself.
fn counts(source: &str, is_directory: bool, census: Census) -> Vec<Finding> {
    let Census { customers, doubled: addresses, largest, strangers: shared } = census;
    let found = [
        customers.map(|(total, valid)| nobody(source, is_directory, total, valid)),
        addresses.map(|(count, examples)| doubled(source, count, &examples)),
        largest.map(|largest| largest.filter(|(_, count)| *count >= COMPANY).map(|one| company(source, &one))),
        shared.map(|(count, examples)| strangers(source, count, &examples)),
    ];
    found
        .into_iter()
        .filter_map(|found| found.unwrap_or_else(|error| Some(Finding::unknown("customers", &error))))
        .collect()
}

/// A source without anybody who counts is most often one whose settings are wrong. (A new helpdesk has nobody.)
fn nobody(source: &str, is_directory: bool, total: i64, valid: i64) -> Option<Finding> {
    let says = format!("the source {source}: none of its customers is valid");
    match (total, valid) {
        (0, _) if is_directory => {
            let says = format!("the source {source}: nobody is in it");
            Some(Finding::note("customers", says, "see base, filter and key of this [[customer_user]]"))
        }
        (1.., 0) => {
            let remedy =
                "see valid, email and customer_id of this [[customer_user]]: nobody of it gets a ticket or a link";
            Some(Finding::note("customers", says, remedy))
        }
        _ => None,
    }
}

/// Addresses of several customers: the first valid login, in bytewise order, gets all the mails.
fn doubled(source: &str, count: i64, examples: &[Shared]) -> Option<Finding> {
    if count == 0 {
        return None;
    }
    let examples = shape::examples(examples);
    let says = format!("the source {source}: addresses of more than one customer: {count}: {examples}");
    let remedy = "of these customers the first valid login gets the mail; make the others invalid in the helpdesk, \
                  or give them addresses of their own";
    Some(Finding::note("customers", says, remedy))
}

/// A customer id that many share: OTOBO shows a company's tickets to all of its customers.
fn company(source: &str, (company, count): &Shared) -> Finding {
    let says = format!("the source {source}: customers who share the customer id {company}: {count}");
    Finding::note("customers", says, COMPANIES)
}

/// Those who share a domain as customer id, which neither the site nor the helpdesk calls a company: it may be a mail
/// provider's, and they may be strangers to each other.
fn strangers(source: &str, count: i64, examples: &[Shared]) -> Option<Finding> {
    if count == 0 {
        return None;
    }
    let examples = shape::examples(examples);
    let says = format!(
        "the source {source}: customers who share a domain as customer id, which is neither in create.company_domains nor \
         a company of the helpdesk's: {count}: {examples}"
    );
    let remedy = "if it is a company's, name it there. Else OTOBO's company tickets show strangers each other's tickets: \
                  give each the address as customer id, as otab gives it to new ones";
    Some(Finding::note("customers", says, remedy))
}

/// A helpdesk that has looked for a login before otab made the customer, such as at a stranger's failed login, takes it for
/// nobody's for a day: it is not told of the customer, and refuses the hand-over.
fn untold(bench: &Bench<'_>, source: &str) -> Option<Finding> {
    let engine = bench.engine;
    let creates = source == engine.backend && helpdesk::is_helpdesks(engine, source);
    if !creates || !engine.config.create.after_create.is_empty() {
        return None;
    }
    let says = format!(
        "create.after_create is empty: a helpdesk that has looked for a customer before otab makes them in {source} goes on \
         for up to 24 hours as if they were not there, and their link ends at \"The helpdesk did not let you in\""
    );
    let remedy = "set create.after_create to a command that deletes the helpdesk's cache of customers: see the README, What \
                  OTOBO remembers";
    Some(Finding::note("new customers", says, remedy))
}

/// Whether each look-up of a sender reads a large table from its beginning to its end.
fn index(bench: &mut Bench<'_>, source: &str, total: i64) -> Option<Finding> {
    if total <= MANY {
        return None;
    }
    let address = Address::parse("nobody@example.org")?;
    match bench.engine.directory.reads_all(&mut bench.dbs, source, &address) {
        Ok(false) => None,
        Ok(true) => {
            let says = format!("the source {source}: no index serves the look-up: each mail reads the whole table");
            Some(Finding::note("customers", says, index_remedy(bench, source)))
        }
        Err(error) => Some(Finding::unknown("customers", &error)),
    }
}

/// What helps, as far as the product has anything that does.
fn index_remedy(bench: &mut Bench<'_>, source: &str) -> String {
    let entry = bench.engine.config.customer_user.iter().find(|entry| entry.name == source);
    let Some(Names { table, search, .. }) = entry.map(|entry| &entry.names) else {
        return String::new();
    };
    let end = "otab never alters the helpdesk's tables itself";
    let plain = |column: &String| format!("CREATE INDEX {column}_plain ON {table} ({column});");
    let lower = |column: &String| format!("CREATE INDEX ON {table} (LOWER({column}));");
    let all = |one: &dyn Fn(&String) -> String| search.iter().map(one).collect::<Vec<_>>().join(" ");
    let database = bench.engine.directory.database(&mut bench.dbs, source);
    let Ok(Some(dialect)) = database.map(|db| db.map(|db| db.dialect())) else { return end.to_owned() };
    match (dialect, bench.engine.directory.folds(&mut bench.dbs, source)) {
        (Dialect::MariaDb, Ok(true)) => format!("{} {end}", all(&plain)),
        (Dialect::MariaDb, _) => {
            format!(
                "give the column a collation that folds case (its name ends with _ci), and then: {} {end}",
                all(&plain)
            )
        }
        (Dialect::PostgreSql | Dialect::Sqlite, _) => {
            format!("{} {end}; its own look-ups gain as well", all(&lower))
        }
    }
}

/// Whether the marker of doubtful mails is somebody's name.
pub fn marker(bench: &mut Bench<'_>) -> Finding {
    let marker = &bench.engine.config.postmaster.marker;
    match bench.engine.directory.knows(&mut bench.dbs, marker) {
        Ok(true) => {
            let says =
                format!("{marker} is a customer's login, customer id or address, who would get all doubtful mails");
            Finding::bad("marker", Exit::Config, says, "choose another postmaster.marker")
        }
        Ok(false) => Finding::good("marker", format!("{marker} is nobody's")),
        Err(error) => Finding::unknown("marker", &error),
    }
}
