//! otab's benchmark: otab and a yardstick in turns, as one table of ratios. `benches/run` builds and starts it. It ends
//! with 0 however fast otab is, and with 1 where a mail was lost or changed, or a program did not run.

mod call;
mod figures;
mod method;
mod rows;
mod site;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

/// What the command line asks for.
struct Wishes {
    /// Everything is made there. It has to be on a real disk.
    folder: PathBuf,
    otab: PathBuf,
    /// Another otab, to which crowds are compared.
    against: Option<PathBuf>,
    quick: bool,
    long: bool,
    only: Vec<String>,
}

fn main() -> ExitCode {
    match wishes().map(|wishes| measure(&wishes)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "benches/run: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wishes() -> Result<Wishes> {
    let built = option_env!("CARGO_BIN_EXE_otab").unwrap_or("otab");
    let folder = std::env::temp_dir();
    let mut wishes = Wishes { folder, otab: built.into(), against: None, quick: false, long: false, only: Vec::new() };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut file = || -> Result<PathBuf> {
            let file = words.next().ok_or(format!("{word}: which file?"))?;
            std::fs::canonicalize(&file).map_err(|error| format!("{file}: {error}").into())
        };
        match word.as_str() {
            "--otab" => wishes.otab = file()?,
            "--against" => wishes.against = Some(file()?),
            "--quick" => wishes.quick = true,
            "--long" => wishes.long = true,
            // What cargo adds.
            "--bench" => {}
            name if rows::ALL.iter().any(|row| row.0 == name) => wishes.only.push(word),
            _ => {
                let names: Vec<_> = rows::ALL.iter().map(|row| row.0).collect();
                return Err(format!("{word} is no option, and no row: there are {}", names.join(", ")).into());
            }
        }
    }
    Ok(wishes)
}

/// Whether nothing failed.
fn measure(wishes: &Wishes) -> bool {
    method::heading();
    let mut whole = true;
    for (name, measure) in rows::ALL {
        let only = &wishes.only;
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        if let Err(error) = measure(wishes) {
            method::line(&format!("FAILED: {name}: {error}"));
            whole = false;
        }
    }
    whole
}
