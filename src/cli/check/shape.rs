//! Words for what a database lacks of what otab needs there: tables, columns, rights; its version and its clock.

use std::fmt::Write as _;

use jiff::SignedDuration;

use super::finding::{Finding, Grade};
use crate::cli::whom;
use crate::clock;
use crate::db::survey::{self, Gap, Need};
use crate::db::{Database, Error};
use crate::exit::Exit;
use crate::token;

/// How far the clock of a database server may be from this machine's.
const CLOCK: SignedDuration = SignedDuration::from_secs(5);

/// What is wrong with a database, and its product's name and version. `settings` are the keys that name its tables.
pub fn check(
    what: &'static str,
    place: &str,
    db: &mut Database,
    needs: &[Need],
    settings: &str,
) -> Result<(String, Vec<Finding>), Error> {
    let product = survey::product(db)?;
    let shown = product.to_string();
    let mut findings = Vec::new();
    if product.is_too_old() {
        let says = format!("{place}: {shown} is too old");
        let remedy = format!("otab needs {} {} or newer", product.name, product.oldest);
        findings.push(Finding::bad(what, Exit::Unavailable, says, remedy));
    }
    let user = survey::user(db)?;
    for need in needs {
        for gap in survey::gaps(db, need)? {
            let found = lacking(what, place, need, &gap, settings, user.as_deref());
            findings.push(if need.otherwise.is_empty() {
                found
            } else {
                Finding {
                    grade: Grade::Note,
                    remedy: format!("{} (without it, {})", found.remedy, need.otherwise),
                    ..found
                }
            });
        }
    }
    findings.extend(clock(place, db)?);
    Ok((shown, findings))
}

fn lacking(what: &'static str, place: &str, need: &Need, gap: &Gap, settings: &str, user: Option<&str>) -> Finding {
    let table = &need.table;
    match gap {
        Gap::Table => {
            let says = format!("{place}: there is no table {table}");
            Finding::bad(what, Exit::Unavailable, says, format!("see {settings}: is it the helpdesk's database?"))
        }
        Gap::Column(column) => {
            let says = format!("{place}: the table {table} has no column {column}, or its user may not see it");
            Finding::bad(what, Exit::Unavailable, says, format!("see {settings}; {}", grant(&["SELECT"], table, user)))
        }
        Gap::Short(column, width, longest) => {
            let says = format!("{place}: {table}.{column} takes {width} characters, and OTOBO's own column {longest}");
            let remedy =
                "longer values are refused, and nobody is created then; otab never alters the helpdesk's tables";
            Finding::note(what, says, remedy)
        }
        Gap::Other(column, kind) => {
            let says = format!("{place}: {table}.{column} is of the type {kind}, which is not what OTOBO has there");
            Finding::bad(
                what,
                Exit::Unavailable,
                says,
                format!("see {settings}; otab never alters the helpdesk's tables"),
            )
        }
        Gap::Rights(rights) => {
            let words: Vec<&str> = rights.iter().map(|right| right.as_str()).collect();
            let says = format!("{place}: {} on {table} is missing", words.join(", "));
            Finding::bad(what, Exit::Unavailable, says, grant(&words, table, user))
        }
        Gap::Sequence(sequence) => {
            let says =
                format!("{place}: USAGE on the sequence {sequence} is missing, which numbers the rows of {table}");
            let remedy = format!("GRANT USAGE ON SEQUENCE {sequence} TO {};", user.unwrap_or("otab"));
            Finding::bad(what, Exit::Unavailable, says, remedy)
        }
    }
}

/// The statement that gives the rights; for a file, what does.
pub fn grant(rights: &[&str], table: &str, user: Option<&str>) -> String {
    match user {
        Some(user) => format!("GRANT {} ON {table} TO {user};", rights.join(", ")),
        None => format!("let {} write the database file and its folder", whom::user()),
    }
}

/// A clock that goes wrong makes tokens and tickets too old, or too young.
fn clock(place: &str, db: &mut Database) -> Result<Option<Finding>, Error> {
    let before = clock::now();
    let Some(theirs) = survey::clock(db)? else { return Ok(None) };
    let after = clock::now();
    let ahead = theirs.duration_since(after);
    let behind = before.duration_since(theirs);
    let apart = ahead.max(behind);
    if apart <= CLOCK {
        return Ok(None);
    }
    let way = if ahead > behind { "ahead of" } else { "behind" };
    let says = format!("{place}: the clock of the server is {} s {way} this machine's", apart.as_secs());
    let remedy = "let both machines take their time from the same place (NTP)";
    // What another host made so far ahead counts as over.
    let is_bad = apart > token::AHEAD;
    Ok(Some(if is_bad {
        Finding::bad("clock", Exit::Config, says, remedy)
    } else {
        Finding::note("clock", says, remedy)
    }))
}

/// A few examples, for the end of a sentence.
pub fn examples(shared: &[(String, i64)]) -> String {
    let mut text = String::new();
    for (index, (name, count)) in shared.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        // Writing to a String cannot fail.
        let _ = write!(text, "{comma}{name} ({count})");
    }
    text
}
