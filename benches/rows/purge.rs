//! How long a mail waits at most while `otab purge` deletes very many tokens.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::call::Expect;
use crate::figures::median;
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
        site.new_sender(&address(mails))?.time()
    };
    let before: Vec<f64> = (0..BEFORE).map(|_| mail()).collect::<Result<_>>()?;
    let usual = median(&before).context("no mail")?;
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
    let longest = beside.iter().copied().fold(0.0, f64::max);
    let work = format!("purge of {gone} of {rows} tokens: longest wait beside it");
    let note =
        format!("{} mails beside it; usual {:.1} ms, longest {:.1} ms", beside.len(), usual * 1e3, longest * 1e3);
    let row = Row::new(work, Unit::Millis, ((longest - usual) * 1000.0).max(0.0)).below(60.0, 25.0);
    bench.tell(row.noise(watch.noise()?).note(note));
    Ok(())
}
