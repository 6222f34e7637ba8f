//! A sender who is known and has a password: nothing is due, and the mail goes on at once.

use std::path::Path;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::call::Call;
use crate::figures::median;
use crate::pairs::{alternate, program};
use crate::row::{Row, Unit};
use crate::site::{KNOWN, WITHOUT_PASSWORD};
use crate::{mails, yardsticks};

/// otab to formail.
pub fn wall(bench: &mut Bench) -> Result<()> {
    let site = bench.site("known-wall")?;
    let mail = site.known_mail()?;
    let pairs = alternate(
        bench.many(),
        &mut program(|_| Ok(yardsticks::formail(&mail))),
        &mut program(|_| Ok(site.filter(&mail, KNOWN))),
        &mut program(|_| Ok(yardsticks::formail(&mail))),
    )?;
    let row = Row::ratio("known sender, 4 KB: wall, to formail", pairs.ratio()?);
    bench.tell(row.below(1.3, 0.9).noise(pairs.noise()).note(pairs.note()));
    site.has_recorded(0)
}

/// The same, counted.
pub fn instructions(bench: &mut Bench) -> Result<()> {
    let site = bench.site("known-instructions")?;
    let mail = site.known_mail()?;
    // The first run of all may have more to do.
    site.filter(&mail, KNOWN).check()?;
    let ours = counted(bench, &site.filter(&mail, KNOWN))?;
    let theirs = counted(bench, &yardsticks::formail(&mail))?;
    let note = format!("{:.2} million against {:.2} million", ours / 1e6, theirs / 1e6);
    let row = Row::new("known sender, 4 KB: instructions, to formail", Unit::Ratio, ours / theirs);
    bench.tell(row.below(1.2, 0.7).note(note));
    Ok(())
}

/// Instructions of all threads, the loader's included, as callgrind counts them: the middle of three runs.
fn counted(bench: &Bench, call: &Call) -> Result<f64> {
    let file = bench.path("callgrind");
    let mut counts = Vec::new();
    for _ in 0..3 {
        let out = format!("--callgrind-out-file={}", file.display());
        call.behind(["/usr/bin/valgrind", "-q", "--tool=callgrind", &out]).check()?;
        counts.push(total(&file)?);
    }
    median(&counts).context("no run")
}

fn total(file: &Path) -> Result<f64> {
    let text = std::fs::read_to_string(file)?;
    let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).context("callgrind has no totals")?;
    Ok(total.split_whitespace().next().context("callgrind has no totals")?.parse()?)
}

/// For information: other filters to formail, and otab where a token is due.
pub fn others(bench: &mut Bench) -> Result<()> {
    let site = bench.site("others")?;
    let mail = site.known_mail()?;
    let filters = [
        ("reformail", yardsticks::reformail(&mail)),
        ("maildrop, reformail as xfilter", yardsticks::maildrop(bench, &mail)?),
        ("procmail, formail as filter", yardsticks::procmail(bench, &mail)?),
        ("Perl's Mail::Internet", yardsticks::perl(&mail)),
        ("Python's email", yardsticks::python(&mail)),
    ];
    for (name, call) in filters {
        let work = format!("info: {name}: wall, to formail");
        to_formail(bench, &work, &mail, |_| Ok(call.clone()))?;
    }
    let mut due = 0;
    to_formail(bench, "info: known sender, a token due: wall, to formail", &mail, |round| {
        due += 1;
        // Another Message-ID each time.
        let mail = site.path("due");
        mails::write(&mail, WITHOUT_PASSWORD, mails::USUAL)?;
        let text = std::fs::read_to_string(&mail)?;
        mails::put(&mail, &text.replacen(".mail>", &format!(".{round}>"), 1))?;
        Ok(site.filter(&mail, WITHOUT_PASSWORD))
    })?;
    site.has_recorded(due)
}

fn to_formail(bench: &mut Bench, work: &str, mail: &Path, ours: impl FnMut(usize) -> Result<Call>) -> Result<()> {
    let pairs = alternate(
        bench.some(),
        &mut program(|_| Ok(yardsticks::formail(mail))),
        &mut program(ours),
        &mut program(|_| Ok(yardsticks::formail(mail))),
    )?;
    bench.tell(Row::ratio(work, pairs.ratio()?).noise(pairs.noise()).note(pairs.note()));
    Ok(())
}
