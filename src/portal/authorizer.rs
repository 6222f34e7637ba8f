//! Answers Apache's questions who a session is for, by `FastCGI`: the same answer as `/auth` gives by HTTP, to the same
//! conditions. One question a connection.
//!
//! What it does not understand, what is too long and what is too slow gets no answer, and then Apache lets nobody pass.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Semaphore, watch};

use super::accept;
use super::app::App;
use super::fastcgi::{self, Progress, Question};
use super::listen::{Bound, Stream};
use super::peer::{self, Peer};
use super::served::Portal;

/// Questions at once; further ones wait in the kernel's queue.
const QUESTIONS: usize = 256;
/// How long a question and its answer may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers until `stop` says so.
pub async fn authorize(bound: Bound, portal: Portal, stop: watch::Receiver<bool>) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(QUESTIONS));
    let failed = |error: &io::Error| portal.note(format!("door: no question of Apache's can be accepted: {error}"));
    let begin = |stream, _, permit| {
        let app = portal.app();
        tokio::spawn(async move {
            let _ = tokio::time::timeout(REQUEST_TIMEOUT, converse(stream, &app)).await;
            drop(permit);
        });
    };
    accept::each(bound, &room, stop, failed, begin).await?;
    // Those under way get their answers.
    let all = u32::try_from(QUESTIONS).unwrap_or(u32::MAX);
    let _ = tokio::time::timeout(REQUEST_TIMEOUT, room.acquire_many(all)).await;
    Ok(())
}

/// One question, one answer.
async fn converse(mut stream: Box<dyn Stream>, app: &App) -> io::Result<()> {
    let mut bytes = Vec::new();
    let question = loop {
        // At most this much more than the limit is ever held.
        let length = stream.read_buf(&mut bytes).await?;
        match fastcgi::read(&bytes).map_err(io::Error::other)? {
            Progress::Whole(question) => break question,
            Progress::More if length == 0 => return Ok(()),
            Progress::More => {}
        }
    };
    let login = login(&question, app).await;
    let login = login.as_ref().and_then(|login| login.to_str().ok());
    stream.write_all(&fastcgi::answer(&question, login)).await?;
    stream.shutdown().await
}

/// As `/auth` has it, of the variables instead of the fields.
async fn login(question: &Question, app: &App) -> Option<HeaderValue> {
    let value = |name| question.variable(name).and_then(|value| HeaderValue::from_bytes(value.as_bytes()).ok());
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, value("HTTP_COOKIE")?);
    headers.insert("x-original-uri", value("REQUEST_URI")?);
    let address = question.variable("REMOTE_ADDR").and_then(|text| text.parse().ok());
    app.login(&headers, peer::client(Peer(address), &headers, &[])).await
}
