//! A client of HTTP/1.1 that says exactly what it is told, and reads to the end of the connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::http::Answer;

/// Where a door is.
#[derive(Clone)]
pub enum Place {
    Unix(PathBuf),
    Tcp(u16),
}

#[derive(Clone)]
pub struct Client(pub Place);

pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

impl Client {
    pub fn connect(&self) -> Box<dyn Stream> {
        let limit = Some(Duration::from_mins(1));
        match &self.0 {
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).unwrap();
                stream.set_read_timeout(limit).unwrap();
                Box::new(stream)
            }
            Place::Tcp(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port)).unwrap();
                stream.set_read_timeout(limit).unwrap();
                Box::new(stream)
            }
        }
    }

    /// Sends one request, byte for byte, and reads the answer.
    pub fn raw(&self, request: &[u8]) -> Answer {
        let mut stream = self.connect();
        // The door may answer and close before it has read all of it.
        let _ = stream.write_all(request);
        answer(stream.as_mut())
    }

    pub fn ask(&self, method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Answer {
        self.raw(&request(method, path, fields, body))
    }

    /// As the proxy asks who it is, for a request to this address.
    pub fn auth(&self, cookie: &str, address: &str) -> Answer {
        self.ask("GET", "/auth", &[("Cookie", cookie), ("X-Original-URI", address)], b"")
    }
}

/// A whole request.
pub fn request(method: &str, path: &str, fields: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut lines =
        vec![format!("{method} {path} HTTP/1.1"), "Host: help.test".to_owned(), "Connection: close".to_owned()];
    if method == "POST" {
        lines.push(format!("Content-Length: {}", body.len()));
        lines.push("Content-Type: application/x-www-form-urlencoded".to_owned());
    }
    lines.extend(fields.iter().map(|(name, value)| format!("{name}: {value}")));
    [lines.join("\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

/// Reads an answer to the end of the connection.
pub fn answer(stream: &mut dyn Stream) -> Answer {
    let mut bytes = Vec::new();
    // A door that closes on a client who still writes resets the connection behind its answer.
    let _ = stream.read_to_end(&mut bytes);
    Answer::try_read(&bytes[..]).unwrap_or_default()
}
