//! An SMTP or LMTP client that hands a mail over, and insists on every answer.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

/// Which of the two.
#[derive(Clone, Copy)]
pub enum Protocol {
    Smtp,
    Lmtp,
}

/// A connection that has been greeted.
pub struct Session {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
    protocol: Protocol,
}

impl Session {
    pub fn open(protocol: Protocol, port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        let mut session = Self { stream, reader, protocol };
        assert_eq!(session.answer(), "220");
        let hello = match protocol {
            Protocol::Smtp => "EHLO test",
            Protocol::Lmtp => "LHLO test",
        };
        session.command(hello, "250");
        session
    }

    /// Hands a mail over; the status codes at the end, one (SMTP) or one a recipient (LMTP).
    pub fn send(&mut self, sender: &str, recipients: &[&str], mail: &[u8]) -> Vec<String> {
        self.command(&format!("MAIL FROM:<{sender}>"), "250");
        for recipient in recipients {
            self.command(&format!("RCPT TO:<{recipient}>"), "250");
        }
        self.command("DATA", "354");
        let mut wire = Vec::with_capacity(mail.len() + mail.len() / 32);
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            if line.starts_with(b".") {
                wire.push(b'.');
            }
            wire.extend(line.strip_suffix(b"\n").map_or(line, |line| line.strip_suffix(b"\r").unwrap_or(line)));
            wire.extend(b"\r\n");
        }
        wire.extend(b".\r\n");
        self.stream.write_all(&wire).unwrap();
        let answers = match self.protocol {
            Protocol::Smtp => 1,
            Protocol::Lmtp => recipients.len(),
        };
        (0..answers).map(|_| self.answer()).collect()
    }

    /// Sends a line, and wants this status code.
    pub fn command(&mut self, line: &str, code: &str) {
        assert_eq!(self.ask(line), code, "to {line}");
    }

    /// Sends a line; the status code that comes back.
    pub fn ask(&mut self, line: &str) -> String {
        self.stream.write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.answer()
    }

    /// The status code of the next answer, however many lines it has.
    fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            let code: String = line.chars().take(3).collect();
            if line.as_bytes().get(3) != Some(&b'-') {
                return code;
            }
        }
    }
}
