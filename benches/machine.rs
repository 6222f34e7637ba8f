//! The line about the machine, and whether others were at work on it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// More of one core's time than this for others, on average, and a row is marked.
const OTHERS: f64 = 0.25;

/// Processor, cores, kernel, file system of the folder, and how the program is linked.
pub fn describe(folder: &Path, program: &Path) -> Result<String> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, name)| name.trim());
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let [file_system, linkage] = [file_system(folder)?, linkage(program)?];
    let warning = if file_system == "tmpfs" { " (NO REAL DISK: syncs cost nothing here)" } else { "" };
    Ok(format!(
        "machine: {model}, {} cores, Linux {}; inputs on {file_system}{warning}; otab: {linkage}",
        cores()?,
        kernel.trim()
    ))
}

fn cores() -> Result<usize> {
    Ok(std::thread::available_parallelism()?.get())
}

fn file_system(folder: &Path) -> Result<String> {
    let output = Command::new("df").arg("--output=fstype").arg(folder).output().context("df")?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().nth(1).unwrap_or("an unknown file system").to_owned())
}

/// An ELF file that names an interpreter is linked dynamically; glibc leaves its own words in what it is linked into.
fn linkage(program: &Path) -> Result<String> {
    let bytes = fs::read(program).with_context(|| format!("cannot read {}", program.display()))?;
    let glibc = memchr::memmem::find(&bytes, b"GLIBC_").is_some();
    Ok(match (has_interpreter(&bytes), glibc) {
        (true, _) => "linked dynamically",
        (false, true) => "static, glibc",
        (false, false) => "static, musl",
    }
    .to_owned())
}

/// Whether one of the file's program headers is `PT_INTERP`, see elf(5): of 64 bits, in this machine's order of bytes.
fn has_interpreter(elf: &[u8]) -> bool {
    let half = |at: usize| elf.get(at..at + 2).map_or(0, |b| usize::from(u16::from_ne_bytes([b[0], b[1]])));
    let first = half(0x20) + (half(0x22) << 16);
    (0..half(0x38)).map(|n| first + n * half(0x36)).any(|at| half(at) == 3 && half(at + 2) == 0)
}

/// Looks how much of the machine others use.
pub struct Watch {
    start: Times,
}

/// Ticks since the machine or the process began.
struct Times {
    all: f64,
    busy: f64,
    own: f64,
}

impl Watch {
    /// From now on.
    pub fn start() -> Result<Self> {
        Ok(Self { start: Times::now()? })
    }

    /// How many cores others used since then: all that was busy less this process and the children it has waited for.
    pub fn others(&self) -> Result<f64> {
        let now = Times::now()?;
        let cores = f64::from(u32::try_from(cores()?)?);
        let whole = (now.all - self.start.all) / cores;
        let others = (now.busy - self.start.busy) - (now.own - self.start.own);
        Ok(if whole > 0.0 { (others / whole).max(0.0) } else { 0.0 })
    }

    /// What to say of others, if it is too much.
    pub fn noise(&self) -> Result<Option<String>> {
        let others = self.others()?;
        Ok((others > OTHERS).then(|| format!("others used {:.0} % of a core", others * 100.0)))
    }
}

impl Times {
    fn now() -> Result<Self> {
        // user nice system idle iowait irq softirq steal, see proc_stat(5).
        let stat = fs::read_to_string("/proc/stat")?;
        let all: Vec<f64> = stat.split_whitespace().skip(1).take(8).map(str::parse).collect::<Result<_, _>>()?;
        let busy = all.iter().sum::<f64>() - all[3] - all[4];
        // utime stime cutime cstime, see proc_pid_stat(5).
        let own = fs::read_to_string("/proc/self/stat")?;
        let own = own.rsplit_once(')').context("/proc/self/stat")?.1;
        let own: f64 = own.split_whitespace().skip(11).take(4).map(|n| n.parse().unwrap_or(0.0)).sum();
        Ok(Self { all: all.iter().sum(), busy, own })
    }
}
