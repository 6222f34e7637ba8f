//! The routes: what is asked where, and the short answers.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Router, middleware};

use super::access::around;
use super::app::App;
use super::pages::Page;
use super::peer::Client;
use super::style::Kept;
use super::{Trouble, auth, hand_over, leave, link};

const RELOAD_REFUSED: &str =
    "ok\nthe configuration that was read last is refused, the one before is in force: see the log\n";
const MOVED: &str =
    "unavailable: the store has moved; set store.url to where it is now, and reload otab: see the log\n";

/// The numbers, at a place of their own.
pub(super) fn numbers(app: &Arc<App>) -> Router {
    Router::new().route("/metrics", get(text)).with_state(Arc::clone(app))
}

/// The pages, and what proxies ask.
pub(super) fn pages(app: &Arc<App>) -> Router {
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
        .layer(middleware::from_fn_with_state(Arc::clone(app), around))
        .with_state(Arc::clone(app))
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
fn kept(file: &Kept, headers: &HeaderMap) -> Response {
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

async fn text(State(app): State<Arc<App>>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], app.metrics.text()).into_response()
}
