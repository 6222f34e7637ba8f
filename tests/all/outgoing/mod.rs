//! `otab outgoing`: who gets a link, who the plain address, and that every mail goes on.

mod failures;
mod links;
mod parts;

use std::process::{Command, Output};

use crate::site::{Ended, Site, run};

const NUMBER: &str = "2026112010000017";
const PLAIN: &str = "https://help.test/otobo/customer.pl?Action=CustomerTicketZoom;TicketNumber=2026112010000017";
const FAILED: &str = "We could not create a new link to your request.";
const LINK: &str = "https://help.test/t/";

const SETTINGS: &str = "[log]\nsyslog = false\nfile = \"otab.log\"\n[one_time_auth]\n\
    link_url = \"https://help.test/t/{{token}}\"\nportal_url = \"https://help.test/otobo/customer.pl\"\n";

/// A site with carol and her ticket, and a program that sends mails.
struct Bench {
    site: Site,
}

impl std::ops::Deref for Bench {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Bench {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: &str) -> Self {
        let bench = Self { site: Site::new(settings) };
        bench.sendmail("printf '%s\\n' \"$@\" > args; cat > taken");
        bench.ends(0, &["customer", "add", "carol@corp.test"]);
        bench.ends(0, &["customer", "add", "mallory@evil.test"]);
        bench.ends(0, &["ticket", "add", NUMBER, "--customer", "carol@corp.test"]);
        bench
    }

    /// What stands in for sendmail.
    fn sendmail(&self, script: &str) {
        self.program("sendmail", &format!("#!/bin/sh\n{script}\n"));
    }

    /// As OTOBO does it.
    fn send(&self, arguments: &[&str], mail: &[u8]) -> Output {
        run(&mut self.outgoing(arguments), mail)
    }

    fn outgoing(&self, arguments: &[&str]) -> Command {
        let mut otab = Site::otab();
        otab.args(["--config", "otab.toml", "outgoing", "--", "./sendmail"]).args(arguments);
        otab.current_dir(self.folder());
        otab
    }

    /// What the program got.
    fn taken(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path("taken")).unwrap()).into_owned()
    }

    /// Sends a mail, which has to succeed in silence; what the program got.
    fn sent_to(&self, recipients: &[&str], mail: &str) -> String {
        let _ = std::fs::remove_file(self.path("taken"));
        let arguments = [&["-i", "-f", "help@desk.test"], recipients].concat();
        let output = self.send(&arguments, mail.as_bytes()).ends(0);
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(self.read("args"), arguments.join("\n") + "\n");
        self.taken()
    }

    fn sent(&self, mail: &str) -> String {
        self.sent_to(&["carol@corp.test"], mail)
    }
}

fn mail() -> String {
    mail_with("", "Your ticket: [[OTAB-LINK]]\n")
}

fn mail_with(fields: &str, body: &str) -> String {
    format!(
        "From: Helpdesk <help@desk.test>\nTo: \"Corp, Carol\" <carol@corp.test>\n\
         Subject: [Ticket#{NUMBER}] RE: help\nMessage-ID: <1@desk.test>\n{fields}\n{body}"
    )
}

/// The token in the only link of a mail.
fn token(mail: &str) -> &str {
    let at = mail.find(LINK).unwrap_or_else(|| panic!("no link: {mail}")) + LINK.len();
    let is_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let end = mail[at..].find(|c| !is_token(c)).map_or(mail.len(), |length| at + length);
    assert!(end - at >= 22, "a short token: {mail}");
    &mail[at..end]
}
