//! `otab link`: a link to a ticket for its customer, for scripts and for OTOBO's generic agents.
//!
//! The link is printed and nowhere else; the log names the token by its number.

use serde_json::json;

use super::address;
use super::cli;
use super::failure::{Done, Failure};
use super::mint::mint;
use super::people;
use super::print;
use super::site::{self, Site};
use crate::clock;
use crate::exit::Exit;
use crate::token::State;

/// Runs it.
pub fn run(site: &Site, args: &cli::Link) -> Done {
    let unset =
        |key: &str| Failure::new(Exit::Config, format!("one_time_auth.{key} is empty: there is no link to make"));
    if site.config.one_time_auth.link_url.is_none() {
        return Err(unset("link_url"));
    }
    let mut dbs = people::changing();
    let Some(ticket) = site.tickets.by_number(&mut dbs, &args.ticket)?.filter(|ticket| ticket.is_of(&args.customer))
    else {
        let what = format!("there is no ticket {} of customer {}", args.ticket, args.customer);
        return Err(Failure::new(Exit::NoUser, what));
    };
    let Some(customer) = site.directory.by_login_anywhere(&mut dbs, &args.customer)? else {
        return Err(Failure::new(Exit::NoUser, format!("there is no customer {}", args.customer)));
    };
    if !customer.valid {
        return Err(Failure::new(Exit::NoPerm, format!("customer {} is not valid", customer.login)));
    }
    if customer.has_password {
        // He logs in; a link without a password would be a way around that.
        let url = address::ticket_page(&site.config, &ticket.number).ok_or_else(|| unset("portal_url"))?;
        return tell(args.json, &url, false);
    }
    let minted = mint(site, &mut dbs, &ticket, &customer, State::Active, clock::now())?;
    let Some((secret, id)) = minted else {
        let what = format!("ticket {} has been closed for too long: its links are over", ticket.number);
        return Err(Failure::new(Exit::NoPerm, what));
    };
    drop(dbs);
    let url = address::link(&site.config, &secret).ok_or_else(|| unset("link_url"))?;
    site::open_log(&site.config).info(&format!("link: token {id} for {} and ticket {}", customer.login, ticket.number));
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
