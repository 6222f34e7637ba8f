//! Speaks HTTP/1.1 on the connections that are accepted, within limits; at the end it stops accepting and lets what is
//! under way finish. What is asked and answered is the router's matter.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use prometheus_client::metrics::gauge::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use super::accept;
use super::connection_timeout::{ConnectionTimeout, Watched};
use super::listen::{Bound, Stream};
use super::peer::Peer;
use super::served::{Portal, Routes};

/// Connections at once; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 512;
/// Longest header block, first line included, in bytes; beyond it: 431.
const HEADERS: usize = 16 << 10;
/// What is held of a connection at most.
const BUFFER: usize = 64 << 10;
/// Requests on one connection: what a proxy keeps for ever is made new now and then.
const REQUESTS: u32 = 1000;
/// One place, and what is served there.
pub struct Serving {
    /// Where.
    pub(super) bound: Bound,
    /// What.
    pub(super) portal: Portal,
    /// Which part of it.
    pub(super) routes: Routes,
    /// How many connections there are.
    pub(super) connections: Gauge,
}

/// Serves until `stop` says so, and then for as long as what is under way takes.
pub async fn run(serving: Serving, stop: watch::Receiver<bool>) -> io::Result<()> {
    let Serving { bound, portal, routes, connections } = serving;
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    let failed = |error: &io::Error| portal.note(format!("door: no connection can be accepted: {error}"));
    let begin = |stream, peer, permit| {
        let count = Counted::new(&connections, permit);
        tokio::spawn(speak(stream, peer, (portal.clone(), routes), graceful.watcher(), count));
    };
    accept::each(bound, &room, stop, failed, begin).await?;
    graceful.shutdown().await;
    Ok(())
}

/// A place among the connections, given back when it is dropped.
struct Counted {
    connections: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Counted {
    fn new(connections: &Gauge, permit: OwnedSemaphorePermit) -> Self {
        connections.inc();
        Self { connections: connections.clone(), _permit: permit }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.connections.dec();
    }
}

async fn speak(
    stream: Box<dyn Stream>,
    peer: Option<IpAddr>,
    (portal, part): (Portal, Routes),
    watcher: Watcher,
    _count: Counted,
) {
    let timeout = ConnectionTimeout::new();
    let io = TokioIo::new(Watched { stream, timeout: timeout.clone() });
    let watching = timeout.clone();
    let requests = AtomicU32::new(0);
    let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        timeout.asked();
        let is_last = requests.fetch_add(1, Ordering::Relaxed) + 1 >= REQUESTS;
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(Peer(peer));
        // The configuration in force as the request comes; it ends with this one.
        let (router, timeout) = (portal.router(part), timeout.clone());
        async move {
            let mut answer = router.oneshot(request).await?;
            if is_last {
                answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            timeout.answered();
            Ok::<_, std::convert::Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        // The timeout closes it.
        .header_read_timeout(None)
        .max_header_size(HEADERS)
        .max_buf_size(BUFFER)
        .serve_connection(io, service);
    tokio::select! {
        // However it ends: nobody is there to be told.
        _ = watcher.watch(connection) => {}
        () = watching.passed() => {}
    }
}
