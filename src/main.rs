//! The otab binary: arguments in, exit status out. All else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    otab::command::run()
}
