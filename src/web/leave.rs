//! Signing out: the door's own session ends, and the portal is asked to end its own.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::app::{App, see_other};
use super::pages::Page;
use super::{cookie, form};

/// The page with the button.
pub(super) async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.page(Page::Logout, &headers, None)
}

/// The button has been pressed.
pub(super) async fn press(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    if !form::is_own(&headers, &app.settings.base_url) {
        return app.forbidden(&headers, StatusCode::FORBIDDEN);
    }
    if let Err(status) = form::field(&headers, body, "do").await {
        return app.forbidden(&headers, status);
    }
    if let Some(secret) = cookie::session(&headers) {
        let hash = secret.hash();
        if app.workers.ask(move |desk| desk.leave(&secret)).await.is_err() {
            // It must not look ended while it is not: the button can be pressed again.
            return app.unavailable(&headers);
        }
        app.remembered.forget(&hash);
    }
    let mut answer = see_other(&app.settings.logout_url);
    if let Ok(cookie) = HeaderValue::from_str(&cookie::taken()) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}
