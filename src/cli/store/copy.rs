//! `otab store copy`: moves the store to a place of another kind, and back. Never shows a password.

use std::time::Duration;

use serde_json::json;

use super::bar::Bar;
use crate::cli::args;
use crate::cli::db_arg;
use crate::cli::print;
use crate::clock;
use crate::config::masked_url;
use crate::db::{self, Kind, Tx, Url};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failpoint;
use crate::failure::{Done, Failure};
use crate::store::copy::{Copied, Order, Step, copy};
use crate::store::queue;

/// How long either store is waited for, and a sender at work.
const BUSY_TIMEOUT: Duration = Duration::from_mins(1);
/// Between two looks whether it still is.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs it.
pub fn run(engine: &Engine, args: &args::Copy) -> Done {
    let from = match &args.from {
        Some(text) => {
            db_arg::url("--from", text, args.from_password_file.as_deref(), args.from_password_env.as_deref())?
                .as_store()
        }
        None => engine.store.clone(),
    };
    let to =
        db_arg::url("--to", &args.to, args.to_password_file.as_deref(), args.to_password_env.as_deref())?.as_store();
    if is_same(&from, &to) {
        return Err(Failure::new(Exit::Usage, "--to is the store that is to be copied; nothing was changed"));
    }
    let place = match &to {
        Url::Sqlite(_) => to.to_string(),
        _ => masked_url(&args.to),
    };
    let copied = patiently(&from, &to, &place, args)?;
    let is_retired = !args.keep;
    engine.log.info(&format!("the store in {from} was copied to {place}; kept: {}", args.keep));
    if args.json {
        let tables: serde_json::Map<_, _> =
            copied.tables.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect();
        print::json(&json!({
            "from": from.to_string(), "to": place, "retired": is_retired, "was_there": copied.was_there, "rows": tables,
        }))?;
        return Ok(Exit::Ok);
    }
    let row = |(table, rows): &(&str, u64)| [(*table).to_owned(), rows.to_string()];
    print::table(["TABLE", "ROWS"], copied.tables.iter().map(row).collect())?;
    if copied.was_there {
        print::line("the rows were there already, each one equal")?;
    }
    print::line(&if is_retired {
        format!("{from} is retired. Now set store.url to {place}")
    } else {
        format!("{from} is still in use; what comes from now on is not in the copy")
    })?;
    Ok(Exit::Ok)
}

/// A sender at work holds its lease for some seconds; the stores are not locked while it is waited for.
fn patiently(from: &Url, to: &Url, place: &str, args: &args::Copy) -> Result<Copied, Failure> {
    let bar = Bar::new();
    let begun = clock::now();
    loop {
        let order = Order {
            from,
            is_retired: args.from_retired,
            to,
            place,
            keep: args.keep,
            busy: BUSY_TIMEOUT,
            may: nobody_sends,
        };
        let done = copy(&order, &mut |step| {
            bar.show(step);
            failpoint::at(name(step));
        });
        match done {
            Err(error)
                if error.kind() == Kind::Busy && clock::now().duration_since(begun).unsigned_abs() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(PAUSE);
            }
            done => return done.map_err(db::Error::into),
        }
    }
}

/// A sender at work has a mail in its hands: it must get to say so in the old store, or the mail goes out twice.
fn nobody_sends(tx: &mut Tx<'_>) -> Result<(), db::Error> {
    match queue::holder(tx, clock::now())? {
        None => Ok(()),
        Some(_) => Err(db::Error::new(Kind::Busy, "the old store", "`otab notify` is at work there")),
    }
}

/// Where tests make it fail.
fn name(step: Step) -> &'static str {
    match step {
        Step::Begun(_) => "copy-begun",
        Step::Written(..) => "copy-written",
        Step::Compared(_) => "copy-compared",
        Step::Complete => "copy-complete",
        Step::Committed => "copy-committed",
        Step::Retired => "copy-retired",
    }
}

/// One file may have several names.
fn is_same(one: &Url, other: &Url) -> bool {
    match (one, other) {
        (Url::Sqlite(one), Url::Sqlite(other)) => {
            one == other || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
        }
        _ => one == other,
    }
}
