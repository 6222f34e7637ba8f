//! How commands in the mail path end: with 0 or 75, and one line on standard error (promises 2 and 3).
//!
//! Mail servers copy standard error into bounces and logs that others read, so the line names no
//! address, token, path or URL. Details go to the log, and to standard error only when a person sits
//! in front of it.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use crate::engine::{Deferred, named};
use crate::exit::Exit;
use crate::log::{Log, Settings};

/// The log, once the configuration has said where it is. Process-wide, since the time limit and a
/// panic end the process from wherever they happen, and have to be told, too.
static LOG: OnceLock<Arc<Log>> = OnceLock::new();
/// The mail in hand, as the log names it.
static MAIL: OnceLock<String> = OnceLock::new();

/// Sets the log for the rest of the run.
pub fn log_to(log: &Arc<Log>) {
    let _ = LOG.set(Arc::clone(log));
}

/// The log. Before there is a configuration, the system's own has to do.
pub fn log() -> &'static Log {
    LOG.get_or_init(|| Arc::new(Log::open(&Settings::default())))
}

/// Names the mail for the rest of the run: by its Message-ID, where it has one.
pub fn about(message_id: Option<&str>) {
    let _ = MAIL.set(named(message_id).to_owned());
}

/// Tells the log why a mail is deferred.
fn tell(public: &str, detail: &str) {
    let log = log();
    let mail = MAIL.get().map_or("<>", String::as_str);
    log.error(&format!("{mail}: deferred: {public}: {detail}"));
}

/// Tells the log the whole story, and standard error its one line. Standard error may be closed or full: nothing can be done about that, and it
/// must not change how the command ends.
pub fn complain(public: &str, detail: &str) {
    tell(public, detail);
    let mut stderr = std::io::stderr().lock();
    if stderr.is_terminal() && !detail.is_empty() {
        let _ = writeln!(stderr, "4.3.0 otab defers the mail: {public}: {detail}");
    } else {
        let _ = writeln!(stderr, "4.3.0 otab defers the mail: {public}");
    }
}

/// Ends the process with 75 at once, from whichever thread.
pub fn give_up(public: &str) -> ! {
    complain(public, "");
    std::process::exit(i32::from(Exit::TempFail.code()))
}

/// Makes a panic one quiet line. The unwinding then ends in [`run`], so that databases are closed.
pub fn quiet_panics() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        complain("internal error", &place);
    }));
}

/// Runs a command of the mail path: whatever happens becomes 0 or 75, or the status that the command
/// was asked to pass on.
pub fn run(command: impl FnOnce() -> Result<u8, Deferred> + std::panic::UnwindSafe) -> ExitCode {
    let exit = match std::panic::catch_unwind(command) {
        Ok(Ok(status)) => return ExitCode::from(status),
        Ok(Err(deferred)) => {
            complain(deferred.public, &deferred.detail);
            Exit::TempFail
        }
        // The hook has spoken already.
        Err(_) => Exit::TempFail,
    };
    exit.into()
}
