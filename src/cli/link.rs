//! `otab link`: a link to a ticket for its customer, for scripts and for OTOBO's generic agents.
//!
//! The link is printed and nowhere else; the log names the token by its number.

use serde_json::json;

use super::args;
use super::print;
use crate::clock;
use crate::engine::issue::issue;
use crate::engine::portal_url;
use crate::engine::{self, Engine};
use crate::exit::Exit;
use crate::failure::{Done, Failure};
use crate::token::State;

/// Runs it.
pub fn run(engine: &Engine, args: &args::Link) -> Done {
    let unset =
        |key: &str| Failure::new(Exit::Config, format!("one_time_auth.{key} is empty: there is no link to make"));
    if engine.config.one_time_auth.link_url.is_none() {
        return Err(unset("link_url"));
    }
    let mut dbs = engine::changing();
    let Some(ticket) = engine.tickets.by_number(&mut dbs, &args.ticket)?.filter(|ticket| ticket.is_of(&args.customer))
    else {
        let what = format!("there is no ticket {} of customer {}", args.ticket, args.customer);
        return Err(Failure::new(Exit::NoUser, what));
    };
    let Some(customer) = engine.directory.by_login_anywhere(&mut dbs, &args.customer)? else {
        return Err(Failure::new(Exit::NoUser, format!("there is no customer {}", args.customer)));
    };
    if !customer.valid {
        return Err(Failure::new(Exit::NoPerm, format!("customer {} is not valid", customer.login)));
    }
    if customer.has_password {
        // He logs in; a link without a password would be a way around that.
        let url = portal_url::ticket_page(&engine.config, &ticket.number).ok_or_else(|| unset("portal_url"))?;
        return tell(args.json, &url, false);
    }
    let minted = issue(engine, &mut dbs, &ticket, &customer, State::Active, clock::now())?;
    let Some((secret, id)) = minted else {
        let what = format!("ticket {} has been closed for too long: its links are over", ticket.number);
        return Err(Failure::new(Exit::NoPerm, what));
    };
    drop(dbs);
    let url = portal_url::link(&engine.config, &secret).ok_or_else(|| unset("link_url"))?;
    engine.log.info(&format!("link: token {id} for {} and ticket {}", customer.login, ticket.number));
    tell(args.json, &url, true)
}

fn tell(json: bool, url: &str, one_time: bool) -> Done {
    if json {
        print::json(&json!({ "link": url, "one_time": one_time }))?;
    } else {
        print::line(url)?;
    }
    Ok(Exit::Ok)
}
