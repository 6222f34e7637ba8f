//! What goes around every answer: the limit by address, the fields that all answers have, one line in the log, and
//! the numbers. Path, query and address stay out of the log: a path may hold a token.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;

use super::app::App;
use super::metrics::{Labels, Route};
use super::pages::Page;
use super::peer::{Peer, client};
use crate::log::Log;

/// Lines that may wait for the log; further ones are lost.
const LINES: usize = 4096;

const FIELDS: [(HeaderName, &str); 6] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'",
    ),
];

/// The log, written by a thread of its own: no request waits for a disk.
#[derive(Debug)]
pub(super) struct Journal {
    lines: SyncSender<String>,
}

impl Journal {
    /// Without a thread nothing is written.
    pub(super) fn new(log: Arc<Log>) -> Self {
        let (lines, written) = sync_channel::<String>(LINES);
        let _ = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            for line in written {
                log.info(&line);
            }
        });
        Self { lines }
    }

    pub(super) fn note(&self, line: String) {
        let _ = self.lines.try_send(line);
    }
}

/// The name of a route: what stands in the log and in the numbers instead of a path.
fn route(path: &str) -> &'static str {
    match path {
        "/auth" => "/auth",
        "/healthz" => "/healthz",
        "/logout" => "/logout",
        "/otab/forget.css" => "/otab/forget.css",
        "/otab/leave" => "/otab/leave",
        "/otab/logout" => "/otab/logout",
        "/otab/enter" => "/otab/enter",
        "/otab/ended" => "/otab/ended",
        "/otab/refused" => "/otab/refused",
        "/otab/style.css" => "/otab/style.css",
        "/otab/logo" => "/otab/logo",
        path if path.starts_with("/t/") => "/t/{token}",
        _ => "other",
    }
}

/// Whether the limit on pages holds: the others cost nothing, or are the proxy's to ask.
fn is_page(route: &str) -> bool {
    !matches!(route, "/auth" | "/healthz" | "/otab/style.css" | "/otab/forget.css" | "/otab/logo")
}

fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        _ => "other",
    }
}

/// Goes around every answer.
pub(super) async fn around(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let start = Instant::now();
    let (route, method) = (route(request.uri().path()), method(request.method()));
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(Peer(None));
    let client = client(peer, request.headers(), &app.settings.trusted);
    request.extensions_mut().insert(client);
    let mut answer = if is_page(route) && !app.requests.admit(client, start) {
        app.too_many(request.headers())
    } else {
        next.run(request).await
    };
    complete(answer.headers_mut());
    let (status, took) = (answer.status().as_u16(), start.elapsed());
    app.metrics.requests.get_or_create(&Labels { route, status }).inc();
    app.metrics.durations.get_or_create(&Route { route }).observe(took.as_secs_f64());
    if route != "/healthz" {
        app.journal.note(format!("door: {method} {route} {status} {} ms", took.as_millis()));
    }
    answer
}

/// Gives an answer the fields that it has not.
fn complete(headers: &mut HeaderMap) {
    for (name, value) in &FIELDS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

impl App {
    /// The answer to who asks too often.
    pub(super) fn too_many(&self, headers: &HeaderMap) -> Response {
        self.metrics.limited.inc();
        let mut answer = self.page(Page::TooMany, headers, None);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
        answer
    }
}
