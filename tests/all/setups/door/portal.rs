//! A portal that behaves towards its proxy as OTOBO's and Znuny's do: a login by `Remote-User` where it is
//! asked for one, by a password, sessions, tickets for their owner only. It remembers every request. As OTOBO was
//! repaired in September 2026, it believes that header beside the proxy's secret only; as older ones and Znuny, always.
//! The same holds for `X-Forwarded-*`, which all of them believe only beside `X-Forwarded-Host`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::http::{Answer, Request, serve};

/// Where its pages are.
pub const CUSTOMER: &str = "/otobo/customer.pl";
pub const AGENT: &str = "/otobo/index.pl";
/// A file of its own that browsers keep, and for how long.
pub const STATIC: (&str, &str) = ("/otobo-web/js/otobo.js", "max-age=14400 must-revalidate");

/// What every session of its begins with.
pub const SESSION: &str = "s3ss10n";

/// Whom it knows besides those who own a ticket: login and password.
pub const DAVE: (&str, &str) = ("dave@corp.test", "correct horse");

/// What the proxy and `Kernel/Config.pm` have between them.
pub const PROXY_SECRET: &str = "5f0c5b1f6f7d4bb0a7f3d6f1c2e98a40";

/// How it is set up.
#[derive(Clone)]
pub struct Settings {
    /// `…::TrustProxyHeader1` and `WebServer::ProxySecret`; `None`: an OTOBO of before the repair, or Znuny.
    pub repaired: Option<(bool, String)>,
    /// What its cookies begin with: OTOBO, or OTRS in Znuny.
    pub product: &'static str,
    /// `CustomerPanelLoginURL`.
    pub login_url: Option<String>,
    /// `CustomerPanelLogoutURL`.
    pub logout_url: Option<String>,
    /// `HTTPSForceRedirect`.
    pub force_https: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let repaired = Some((true, PROXY_SECRET.to_owned()));
        Self { repaired, product: "OTOBO", login_url: None, logout_url: None, force_https: false }
    }
}

/// The portal; it runs until the tests end.
#[derive(Clone)]
pub struct Portal {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    settings: Settings,
    /// Number and login.
    tickets: BTreeMap<String, String>,
    /// Session and login.
    sessions: BTreeMap<String, String>,
    seen: Vec<Request>,
}

impl Portal {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let inner = Arc::clone(&state);
        let port = serve(move |request| {
            let mut state = inner.lock().unwrap();
            state.seen.push(request.clone());
            state.answer(&request)
        });
        Self { port, state }
    }

    /// From now on it is set up so.
    pub fn set_up(&self, settings: Settings) {
        self.state.lock().unwrap().settings = settings;
    }

    /// All its sessions are over, as after two hours without a request.
    pub fn end_sessions(&self) {
        self.state.lock().unwrap().sessions.clear();
    }

    /// From now on it has this ticket.
    pub fn ticket(&self, number: &str, login: &str) {
        self.state.lock().unwrap().tickets.insert(number.to_owned(), login.to_owned());
    }

    /// What has been asked of it since the last look.
    pub fn seen(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.lock().unwrap().seen)
    }
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let (path, kept) = STATIC;
        let is_page = request.path() != path;
        if is_page && self.settings.force_https && !self.settings.is_https(request) {
            let host = self.settings.host(request);
            return Answer::to(302, &format!("https://{host}{}", request.target));
        }
        match request.path() {
            CUSTOMER => self.customer(request).with("Cache-Control", "no-cache").with("Pragma", "no-cache"),
            path if !is_page => Answer::page(200, path).with("Cache-Control", kept),
            // HTTPBasicAuth may be set up for agents as well, who then are whoever the header says.
            AGENT => match self.settings.remote_user(request) {
                Some(login) => Answer::page(200, &page("Agent", &format!("agent: {login}"))),
                None => Answer::page(200, &page("Agent login", "agent: nobody")),
            },
            path if path.starts_with("/otobo/nph-genericinterface.pl") => {
                Answer::page(200, &format!("interface: {}", self.settings.remote_user(request).unwrap_or_default()))
            }
            _ => Answer::page(404, &page("Not found", "not found")),
        }
    }

    fn customer(&mut self, request: &Request) -> Answer {
        let name = self.settings.cookie();
        // Where a browser keeps no cookies, the address has it.
        let session = request.cookie(&name).or_else(|| request.parameter(&name));
        // It drops whatever is no letter, digit or _.
        let action = request
            .parameter("Action")
            .map(|action| action.chars().filter(|c| c.is_alphanumeric() || *c == '_').collect::<String>());
        match action.as_deref() {
            Some("Login") => self.login(request),
            Some("Logout") => {
                if session.and_then(|session| self.sessions.remove(&session)).is_none() {
                    return Answer::page(200, &form("")).with("X-Says", "Session invalid. Please log in again.");
                }
                let page = || Answer::page(200, &page("Logged out", "logged out"));
                let answer = self.settings.logout_url.as_ref().map_or_else(page, |url| Answer::to(302, url));
                answer.with("Set-Cookie", &format!("{name}=; Path=/otobo/; Max-Age=0"))
            }
            action => match session.and_then(|session| self.sessions.get(&session)) {
                Some(login) => self.inside(request, action, login),
                None => Answer::page(200, &form(request.query())),
            },
        }
    }

    /// `AuthModule` DB first, then `HTTPBasicAuth`.
    fn login(&mut self, request: &Request) -> Answer {
        let by_password = request.parameter("User").zip(request.parameter("Password"));
        let by_password = by_password.filter(|(user, password)| (user.as_str(), password.as_str()) == DAVE);
        let login = by_password.map(|(user, _)| user).or_else(|| self.settings.remote_user(request));
        let is_known = |login: &String| login == DAVE.0 || self.tickets.values().any(|owner| owner == login);
        let Some(login) = login.filter(is_known) else {
            let requested = request.parameter("RequestedURL").unwrap_or_default();
            return match &self.settings.login_url {
                Some(url) => Answer::to(302, &format!("{url}?Reason=LoginFailed&RequestedURL={requested}")),
                None => Answer::page(200, &form(&requested)),
            };
        };
        let (name, session) = (self.settings.cookie(), format!("{SESSION}{:024}", self.sessions.len()));
        let cookie = format!("{name}={session}; Path=/otobo/; HttpOnly; Secure; SameSite=Lax");
        let mut page = request.parameter("RequestedURL").unwrap_or_default();
        // Only its own login page sets this one.
        if request.cookie(&format!("{}BrowserHasCookie", self.settings.product)).as_deref() != Some("1") {
            page = format!("{page}&{name}={session}");
        }
        self.sessions.insert(session, login);
        Answer::to(302, &format!("{CUSTOMER}?{page}")).with("Set-Cookie", &cookie)
    }

    fn inside(&self, request: &Request, action: Option<&str>, login: &str) -> Answer {
        let number = request.parameter("TicketNumber").unwrap_or_default();
        match action {
            Some("CustomerTicketZoom") if self.tickets.get(&number).is_some_and(|owner| owner == login) => {
                Answer::page(200, &page(&format!("Ticket#{number}"), &format!("ticket {number} of {login}")))
            }
            Some("CustomerTicketZoom") => Answer::page(403, &page("No permission", &format!("not for {login}"))),
            _ => Answer::page(200, &page("My tickets", &format!("tickets of {login}"))),
        }
    }
}

