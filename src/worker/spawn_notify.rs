//! Starts the sender of link mails beside the mail path, which never speaks to a mail server itself.
//!
//! Where that fails nothing is lost: the order stands in the outbox, and the next mail or the timer wakes
//! the sender as well.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::config::{Config, Transport};
use crate::log::Log;

/// What it is started for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A link mail may be due. Where none can leave, there is nothing to do.
    Order,
    /// A customer has been made of whom the helpdesk has not been told.
    Newcomer,
}

/// Starts `otab notify` in the background and does not wait for it. It has none of the pipes by whose end
/// a mail server sees that a filter is done, stands in no folder, and is in a process group of its own: who
/// ends the filter's does not end it. Who goes on afterwards has to look after the process that is returned.
pub fn sender(config: &Config, log: &Log, why: Why) -> Option<Child> {
    let has_work = why == Why::Newcomer || config.mail.transport != Transport::None;
    if !config.mail.wake || !has_work {
        return None;
    }
    let started = notify(config).and_then(|mut notify| {
        notify.current_dir("/").process_group(0);
        notify.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
    });
    started.inspect_err(|error| log.warning(&format!("link mails: the sender cannot be started: {error}"))).ok()
}

/// `otab notify` with this configuration, ready to be started.
pub fn notify(config: &Config) -> io::Result<Command> {
    otab(config, "notify")
}

/// A command of otab's with this configuration, ready to be started. What systemd told this process is not for it.
pub fn otab(config: &Config, name: &str) -> io::Result<Command> {
    let path = config.path.as_ref().ok_or_else(|| io::Error::other("the configuration is no file"))?;
    let mut command = Command::new(program()?);
    command.arg("--config").arg(path).arg(name);
    command.env_remove("NOTIFY_SOCKET").env_remove("LISTEN_FDNAMES");
    Ok(command)
}

/// This program, or the one that an update has put in its place meanwhile.
fn program() -> io::Result<PathBuf> {
    let now = std::env::current_exe()?;
    if now.exists() {
        return Ok(now);
    }
    // proc(5): the name of a file that has been replaced or removed ends so.
    let before = now.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    Ok(before.filter(|path| path.exists()).unwrap_or_else(|| "/proc/self/exe".into()))
}
