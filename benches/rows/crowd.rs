//! Many new senders at the same time.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use crate::bench::Bench;
use crate::call::Call;
use crate::figures::{Spread, percentile};
use crate::pairs::alternate;
use crate::recorded::address;
use crate::row::{Row, Unit};
use crate::site::Site;
use crate::{mails, yardsticks};

/// Eight at a time for the mails a second, 32 for the slowest.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let site = bench.site("crowd")?;
    let number = bench.either(1000, 200);
    let mails: Vec<PathBuf> = (0..number).map(|n| site.path(&format!("mail-{n}"))).collect();
    for (n, mail) in mails.iter().enumerate() {
        mails::write(mail, &address(n), mails::USUAL)?;
    }
    site.filter(&mails[0], &address(0)).check()?;
    let eight = run(bench, &site, &mails, 8)?;
    let row =
        Row::ratio(format!("{number} new senders, 8 at a time: mails a second, to formail"), eight.rate.inverse());
    bench.tell(row.above(0.4, 0.55).noise(eight.noise).note(eight.note));
    let more = run(bench, &site, &mails, 32)?;
    let row =
        Row::new(format!("{number} new senders, 32 at a time: slowest in a hundred"), Unit::Millis, more.slow.median);
    bench.tell(row.below(150.0, 60.0).noise(more.noise).note(more.note));
    let failed = eight.failed + more.failed;
    let row = Row::new("the same, 8 and 32 at a time: failures", Unit::Count, f64::from(failed)).below(0.0, 0.0);
    bench.tell(row);
    if failed > 0 { Err(anyhow!("{failed} mails failed")) } else { Ok(()) }
}

struct Came {
    rate: Spread,
    /// The slowest in a hundred, in milliseconds, crowd by crowd.
    slow: Spread,
    failed: u32,
    noise: Option<String>,
    note: String,
}

fn run(bench: &Bench, site: &Site, mails: &[PathBuf], at_once: usize) -> Result<Came> {
    let (mut slow, mut failed) = (Vec::new(), 0);
    let formail = |_| {
        let crowd = crowd(mails, at_once, |_, mail| yardsticks::formail(mail))?;
        ensure!(crowd.failed == 0, "formail failed {} times", crowd.failed);
        Ok(crowd.seconds)
    };
    let (mut yardstick, mut control) = (formail, formail);
    let pairs = alternate(
        bench.few(),
        &mut yardstick,
        &mut |_| {
            site.restore("otab.db")?;
            let crowd = crowd(mails, at_once, |n, mail| site.filter(mail, &address(n)))?;
            slow.push(percentile(&crowd.each, 99).context("no mail")? * 1000.0);
            failed += crowd.failed;
            if crowd.failed == 0 {
                site.has_recorded(i64::try_from(mails.len())?)?;
            }
            Ok(crowd.seconds)
        },
        &mut control,
    )?;
    let rate = pairs.ratio()?;
    let slow = Spread::of(&slow).context("no crowd")?;
    let note = format!(
        "{} crowds; 99th percentile {:.0} ms ({:.0} to {:.0})",
        pairs.ours.len(),
        slow.median,
        slow.low,
        slow.high
    );
    Ok(Came { rate, slow, failed, noise: pairs.noise(), note })
}

struct Crowd {
    seconds: f64,
    each: Vec<f64>,
    failed: u32,
}

/// Runs the program over all mails, so many at once, the next as soon as one has ended.
fn crowd(mails: &[PathBuf], at_once: usize, call: impl Fn(usize, &Path) -> Call + Sync) -> Result<Crowd> {
    let next = AtomicUsize::new(0);
    let took = Mutex::new(Vec::with_capacity(mails.len()));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    let Some(mail) = mails.get(n) else { break };
                    let time = call(n, mail).time();
                    if let Ok(mut took) = took.lock() {
                        took.push(time);
                    }
                }
            });
        }
    });
    let seconds = start.elapsed().as_secs_f64();
    let took = took.into_inner().map_err(|_| anyhow!("a thread has died"))?;
    let failed = u32::try_from(took.iter().filter(|time| time.is_err()).count())?;
    Ok(Crowd { seconds, each: took.into_iter().flatten().collect(), failed })
}
