//! The rows of the table.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::call::{Call, End, Expect};
use crate::figures::{Spread, median, percentile};
use crate::method::{self, alternate};
use crate::site::{KNOWN, Site, USUAL, address};
use crate::{Result, Wishes};

/// A row's name, and how it is measured.
type Row = (&'static str, fn(&Wishes) -> Result<()>);

/// All of them, in the order of the table.
pub const ALL: [Row; 7] = [
    ("known", known),
    ("new", new),
    ("large", large),
    ("pipe", pipe),
    ("memory", memory),
    ("crowd", crowds),
    ("storm", storms),
];

/// The field that formail sets.
const FIELD: &str = "X-OTOBO-CustomerUser: x";

/// The stores are put back after so many mails, so that none grows beyond a small site's.
const FRESH: usize = 50;

impl Wishes {
    fn site(&self, name: &str) -> Result<Site> {
        Site::new(&self.otab, &self.folder.join(name))
    }

    fn rounds(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(8) } else { usual }
    }
}

fn formail(mail: &Path) -> Call {
    Call::new(["/usr/bin/formail", "-f", "-I", FIELD], mail, Expect::Field(FIELD))
}

fn to_formail(bench: &Wishes, site: &Site, work: &str, mail: &Path, most: f64) -> Result<()> {
    let (theirs, ours) = (formail(mail), site.filter(mail, KNOWN));
    theirs.check()?;
    ours.check()?;
    alternate(bench.rounds(300), || theirs.time(), || ours.time())?.tell(work, most);
    Ok(())
}

/// A sender who is known and has a password: nothing is due, and the mail goes on at once.
fn known(bench: &Wishes) -> Result<()> {
    let site = bench.site("known")?;
    let mail = site.mail("mail", KNOWN, 0, USUAL)?;
    to_formail(bench, &site, "known sender, 4 KB: to formail", &mail, 2.3)?;
    site.has_recorded("otab.db", 0)
}

/// Mails with much to read.
fn large(bench: &Wishes) -> Result<()> {
    let site = bench.site("large")?;
    let mail = site.mail("mail", KNOWN, 0, 1 << 20)?;
    to_formail(bench, &site, "known sender, 1 MB: to formail", &mail, 1.0)?;
    let mail = site.mail("mail", KNOWN, 2000, 256 << 10)?;
    to_formail(bench, &site, "known sender, 2,000 fields: to formail", &mail, 1.0)
}

/// A sender who has never written: customer, token and order are on the disk before the mail goes on.
fn new(bench: &Wishes) -> Result<()> {
    let site = bench.site("new")?;
    let statements = site.statements()?;
    let (theirs, ours) = (Cell::new(0), Cell::new(0));
    // The number of the next sender, after the store was put back where that is due.
    let next = |counter: &Cell<usize>, store: &str| -> Result<usize> {
        let number = counter.replace(counter.get() + 1);
        if number.is_multiple_of(FRESH) {
            if number > 0 {
                site.has_recorded(store, FRESH)?;
            }
            site.restore(store)?;
        }
        Ok(number)
    };
    let shell = || {
        let number = next(&theirs, "shell.db")?;
        let script = site.path("script");
        std::fs::write(&script, statements(&address(number)))?;
        let store = site.path("shell.db");
        Call::new([Path::new("/usr/bin/sqlite3"), "-bail".as_ref(), &store], &script, Expect::Anything).time()
    };
    let otab = || site.new_sender(&address(next(&ours, "otab.db")?))?.time();
    let rounds = alternate(bench.rounds(300), shell, otab)?;
    rounds.tell("new sender: to the sqlite3 shell with the same rows", 1.3);
    site.has_recorded("otab.db", (ours.get() - 1) % FRESH + 1)
}

