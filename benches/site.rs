//! A site as an administrator has it: the whole of `otab.toml.example` with its comments, a store, and mails.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::call::{Call, Expect};

/// A customer with a password: nothing is due to their mails.
pub const KNOWN: &str = "known@corp.example";
/// The one sender whose mail is in the store from the start.
pub const FIRST: &str = "first@corp.example";
/// A mail of a few kilobytes, as most are.
pub const USUAL: u64 = 4096;

/// The address of a sender by number.
pub fn address(number: usize) -> String {
    format!("sender-{number:07}@new.example")
}

/// A folder with a configuration and a store.
pub struct Site {
    otab: PathBuf,
    folder: PathBuf,
}

impl Site {
    /// A site on SQLite with the two customers.
    pub fn new(otab: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let site = Self { otab: otab.to_owned(), folder: folder.to_owned() };
        let mut text = include_str!("../otab.toml.example").to_owned();
        for (old, new) in [
            ("\n#url = \"sqlite:otab.db\"", format!("\nurl = \"sqlite:{}\"", site.path("otab.db").display())),
            ("\n#syslog = true", "\nsyslog = false".to_owned()),
            ("\n#file = \"\"", format!("\nfile = \"{}\"", site.path("otab.log").display())),
        ] {
            if text.matches(old).count() != 1 {
                return Err(format!("otab.toml.example does not have {old:?} once").into());
            }
            text = text.replace(old, &new);
        }
        fs::write(site.path("otab.toml"), text)?;
        // The first mail makes the store.
        site.new_sender(FIRST)?.check()?;
        site.sql(
            "otab.db",
            &format!(
                "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, create_time, \
                 create_by, change_time, change_by) VALUES ('{KNOWN}', '{KNOWN}', '{KNOWN}', 'a hash', 'A', 'B', 1, \
                 '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1); PRAGMA wal_checkpoint(TRUNCATE);"
            ),
        )?;
        site.keep()?;
        Ok(site)
    }

