//! What the service manager is told (`sd_notify(3)`), if there is one.

use sd_notify::NotifyState;

use crate::log::Log;

/// All parts run.
pub fn ready(log: &Log) {
    tell(log, &[NotifyState::Ready]);
}

/// The configuration is read anew. systemd wants to know when that began.
pub fn reloading(log: &Log) {
    let now = NotifyState::monotonic_usec_now().ok();
    tell(log, &[Some(NotifyState::Reloading), now].into_iter().flatten().collect::<Vec<_>>());
}

/// It has been read. A refusal cannot be said otherwise: the service goes on.
pub fn reloaded(log: &Log, is_in_force: bool) {
    let status = if is_in_force {
        "the configuration that was read last is in force"
    } else {
        "the configuration that was read last is refused, the one before is in force: see the log"
    };
    tell(log, &[NotifyState::Ready, NotifyState::Status(status)]);
}

/// Nothing new begins.
pub fn stopping(log: &Log) {
    tell(log, &[NotifyState::Stopping]);
}

fn tell(log: &Log, states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        log.warning(&format!("serve: systemd cannot be notified: {error}"));
    }
}
