//! otab's benchmark: otab and its yardsticks in alternating pairs, as a table of ratios. `benches/run` builds and
//! starts it. It ends with 0 however fast otab is, and with 1 where something failed: a mail was lost or changed, or a
//! program did not run.

mod bench;
mod call;
mod figures;
mod floor;
mod machine;
mod mails;
mod pairs;
mod print;
mod recorded;
mod row;
mod rows;
mod serve;
#[allow(dead_code, clippy::unwrap_used, clippy::expect_used, reason = "the tests' own, whole")]
#[path = "../tests/all/servers/server.rs"]
mod server;
mod site;
mod yardsticks;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;

use bench::{Bench, Wishes};
use row::Row;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let done = if words.next().as_deref() == Some("floor") {
        floor::run(words).map(|()| true)
    } else {
        measure(Wishes::parse())
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            print::aside(&format!("benches/run: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing failed.
fn measure(wishes: Wishes) -> Result<bool> {
    let names: Vec<&str> = rows::ALL.iter().map(|group| group.name).collect();
    for name in &wishes.only {
        ensure!(names.contains(&name.as_str()), "no group of rows is called {name}; there are: {}", names.join(", "));
    }
    let wishes = Wishes { otab: wishes.otab.canonicalize().context("the binary of otab")?, ..wishes };
    let folder = folder()?;
    let machine = machine::describe(folder.path(), &wishes.otab)?;
    print::line(&machine);
    print::line(&Row::heading());
    let mut bench = Bench::new(wishes, folder);
    let mut whole = true;
    for group in rows::ALL {
        let only = &bench.wishes.only;
        let wanted =
            if only.is_empty() { !group.long || bench.wishes.long } else { only.iter().any(|n| n == group.name) };
        if !wanted {
            continue;
        }
        if let Err(error) = (group.measure)(&mut bench) {
            print::line(&format!("FAILED: {}: {error:#}", group.name));
            whole = false;
        }
    }
    if let Some(path) = &bench.wishes.json {
        let rows: Vec<_> = bench.rows.iter().map(Row::json).collect();
        let all = serde_json::json!({ "machine": machine, "whole": whole, "rows": rows });
        std::fs::write(path, format!("{all:#}\n")).with_context(|| path.display().to_string())?;
    }
    Ok(whole)
}

/// `$TMPDIR`, or a folder beside what is built: the system's temporary one may be no disk.
fn folder() -> Result<tempfile::TempDir> {
    let beside = || PathBuf::from(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    let place = std::env::var_os("TMPDIR").map_or_else(beside, PathBuf::from);
    std::fs::create_dir_all(&place).with_context(|| place.display().to_string())?;
    tempfile::Builder::new().prefix("otab-").tempdir_in(&place).with_context(|| place.display().to_string())
}
