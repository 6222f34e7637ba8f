//! `/auth`: the proxy asks who it is. It is told only for the one address that hands a session over, stated by the
//! proxy itself; so even a proxy that asks on every path hands over on one, and nobody can have a customer's browser
//! log in to a page of a stranger's choice.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::app::App;
use super::backend::Guest;
use super::cookie;
use super::pages::Page;
use super::peer::Client;
use super::remembered::Recall;
use crate::clock;
use crate::token::Secret;

/// The fields in which proxies state the address that they were asked for: nginx and Apache, Caddy and Traefik.
const ADDRESS: [&str; 2] = ["x-original-uri", "x-forwarded-uri"];

/// Answers the proxy.
pub(super) async fn auth(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    headers: HeaderMap,
) -> Response {
    let Some(login) = app.login(&headers, client).await else {
        // Caddy and Traefik show this answer, nginx and Apache fetch `/otab/ended`.
        return app.page(Page::Ended, &headers, None);
    };
    let mut answer = StatusCode::OK.into_response();
    if let Ok(name) = HeaderName::from_bytes(app.settings.user_header.as_bytes()) {
        answer.headers_mut().insert(name, login);
    }
    answer
}

impl App {
    /// The login that goes with a request for the hand-over; `None` where there is none, or it is none.
    pub(super) async fn login(&self, headers: &HeaderMap, client: Client) -> Option<HeaderValue> {
        let guest = self.guest(headers, client).await?;
        let address = self.settings.hand_over.address(guest.ticket.as_deref());
        if !states(headers, &address) {
            return None;
        }
        let login = field(&guest.login);
        if login.is_none() {
            self.journal.note("door: a login that no header field can carry is refused".to_owned());
        }
        login
    }

    /// Who is signed in here; `None` also where the site cannot say.
    pub(super) async fn guest(&self, headers: &HeaderMap, client: Client) -> Option<Guest> {
        let secret = cookie::session(headers)?;
        let (hash, now) = (secret.hash(), clock::now());
        match self.remembered.recall(&hash, &self.settings.ends, now) {
            Recall::Good(guest) => Some(guest),
            Recall::Over => None,
            Recall::Ask(seen) => self.look(secret, &hash, Some(seen), now).await,
            // Whoever invents cookies asks no database for each.
            Recall::Unknown if !self.requests.admit(client, std::time::Instant::now()) => None,
            Recall::Unknown => self.look(secret, &hash, None, now).await,
        }
    }

    /// Asks the site. Where it cannot say, nobody is let in.
    async fn look(&self, secret: Secret, hash: &str, seen: Option<Timestamp>, now: Timestamp) -> Option<Guest> {
        let before = self.remembered.before_a_look();
        match self.workers.ask(move |desk| desk.guest(&secret, seen)).await {
            Ok(Some(guest)) => {
                self.remembered.keep(hash, guest.clone(), now, before);
                Some(guest)
            }
            Ok(None) => {
                self.remembered.forget(hash);
                None
            }
            Err(_) => {
                self.metrics.troubles.inc();
                None
            }
        }
    }
}

/// Whether the proxy states this address, in one field or in both, and no other.
fn states(headers: &HeaderMap, address: &str) -> bool {
    let mut stated = ADDRESS.iter().flat_map(|name| headers.get_all(*name)).peekable();
    stated.peek().is_some() && stated.all(|value| value.as_bytes() == address.as_bytes())
}

/// A login as a field's value, where it arrives as it is: visible ASCII, no blank at an end (RFC 9110, section 5.5).
fn field(login: &str) -> Option<HeaderValue> {
    let is_plain = !login.is_empty() && login.trim() == login && login.bytes().all(|b| (b' '..=b'~').contains(&b));
    is_plain.then(|| HeaderValue::from_str(login).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_arrives_as_it_is_or_not_at_all() {
        for login in ["carol@corp.test", "Carol Corp", "a'b\"c"] {
            assert_eq!(field(login).unwrap().as_bytes(), login.as_bytes());
        }
        for login in ["", " carol", "carol ", "caról", "a\r\nRemote-User: b", "a\0b", "a\tb", "a\u{7f}"] {
            assert!(field(login).is_none(), "{login:?}");
        }
    }
}
