//! The time limits of a connection: a header block within 10 seconds, an answer within a minute, and no longer than
//! a minute of silence between two requests. A connection that does not keep them is closed.
//!
//! hyper's own limit counts from the end of the last answer on, and so could not tell a slow header block from a
//! proxy that keeps its connection for the next customer; nor has it one for a client that reads nothing.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

const HEADER: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_mins(1);
const SILENCE: Duration = Duration::from_mins(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A request's first bytes have come, or the connection is new.
    Header,
    /// It is being answered.
    Answer,
    /// Nothing is under way but the last answer's bytes.
    Silence,
}

/// Where a connection stands, and until when.
#[derive(Debug, Clone)]
pub(super) struct ConnectionTimeout {
    state: Arc<Mutex<(Phase, Instant)>>,
}

impl ConnectionTimeout {
    pub(super) fn new() -> Self {
        Self { state: Arc::new(Mutex::new((Phase::Header, Instant::now() + HEADER))) }
    }

    fn change(&self, change: impl FnOnce(&mut (Phase, Instant))) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// A header block is whole.
    pub(super) fn asked(&self) {
        self.change(|state| *state = (Phase::Answer, Instant::now() + ANSWER));
    }

    /// Its answer stands, and is on its way.
    pub(super) fn answered(&self) {
        self.change(|state| *state = (Phase::Silence, Instant::now() + SILENCE));
    }

    /// Bytes have come in.
    fn heard(&self) {
        self.change(|state| {
            if state.0 == Phase::Silence {
                *state = (Phase::Header, Instant::now() + HEADER);
            }
        });
    }

    /// Ends once a limit has passed.
    pub(super) async fn passed(&self) {
        loop {
            let until = self.state.lock().unwrap_or_else(PoisonError::into_inner).1;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}

/// A stream that restarts the timeout with what comes in.
#[derive(Debug)]
pub(super) struct Watched<S> {
    pub(super) stream: S,
    pub(super) timeout: ConnectionTimeout,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.timeout.heard();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
