//! A site as an administrator has it: the whole of `otab.toml.example` with its comments, a store, and mails.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use rusqlite::Connection;

use crate::call::{Call, Expect};
use crate::mails;

/// A customer with a password: nothing is due to his mails.
pub const KNOWN: &str = "known@corp.example";
/// A customer without one: each of his mails gets a token.
pub const WITHOUT_PASSWORD: &str = "nopass@corp.example";

/// A folder with a configuration, and a store where that is a file.
pub struct Site {
    otab: PathBuf,
    folder: PathBuf,
}

impl Site {
    /// A site on SQLite with the two customers.
    pub fn new(otab: &Path, folder: &Path) -> Result<Self> {
        let site = Self::bare(otab, folder)?;
        // The first mail makes the store.
        site.new_sender("first@corp.example")?.check()?;
        let insert = "INSERT INTO customer_user (login, email, customer_id, pw, first_name, last_name, valid_id, \
                      create_time, create_by, change_time, change_by) VALUES \
                      (?1, ?1, ?1, ?2, 'A', 'B', 1, '2026-01-01 00:00:00', 1, '2026-01-01 00:00:00', 1)";
        let database = site.database()?;
        database.execute(insert, (KNOWN, Some("a hash")))?;
        database.execute(insert, (WITHOUT_PASSWORD, None::<&str>))?;
        database.close().map_err(|(_, error)| error)?;
        site.keep()?;
        Ok(site)
    }

    /// A site without a store yet.
    pub fn bare(otab: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let site = Self { otab: otab.to_owned(), folder: folder.to_owned() };
        fs::write(site.path("otab.toml"), include_str!("../otab.toml.example"))?;
        site.set("url = \"sqlite:otab.db\"", &format!("url = \"sqlite:{}\"", site.store().display()))?;
        site.set("\nsyslog = true", "\nsyslog = false")?;
        site.set("\nfile = \"\"", &format!("\nfile = \"{}\"", site.path("otab.log").display()))?;
        Ok(site)
    }

    /// Replaces what stands in the configuration once.
    pub fn set(&self, old: &str, new: &str) -> Result<()> {
        let text = fs::read_to_string(self.path("otab.toml"))?;
        ensure!(text.matches(old).count() == 1, "otab.toml.example does not have {old:?} once");
        fs::write(self.path("otab.toml"), text.replace(old, new))?;
        Ok(())
    }

    /// A file in the site's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The store's file.
    pub fn store(&self) -> PathBuf {
        self.path("otab.db")
    }

    /// Opens the store's file.
    pub fn database(&self) -> Result<Connection> {
        Ok(Connection::open(self.store())?)
    }

    /// How many rows a table has.
    pub fn count(&self, table: &str) -> Result<i64> {
        Ok(self.database()?.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0))?)
    }

    /// Keeps the store as it is, for [`Site::restore`]. Nobody may have it open.
    pub fn keep(&self) -> Result<()> {
        fs::copy(self.store(), self.path("kept.db")).context("the store")?;
        Ok(())
    }

    /// Puts back what was kept: under this name, which is the store's own or that of a copy for another program.
    pub fn restore(&self, name: &str) -> Result<PathBuf> {
        for end in ["-wal", "-shm"] {
            let _ = fs::remove_file(self.path(&format!("{name}{end}")));
        }
        fs::copy(self.path("kept.db"), self.path(name)).context("the kept store")?;
        File::open(self.path(name))?.sync_all()?;
        Ok(self.path(name))
    }

    /// otab with these words behind its configuration.
    pub fn otab(&self, words: &[&str], stdin: &Path, expect: Expect) -> Call {
        let config = self.path("otab.toml");
        let front = [self.otab.as_os_str(), "--config".as_ref(), config.as_os_str()];
        Call::new(front.into_iter().chain(words.iter().map(AsRef::as_ref)), stdin, expect)
    }

    /// `otab filter` of that mail by that customer.
    pub fn filter(&self, mail: &Path, customer: &str) -> Call {
        self.otab(&["filter"], mail, Expect::Customer(customer.to_owned()))
    }

    /// A mail of the known customer's.
    pub fn known_mail(&self) -> Result<PathBuf> {
        let mail = self.path("known");
        mails::write(&mail, KNOWN, mails::USUAL)?;
        Ok(mail)
    }

    /// `otab filter` of a mail by somebody who has never written.
    pub fn new_sender(&self, address: &str) -> Result<Call> {
        let mail = self.path("new");
        mails::write(&mail, address, mails::USUAL)?;
        Ok(self.filter(&mail, address))
    }

    /// Fails unless so many tokens are there more than were kept: no mail's token is lost or doubled.
    pub fn has_recorded(&self, mails: i64) -> Result<()> {
        let kept: i64 =
            Connection::open(self.path("kept.db"))?.query_row("SELECT COUNT(*) FROM token", [], |r| r.get(0))?;
        let tokens = self.count("token")?;
        ensure!(tokens == kept + mails, "{} mails have {} tokens", mails, tokens - kept.min(tokens));
        Ok(())
    }
}
