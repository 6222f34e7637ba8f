//! The set-ups in `examples/fetchmail`: a mailbox on somebody's IMAP server is fetched, and otab stands
//! between fetchmail and the ticket system.

use std::process::Command;

use super::imap::Dovecot;
use super::{Shipped, arrived, for_user, forged, large, ticket_system};
use crate::site::{Site, chmod, mail};

const USER: &str = "help@desk.test";

/// A mailbox on an IMAP server, and fetchmail with a shipped file.
struct Mailbox {
    site: Site,
    server: Dovecot,
    rules: String,
}

impl Mailbox {
    /// The ticket system fails until there is a file `ready`.
    fn new(rules: &str) -> Self {
        let site = Site::new("");
        for_user(&site, "root");
        let place = |name: &str| site.path(name).display().to_string();
        site.write("users", &format!("{USER}:{{PLAIN}}secret:nobody:nogroup::{}::\n", place("mail")));
        let db = |kind: &str| format!("{kind} {{\n  driver = passwd-file\n  args = {}\n}}\n", place("users"));
        let server = Dovecot::start(&site, &(db("passdb") + &db("userdb")));
        ticket_system(&site);
        // As docker does: no container of another name, and nothing on standard input without -i.
        let docker = "#!/bin/sh\n[ \"$1 $2 $3\" = \"exec -i otobo-web-1\" ] || exit 1\nshift 3\nexec \"$@\"\n";
        site.program("docker", docker);
        let shipped = Shipped::read(&format!("fetchmail/{rules}"))
            .with("imap.example.org", format_args!("127.0.0.1 service {}", server.imap))
            .with("ssl sslproto \"tls1.2+\" sslcertck", "sslproto \"\" no sslcertck")
            .with("help@desk.example", USER)
            .with("replace-me", "secret")
            .with("/usr/local/bin/otab", place("otab-binary"))
            .with("/etc/otab/otab.toml", place("otab.toml"))
            .with("/opt/otobo/bin/otobo.Console.pl", place("stage"));
        let shipped = if rules.contains("docker") { shipped.with("/usr/bin/docker", place("docker")) } else { shipped };
        let file = shipped.write(&site, rules);
        chmod(file, 0o600);
        Self { site, server, rules: rules.to_owned() }
    }

    /// A mail comes into the mailbox.
    fn put(&self, sender: &str, mail: &[u8]) {
        assert_eq!(self.server.take(sender, USER, mail), "250", "{}", self.server.log());
    }

    /// One poll; what fetchmail said.
    fn poll(&self) -> String {
        let output = Command::new("timeout")
            .args(["60", "fetchmail", "-d0", "--nodetach", "--nosyslog", "-f"])
            .arg(self.site.path(&self.rules))
            // Of root only one fetchmail runs at a time, unless told so.
            .arg("--pidfile")
            .arg(self.site.path("fetchmail.pid"))
            .arg("--idfile")
            .arg(self.site.path("fetchids"))
            .env("FETCHMAILHOME", self.site.folder())
            .env("HOME", self.site.folder())
            // As root, fetchmail would run the command as one of these.
            .env_remove("FETCHMAILUSER")
            .env_remove("LOGNAME")
            .env_remove("USER")
            .output()
            .unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }

    fn ticket_system_works(&self) {
        self.site.write("otab/ready", "");
    }
}

/// What otab puts on top of carol's mails.
const FIELDS: &str = "X-OTOBO-CustomerUser: carol@corp.test\nX-OTOBO-CustomerNo: carol@corp.test\n\
                      X-OTOBO-Customer: carol@corp.test\n";

