//! How often a mail waits for the disk: fsync and its kin, counted by strace, for new senders one after another.

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::figures::median;
use crate::recorded::address;
use crate::row::{Row, Unit};
use crate::serve::Serve;
use crate::site::Site;

/// Mails; the first of them has the log's header to write, too.
const MAILS: usize = 7;

/// Alone, and beside `otab serve`, which holds the store open.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let site = bench.site("syncs")?;
    let row = counted(&site, "new sender, alone: syncs a mail", 0)?;
    bench.tell(row.below(5.0, 2.0));
    let serve = Serve::start(&site)?;
    let row = counted(&site, "new sender, beside `otab serve`: syncs a mail", MAILS)?;
    bench.tell(row.below(2.0, 2.0));
    drop(serve);
    site.has_recorded(2 * i64::try_from(MAILS)?)
}

fn counted(site: &Site, work: &str, first: usize) -> Result<Row> {
    let trace = site.path("trace");
    let mut counts = Vec::new();
    for number in first..first + MAILS {
        let file = trace.to_string_lossy();
        let calls = "trace=fsync,fdatasync,sync_file_range,syncfs,sync";
        let strace = ["/usr/bin/strace", "-f", "-qq", "-e", calls, "-o", &file];
        site.new_sender(&address(number))?.behind(strace).check()?;
        // A call that another thread interrupts has a second line, which says that it goes on.
        let text = std::fs::read_to_string(&trace)?;
        let count = text.lines().filter(|line| line.contains("sync") && !line.contains("resumed>")).count();
        counts.push(f64::from(u32::try_from(count)?));
    }
    let each: Vec<String> = counts.iter().map(f64::to_string).collect();
    let row = Row::new(work, Unit::Count, median(&counts).context("no mail")?);
    Ok(row.note(format!("mail by mail: {}", each.join(" "))))
}
