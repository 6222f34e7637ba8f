//! Larger mails: one of a megabyte, and one of very many fields.

use anyhow::Result;

use crate::bench::Bench;
use crate::pairs::{alternate, program};
use crate::row::Row;
use crate::site::KNOWN;
use crate::{mails, yardsticks};

/// Both to formail.
pub fn measure(bench: &mut Bench) -> Result<()> {
    let site = bench.site("fields")?;
    let mail = site.path("mail");
    for (work, fields, bytes, reach, aim) in [
        ("known sender, 1 MB: wall, to formail", 0, 1 << 20, 0.15, 0.08),
        ("known sender, 2,000 fields: wall, to formail", 2000, 0, 0.35, 0.2),
    ] {
        mails::write_with(&mail, KNOWN, fields, bytes)?;
        let pairs = alternate(
            bench.some(),
            &mut program(|_| Ok(yardsticks::formail(&mail))),
            &mut program(|_| Ok(site.filter(&mail, KNOWN))),
            &mut program(|_| Ok(yardsticks::formail(&mail))),
        )?;
        let row = Row::ratio(work, pairs.ratio()?).below(reach, aim);
        bench.tell(row.noise(pairs.noise()).note(pairs.note()));
    }
    Ok(())
}
