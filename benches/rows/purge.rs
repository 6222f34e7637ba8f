//! How long a mail waits at most while `otab purge` deletes very many tokens.

use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::call::Expect;
use crate::figures::{median, percentile};
use crate::machine::Watch;
use crate::recorded::address;
use crate::row::{Row, Unit};
use crate::rows::million::fill;

/// Mails before the purge, for the usual time.
const BEFORE: usize = 50;

/// Filters of new senders in a loop, beside a purge of every tenth token.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let rows = bench.wishes.rows;
    let site = bench.site("purge")?;
    fill(&site, rows)?;
    let mut mails = 0;
    let mut mail = || {
        mails += 1;
        let start = Instant::now();
        let call = site.new_sender(&address(mails))?;
        Ok((start.elapsed().as_secs_f64(), call.time()?))
    };
    let before: Vec<(f64, f64)> = (0..BEFORE).map(|_| mail()).collect::<Result<_>>()?;
    let (_, before): (Vec<f64>, Vec<f64>) = before.into_iter().unzip();
    let usual = median(&before).context("no mail")? * 1000.0;
    let watch = Watch::start()?;
    let nothing = std::path::Path::new("/dev/null");
    let mut purge = site.otab(&["purge"], nothing, Expect::Anything).command();
    let mut purge = purge.stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut beside = Vec::new();
    let status = loop {
        beside.push(mail()?);
        if let Some(status) = purge.try_wait()? {
            break status;
        }
    };
    ensure!(status.success(), "otab purge: {status}");
    let gone = rows / 10;
    let left = site.count("token")?;
    let expected = 1 + rows - gone + i64::try_from(mails)?;
    ensure!(left == expected, "{left} tokens are left, not {expected}");
    let (disk, beside): (Vec<f64>, Vec<f64>) = beside.into_iter().unzip();
    let longest = |times: &[f64]| percentile(times, 100).map_or(0.0, |seconds| seconds * 1000.0);
    let (disk, mails, longest) = (longest(&disk), beside.len(), longest(&beside));
    let work = format!("purge of {gone} of {rows} tokens: longest wait beside it");
    let note = format!("{mails} mails beside it; usual {usual:.1} ms, longest {longest:.1} ms; bare sync {disk:.1} ms");
    let row = Row::new(work, Unit::Millis, (longest - usual).max(0.0)).below(60.0, 25.0);
    bench.tell(row.noise(watch.noise()?).note(note));
    Ok(())
}
