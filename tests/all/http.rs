//! As much of HTTP as the tests need: a server for the portal, answers, and a client by TLS whose every byte is the
//! test's own. Nothing of it is a part of otab.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};

/// What no test waits longer for.
const PATIENCE: Duration = Duration::from_mins(1);

/// A request, as a program behind the server sees it.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query, as they came.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// Reads one; `None` where none comes.
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let (line, headers) = head(reader)?;
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next()?, words.next()?);
        let length = value(&headers, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        Some(Self { method, target, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// A header as CGI and PSGI hand it on: its name in capitals, `-` as `_`, several joined.
    pub fn environment(&self, name: &str) -> Option<String> {
        let same = |header: &str| format!("HTTP_{}", header.to_uppercase().replace('-', "_")) == name;
        let values: Vec<_> =
            self.headers.iter().filter(|(header, _)| same(header)).map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// A parameter of the query or of the body, separated by `;` or `&`.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let pairs = [self.query(), self.body.as_str()].into_iter().flat_map(|text| text.split(['&', ';']));
        pairs
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| unescaped(key) == name)
            .map(|(_, value)| unescaped(value))
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.environment("HTTP_COOKIE")?;
        let pair = cookies.split("; ").filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name)?;
        Some(pair.1.to_owned())
    }
}

/// What `%xx` and `+` stand for.
pub fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = tail.get(..2).and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        (rest, bytes) = match (first, hex) {
            (b'%', Some(byte)) => (&tail[2..], [bytes, vec![byte]].concat()),
            (b'+', _) => (tail, [bytes, vec![b' ']].concat()),
            (byte, _) => (tail, [bytes, vec![*byte]].concat()),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first line and the headers.
fn head(reader: &mut impl BufRead) -> Option<(String, Vec<(String, String)>)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&length| length > 0)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        lines.push(line);
    }
    let first = lines.first()?.clone();
    let headers = lines[1..].iter().filter_map(|line| line.split_once(':'));
    Some((first, headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect()))
}

fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn page(status: u16, body: &str) -> Self {
        let kind = ("Content-Type".to_owned(), "text/html; charset=utf-8".to_owned());
        Self { status, headers: vec![kind], body: body.to_owned() }
    }

    pub fn to(status: u16, location: &str) -> Self {
        Self::page(status, "").with("Location", location)
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn header(&self, name: &str) -> &str {
        value(&self.headers, name).unwrap_or_default()
    }

    /// The one header of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.headers.iter().filter(|(header, _)| header.eq_ignore_ascii_case(name));
        let first = found.next().map(|(_, value)| value.as_str());
        assert_eq!(found.next(), None, "{name}: {self:?}");
        first
    }

    /// The cookie that it sets, as a browser sends it back.
    pub fn cookie(&self) -> Option<String> {
        Some(self.field("set-cookie")?.split(';').next().unwrap().to_owned())
    }

    /// Everything but the time of day.
    pub fn without_date(&self) -> String {
        let headers: Vec<_> = self.headers.iter().filter(|(name, _)| name != "date").collect();
        format!("{} {headers:?} {}", self.status, self.body)
    }

    pub fn heading(&self) -> &str {
        let rest = self.body.split_once("<h1>").map_or("", |(_, rest)| rest);
        rest.split_once("</h1>").map_or("", |(heading, _)| heading)
    }

    fn write(&self, to: &mut impl Write, with_body: bool) {
        let mut text = format!("HTTP/1.1 {} Answer\r\n", self.status);
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let body = if with_body { self.body.as_str() } else { "" };
        let _ = write!(text, "Content-Length: {}\r\nConnection: close\r\n\r\n{body}", self.body.len());
        let _ = to.write_all(text.as_bytes());
    }

    fn read(stream: impl Read) -> Self {
        Self::try_read(stream).expect("an answer")
    }

    pub fn try_read(stream: impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let (line, headers) = head(&mut reader)?;
        let mut body = Vec::new();
        // Not every server says good-bye in TLS before it closes, and not every one closes.
        let length = value(&headers, "content-length").and_then(|text| text.parse().ok()).unwrap_or(u64::MAX);
        let _ = reader.take(length).read_to_end(&mut body);
        if value(&headers, "transfer-encoding").is_some_and(|coding| coding == "chunked") {
            body = joined(&body);
        }
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Some(Self { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

/// A body that came in chunks.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let size = String::from_utf8_lossy(&rest[..end]);
        let Some(size) = usize::from_str_radix(size.trim(), 16).ok().filter(|&size| size > 0) else { break };
        let chunk = &rest[end + 2..];
        body.extend_from_slice(&chunk[..size.min(chunk.len())]);
        rest = chunk.get(size + 2..).unwrap_or_default();
    }
    body
}

/// Answers every request on a port of loopback, each in a thread of its own, until the tests end.
pub fn serve(answer: impl Fn(Request) -> Answer + Send + Sync + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                if let Some(request) = Request::read(&mut reader) {
                    let with_body = request.method != "HEAD";
                    answer(request).write(reader.get_mut(), with_body);
                }
            });
        }
    });
    port
}

/// Sends these very bytes without TLS.
pub fn plainly(port: u16, request: &str) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    Answer::read(stream)
}

/// A client of one server, by TLS.
pub struct Client {
    port: u16,
    tls: Arc<rustls::ClientConfig>,
}

impl Client {
    /// Of `localhost` at this port, whose certificate this authority has signed.
    pub fn new(port: u16, authority: &Path) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Self { port, tls: Arc::new(tls.with_root_certificates(roots).with_no_client_auth()) }
    }

    /// Sends these very bytes, and reads the answer to its end.
    pub fn send(&self, request: &str) -> Answer {
        self.try_send(request).expect("an answer")
    }

    /// The same, to a server that may rather close the connection.
    fn try_send(&self, request: &str) -> Option<Answer> {
        let tcp = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let connection = rustls::ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        let mut stream = rustls::StreamOwned::new(connection, tcp);
        stream.write_all(request.as_bytes()).ok()?;
        Answer::try_read(stream)
    }

    /// A request with these headers, written as they stand here.
    pub fn ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send(&self.request(method, target, headers, body))
    }

    /// The same; `None` where the server rather closes the connection, as it may behind the head of what is too long.
    pub fn try_ask(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> Option<Answer> {
        self.try_send(&self.request(method, target, headers, body))
    }

    fn request(&self, method: &str, target: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut text = format!("{method} {target} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n", self.port);
        for (name, value) in headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        if method == "POST" {
            let _ =
                write!(text, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n", body.len());
        }
        format!("{text}\r\n{body}")
    }

    pub fn get(&self, target: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", target, headers, "")
    }

    /// Presses the button of a page: what a browser sends with it.
    pub fn press(&self, target: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let origin = self.origin();
        let page = format!("{origin}{target}");
        let headers = [headers, &[("Origin", origin.as_str()), ("Referer", page.as_str())]].concat();
        self.ask("POST", target, &headers, body)
    }

    /// Where the site is.
    pub fn origin(&self) -> String {
        format!("https://localhost:{}", self.port)
    }
}