impl Settings {
    /// The name of the session's cookie.
    fn cookie(&self) -> String {
        format!("{}CustomerInterface", self.product)
    }

    /// Whether `X-Forwarded-*` of this request is believed.
    fn is_proxied(&self, request: &Request) -> bool {
        let said = request.environment("HTTP_X_FORWARDED_HOST").is_some_and(|host| !host.is_empty());
        said && self.repaired.as_ref().is_none_or(|(_, secret)| is_beside(secret, request))
    }

    /// Whether it takes the browser's connection for one with TLS.
    fn is_https(&self, request: &Request) -> bool {
        let field = |name: &str| request.environment(name).unwrap_or_default();
        let is_on = field("HTTP_X_FORWARDED_PROTO") == "https" || field("HTTP_X_FORWARDED_HTTPS") == "ON";
        self.is_proxied(request) && is_on
    }

    /// The host that it takes itself for.
    fn host(&self, request: &Request) -> String {
        let name = if self.is_proxied(request) { "HTTP_X_FORWARDED_HOST" } else { "HTTP_HOST" };
        let hosts = request.environment(name).unwrap_or_default();
        hosts.rsplit(", ").next().unwrap_or_default().to_owned()
    }

    /// As `HTTPBasicAuth` reads it: whatever header becomes `HTTP_REMOTE_USER`.
    fn remote_user(&self, request: &Request) -> Option<String> {
        let login = request.environment("HTTP_REMOTE_USER").filter(|login| !login.is_empty())?;
        let Some((trusts, secret)) = &self.repaired else { return Some(login) };
        let is_believed = *trusts && is_beside(secret, request) && !login.contains(',');
        is_believed.then(|| login.trim().to_owned())
    }
}

/// Whether a request has the proxy's secret, and there is one.
fn is_beside(secret: &str, request: &Request) -> bool {
    !secret.is_empty() && request.environment("HTTP_X_OTOBO_PROXY_SECRET").is_some_and(|theirs| theirs == secret)
}

fn page(title: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>"
    )
}

/// The login page, which leads on to where somebody wanted to go.
fn form(requested: &str) -> String {
    let requested = requested.replace('"', "");
    page(
        "Log in",
        &format!(
            "please log in<form method=\"post\" action=\"{CUSTOMER}\"><input name=\"Action\" type=\"hidden\" value=\"Login\">\
             <input name=\"RequestedURL\" type=\"hidden\" value=\"{requested}\"><input name=\"User\"><input name=\"Password\" \
             type=\"password\"><button>Log in</button></form>"
        ),
    )
}
