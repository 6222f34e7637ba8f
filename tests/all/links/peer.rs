//! A mail server that does what the test tells it: one thread a connection, on loopback.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What the peer does instead of a good server's answer.
#[derive(Clone, Copy)]
pub enum Reply {
    /// What a good server says.
    Usual,
    /// This, with a line break behind it.
    Say(&'static str),
    /// Nothing, until the other side is gone.
    Hang,
    /// Closes the connection.
    Close,
    /// A byte now and then, and never a whole answer.
    Drip,
}

/// A mail as it came, and between which commands.
#[derive(Debug, Clone, Default)]
pub struct Got {
    pub from: String,
    pub to: String,
    /// With LF line ends, dots unstuffed.
    pub mail: String,
}

/// What can be waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A connection has been opened.
    Open,
    /// This was said by the client.
    Heard(String),
    /// A connection has ended.
    Closed,
}

type Script = dyn Fn(&str, &Got) -> Reply + Send + Sync;

/// The peer. Its threads end with the process, or with their connections.
pub struct Peer {
    pub port: u16,
    got: Arc<Mutex<Vec<Got>>>,
    heard: Arc<Mutex<Vec<String>>>,
    events: Receiver<Event>,
}

impl Peer {
    /// `script` is asked at each stage: `greeting`, each command's first word, `end` of the mail. The mail so
    /// far comes with it.
    pub fn start(script: impl Fn(&str, &Got) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_extensions("250-8BITMIME\r\n", script)
    }

    /// With other lines in the answer to EHLO.
    pub fn with_extensions(lines: &'static str, script: impl Fn(&str, &Got) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (got, heard) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
        let (sender, events) = channel();
        let script: Arc<Script> = Arc::new(script);
        let session = Session { got: Arc::clone(&got), heard: Arc::clone(&heard), script, lines, events: sender };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let session = session.clone();
                std::thread::spawn(move || {
                    let _ = session.events.send(Event::Open);
                    // An error is the client that has gone.
                    let _ = session.serve(&stream.unwrap());
                    let _ = session.events.send(Event::Closed);
                });
            }
        });
        Self { port, got, heard, events }
    }

    /// The mails that the client may take for taken, and those whose answer got lost.
    pub fn got(&self) -> Vec<Got> {
        self.got.lock().unwrap().clone()
    }

    /// Every line that was heard outside of mails.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    pub fn heard_the_word(&self, word: &str) -> bool {
        self.heard().iter().any(|line| line.to_uppercase().starts_with(word))
    }

    /// What has happened so far is not waited for.
    pub fn forget_events(&self) {
        while self.events.try_recv().is_ok() {}
    }

    /// Waits for something, at most a minute.
    pub fn wait_for(&self, wanted: &Event) {
        while self.events.recv_timeout(Duration::from_mins(1)).unwrap_or_else(|_| panic!("no {wanted:?}")) != *wanted {}
    }
}

#[derive(Clone)]
struct Session {
    got: Arc<Mutex<Vec<Got>>>,
    heard: Arc<Mutex<Vec<String>>>,
    script: Arc<Script>,
    lines: &'static str,
    events: Sender<Event>,
}

impl Session {
    fn serve(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let mut mail = Got::default();
        self.answer(stream, &mut reader, "greeting", &mail, "220 peer.test")?;
        loop {
            let line = line(&mut reader)?;
            self.heard.lock().unwrap().push(line.clone());
            let _ = self.events.send(Event::Heard(line.clone()));
            let word = line.split(' ').next().unwrap_or_default().to_uppercase();
            let ehlo = format!("250-peer.test\r\n{}250 HELP", self.lines);
            match word.as_str() {
                "EHLO" => self.answer(stream, &mut reader, &word, &mail, &ehlo)?,
                "MAIL" => {
                    mail = Got { from: line[5..].to_owned(), ..Got::default() };
                    self.answer(stream, &mut reader, &word, &mail, "250 ok")?
                }
                "RCPT" => {
                    line[5..].clone_into(&mut mail.to);
                    self.answer(stream, &mut reader, &word, &mail, "250 ok")?
                }
                "DATA" => {
                    if !self.answer(stream, &mut reader, &word, &mail, "354 go on")? {
                        continue;
                    }
                    mail.mail = data(&mut reader)?;
                    self.got.lock().unwrap().push(mail.clone());
                    self.answer(stream, &mut reader, "end", &mail, "250 taken")?
                }
                "AUTH" => self.answer(stream, &mut reader, &word, &mail, "235 welcome")?,
                "QUIT" => self.answer(stream, &mut reader, &word, &mail, "221 bye")?,
                // The answer to a challenge of AUTH LOGIN.
                _ => self.answer(stream, &mut reader, "other", &mail, "500 what?")?,
            };
        }
    }

    /// Whether the answer was the usual one.
    fn answer(
        &self,
        mut stream: &TcpStream,
        reader: &mut impl BufRead,
        stage: &str,
        mail: &Got,
        usual: &str,
    ) -> std::io::Result<bool> {
        let gone = || std::io::Error::from(std::io::ErrorKind::ConnectionAborted);
        match (self.script)(stage, mail) {
            Reply::Usual => stream.write_all(format!("{usual}\r\n").as_bytes()).map(|()| true),
            Reply::Say(text) => stream.write_all(format!("{text}\r\n").as_bytes()).map(|()| false),
            Reply::Close => {
                stream.shutdown(std::net::Shutdown::Both)?;
                Err(gone())
            }
            Reply::Hang => {
                while !line(reader)?.is_empty() {}
                Err(gone())
            }
            Reply::Drip => {
                stream.set_read_timeout(Some(Duration::from_millis(200)))?;
                // Until the client has gone: a byte into a closed connection is an error.
                loop {
                    stream.write_all(b"2")?;
                    let _ = reader.fill_buf();
                }
            }
        }
    }
}

/// A line without its end; an error at the end of the connection.
fn line(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if reader.read_until(b'\n', &mut bytes)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned())
}

fn data(reader: &mut impl BufRead) -> std::io::Result<String> {
    let mut mail = String::new();
    loop {
        let line = line(reader)?;
        if line == "." {
            return Ok(mail);
        }
        mail.push_str(line.strip_prefix('.').unwrap_or(&line));
        mail.push('\n');
    }
}
