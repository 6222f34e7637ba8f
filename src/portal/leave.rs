//! Signing out: the door's own session ends, and the portal is asked to end its own.
//!
//! The proxy sends who logs out of the portal here first (`/otab/leave`), since the portal leads here by itself
//! (`CustomerPanelLogoutURL`) only while its own session lasts. So a GET has to end the session as well. That other pages can
//! have it ended so is the smaller evil: a session that outlives the logout lets in the next person at that computer.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::app::{App, see_other};
use super::pages::Page;
use super::{cookie, form};

/// Ends the session, and shows that it has. HEAD, by which nobody leaves, ends nothing.
pub(super) async fn show(State(app): State<Arc<App>>, method: Method, headers: HeaderMap) -> Response {
    let page = if is_led_here(&headers) { Page::Left } else { Page::Logout };
    if method == Method::HEAD {
        return app.page(page, &headers, None);
    }
    match app.end(&headers).await {
        Ok(()) => without_session(app.page(page, &headers, None)),
        Err(answer) => answer,
    }
}

/// Ends the session, and leads on to the portal's logout. The proxy leads here as long as the browser has the cookie.
pub(super) async fn lead_on(State(app): State<Arc<App>>, method: Method, headers: HeaderMap) -> Response {
    if method == Method::HEAD {
        return app.page(Page::Left, &headers, None);
    }
    match app.end(&headers).await {
        Ok(()) if app.settings.logout_url.is_empty() => without_session(app.page(Page::Left, &headers, None)),
        Ok(()) => without_session(see_other(&app.settings.logout_url)),
        Err(answer) => answer,
    }
}

/// The button has been pressed.
pub(super) async fn press(State(app): State<Arc<App>>, headers: HeaderMap, body: Body) -> Response {
    if !form::is_own(&headers, &app.settings.base_url) {
        return app.forbidden(&headers, StatusCode::FORBIDDEN);
    }
    if let Err(status) = form::field(&headers, body, "do").await {
        return app.forbidden(&headers, status);
    }
    match app.end(&headers).await {
        Ok(()) => without_session(see_other(&app.settings.logout_url)),
        Err(answer) => answer,
    }
}

/// Whether the portal's own logout leads here, which ends its session first (Fetch Metadata, section 2.3: a redirect keeps
/// where the first request came from). From elsewhere the portal's session may still be there, and the page has a button
/// for it. Old browsers do not say.
fn is_led_here(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

/// Has the browser forget the pages that it keeps (Clear Site Data, section 3.1). Chromium shows a page once more at "back" as
/// it was, in spite of `no-store`. It drops such pages by this field only where it comes with a part of the last page: with
/// the page itself, the one before is not among them yet.
pub(super) async fn forget() -> Response {
    let fields = [("clear-site-data", "\"cache\""), ("content-type", "text/css; charset=utf-8")];
    fields.into_response()
}

/// Takes the session away from the browser.
fn without_session(mut answer: Response) -> Response {
    if let Ok(cookie) = HeaderValue::from_str(&cookie::taken()) {
        answer.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    answer
}

impl App {
    /// Ends the session that a request brings along. It must not look ended while it is not: else the answer says so, and
    /// the browser can try again.
    async fn end(&self, headers: &HeaderMap) -> Result<(), Response> {
        let Some(secret) = cookie::session(headers) else { return Ok(()) };
        let hash = secret.hash();
        if self.workers.ask(move |desk| desk.leave(&secret)).await.is_err() {
            return Err(self.unavailable(headers));
        }
        self.remembered.forget(&hash);
        Ok(())
    }
}
