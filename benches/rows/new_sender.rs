//! A sender who has never written: customer, token and order are on the disk before the mail goes on.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use rusqlite::Connection;

use crate::bench::Bench;
use crate::call::{Call, Expect};
use crate::mails;
use crate::pairs::{alternate, program};
use crate::recorded::{Recorded, address};
use crate::row::Row;
use crate::site::Site;

/// The stores are put back after so many mails, so that none grows beyond a small site's.
const FRESH: usize = 50;

/// otab to the sqlite3 shell with the same rows, and to the floor.
pub fn wall(bench: &mut Bench) -> Result<()> {
    let site = bench.site("new")?;
    let recorded = Recorded::of(&site)?;
    site.restore("otab.db")?;
    let transactions = recorded.transactions();
    let shell = |path: &Path| vec!["/usr/bin/sqlite3".into(), "-bail".into(), path.as_os_str().to_owned()];
    let work = "new sender: wall, to the sqlite3 shell with the same rows";
    let script = |address: &str| recorded.script(address);
    let (row, note) = to_writer(bench, &site, work, shell, script)?;
    bench.tell(row.below(0.9, 0.7).note(format!("{note}; transactions of each: {transactions}")));
    let myself = std::env::current_exe()?;
    let floor = |path: &Path| vec![myself.clone().into(), "floor".into(), path.as_os_str().to_owned()];
    let script = |address: &str| recorded.in_one(address);
    let (row, note) = to_writer(bench, &site, "info: new sender: wall, to one bare transaction", floor, script)?;
    bench.tell(row.note(note));
    Ok(())
}

/// A program that writes the rows of one mail into a copy of the store, under its own name.
struct Writer<'a> {
    site: &'a Site,
    name: &'static str,
    words: &'a dyn Fn(&Path) -> Vec<std::ffi::OsString>,
    script: &'a dyn Fn(&str) -> String,
    written: i64,
}

impl Writer<'_> {
    fn store(&self) -> PathBuf {
        self.site.path(&format!("{}.db", self.name))
    }

    fn next(&mut self, round: usize) -> Result<Call> {
        if round.is_multiple_of(FRESH) {
            self.has_written()?;
            self.site.restore(&format!("{}.db", self.name))?;
        }
        let stdin = self.site.path(&format!("{}.sql", self.name));
        mails::put(&stdin, &(self.script)(&address(round)))?;
        self.written += 1;
        Ok(Call::new((self.words)(&self.store()), &stdin, Expect::Anything))
    }

    /// Fails unless it did its work since the last time.
    fn has_written(&mut self) -> Result<()> {
        if self.written > 0 {
            let count = "SELECT COUNT(*) FROM token JOIN outbox ON token_id = token.id \
                         JOIN customer_user ON login = token.customer WHERE token.customer LIKE 'sender-%'";
            let rows: i64 = Connection::open(self.store())?.query_row(count, [], |row| row.get(0))?;
            ensure!(rows == self.written, "{}: {} mails, and rows of {rows}", self.name, self.written);
        }
        self.written = 0;
        Ok(())
    }
}

fn to_writer(
    bench: &Bench,
    site: &Site,
    work: &str,
    words: impl Fn(&Path) -> Vec<std::ffi::OsString>,
    script: impl Fn(&str) -> String,
) -> Result<(Row, String)> {
    let writer = |name| Writer { site, name, words: &words, script: &script, written: 0 };
    let (mut yardstick, mut control) = (writer("yardstick"), writer("control"));
    let mut recorded = 0;
    let pairs = alternate(
        bench.many(),
        &mut program(|round| yardstick.next(round)),
        &mut program(|round| {
            if round.is_multiple_of(FRESH) {
                if round > 0 {
                    site.has_recorded(recorded)?;
                }
                site.restore("otab.db")?;
                recorded = 0;
            }
            recorded += 1;
            site.new_sender(&address(round))
        }),
        &mut program(|round| control.next(round)),
    )?;
    site.has_recorded(recorded)?;
    yardstick.has_written()?;
    control.has_written()?;
    site.restore("otab.db")?;
    Ok((Row::ratio(work, pairs.ratio()?).noise(pairs.noise()), pairs.note()))
}
