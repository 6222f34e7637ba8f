//! A client of HTTP/1.1 that says exactly what it is told, and reads to the end of the connection.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Where a door is.
#[derive(Clone)]
pub enum Place {
    Unix(PathBuf),
    Tcp(u16),
}

#[derive(Clone)]
pub struct Client(pub Place);

/// An answer as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: String,
}

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
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_default();
    let fields = lines.filter_map(|line| line.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    Answer { status, fields, body: body.to_owned() }
}

impl Answer {
    /// The one field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found =
            self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
        let first = found.next();
        assert_eq!(found.next(), None, "{name}: {self:?}");
        first
    }

    /// The session that it gives: name and value.
    pub fn cookie(&self) -> Option<String> {
        Some(self.field("set-cookie")?.split(';').next().unwrap().to_owned())
    }

    /// Everything but the time of day.
    pub fn without_date(&self) -> String {
        let fields: Vec<_> = self.fields.iter().filter(|(name, _)| name != "date").collect();
        format!("{} {fields:?} {}", self.status, self.body)
    }

    pub fn heading(&self) -> &str {
        let rest = self.body.split_once("<h1>").map_or("", |(_, rest)| rest);
        rest.split_once("</h1>").map_or("", |(heading, _)| heading)
    }
}
