//! `otab token import`: takes over the tokens of OTOBO's package. Shows numbers, and no token, login or ticket.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::json;

use super::args;
use super::db_arg;
use super::print;
use crate::clock;
use crate::customer;
use crate::db::{Access, Databases, Error, Url};
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failpoint;
use crate::failure::{Done, Failure};
use crate::store::tokens::import::{self, Holder, Tally};
use crate::ticket::Ticket;

/// How long a store or the helpdesk's database is waited for, where others write.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);

/// Why the work ended before its commit.
enum End {
    Failed(Failure),
    /// A dry run: everything is undone.
    Dry(Tally),
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl From<customer::Error> for End {
    fn from(error: customer::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// Runs it.
pub fn run(engine: &Engine, args: &args::Import) -> Done {
    let tally = take_over(engine, args)?;
    if !args.dry_run {
        engine.log.info(&format!(
            "token import: {} active and {} used tokens of the package taken over",
            tally.active, tally.used
        ));
    }
    if args.json {
        let counts: serde_json::Map<_, _> =
            rows(&tally).into_iter().map(|(name, count, _)| (name.to_owned(), json!(count))).collect();
        print::json(&json!({ "dry_run": args.dry_run, "rows": counts }))?;
        return Ok(Exit::Ok);
    }
    let heading = if args.dry_run { "WOULD BE" } else { "ROWS" };
    let table = rows(&tally).into_iter().map(|(_, count, why)| [count.to_string(), why.to_owned()]);
    print::table([heading, "WHAT BECAME OF THEM"], table.collect())?;
    Ok(Exit::Ok)
}

/// All in one transaction of the store; nothing is written anywhere else.
fn take_over(engine: &Engine, args: &args::Import) -> Result<Tally, Failure> {
    let zone = &engine.config.tickets.zone;
    let from = from(engine, args)?;
    let mut db = crate::store::open_for_hours(&from, Access::ReadOnly, BUSY_TIMEOUT)?;
    let mut store = crate::store::open_for_hours(&engine.store, Access::ReadWrite { create: false }, BUSY_TIMEOUT)?;
    let mut asked = Asked { engine, dbs: engine::reading() };
    let now = clock::now();
    let done = store.write(|tx| {
        let tally = import::import::<End>(tx, &mut db, zone, &mut asked, now)?;
        failpoint::at("imported");
        if args.dry_run { Err(End::Dry(tally)) } else { Ok(tally) }
    });
    store.close()?;
    db.close()?;
    match done {
        Ok(tally) | Err(End::Dry(tally)) => Ok(tally),
        Err(End::Failed(failure)) => Err(failure),
    }
}

/// The database that holds the package's table.
fn from(engine: &Engine, args: &args::Import) -> Result<Url, Failure> {
    if let Some(text) = &args.from {
        return db_arg::url("--from", text, args.from_password_file.as_deref(), args.from_password_env.as_deref());
    }
    engine.tickets.otobo().map(|tables| tables.url().clone()).ok_or_else(|| {
        let what = "where is the package's table? Name OTOBO's database with --from, or set tickets.source = \"otobo\"";
        Failure::new(Exit::Usage, what)
    })
}

/// Who and what is asked, by connections that cannot write.
struct Asked<'a> {
    engine: &'a Engine,
    dbs: Databases,
}

impl import::Site<End> for Asked<'_> {
    fn tickets(&mut self, numbers: &[String]) -> Result<HashMap<String, Ticket>, End> {
        Ok(self.engine.tickets.by_numbers(&mut self.dbs, numbers)?)
    }

    fn holder(&mut self, login: &str) -> Result<Holder, End> {
        Ok(match self.engine.directory.by_login_anywhere(&mut self.dbs, login)? {
            None => Holder::Unknown,
            Some(customer) if !customer.valid => Holder::Invalid,
            Some(customer) if customer.has_password => Holder::HasPassword,
            Some(customer) => Holder::Good { backend: customer.source, email: customer.email },
        })
    }

    fn knows_all_tickets(&self) -> bool {
        self.engine.tickets.own().is_none()
    }
}

/// Each count with its name in JSON and its meaning.
fn rows(tally: &Tally) -> Vec<(&'static str, u64, &'static str)> {
    let Tally {
        active,
        used,
        already,
        used_since,
        repeated,
        ambiguous,
        odd,
        no_ticket,
        others_ticket,
        unknown,
        invalid,
        has_password,
    } = *tally;
    vec![
        ("active", active, "taken over, good for one use"),
        ("used", used, "taken over as used: a new link can be asked for"),
        ("already", already, "here already, left as they are"),
        ("used_since", used_since, "here already as active, used at the helpdesk since: used here, too"),
        ("repeated", repeated, "left out: the same as another row"),
        ("ambiguous", ambiguous, "left out: one token for several tickets or customers"),
        ("odd", odd, "left out: not of the package's form"),
        ("no_ticket", no_ticket, "left out: there is no such ticket"),
        ("others_ticket", others_ticket, "left out: the ticket is somebody else's"),
        ("unknown_customer", unknown, "left out: no source knows the customer"),
        ("invalid_customer", invalid, "left out: the customer is not valid"),
        ("has_password", has_password, "left out: the customer has a password"),
    ]
}
