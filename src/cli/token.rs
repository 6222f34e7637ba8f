//! `otab token`: lists tokens and takes them back. Shows nothing that would let anybody use one.

use serde_json::json;

use super::args::Token;
use super::import;
use super::print;
use crate::clock;
use crate::db;
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::store::tokens::{self, Listed, Revoked};
use crate::store::{outbox, sessions};
use crate::token::Which;

/// Runs it.
pub fn run(engine: &Engine, command: Token) -> Done {
    match command {
        Token::List { json } => list(engine, json),
        Token::Import(args) => import::run(engine, &args),
        Token::Revoke { customer: Some(customer), .. } => revoke_all_of(engine, &customer),
        Token::Revoke { token, .. } => revoke(engine, &token.unwrap_or_default()),
    }
}

fn list(engine: &Engine, json: bool) -> Done {
    let listed = tokens::list(engine::reading().get(&engine.store)?, None)?;
    if json {
        print::json(&listed.iter().map(as_json).collect::<Vec<_>>())?;
    } else {
        let headings = ["ID", "STATE", "CUSTOMER", "BACKEND", "TICKET", "CREATED", "HASH", "MESSAGE-ID"];
        print::table(headings, listed.into_iter().map(row).collect())?;
    }
    Ok(Exit::Ok)
}

fn as_json(listed: &Listed) -> serde_json::Value {
    let token = &listed.token;
    json!({
        "id": token.id, "state": token.state.as_str(), "customer": token.customer, "email": token.email,
        "backend": token.backend, "ticket": token.ticket_number, "message_id": token.message_id,
        "created": token.created_at.to_string(), "changed": token.changed_at.to_string(), "hash": listed.hash,
    })
}

fn row(Listed { hash, token }: Listed) -> [String; 8] {
    [
        token.id.to_string(),
        token.state.to_string(),
        token.customer,
        token.backend,
        token.ticket_number.unwrap_or_default(),
        token.created_at.to_string(),
        hash,
        token.message_id.unwrap_or_default(),
    ]
}

/// Its link mail must not go out any more, and what it opened is shut: token, order and sessions go in one transaction.
fn revoke(engine: &Engine, name: &str) -> Done {
    let which: Which = name.parse().ends(Exit::DataErr, "the token")?;
    let now = clock::now();
    let mut dbs = engine::changing();
    let revoked = dbs.get(&engine.store)?.write(|tx| {
        let revoked = tokens::revoke(tx, &which, now)?;
        if let Revoked::Done { id } | Revoked::Already { id } = revoked {
            outbox::drop_for_token(tx, id)?;
            if let Some(token) = tokens::by_id(tx, id)? {
                sessions::end_all_of(tx, &token.customer, Some(token.ticket_number.as_deref()))?;
            }
        }
        Ok::<_, db::Error>(revoked)
    })?;
    drop(dbs);
    match revoked {
        Revoked::Done { id } => {
            engine.log.info(&format!("token {id}: revoked"));
            print::line(&format!("token {id} revoked"))?;
            Ok(Exit::Ok)
        }
        Revoked::Already { id } => {
            print::line(&format!("token {id} was revoked before"))?;
            Ok(Exit::Ok)
        }
        Revoked::NoSuch => Err(Failure::new(Exit::NoUser, "there is no such token")),
        Revoked::Ambiguous => {
            Err(Failure::new(Exit::DataErr, "several tokens begin so; nothing was changed, name more digits"))
        }
    }
}

/// The same for everything that a customer has.
fn revoke_all_of(engine: &Engine, customer: &str) -> Done {
    let now = clock::now();
    let mut dbs = engine::changing();
    let (tokens, sessions) = dbs.get(&engine.store)?.write(|tx| {
        let tokens = tokens::revoke_all_of(tx, customer, now)?;
        for id in &tokens {
            outbox::drop_for_token(tx, *id)?;
        }
        Ok::<_, db::Error>((tokens.len(), sessions::end_all_of(tx, customer, None)?))
    })?;
    drop(dbs);
    let said = format!("of {customer}: {tokens} tokens revoked, {sessions} sessions ended");
    engine.log.info(&said);
    print::line(&said)?;
    Ok(Exit::Ok)
}
