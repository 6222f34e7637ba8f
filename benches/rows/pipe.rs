//! 100 MB from pipe to pipe, to cat in the same place.

use std::path::Path;

use anyhow::Result;

use crate::bench::Bench;
use crate::call::{Call, Expect};
use crate::mails;
use crate::pairs::alternate;
use crate::row::Row;
use crate::site::KNOWN;

/// `cat MAIL | otab | cat > /dev/null`, to the same with cat in the middle.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let site = bench.site("pipe")?;
    let mail = site.path("mail");
    mails::write(&mail, KNOWN, 100 << 20)?;
    let ours = site.filter(&mail, KNOWN);
    let out = site.path("out");
    ours.time_in_pipes(&out)?;
    ours.holds(&std::fs::read(&out)?)?;
    std::fs::remove_file(&out)?;
    let cat = Call::new(["/bin/cat"], &mail, Expect::Anything);
    let nowhere = Path::new("/dev/null");
    let pairs = alternate(
        bench.some(),
        &mut |_| cat.time_in_pipes(nowhere),
        &mut |_| ours.time_in_pipes(nowhere),
        &mut |_| cat.time_in_pipes(nowhere),
    )?;
    let row = Row::ratio("100 MB, pipe to pipe: wall, to cat", pairs.ratio()?);
    bench.tell(row.below(1.0, 0.65).noise(pairs.noise()).note(pairs.note()));
    Ok(())
}
