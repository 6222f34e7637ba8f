//! Where the door listens: loopback, a Unix socket, or a socket that systemd has opened.
//!
//! A Unix socket that a dead door left behind is replaced; one that answers, and any other file, is not.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use rustix::fs::Mode;
use tokio::io::{AsyncRead, AsyncWrite};

/// A place to listen at.
#[derive(Debug, Clone)]
pub enum Place {
    /// An address.
    Tcp(SocketAddr),
    /// A socket in the file system, and its mode.
    Unix(PathBuf, u32),
}

/// A place that is listened at.
#[derive(Debug)]
pub enum Bound {
    /// An address.
    Tcp(TcpListener),
    /// A socket, and its name where this process made it.
    Unix(UnixListener, Option<PathBuf>),
}

/// The socket that systemd hands over, if it does. To be asked before there are threads: the variables that say so
/// are taken out of the environment.
pub fn from_systemd() -> io::Result<Option<Bound>> {
    let mut given = ListenFd::from_env();
    match given.len() {
        0 => return Ok(None),
        1 => {}
        more => return Err(io::Error::other(format!("systemd hands over {more} sockets, and the door takes one"))),
    }
    if let Ok(Some(socket)) = given.take_unix_listener(0) {
        return Ok(Some(Bound::Unix(socket, None)));
    }
    Ok(given.take_tcp_listener(0)?.map(Bound::Tcp))
}

/// Listens.
pub fn bind(place: &Place) -> io::Result<Bound> {
    match place {
        Place::Tcp(address) => TcpListener::bind(address).map(Bound::Tcp),
        Place::Unix(path, mode) => {
            clear(path)?;
            // It has its mode from the beginning: a mode that is given to its name later could reach another file.
            let before = rustix::process::umask(Mode::from_raw_mode(0o777 & !mode));
            let socket = UnixListener::bind(path);
            rustix::process::umask(before);
            Ok(Bound::Unix(socket?, Some(path.clone())))
        }
    }
}

/// Takes away what a dead door left behind.
fn clear(path: &Path) -> io::Result<()> {
    let Ok(metadata) = path.symlink_metadata() else { return Ok(()) };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, "a file that is no socket is there"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        Ok(_) => Err(io::Error::new(io::ErrorKind::AddrInUse, "somebody listens there")),
        Err(error) => Err(error),
    }
}

/// The same inside of the runtime.
pub(super) enum Listener {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, Option<PathBuf>),
}

/// A client's stream.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Listener {
    pub(super) fn new(bound: Bound) -> io::Result<Self> {
        match bound {
            Bound::Tcp(socket) => {
                socket.set_nonblocking(true)?;
                Ok(Self::Tcp(tokio::net::TcpListener::from_std(socket)?))
            }
            Bound::Unix(socket, path) => {
                socket.set_nonblocking(true)?;
                Ok(Self::Unix(tokio::net::UnixListener::from_std(socket)?, path))
            }
        }
    }

    /// The next client, and his address; of a Unix socket's there is none.
    pub(super) async fn accept(&self) -> io::Result<(Box<dyn Stream>, Option<IpAddr>)> {
        match self {
            Self::Tcp(socket) => {
                let (stream, peer) = socket.accept().await?;
                // An answer is written at once: there is nothing to wait for.
                let _ = stream.set_nodelay(true);
                Ok((Box::new(stream), Some(peer.ip())))
            }
            Self::Unix(socket, _) => {
                let (stream, _) = socket.accept().await?;
                Ok((Box::new(stream), None))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, Some(path)) = self {
            let _ = std::fs::remove_file(path);
        }
    }
}