/// `cat MAIL | otab | cat > /dev/null`, to the same with cat in the middle.
fn pipe(bench: &Wishes) -> Result<()> {
    let site = bench.site("pipe")?;
    let mail = site.mail("mail", KNOWN, 0, 100 << 20)?;
    let (cat, ours) = (Call::new(["/bin/cat"], &mail, Expect::Anything), site.filter(&mail, KNOWN));
    let out = site.path("out");
    ours.time_in_pipes(&out)?;
    if !ours.holds(&std::fs::read(&out)?)? {
        return Err("the mail came out changed".into());
    }
    let nowhere = Path::new("/dev/null");
    let rounds = alternate(bench.rounds(60), || cat.time_in_pipes(nowhere), || ours.time_in_pipes(nowhere))?;
    rounds.tell("100 MB, pipe to pipe: to cat", 1.0);
    Ok(())
}

/// Peak memory by the mail's size, from pipe to pipe, as GNU time sees it.
fn memory(bench: &Wishes) -> Result<()> {
    let site = bench.site("memory")?;
    let (told, out) = (site.path("time"), site.path("out"));
    let largest = if bench.long { 1 << 30 } else { 100 << 20 };
    let mut peaks = Vec::new();
    for bytes in [USUAL, 1 << 20, largest] {
        let mail = site.mail("mail", KNOWN, 0, bytes)?;
        let ours = site.filter(&mail, KNOWN);
        let measured = ours.behind(["/usr/bin/time", "-f", "%M", "-o", &told.to_string_lossy()]);
        let mut runs = Vec::new();
        for _ in 0..if bytes == largest { 2 } else { 5 } {
            measured.time_in_pipes(&out)?;
            if std::fs::metadata(&out)?.len() <= bytes {
                return Err("the mail came out shorter".into());
            }
            runs.push(std::fs::read_to_string(&told)?.trim().parse::<f64>()?);
        }
        peaks.push(median(&runs).ok_or("no run")?);
    }
    let (most, least) = (peaks.iter().copied().fold(0.0, f64::max), peaks[0]);
    let work = format!("peak memory, mails of 4 KB to {} MB", largest >> 20);
    method::tell(&work, &format!("{most:.0} KiB"), "", "<= 6144 KiB", most <= 6144.0);
    method::tell(
        "    how much more than for 4 KB",
        &format!("{:.0} KiB", most - least),
        "",
        "<= 256 KiB",
        most - least <= 256.0,
    );
    Ok(())
}

/// What came of many mails at the same time.
struct Crowd {
    /// The slowest in a hundred, in seconds.
    slowest: f64,
    /// Mails that went on, a second.
    rate: f64,
    deferred: u32,
}

