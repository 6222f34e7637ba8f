//! `otab redeem` uses a token up, and says who and which ticket, or what to tell the customer.
//! `otab refresh` asks for a new link in the place of one that is used up.
//!
//! The secret is neither printed nor logged.

use std::io::Read;

use serde_json::{Value, json};

use super::args;
use super::print;
use crate::clock;
use crate::customer::CustomerUser;
use crate::engine::redeem::{Outcome, Use, Wish, use_token};
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::token::Secret;
use crate::worker::spawn_notify::{self, Why};

/// Most that is read from standard input; a token has at most 128 bytes.
const INPUT: u64 = 4096;

/// Runs it.
pub fn run(engine: &Engine, args: &args::Redeem, wish: Wish) -> Done {
    let secret = secret(&args.token)?;
    let mut dbs = engine::changing();
    let used = use_token(engine, &mut dbs, &secret, wish, clock::now());
    drop(dbs);
    let used = used?;
    note(engine, &used, wish);
    if matches!(used.answer, Outcome::NewLink) {
        spawn_notify::sender(&engine.config, &engine.log, Why::Order);
    }
    let messages = engine.config.one_time_auth.messages_for(used.language.as_deref().unwrap_or_default());
    let (answer, exit, message) = match &used.answer {
        Outcome::Opened { customer, ticket } => return opened(args.json, customer, ticket.as_deref()),
        Outcome::StillGood => return still_good(args.json),
        // Only who wishes nothing else is told so; see `Wish::Enter`.
        Outcome::Used | Outcome::LinkExpired => ("link_expired", Exit::LinkExpired, &messages.link_expired),
        Outcome::WrongLink => ("wrong_link", Exit::WrongLink, &messages.wrong_link),
        Outcome::NewLink => ("new_link", Exit::NewLink, &messages.new_link),
        Outcome::RefreshFailed { .. } => ("refresh_failed", Exit::RefreshFailed, &messages.refresh_failed),
    };
    if args.json {
        print::json(&json!({ "answer": answer, "message": message }))?;
    } else {
        print::line(message)?;
    }
    Ok(exit)
}

fn secret(argument: &str) -> Result<Secret, Failure> {
    let parse = |text: &str| Secret::parse(text).ends(Exit::DataErr, "the token");
    if argument != "-" {
        return parse(argument);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(INPUT + 1).read_to_end(&mut bytes);
    read.ends(Exit::IoErr, "standard input cannot be read")?;
    // What is too long or not UTF-8 is no token either; it is not repeated.
    parse(std::str::from_utf8(&bytes).unwrap_or_default())
}

fn opened(json: bool, customer: &CustomerUser, ticket: Option<&str>) -> Done {
    if json {
        print::json(&json!({
            "answer": "valid", "message": Value::Null, "login": customer.login, "email": customer.email,
            "customer_id": customer.customer_id, "backend": customer.source, "ticket": ticket,
        }))?;
    } else {
        print::pairs(&[
            ("login", customer.login.clone()),
            ("email", customer.email.clone()),
            ("backend", customer.source.clone()),
            ("ticket", ticket.unwrap_or("none: the overview").to_owned()),
        ])?;
    }
    Ok(Exit::Ok)
}

fn still_good(json: bool) -> Done {
    if json {
        print::json(&json!({ "answer": "valid", "message": Value::Null }))?;
    } else {
        print::line("the link has not been used and still works")?;
    }
    Ok(Exit::Ok)
}

/// One line in the log: the token by its number, never its secret.
fn note(engine: &Engine, used: &Use, wish: Wish) {
    let log = &engine.log;
    let command = if wish == Wish::Open { "redeem" } else { "refresh" };
    let token = used.token.map_or_else(|| "unknown token".to_owned(), |id| format!("token {id}"));
    match &used.answer {
        Outcome::Opened { customer, ticket } => log.info(&format!(
            "{command}: {token} of {} in {}: used, ticket {}",
            customer.login,
            customer.source,
            ticket.as_deref().unwrap_or("none")
        )),
        Outcome::StillGood => log.info(&format!("{command}: {token}: still good")),
        Outcome::Used | Outcome::LinkExpired => log.info(&format!("{command}: {token}: expired")),
        Outcome::WrongLink => log.info(&format!("{command}: {token}: used before, a newer one is active")),
        Outcome::NewLink => log.info(&format!("{command}: {token}: used before, new link ordered")),
        Outcome::RefreshFailed { why } => log.error(&format!("{command}: {token}: no new link: {why}")),
    }
}
