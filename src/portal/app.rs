//! The routes, and what all of them share.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};

use super::access::{Journal, around};
use super::metrics::Metrics;
use super::pages::{Link, Page, Pages};
use super::peer::Client;
use super::rate::Rate;
use super::remembered::Remembered;
use super::style::{Logo, Style};
use super::workers::Workers;
use super::{Settings, Trouble, auth, hand_over, leave, link};
use crate::log::Log;

const RELOAD_REFUSED: &str =
    "ok\nthe configuration that was read last is refused, the one before is in force: see the log\n";
const MOVED: &str =
    "unavailable: the store has moved; set store.url to where it is now, and reload otab: see the log\n";

/// What is shown of a site.
pub struct Face {
    /// Its pages.
    pub pages: Pages,
    /// Their style sheet.
    pub style: Style,
    /// A picture.
    pub logo: Option<Logo>,
}

/// All that requests share, under one configuration. What they count and remember outlives it.
pub struct App {
    pub(super) settings: Settings,
    pub(super) face: Face,
    pub(super) workers: Workers,
    pub(super) remembered: Arc<Remembered>,
    /// Pages by client.
    pub(super) requests: Arc<Rate>,
    /// Tokens that open nothing, by client.
    pub(super) wrong_tokens: Arc<Rate>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) journal: Journal,
}

impl App {
    /// A door with these settings and this site behind it, which takes up after another one.
    #[must_use]
    pub fn new(settings: Settings, face: Face, workers: Workers, log: Arc<Log>, before: Option<&Self>) -> Arc<Self> {
        // A reload must not give anybody their tries back.
        let rate = |before: Option<&Arc<Rate>>, count, window| match before {
            Some(rate) if rate.allows(count, window) => Arc::clone(rate),
            _ => Arc::new(Rate::new(count, window)),
        };
        let minute = Duration::from_mins(1);
        let hour = Duration::from_hours(1);
        Arc::new(Self {
            requests: rate(before.map(|app| &app.requests), settings.requests_per_minute, minute),
            wrong_tokens: rate(before.map(|app| &app.wrong_tokens), settings.wrong_tokens_per_hour, hour),
            remembered: before.map(|app| Arc::clone(&app.remembered)).unwrap_or_default(),
            metrics: before.map(|app| Arc::clone(&app.metrics)).unwrap_or_default(),
            journal: Journal::new(log),
            face,
            workers,
            settings,
        })
    }

    pub(super) fn numbers(self: &Arc<Self>) -> Router {
        Router::new().route("/metrics", get(numbers)).with_state(Arc::clone(self))
    }

    pub(super) fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/t/{*token}", get(link::show).post(link::press))
            .route(hand_over::PATH, get(misrouted).post(misrouted))
            .route("/otab/ended", get(ended))
            .route("/otab/refused", get(refused))
            .route("/auth", get(auth::auth))
            .route("/otab/forget.css", get(leave::forget))
            .route("/otab/leave", get(leave::lead_on))
            .route("/otab/logout", get(leave::show).post(leave::press))
            .route("/logout", get(leave::show).post(leave::press))
            .route("/otab/style.css", get(style))
            .route("/otab/logo", get(logo))
            .route("/healthz", get(health))
            .fallback(not_found)
            .layer(middleware::from_fn_with_state(Arc::clone(self), around))
            .with_state(Arc::clone(self))
    }

    /// A page that shows nothing of a link.
    pub(super) fn page(&self, page: Page, headers: &HeaderMap, stored: Option<&str>) -> Response {
        self.page_of(page, headers, stored, &Link::default())
    }

    /// A page of a link, in the customer's stored language, else in one that his browser asks for.
    pub(super) fn page_of(&self, page: Page, headers: &HeaderMap, stored: Option<&str>, link: &Link) -> Response {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        let language = self.face.pages.language(stored, accepted);
        let mut answer = Response::new(Body::from(self.face.pages.render(page, language, link)));
        *answer.status_mut() = StatusCode::from_u16(page.status()).unwrap_or_default();
        let fields = answer.headers_mut();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if let Ok(language) = HeaderValue::from_str(language) {
            fields.insert(header::CONTENT_LANGUAGE, language);
        }
        if page.has_form() {
            // Under no-referrer, browsers state the form's origin as null.
            fields.insert(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"));
        }
        answer
    }

    /// The answer where the site cannot say now.
    pub(super) fn unavailable(&self, headers: &HeaderMap) -> Response {
        self.metrics.troubles.inc();
        let mut answer = self.page(Page::Unavailable, headers, None);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        answer
    }

    /// The answer to a request that no page of the door's has made; another status where that says it better.
    pub(super) fn forbidden(&self, headers: &HeaderMap, status: StatusCode) -> Response {
        let mut answer = self.page(Page::Forbidden, headers, None);
        *answer.status_mut() = status;
        answer
    }
}

/// Goes on to another address (RFC 9110, section 15.4.4). It may not stand in a field: then nothing is there.
pub(super) fn see_other(address: &str) -> Response {
    let Ok(address) = HeaderValue::from_str(address) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response()
}

async fn misrouted(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.page(Page::Misrouted, &headers, None)
}

/// What proxies show where `/auth` has said no.
async fn ended(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.page(Page::Ended, &headers, None)
}

/// What proxies show where the helpdesk has not taken a login. The log says so only of somebody who is signed in here:
/// anybody can ask for the page.
async fn refused(State(app): State<Arc<App>>, Extension(client): Extension<Client>, headers: HeaderMap) -> Response {
    if app.guest(&headers, client).await.is_some() {
        app.journal
            .note("door: the helpdesk did not take the sign-in of a customer: see the README, At 2 a.m.".to_owned());
    }
    app.page(Page::Refused, &headers, None)
}

async fn not_found(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.page(Page::NotFound, &headers, None)
}

async fn style(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    kept(&app.face.style.0, &headers)
}

async fn logo(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    match &app.face.logo {
        Some(logo) => kept(&logo.0, &headers),
        None => app.page(Page::NotFound, &headers, None),
    }
}

/// A file that browsers keep for an hour, and then ask whether it is another (RFC 9110, section 13.1.2).
fn kept(file: &super::style::Kept, headers: &HeaderMap) -> Response {
    let fields = [
        (header::ETAG, file.etag.as_str()),
        (header::CACHE_CONTROL, "public, max-age=3600"),
        (header::CONTENT_TYPE, file.content_type),
    ];
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if known.split(',').any(|tag| tag.trim().trim_start_matches("W/") == file.etag) {
        return (StatusCode::NOT_MODIFIED, fields).into_response();
    }
    (fields, file.bytes.clone()).into_response()
}

async fn health(State(app): State<Arc<App>>) -> Response {
    match app.workers.ask(|desk| desk.answers()).await {
        Ok(()) if app.metrics.is_reload_refused() => RELOAD_REFUSED.into_response(),
        Ok(()) => "ok\n".into_response(),
        Err(Trouble::Moved) => (StatusCode::SERVICE_UNAVAILABLE, MOVED).into_response(),
        Err(Trouble::Away) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable\n").into_response(),
    }
}

async fn numbers(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text()).into_response()
}