    /// A file in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// What the `sqlite3` shell answers about a store.
    pub fn sql(&self, store: &str, sql: &str) -> Result<String> {
        let output = Command::new("/usr/bin/sqlite3").arg("-bail").arg(self.path(store)).arg(sql).output()?;
        if !output.status.success() {
            return Err(format!("sqlite3: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Keeps the store as it is, for [`Site::restore`].
    pub fn keep(&self) -> Result<()> {
        fs::copy(self.path("otab.db"), self.path("kept.db"))?;
        Ok(())
    }

    /// Puts back what was kept: under this name, which is the store's own or that of a copy for another program.
    pub fn restore(&self, name: &str) -> Result<()> {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.path(&format!("{name}{end}")));
        }
        fs::copy(self.path("kept.db"), self.path(name))?;
        Ok(File::open(self.path(name))?.sync_all()?)
    }

    /// Fails unless these mails, and no others, have one token each beside those that were kept.
    pub fn has_recorded(&self, store: &str, mails: usize) -> Result<()> {
        let count = "SELECT COUNT(DISTINCT customer) || ' ' || COUNT(*) FROM token WHERE customer LIKE 'sender-%'";
        let (found, expected) = (self.sql(store, count)?, format!("{mails} {mails}"));
        if found == expected {
            Ok(())
        } else {
            Err(format!("{store}: customers and tokens: {found}, not {expected}").into())
        }
    }

    /// The statements by which another program writes what otab writes for a new sender: each column as in the first
    /// sender's rows, but for what names the sender or has to be unique.
    pub fn statements(&self) -> Result<impl Fn(&str) -> String + use<>> {
        let mut script = "PRAGMA synchronous = FULL;\nBEGIN IMMEDIATE;\n".to_owned();
        for (table, whose) in [("customer_user", "login"), ("token", "customer"), ("outbox", "customer")] {
            let columns =
                self.sql("otab.db", &format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'id'"))?;
            let columns: Vec<&str> = columns.lines().collect();
            let values = columns.iter().map(|column| match *column {
                "hash" | "mail_key" => "lower(hex(randomblob(32)))",
                "login" | "email" | "customer_id" | "customer" | "recipient" => "'ADDRESS'",
                "message_id" => "'<ADDRESS.mail>'",
                "token_id" => "(SELECT MAX(id) FROM token)",
                other => other,
            });
            let values: Vec<&str> = values.collect();
            let _ = writeln!(
                script,
                "INSERT INTO {table} ({}) SELECT {} FROM {table} WHERE {whose} = '{FIRST}';",
                columns.join(", "),
                values.join(", ")
            );
        }
        script.push_str("COMMIT;\n");
        Ok(move |address: &str| script.replace("ADDRESS", address))
    }

    /// `otab filter` of that mail by that customer.
    pub fn filter(&self, mail: &Path, customer: &str) -> Call {
        let config = self.path("otab.toml");
        let words = [self.otab.as_os_str(), "--config".as_ref(), config.as_os_str(), "filter".as_ref()];
        Call::new(words, mail, Expect::Customer(customer.to_owned()))
    }

    /// A mail in a file of the site.
    pub fn mail(&self, name: &str, from: &str, more_fields: usize, bytes: u64) -> Result<PathBuf> {
        let path = self.path(name);
        write(&path, from, more_fields, bytes)?;
        Ok(path)
    }

    /// `otab filter` of a mail by somebody who has never written.
    pub fn new_sender(&self, address: &str) -> Result<Call> {
        Ok(self.filter(&self.mail("new", address, 0, USUAL)?, address))
    }
}

/// Writes a new mail of so many bytes as a person writes it; its Message-ID belongs to the address. It is on the disk
/// before anything is measured: nobody's sync has it to write.
fn write(path: &Path, from: &str, more_fields: usize, bytes: u64) -> Result<()> {
    const LINE: &[u8] = b"Guten Tag, das ist eine Zeile von vielen, und noch ist kein Ende da.\n";
    let mut head = format!(
        "Return-Path: <{from}>\n\
         Received: from mx.corp.example (mx.corp.example [192.0.2.25])\n\
         \tby mail.desk.example (Postfix) with ESMTPS id 4F0A21C0045\n\
         \tfor <help@desk.example>; Fri, 20 Nov 2026 09:30:17 +0000 (UTC)\n\
         Received: from pc17.corp.example (unknown [198.51.100.17])\n\
         \tby mx.corp.example (Postfix) with ESMTPSA id 9A1B2C3D4E\n\
         \tfor <help@desk.example>; Fri, 20 Nov 2026 09:30:16 +0000 (UTC)\n\
         From: Erika Muster <{from}>\n\
         To: Helpdesk <help@desk.example>\n\
         Subject: =?UTF-8?Q?Frage_zu_meiner_Bestellung_f=C3=BCr_M=C3=A4rz?=\n\
         Date: Fri, 20 Nov 2026 10:30:15 +0100\n\
         Message-ID: <{from}.mail>\n\
         MIME-Version: 1.0\n\
         Content-Type: text/plain; charset=utf-8\n\
         Content-Transfer-Encoding: 8bit\n\
         User-Agent: Example Mail 1.0\n"
    );
    for number in 0..more_fields {
        let _ = writeln!(head, "X-Example-{number}: the value of a field that nobody asks for");
    }
    head.push('\n');
    let mut file = BufWriter::new(File::create(path)?);
    file.write_all(head.as_bytes())?;
    let mut left = bytes.saturating_sub(u64::try_from(head.len())?);
    while left > 0 {
        let line = &LINE[LINE.len() - usize::try_from(left)?.min(LINE.len())..];
        file.write_all(line)?;
        left -= u64::try_from(line.len())?;
    }
    Ok(file.into_inner()?.sync_all()?)
}
