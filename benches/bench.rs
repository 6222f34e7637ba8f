//! What all rows share: the program that is measured, the folder for everything, the wishes of the command line, and
//! where results go.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use tempfile::TempDir;

use crate::pairs::Plan;
use crate::row::Row;
use crate::site::Site;

/// The benchmark of otab: see the README, section "How fast it is".
#[derive(clap::Parser, Debug)]
#[command(name = "benches/run", disable_version_flag = true)]
pub struct Wishes {
    /// Fewer pairs and smaller crowds: to see that it works.
    #[arg(long)]
    pub quick: bool,
    /// Only these groups of rows; a name that is none lists them.
    #[arg(long, value_name = "NAME", num_args = 1..)]
    pub only: Vec<String>,
    /// A mail of a gigabyte, and a million customers and tokens, too.
    #[arg(long)]
    pub long: bool,
    /// How many customers and tokens that are.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub rows: i64,
    /// Writes the results there as JSON, too.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measures this binary of otab instead of the one just built.
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_otab"))]
    pub otab: PathBuf,
    /// What cargo adds.
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// A run of the benchmark.
pub struct Bench {
    /// What was asked for.
    pub wishes: Wishes,
    folder: TempDir,
    /// The rows so far.
    pub rows: Vec<Row>,
}

impl Bench {
    /// Everything is made in `folder` and goes with the run.
    pub fn new(wishes: Wishes, folder: TempDir) -> Self {
        Self { wishes, folder, rows: Vec::new() }
    }

    /// A file or folder of this run.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new site on SQLite.
    pub fn site(&self, name: &str) -> Result<Site> {
        Site::new(&self.wishes.otab, &self.path(name))
    }

    /// Either of two numbers, as the run is quick or not.
    pub fn either<T>(&self, usual: T, quick: T) -> T {
        if self.wishes.quick { quick } else { usual }
    }

    /// For programs that take milliseconds.
    pub fn many(&self) -> Plan {
        self.either(
            Plan { warm: 20, pairs: 300, time: Duration::from_mins(1) },
            Plan { warm: 4, pairs: 40, time: Duration::from_secs(10) },
        )
    }

    /// For those that take longer.
    pub fn some(&self) -> Plan {
        self.either(
            Plan { warm: 4, pairs: 100, time: Duration::from_mins(1) },
            Plan { warm: 1, pairs: 12, time: Duration::from_secs(10) },
        )
    }

    /// For crowds.
    pub fn few(&self) -> Plan {
        self.either(
            Plan { warm: 1, pairs: 7, time: Duration::from_mins(4) },
            Plan { warm: 0, pairs: 5, time: Duration::from_secs(10) },
        )
    }

    /// Shows a row at once, and keeps it.
    pub fn tell(&mut self, row: Row) {
        crate::print::line(&row.lines());
        self.rows.push(row);
    }
}
