//! When a pass of the sender is due: looks again and again, for `otab notify --watch` and for the worker of `otab serve`.

use std::time::Duration;

use crate::clock;
use crate::config;
use crate::engine::{self, Engine, newcomer};
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::log::Log;
use crate::store::queue;
use crate::worker::after_create;
#[cfg(feature = "door")]
use crate::worker::after_create::Told;
#[cfg(feature = "door")]
use crate::worker::notify;
use crate::worker::notify::Kit;
use crate::worker::spawn_notify;

/// How often it is looked whether something is due, and the pause where a pass has failed.
const LOOK: Duration = Duration::from_secs(10);
const AFTER_FAILURE: Duration = Duration::from_mins(1);

/// Starts a sender whenever an order is due. Each is a process of its own: what it leaves behind at a mail
/// server that hangs ends with it, and a new otab is used once it is there.
pub fn watch(engine: &Engine, log: &Log) -> Done {
    let sends = match Kit::read(engine) {
        Ok(_) => true,
        Err(_) if newcomer::are_announced(engine) && engine.config.mail.transport == config::Transport::None => false,
        Err(failure) => return Err(failure),
    };
    let look = || if is_due(engine, sends)? { start_pass(engine, sends) } else { Ok(()) };
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
    engine: &Engine,
    log: &Log,
    kit: Option<&std::sync::Arc<Kit>>,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    if !is_due(engine, kit.is_some())? {
        return Ok(());
    }
    match notify::once(engine, log, kit, goes_on, &mut Told::Nobody) {
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
fn is_due(engine: &Engine, sends: bool) -> Result<bool, Failure> {
    let is_due = sends && queue::is_due(engine::reading().get(&engine.store)?, clock::now())?;
    Ok(is_due || after_create::are_ready(engine)?)
}

/// One pass, by a process of its own.
fn start_pass(engine: &Engine, sends: bool) -> Result<(), Failure> {
    let started = spawn_notify::notify(&engine.config).and_then(|mut notify| notify.spawn());
    let mut notify = started.ends(Exit::Unavailable, "otab notify cannot be started")?;
    match notify.wait().ends(Exit::Unavailable, "otab notify was started, and how it ended is unknown")? {
        status if status.success() => Ok(()),
        status if !sends && status.code() == Some(Exit::Config.code().into()) => Ok(()),
        status => Err(Failure::new(Exit::TempFail, format!("otab notify: {status}"))),
    }
}
