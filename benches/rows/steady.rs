//! Very many new senders one after another: whether mails get slower, and how large SQLite's log becomes.

use std::time::Instant;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::figures::median;
use crate::machine::Watch;
use crate::recorded::address;
use crate::row::{Row, Unit};
use crate::serve::Serve;
use crate::site::Site;
use crate::yardsticks;

/// So many mails at either end.
const ENDS: usize = 50;

/// Formail, and a bare synced write, may be off by so much: fifty runs are few.
const OFF: f64 = 0.1;

/// Alone, and beside `otab serve`: there the log outlives each mail.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let mails = bench.either(1500, 300);
    let site = bench.site("steady")?;
    site.new_sender(&address(0))?.check()?;
    site.restore("otab.db")?;
    let alone = row(&site, mails, &format!("{mails} new senders, one by one: last fifty to first fifty"))?;
    bench.tell(alone.row.below(1.2, 1.05));
    site.restore("otab.db")?;
    let serve = Serve::start(&site)?;
    let beside = row(&site, mails, "the same beside `otab serve`: last fifty to first fifty")?;
    drop(serve);
    bench.tell(beside.row.below(1.2, 1.05));
    let row = Row::new("the same beside `otab serve`: SQLite's log at its largest", Unit::Kibibytes, beside.log);
    bench.tell(row.below(4096.0, 4096.0));
    Ok(())
}

struct Came {
    row: Row,
    /// In KiB, as it was after any of the mails.
    log: f64,
}

fn row(site: &Site, mails: usize, work: &str) -> Result<Came> {
    let watch = Watch::start()?;
    let (mut ours, mut formail, mut disk, mut log) = (Vec::new(), Vec::new(), Vec::new(), 0.0_f64);
    for number in 0..mails {
        // Its mail is written and synced here: what that costs is the disk's mood.
        let start = Instant::now();
        let call = site.new_sender(&address(number))?;
        disk.push(start.elapsed().as_secs_f64());
        ours.push(call.time()?);
        formail.push(yardsticks::formail(&site.path("new")).time()?);
        let bytes = std::fs::metadata(site.path("otab.db-wal")).map_or(0, |file| file.len());
        log = log.max(f64::from(u32::try_from(bytes / 1024)?));
    }
    site.has_recorded(i64::try_from(mails)?)?;
    let growth = |times: &[f64]| Some(median(&times[times.len() - ENDS..])? / median(&times[..ENDS])?);
    let control = |name: &str, times: &[f64]| {
        let growth = growth(times).filter(|growth| (growth - 1.0).abs() > OFF)?;
        Some(format!("{name}: {growth:.2}"))
    };
    let noise =
        [control("formail's last fifty to its first fifty", &formail), control("the disk's", &disk), watch.noise()?];
    let noise: Vec<String> = noise.into_iter().flatten().collect();
    let row = Row::new(work, Unit::Ratio, growth(&ours).context("no mails")?);
    let note = format!("{:.2} ms a mail", median(&ours).context("no mails")? * 1000.0);
    Ok(Came { row: row.note(note).noise((!noise.is_empty()).then(|| noise.join("; "))), log })
}
