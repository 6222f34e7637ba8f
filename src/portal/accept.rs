//! Accepts connections at a place, as many at once as there is room for; further ones wait in the kernel's queue.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::listen::{Bound, Listener, Stream};

/// The pause where no connection can be accepted: without file descriptors the next try fails as well.
const PAUSE: Duration = Duration::from_millis(100);

/// Hands each connection to `begin`, with its place in the room, until `stop` says so. The place is given back when it
/// is dropped. `failed` is told of what could not be accepted.
pub(super) async fn each(
    bound: Bound,
    room: &Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
    failed: impl Fn(&io::Error),
    begin: impl Fn(Box<dyn Stream>, Option<IpAddr>, OwnedSemaphorePermit),
) -> io::Result<()> {
    let listener = Listener::new(bound)?;
    loop {
        let permit = tokio::select! {
            permit = Arc::clone(room).acquire_owned() => permit.map_err(io::Error::other)?,
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return Ok(()),
        };
        match accepted {
            Ok((stream, peer)) => begin(stream, peer, permit),
            Err(error) => {
                failed(&error);
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