/// Filters mails of so many new senders, so many at once, the next as soon as one has ended.
fn crowd(site: &Site, mails: &[PathBuf], at_once: usize) -> Result<Crowd> {
    site.restore("otab.db")?;
    let next = AtomicUsize::new(0);
    let ends = Mutex::new(Vec::with_capacity(mails.len()));
    let take = || {
        let n = next.fetch_add(1, Ordering::Relaxed);
        (n, mails.get(n))
    };
    let start = Instant::now();
    std::thread::scope(|scope| -> Result<()> {
        for _ in 0..at_once {
            let work = || {
                while let (n, Some(mail)) = take() {
                    let end = site.filter(mail, &address(n)).end();
                    if let Ok(mut ends) = ends.lock() {
                        ends.push(end);
                    }
                }
            };
            std::thread::Builder::new().stack_size(128 << 10).spawn_scoped(scope, work)?;
        }
        Ok(())
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let ends = ends.into_inner().map_err(|_| "a thread has died")?.into_iter().collect::<Result<Vec<_>>>()?;
    let count = |wanted: End| ends.iter().filter(|(_, end)| *end == wanted).count();
    let (passed, deferred) = (count(End::Passed), count(End::Deferred));
    if passed + deferred < mails.len() {
        return Err(format!("{} of {} mails failed", mails.len() - passed - deferred, mails.len()).into());
    }
    site.has_recorded("otab.db", passed)?;
    let times: Vec<f64> = ends.iter().map(|(seconds, _)| *seconds).collect();
    let rate = f64::from(u32::try_from(passed)?) / seconds;
    Ok(Crowd { slowest: percentile(&times, 99).ok_or("no mail")?, rate, deferred: u32::try_from(deferred)? })
}

/// The same crowd of this otab and, where one is given, of the other one in turns.
fn crowds_of(bench: &Wishes, number: usize, at_once: usize, rounds: usize) -> Result<(Vec<Crowd>, Vec<Crowd>)> {
    let name = format!("crowd-{number}-{at_once}");
    let ours = bench.site(&name)?;
    let theirs = bench.against.as_ref().map(|otab| Site::new(otab, &bench.folder.join(format!("{name}-against"))));
    let theirs = theirs.transpose()?;
    let mails = (0..number).map(|n| ours.mail(&format!("mail-{n}"), &address(n), 0, USUAL));
    let mails = mails.collect::<Result<Vec<_>>>()?;
    let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
    for _ in 0..if bench.quick { 1 } else { rounds } {
        if let Some(theirs) = &theirs {
            of_theirs.push(crowd(theirs, &mails, at_once)?);
        }
        of_ours.push(crowd(&ours, &mails, at_once)?);
    }
    Ok((of_ours, of_theirs))
}

/// The middle of one of a crowd's numbers, as text with its quartiles and as a ratio to the others'.
fn compared(ours: &[Crowd], theirs: &[Crowd], number: impl Fn(&Crowd) -> f64) -> Result<(f64, String, Option<f64>)> {
    let numbers = |crowds: &[Crowd]| crowds.iter().map(&number).collect::<Vec<_>>();
    let spread = Spread::of(&numbers(ours)).ok_or("no crowd")?;
    let ratio = median(&numbers(theirs)).map(|theirs| spread.median / theirs);
    Ok((spread.median, format!("{:.0} to {:.0}", spread.low, spread.high), ratio))
}

/// A thousand new senders, few at a time.
fn crowds(bench: &Wishes) -> Result<()> {
    for at_once in [8, 32] {
        let (ours, theirs) = crowds_of(bench, 1000, at_once, 5)?;
        let work = format!("1,000 new senders, {at_once} at a time");
        let deferred: u32 = ours.iter().map(|crowd| crowd.deferred).sum();
        method::tell(&format!("{work}: deferred"), &deferred.to_string(), "", "<= 0", deferred == 0);
        let (millis, quartiles, ratio) = compared(&ours, &theirs, |crowd| crowd.slowest * 1000.0)?;
        method::tell(&format!("{work}: slowest in a hundred"), &format!("{millis:.0} ms"), &quartiles, "", true);
        if let Some(ratio) = ratio {
            method::tell("    to the other otab", &format!("{ratio:.2}"), "", "<= 2.5", ratio <= 2.5);
        }
    }
    Ok(())
}

/// As after a mail server was down: all at once.
fn storms(bench: &Wishes) -> Result<()> {
    for (number, may_defer) in [(500, false), (2000, true)] {
        let (ours, theirs) = crowds_of(bench, number, number, 3)?;
        let deferred = |crowds: &[Crowd]| median(&crowds.iter().map(|c| f64::from(c.deferred)).collect::<Vec<_>>());
        let (work, defers) = (format!("{number} new senders at once"), deferred(&ours).ok_or("no crowd")?);
        let reach = if may_defer { "" } else { "<= 0" };
        method::tell(&format!("{work}: deferred"), &format!("{defers:.0}"), "", reach, may_defer || defers < 1.0);
        let (rate, quartiles, ratio) = compared(&ours, &theirs, |crowd| crowd.rate)?;
        method::tell(&format!("{work}: taken a second"), &format!("{rate:.0}"), &quartiles, "", true);
        if let (Some(ratio), Some(defers)) = (ratio, deferred(&theirs)) {
            let work = format!("    to the other otab, which deferred {defers:.0}");
            method::tell(&work, &format!("{ratio:.2}"), "", ">= 0.5", ratio >= 0.5);
        }
    }
    Ok(())
}
