//! When a pass of the sender is due: looks again and again, for `otab notify --watch` and for the worker of `otab serve`.

use std::time::Duration;

use super::failure::{Done, Ends, Failure};
use super::newcomers;
#[cfg(feature = "door")]
use super::newcomers::Told;
#[cfg(feature = "door")]
use super::notify;
use super::notify::Kit;
use super::people;
use super::site::Site;
use super::wake;
use crate::clock;
use crate::config;
use crate::exit::Exit;
use crate::link::queue;
use crate::log::Log;

/// How often it is looked whether something is due, and the pause where a pass has failed.
const LOOK: Duration = Duration::from_secs(10);
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Starts a sender whenever an order is due. Each is a process of its own: what it leaves behind at a mail
/// server that hangs ends with it, and a new otab is used once it is there.
pub fn watch(site: &Site, log: &Log) -> Done {
    let sends = match Kit::read(site) {
        Ok(_) => true,
        Err(_) if newcomers::are_told(site) && site.config.mail.transport == config::Transport::None => false,
        Err(failure) => return Err(failure),
    };
    let look = || if is_due(site, sends)? { start_pass(site, sends) } else { Ok(()) };
    let pause = |pause| {
        std::thread::sleep(pause);
        false
    };
    look_until(look, |text| log.error(text), pause);
    Ok(Exit::Ok)
}

/// One look, and one pass in this process if there is something to do. Without a kit no link mail is sent.
#[cfg(feature = "door")]
pub fn send_due(
    site: &Site,
    log: &Log,
    kit: Option<&std::sync::Arc<Kit>>,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    if !is_due(site, kit.is_some())? {
        return Ok(());
    }
    match notify::once(site, log, kit, goes_on, &mut Told::Nobody) {
        Ok(Exit::Ok) => Ok(()),
        // The log says already what has failed.
        Ok(exit) => Err(Failure::new(exit, "what is left is tried again later")),
        Err(failure) if kit.is_none() && failure.exit == Exit::Config => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Looks again and again, until `pause` says that it is over. The same trouble is logged once.
pub fn look_until(look: impl Fn() -> Result<(), Failure>, log: impl Fn(&str), pause: impl Fn(Duration) -> bool) {
    let mut told = String::new();
    loop {
        let failed = look().err().map(|failure| format!("{:#}", failure.error)).unwrap_or_default();
        if !failed.is_empty() && failed != told {
            log(&format!("link mails: {failed}"));
        }
        if pause(if failed.is_empty() { LOOK } else { AFTER_FAILURE }) {
            return;
        }
        told = failed;
    }
}

/// Whether a link mail is due (if any can leave, as `sends` says), or the helpdesk has to be told of a newcomer.
fn is_due(site: &Site, sends: bool) -> Result<bool, Failure> {
    let is_due = sends && queue::is_due(people::reading().get(&site.store)?, clock::now())?;
    Ok(is_due || newcomers::are_ready(site)?)
}

/// One pass, by a process of its own.
fn start_pass(site: &Site, sends: bool) -> Result<(), Failure> {
    let started = wake::notify(&site.config).and_then(|mut notify| notify.spawn());
    let mut notify = started.ends(Exit::Unavailable, "otab notify cannot be started")?;
    match notify.wait().ends(Exit::Unavailable, "otab notify was started, and how it ended is unknown")? {
        status if status.success() => Ok(()),
        status if !sends && status.code() == Some(Exit::Config.code().into()) => Ok(()),
        status => Err(Failure::new(Exit::TempFail, format!("otab notify: {status}"))),
    }
}
