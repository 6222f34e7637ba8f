//! `otab outbox`: the link mails that wait, for people. Never shows a secret.

use serde_json::json;

use super::args::Outbox;
use super::print;
use crate::clock;
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::link::order::Kept;
use crate::store::newcomers;
use crate::store::outbox;
use crate::worker::spawn_notify::{self, Why};

/// Runs it.
pub fn run(engine: &Engine, command: Outbox) -> Done {
    match command {
        Outbox::List { json } => list(engine, json),
        Outbox::Retry { id } => retry(engine, id),
        Outbox::Drop { id } => drop_order(engine, id),
    }
}

fn list(engine: &Engine, json: bool) -> Done {
    let waiting = outbox::list(engine::reading().get(&engine.store)?, None)?;
    if json {
        print::json(&waiting.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let headings = ["ID", "TO", "CUSTOMER", "OCCASION", "TICKET", "ORDERED", "NEXT TRY", "TRIES", "LAST ERROR"];
        print::table(headings, waiting.iter().map(row).collect())?;
    }
    Ok(Exit::Ok)
}

fn as_json(order: &Kept) -> serde_json::Value {
    json!({
        "id": order.id, "token": order.token_id, "to": order.recipient, "customer": order.customer,
        "occasion": order.occasion.as_str(), "ticket": order.ticket_number, "ordered": order.created_at.to_string(),
        "next_try": order.due_at.to_string(), "tries": order.tries, "last_error": order.last_error,
    })
}

fn row(order: &Kept) -> [String; 9] {
    [
        order.id.to_string(),
        order.recipient.clone(),
        order.customer.clone(),
        order.occasion.as_str().to_owned(),
        order.ticket_number.clone().unwrap_or_default(),
        order.created_at.to_string(),
        order.due_at.to_string(),
        order.tries.to_string(),
        order.last_error.clone().unwrap_or_default(),
    ]
}

fn retry(engine: &Engine, id: Option<i64>) -> Done {
    let now = clock::now();
    let count = engine::changing().get(&engine.store)?.write(|tx| {
        // What these mails wait for is tried at once as well.
        newcomers::retry(tx)?;
        outbox::retry(tx, id, now)
    })?;
    if count == 0 && id.is_some() {
        return Err(none_such());
    }
    spawn_notify::sender(&engine.config, &engine.log, Why::Order);
    print::line(&format!("due now: {count}"))?;
    Ok(Exit::Ok)
}

fn drop_order(engine: &Engine, id: i64) -> Done {
    let now = clock::now();
    if !engine::changing().get(&engine.store)?.write(|tx| outbox::drop(tx, id, now))? {
        return Err(none_such());
    }
    engine.log.info(&format!("link mail {id}: dropped by hand"));
    print::line(&format!("link mail {id} dropped"))?;
    Ok(Exit::Ok)
}

fn none_such() -> Failure {
    Failure::new(Exit::NoUser, "no such link mail waits")
}
