//! What all routes share, and the answers that several of them give.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Settings;
use super::access::Journal;
use super::metrics::Metrics;
use super::pages::{Link, Page, Pages};
use super::rate::Rate;
use super::remembered::Remembered;
use super::style::{Logo, Style};
use super::workers::Workers;
use crate::log::Log;

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