#[test]
fn a_fetched_mail_passes_and_loses_forged_fields() {
    for rules in ["fetchmailrc", "fetchmailrc-docker"] {
        let mailbox = Mailbox::new(rules);
        mailbox.ticket_system_works();
        mailbox.put("carol@corp.test", &forged());
        let said = mailbox.poll();
        let arrived = arrived(&mailbox.site);
        assert_eq!(arrived.len(), 1, "{said}");
        let text = String::from_utf8_lossy(&arrived[0]);
        assert!(text.starts_with(FIELDS) && arrived[0].ends_with(&mail(1)), "{text}");
        assert!(!text.contains(": root") && !text.contains("Raw") && !text.contains("Owner"), "{text}");
        assert_eq!((mailbox.site.counts(), mailbox.server.stored()), ((1, 1), 0));
    }
}

#[test]
fn while_anything_fails_the_mail_stays_on_the_server() {
    for rules in ["fetchmailrc", "fetchmailrc-docker"] {
        let mailbox = Mailbox::new(rules);
        let config = mailbox.site.path("otab.toml");
        let good = std::fs::read(&config).unwrap();
        mailbox.put("carol@corp.test", &mail(1));
        let fails = |what: &str| {
            let said = mailbox.poll();
            assert!(said.contains("not flushed"), "{what}: {said}");
            assert_eq!((mailbox.server.stored(), arrived(&mailbox.site).len()), (1, 0), "{what}");
        };
        std::fs::write(&config, "[nonsense").unwrap();
        fails("a broken configuration");
        std::fs::write(&config, "[store]\nurl = \"sqlite:no/such/otab.db\"\n[log]\nsyslog = false\n").unwrap();
        fails("no database");
        std::fs::write(&config, good).unwrap();
        fails("no ticket system");
        std::fs::rename(mailbox.site.path("stage"), mailbox.site.path("away")).unwrap();
        fails("no console");
        std::fs::rename(mailbox.site.path("away"), mailbox.site.path("stage")).unwrap();
        assert_eq!(mailbox.site.counts(), (1, 0));
        mailbox.ticket_system_works();
        mailbox.poll();
        mailbox.poll();
        assert_eq!((mailbox.server.stored(), arrived(&mailbox.site).len()), (0, 1));
        assert_eq!(mailbox.site.counts(), (1, 1));
    }
}

#[test]
fn a_bounce_makes_no_customer() {
    for rules in ["fetchmailrc", "fetchmailrc-docker"] {
        let mailbox = Mailbox::new(rules);
        mailbox.ticket_system_works();
        mailbox.put("", &mail(1));
        let said = mailbox.poll();
        let arrived = arrived(&mailbox.site).concat();
        assert!(String::from_utf8_lossy(&arrived).starts_with(FIELDS), "{said}");
        assert_eq!(mailbox.site.counts(), (0, 0));
    }
}

#[test]
fn a_bad_header_is_a_mail_and_no_address_is_completed() {
    let mailbox = Mailbox::new("fetchmailrc");
    mailbox.ticket_system_works();
    let odd = b"From: carol\nTo: help\nthis is no field\nSubject: =?utf-8?q?=C3=A4?=\nMIME-Version: 1.0\n\
        Content-Transfer-Encoding: quoted-printable\n\nH=C3=A4llo\n\xff\xfe\n.\nFrom here\n";
    mailbox.put("carol@corp.test", odd);
    let said = mailbox.poll();
    let arrived = arrived(&mailbox.site);
    assert!(arrived.len() == 1 && arrived[0].ends_with(odd), "{said}{}", String::from_utf8_lossy(&arrived.concat()));
}

#[test]
fn an_attachment_of_25_mb_arrives_byte_for_byte() {
    arrives_byte_for_byte("fetchmailrc");
}

#[test]
fn large_mail_arrives_in_the_container_byte_for_byte() {
    arrives_byte_for_byte("fetchmailrc-docker");
}

fn arrives_byte_for_byte(rules: &str) {
    let mailbox = Mailbox::new(rules);
    mailbox.ticket_system_works();
    let large = large();
    mailbox.put("carol@corp.test", large);
    let said = mailbox.poll();
    let arrived = arrived(&mailbox.site);
    assert!(arrived.len() == 1 && arrived[0].starts_with(FIELDS.as_bytes()), "{said}");
    assert!(arrived[0].ends_with(large));
}
