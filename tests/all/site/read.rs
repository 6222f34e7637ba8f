//! Mails that come in, and link mails as another program reads them.

use std::process::Command;

use serde_json::Value;

use super::run;

/// A mail of carol's with a Message-ID of its own.
pub fn mail(number: usize) -> Vec<u8> {
    format!("From: Carol Corp <carol@corp.test>\nTo: help@desk.test\nSubject: help {number}\nMessage-ID: <{number}@corp.test>\n\nHello\n")
        .into_bytes()
}

/// A mail from this address.
pub fn mail_from(address: &str, id: &str) -> Vec<u8> {
    format!("From: Sender-Chosen <{address}>\nTo: help@desk.test\nSubject: sender-chosen\nMessage-ID: <{id}>\n\nsender-chosen\n")
        .into_bytes()
}

/// A mail as Python's email package reads it, and as it is.
pub struct Read {
    pub json: Value,
    pub raw: String,
}

impl Read {
    pub fn new(mail: &[u8]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/read_mail.py");
        let output = run(Command::new("/usr/bin/python3").arg(script), mail);
        assert!(output.status.success(), "{output:?}");
        let json = serde_json::from_slice(&output.stdout).unwrap();
        Self { json, raw: String::from_utf8(mail.to_vec()).unwrap() }
    }

    /// The one field of this name.
    pub fn field(&self, name: &str) -> &str {
        let values = self.json["fields"][name].as_array().unwrap_or_else(|| panic!("no {name}: {}", self.raw));
        assert_eq!(values.len(), 1, "{name}: {}", self.raw);
        values[0].as_str().unwrap()
    }

    pub fn has(&self, name: &str) -> bool {
        !self.json["fields"][name].is_null()
    }

    /// The text of a part: 0 is plain, 1 is HTML.
    pub fn part(&self, number: usize) -> &str {
        self.json["parts"][number]["text"].as_str().unwrap()
    }

    /// The link, which stands alone on a line.
    pub fn link(&self) -> &str {
        let mut links = self.part(0).lines().filter(|line| line.starts_with("https://"));
        let link = links.next().unwrap_or_else(|| panic!("{}", self.raw));
        assert!(links.next().is_none() && link.chars().count() < 76, "{}", self.raw);
        link
    }

    /// The token in the link.
    pub fn token(&self) -> &str {
        self.link().strip_prefix("https://help.test/t/").unwrap_or_else(|| panic!("{}", self.raw))
    }
}
