//! Starts the sender of link mails beside the mail path, which never speaks to a mail server itself.
//!
//! It fails quietly: the order stands in the outbox, and the next mail or cron wakes the sender as well.

use std::process::{Command, Stdio};

use crate::config::{Config, Transport};

/// Starts `otab notify` in the background and does not wait for it. It has no terminal, and none of
/// the pipes by whose end a mail server sees that a filter is done.
pub fn sender(config: &Config) {
    if !config.mail.wake || config.mail.transport == Transport::None {
        return;
    }
    let (Ok(otab), Some(path)) = (std::env::current_exe(), &config.path) else { return };
    let _ = Command::new(otab)
        .arg("--config")
        .arg(path)
        .args(["notify", "--detached"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}
