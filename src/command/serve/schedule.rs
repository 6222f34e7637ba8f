//! What `otab serve` does beside the door where it is asked to: it starts `otab notify` when a link mail is due, and
//! `otab purge` once a day. Both are processes of their own, as with cron; none of them holds the door up.

use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::super::notify;
use super::super::site::Site;
use super::super::wake;
use crate::clock;
use crate::config::Transport;
use crate::log::Log;

/// How long is slept at most, since clocks are set and machines sleep.
const NAP: Duration = Duration::from_secs(30);

/// Tells the threads that it is over.
#[derive(Clone, Default)]
pub struct End(Arc<(Mutex<bool>, Condvar)>);

impl End {
    /// It is.
    pub fn tell(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Waits, unless it is over before; `true` where it is.
    fn wait(&self, pause: Duration) -> bool {
        let over = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(over, pause, |over| !*over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Starts the threads that the settings ask for.
pub fn start(site: &Arc<Site>, log: &Arc<Log>, end: &End) -> std::io::Result<()> {
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
    };
    let all = || (Arc::clone(site), Arc::clone(log), end.clone());
    if site.config.door.notify {
        let (site, log, end) = all();
        let sends = site.config.mail.transport != Transport::None;
        spawn("notify", Box::new(move || notify::look_until(&site, &log, sends, |pause| end.wait(pause))))?;
    }
    if let Some((hour, minute)) = site.config.door.purge {
        let (site, log, end) = all();
        let at = Time::new(hour, minute, 0, 0).unwrap_or(Time::midnight());
        spawn("purge", Box::new(move || purge_until(&site, &log, at, &end)))?;
    }
    Ok(())
}

fn purge_until(site: &Site, log: &Log, at: Time, end: &End) {
    let zone = TimeZone::system();
    let mut due = next(at, &zone, clock::now());
    while !end.wait(NAP) {
        let now = clock::now();
        if now < due {
            continue;
        }
        let started = wake::otab(&site.config, "purge")
            .and_then(|mut purge| purge.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn());
        match started.map(|mut purge| purge.wait()) {
            Ok(Ok(status)) if status.success() => {}
            Ok(Ok(status)) => log.error(&format!("door: otab purge: {status}")),
            Ok(Err(error)) => log.error(&format!("door: otab purge: how it ended is unknown: {error}")),
            Err(error) => log.error(&format!("door: otab purge cannot be started: {error}")),
        }
        due = next(at, &zone, clock::now());
    }
}

/// The next time of day after a moment. One that the clock jumps over in spring comes as much later.
fn next(at: Time, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let today = now.to_zoned_datetime(zone.clone()).date();
    let days = [Some(today), today.checked_add(1.day()).ok(), today.checked_add(2.days()).ok()];
    let moments = days.into_iter().flatten().filter_map(|day| day.to_datetime(at).to_zoned_datetime(zone.clone()).ok());
    let found = moments.map(|zoned| zoned.timestamp()).find(|moment| *moment > now);
    found.unwrap_or(now + SignedDuration::from_hours(24))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purge_comes_once_a_local_day_over_clock_changes() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (time, now, wanted) in [
            ((4, 0), "2026-11-21T02:59:59Z", "2026-11-21T03:00:00Z"),
            ((4, 0), "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z"),
            ((0, 0), "2026-11-21T22:59:00Z", "2026-11-21T23:00:00Z"),
            ((2, 30), "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z"),
            ((2, 30), "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"),
            ((2, 30), "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ] {
            let time = Time::new(time.0, time.1, 0, 0).unwrap();
            assert_eq!(next(time, &zone, at(now)), at(wanted), "{now}");
        }
    }

    #[test]
    fn whoever_waits_hears_of_the_end() {
        let end = End::default();
        assert!(!end.wait(Duration::ZERO));
        let other = end.clone();
        let waiting = std::thread::spawn(move || other.wait(Duration::from_mins(10)));
        end.tell();
        assert!(waiting.join().unwrap() && end.wait(Duration::from_mins(10)));
    }
}
