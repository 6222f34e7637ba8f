//! The pipe: one mail, one process. `otab filter`, `otab deliver` and `otab outgoing`, their exit contract, spool and
//! deadline.

mod contract;
mod deadline;
mod deliver;
mod filter;
mod intake;
mod outgoing;
mod output;
mod recipient;
mod splice;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

pub use contract::complain;
pub use filter::Next;
pub use outgoing::run as outgoing;

use crate::config;
use crate::policy::Envelope;
use deadline::Deadline;

/// The limit for the decision until the configuration has been read (`limits.decide`'s default).
const DECIDE: Duration = Duration::from_secs(8);

/// Passes the mail on standard input on. `backend`: another source to create customers in than the configured one.
#[must_use]
pub fn filter(config: Option<&Path>, envelope: &Envelope, backend: Option<&str>, next: Next<'_>) -> ExitCode {
    contract::quiet_panics();
    contract::run(std::panic::AssertUnwindSafe(|| {
        let deadline = Deadline::start(DECIDE);
        let path = config::locate(config, std::env::var_os("OTAB_CONFIG"));
        filter::run(&path, envelope, backend, next, &deadline)
    }))
}
