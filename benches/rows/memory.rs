//! Peak memory by the mail's size, from pipe to pipe, as GNU time sees it.

use anyhow::{Context, Result, ensure};

use crate::bench::Bench;
use crate::call::{Call, Expect};
use crate::figures::median;
use crate::mails;
use crate::row::{Row, Unit};
use crate::site::{KNOWN, Site};

/// The largest of all, and by how much it is more than that of a usual mail.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let site = bench.site("memory")?;
    let mut sizes = vec![("4 KB", mails::USUAL), ("1 MB", 1 << 20), ("100 MB", 100 << 20)];
    if bench.wishes.long {
        sizes.push(("1 GB", 1 << 30));
    }
    let nothing = peak(&site, &Call::new(["/bin/true"], "/dev/null".as_ref(), Expect::Anything), 0)?;
    let mut peaks = Vec::new();
    for (_, bytes) in &sizes {
        let mail = site.path("mail");
        mails::write(&mail, KNOWN, *bytes)?;
        peaks.push(peak(&site, &site.filter(&mail, KNOWN), *bytes)?);
        std::fs::remove_file(mail)?;
    }
    // What the child has from time itself would show here, too.
    ensure!(nothing < peaks[0], "the measure itself has {nothing} KiB");
    let most = peaks.iter().copied().fold(0.0, f64::max);
    let told: Vec<String> =
        sizes.iter().zip(&peaks).map(|((name, _), peak)| format!("{name}: {peak:.0} KiB")).collect();
    let to = sizes.last().map_or("", |(name, _)| name);
    let row = Row::new(format!("mails of 4 KB to {to}: peak memory"), Unit::Kibibytes, most).below(4096.0, 2560.0);
    bench.tell(row.note(format!("{}; /bin/true: {nothing:.0} KiB", told.join(", "))));
    let row = Row::new(format!("mails of 4 KB to {to}: growth of the peak"), Unit::Kibibytes, most - peaks[0]);
    bench.tell(row.below(256.0, 128.0));
    Ok(())
}

/// The middle of some runs, in KiB. `bytes` have to come out at least.
fn peak(site: &Site, call: &Call, bytes: u64) -> Result<f64> {
    let runs = if bytes > 200 << 20 { 2 } else { 5 };
    let (told, out) = (site.path("time"), site.path("out"));
    let measured = call.behind(["/usr/bin/time", "-f", "%M", "-o", &told.to_string_lossy()]);
    let mut peaks = Vec::new();
    for _ in 0..runs {
        measured.time_in_pipes(&out)?;
        let length = std::fs::metadata(&out)?.len();
        ensure!(length > bytes || bytes == 0, "of {bytes} bytes came out {length}");
        peaks.push(std::fs::read_to_string(&told)?.trim().parse()?);
    }
    std::fs::remove_file(out)?;
    median(&peaks).context("no run")
}
