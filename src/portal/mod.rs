//! The door: the small web server behind the link. HTTP, and `FastCGI` for Apache: routes, pages, cookies, limits,
//! numbers.
//!
//! What a token or a session is good for is asked by the trait [`Backend`], on threads of its own: a database never
//! keeps the server from answering others. No secret, address or query reaches the log from here.

mod accept;
mod access;
mod app;
mod auth;
mod authorizer;
mod backend;
mod connection_timeout;
mod cookie;
pub mod fastcgi;
mod form;
mod hand_over;
mod language;
mod leave;
mod link;
mod listen;
mod masked;
mod metrics;
mod pages;
mod peer;
mod rate;
mod remembered;
mod routes;
mod served;
mod server;
mod style;
mod texts;
mod workers;

use jiff::SignedDuration;

pub use app::{App, Face};
pub use authorizer::authorize;
pub use backend::{Backend, Entry, Guest, Renewal, Trouble, View};
pub use hand_over::HandOver;
pub use listen::{Bound, Place, bind, from_systemd};
pub use pages::{Look, Messages, Pages};
pub use peer::Network;
pub use served::Portal;
pub use server::{Serving, run};
pub use style::{Logo, Style};
pub use workers::{Make, Workers};

use crate::session::Ends;

/// How old the last look at a session's customer may be.
pub const LOOK: SignedDuration = SignedDuration::from_mins(1);

/// What the door needs to know of a site, besides its pages.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Scheme and host that customers see, as a browser states them in Origin.
    pub base_url: String,
    /// Where the portal logs a customer out.
    pub logout_url: String,
    /// How the portal logs a customer in.
    pub hand_over: HandOver,
    /// The field in which the proxy gets the login.
    pub user_header: String,
    /// How long sessions last.
    pub ends: Ends,
    /// Whose X-Forwarded-For is believed.
    pub trusted: Vec<Network>,
    /// Most pages within a minute by address; 0: any number.
    pub requests_per_minute: u32,
    /// Most tokens that open nothing within an hour by address; 0: any number.
    pub wrong_tokens_per_hour: u32,
}
