//! The worker: sends link mails when they are due, tells the helpdesk of new customers, and deletes what is over once a
//! day. On threads of its own, with connections of its own, by the configuration in force and no file that is read on
//! the way.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use tokio::sync::mpsc::UnboundedSender;

use super::bell::Bell;
use super::crew::Crew;
use super::held_store;
use super::part::{Begin, Commit, Event, Ground, Running};
use crate::clock;
use crate::config::Transport;
use crate::current::Current;
use crate::db::{self, Databases, Kind};
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failure::{Ends, Failure};
use crate::log::Log;
use crate::worker::due;
use crate::worker::notify::Kit;
use crate::worker::purge::{self, How};

/// How long is slept at most, since clocks are set and machines sleep.
const NAP: Duration = Duration::from_secs(30);

/// What a configuration comes to here.
struct Setup {
    engine: Arc<Engine>,
    log: Arc<Log>,
    /// `None`: no link mail ever leaves.
    kit: Option<Arc<Kit>>,
}

/// The worker that runs.
struct Worker {
    now: Arc<Current<Setup>>,
    orders: Arc<Bell>,
    nights: Arc<Bell>,
    sender: Crew,
    purger: Crew,
    held: Databases,
}

/// Reads the templates, and opens the store; then it can start.
pub fn prepare(ground: &Ground) -> Result<Begin, Failure> {
    let now = Arc::new(Current::new(Setup::read(ground)?));
    let held = held_store(&ground.engine)?;
    let ground = ground.clone();
    Ok(Box::new(move || {
        let worker = Worker {
            now,
            orders: Arc::clone(&ground.orders),
            nights: Arc::default(),
            sender: Crew::new(),
            purger: Crew::new(),
            held,
        };
        let (now, orders, member) = (Arc::clone(&worker.now), Arc::clone(&worker.orders), worker.sender.member());
        spawn("notify", move || {
            send_until(&now, &orders, &ground.events);
            drop(member);
        })?;
        let (now, nights, member) = (Arc::clone(&worker.now), Arc::clone(&worker.nights), worker.purger.member());
        spawn("purge", move || {
            purge_until(&now, &nights);
            drop(member);
        })?;
        Ok(Box::new(worker))
    }))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).ends(Exit::Unavailable, "no thread can be started")
}

impl Setup {
    fn read(ground: &Ground) -> Result<Self, Failure> {
        let (engine, log) = (Arc::clone(&ground.engine), Arc::clone(&ground.log));
        let sends = engine.config.door.notify && engine.config.mail.transport != Transport::None;
        let kit = if sends { Some(Arc::new(Kit::read(&engine)?)) } else { None };
        Ok(Self { engine, log, kit })
    }
}

impl Running for Worker {
    fn prepare(&mut self, ground: &Ground) -> Result<Commit<'_>, Vec<Failure>> {
        let mut wrong = Vec::new();
        let setup = Setup::read(ground).map_err(|failure| wrong.push(failure)).ok();
        let held = held_store(&ground.engine).map_err(|failure| wrong.push(failure)).ok();
        let (Some(setup), Some(held)) = (setup, held) else { return Err(wrong) };
        Ok(Box::new(move || {
            self.now.replace(setup);
            self.held = held;
            self.orders.ring();
        }))
    }

    fn stop(&self) {
        self.orders.end();
        self.nights.end();
    }

    fn rest(self: Box<Self>, until: Instant) -> Vec<String> {
        let crews =
            [(self.sender, "the worker's link mails: they are due again later"), (self.purger, "the worker's purge")];
        let left = crews.into_iter().filter_map(|(crew, what)| (!crew.has_ended(until)).then(|| what.to_owned()));
        let left = left.collect();
        let _ = self.held.close();
        left
    }
}

/// Sends whatever is due until it is over.
fn send_until(now: &Current<Setup>, orders: &Bell, events: &UnboundedSender<Event>) {
    let look = || {
        let Setup { engine, log, kit } = &*now.get();
        if !engine.config.door.notify {
            return Ok(());
        }
        let sent = whole(|| due::send_due(engine, log, kit.as_ref(), &|| !orders.is_over()));
        let cause = sent.as_ref().err().and_then(|failure| failure.error.downcast_ref::<db::Error>());
        if cause.is_some_and(|error| error.kind() == Kind::Moved) {
            let _ = events.send(Event::Moved(engine.store.clone()));
        }
        sent
    };
    due::look_until(look, |text| now.get().log.error(text), |pause| orders.wait(pause));
}

/// A fault in a pass ends the pass, and not the thread.
fn whole<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let fault = |_| Err(Failure::new(Exit::Software, "internal error; please report it"));
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(fault)
}

fn purge_until(now: &Current<Setup>, nights: &Bell) {
    let zone = TimeZone::system();
    let mut next_at = None;
    while !nights.wait(NAP) {
        let Setup { engine, log, .. } = &*now.get();
        let (wanted, time) = (engine.config.door.purge, clock::now());
        let due = match next_at {
            Some((at, due)) if Some(at) == wanted => due,
            _ => {
                next_at = wanted.map(|at| (at, next(at, &zone, time)));
                continue;
            }
        };
        if time < due {
            continue;
        }
        if let Err(failure) = whole(|| purge::purge(engine, How::default())) {
            log.error(&format!("worker: purge: {:#}", failure.error));
        }
        next_at = wanted.map(|at| (at, next(at, &zone, clock::now())));
    }
}

/// The next time of day after a moment. One that the clock jumps over in spring comes as much later.
fn next((hour, minute): (i8, i8), zone: &TimeZone, now: Timestamp) -> Timestamp {
    let at = Time::new(hour, minute, 0, 0).unwrap_or(Time::midnight());
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
            assert_eq!(next(time, &zone, at(now)), at(wanted), "{now}");
        }
    }
}
