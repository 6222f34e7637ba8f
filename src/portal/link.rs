//! `/t/<token>`: the page of a link, and its button. GET and HEAD change nothing, whoever sends them.
//!
//! Tokens that open nothing are counted by client, and their answers go out at whole steps of time: how long a
//! database took must not tell which of them there have been.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use tokio::time::Instant;

use super::app::{App, see_other};
use super::backend::{Entry, Renewal, View};
use super::pages::{Link, Page};
use super::peer::Client;
use super::{cookie, form};
use crate::text::percent;
use crate::token::Secret;

const PREFIX: &str = "/t/";
/// Answers about tokens that open nothing go out at multiples of this.
const STEP: Duration = Duration::from_millis(250);

/// Shows what a link would open.
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let start = Instant::now();
    if !app.wrong_tokens.has_room(client, start.into_std()) {
        return app.too_many(&headers);
    }
    let Some(token) = token(uri.path()) else {
        return app.shut(&headers, client, start, View::Over).await;
    };
    let session = cookie::session(&headers);
    match app.workers.ask(move |desk| desk.look(&token, session.as_ref())).await {
        Ok(View::Open { address, ticket, language }) => {
            app.page_of(Page::Open, &headers, language.as_deref(), &Link { address, ticket })
        }
        Ok(view) => app.shut(&headers, client, start, view).await,
        Err(_) => app.unavailable(&headers),
    }
}

/// The button has been pressed.
pub(super) async fn press(
    State(app): State<Arc<App>>,
    Extension(client): Extension<Client>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let start = Instant::now();
    if !form::is_own(&headers, &app.settings.base_url) {
        return app.forbidden(&headers, StatusCode::FORBIDDEN);
    }
    let wish = match form::field(&headers, body, "do").await {
        Ok(wish) => wish,
        Err(status) => return app.forbidden(&headers, status),
    };
    if !["open", "renew"].contains(&wish.as_str()) {
        return app.forbidden(&headers, StatusCode::BAD_REQUEST);
    }
    if !app.wrong_tokens.has_room(client, start.into_std()) {
        return app.too_many(&headers);
    }
    let Some(token) = token(uri.path()) else {
        return app.shut(&headers, client, start, View::Over).await;
    };
    if wish == "open" {
        app.open(&headers, client, start, token).await
    } else {
        app.renew(&headers, client, start, token, uri.path()).await
    }
}

/// The token in a path; none where it could be no token at all.
fn token(path: &str) -> Option<Secret> {
    let decoded = percent::decoded(path.strip_prefix(PREFIX)?)?;
    Secret::parse(&decoded).ok()
}

impl App {
    async fn open(&self, headers: &HeaderMap, client: Client, start: Instant, token: Secret) -> Response {
        let before = cookie::session(headers);
        let asked = before.clone();
        match self.workers.ask(move |desk| desk.enter(&token, asked.as_ref())).await {
            Ok(Entry::New { secret, ticket }) => {
                if let Some(before) = before {
                    self.remembered.forget(&before.hash());
                }
                self.metrics.sessions.inc();
                let mut answer = see_other(&self.settings.hand_over.address(ticket.as_deref()));
                if let Ok(cookie) = HeaderValue::from_str(&cookie::given(&secret)) {
                    answer.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                answer
            }
            Ok(Entry::Same { ticket }) => see_other(&self.settings.hand_over.address(ticket.as_deref())),
            Ok(Entry::Shut(view)) => self.shut(headers, client, start, view).await,
            Err(_) => self.unavailable(headers),
        }
    }

    async fn renew(&self, headers: &HeaderMap, client: Client, start: Instant, token: Secret, path: &str) -> Response {
        match self.workers.ask(move |desk| desk.renew(&token)).await {
            Ok(Renewal::Ordered { language }) => self.page(Page::NewLink, headers, language.as_deref()),
            Ok(Renewal::Failed { language }) => self.page(Page::RefreshFailed, headers, language.as_deref()),
            // To the page with the other button.
            Ok(Renewal::StillGood) => see_other(path),
            Ok(Renewal::Shut(view)) => self.shut(headers, client, start, view).await,
            Err(_) => self.unavailable(headers),
        }
    }

    /// The answer to a token that opens nothing.
    async fn shut(&self, headers: &HeaderMap, client: Client, start: Instant, view: View) -> Response {
        let (page, language) = match view {
            View::Wrong { language } => (Page::Wrong, language),
            View::Used { language } => (Page::Used, language),
            // A stored language would tell that there has been a customer.
            View::Over | View::Open { .. } => {
                self.metrics.wrong_tokens.inc();
                self.wrong_tokens.admit(client, start.into_std());
                (Page::Expired, None)
            }
        };
        let answer = self.page(page, headers, language.as_deref());
        tokio::time::sleep_until(next_step(start, Instant::now())).await;
        answer
    }
}

/// The first whole step after `start` that has not passed.
fn next_step(start: Instant, now: Instant) -> Instant {
    let steps = now.saturating_duration_since(start).as_micros().div_ceil(STEP.as_micros()).max(1);
    start + STEP * u32::try_from(steps).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_paths_hold_no_token_and_encoded_ones_do() {
        let read = |path: &str| token(path).map(|secret| secret.expose().to_owned());
        assert_eq!(read("/t/abc-_DEF").as_deref(), Some("abc-_DEF"));
        assert_eq!(read("/t/a%2Bc%2fd").as_deref(), Some("a+c/d"));
        assert_eq!(read("/t/../x").as_deref(), Some("../x"));
        for path in
            ["/t/", "/t/%", "/t/%4", "/t/%zz", "/t/%+1", "/t/a%00b", "/t/a%20b", "/t/%ff", "/t/t%C3%B6ken", "/x/a"]
        {
            assert_eq!(read(path), None, "{path}");
        }
        assert_eq!(read(&format!("/t/{}", "a".repeat(129))), None);
    }

    #[test]
    fn the_answer_goes_out_at_a_whole_step() {
        let start = Instant::now();
        for (took, waits) in [(0, 250), (1, 250), (249, 250), (250, 250), (251, 500), (1000, 1000), (1001, 1250)] {
            let step = next_step(start, start + Duration::from_millis(took));
            assert_eq!(step - start, Duration::from_millis(waits), "{took}");
        }
    }
}
