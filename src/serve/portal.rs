//! The portal, from the settings to the end: its files, its places, its runtime, and the threads that ask databases.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::backend::EngineBackend;
use super::crew::{Crew, Member};
use super::held_store;
use super::part::{Begin, Commit, Event, Ground, Part, Running};
use crate::config::{Config, Listen};
use crate::db::Databases;
use crate::engine::Engine;
use crate::engine::portal_fit;
use crate::engine::portal_url;
use crate::exit::Exit;
use crate::failure::{Ends, Failure};
use crate::log::Log;
use crate::portal::{
    self, App, Bound, Face, HandOver, Logo, Look, Make, Messages, Network, Pages, Place, Settings, Style, Workers,
};

/// Threads that ask databases. SQLite lets one write at a time; servers take more than one office clicks.
const BACKENDS: usize = 4;
/// Threads that speak HTTP.
const SPEAKERS: usize = 2;
/// How long threads with nothing to do may take to end.
const LAST_MOMENT: Duration = Duration::from_secs(1);

/// Where it listens.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Places {
    /// `None`: on a socket that systemd has handed over.
    listen: Option<(Listen, u32)>,
    metrics: Option<SocketAddr>,
    fastcgi: Option<SocketAddr>,
}

/// The portal that runs.
struct Portal {
    shown: portal::Portal,
    places: Places,
    runtime: Runtime,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    desks: Crew,
    held: Databases,
    log: Arc<Log>,
}

/// Reads, listens, and opens the store; then it can start.
pub fn prepare(ground: &Ground) -> Result<Begin, Failure> {
    let face = face(&ground.engine.config).map_err(|all| together(&all))?;
    let given = portal::from_systemd().ends(Exit::Unavailable, "the socket that systemd hands over")?;
    let places = Places::of(&ground.engine.config, given.is_some());
    let bound = given.map_or_else(|| bind(&ground.engine.config), Ok)?;
    let metrics = bind_besides(places.metrics, "door.metrics")?;
    let fastcgi = bind_besides(places.fastcgi, "door.fastcgi")?;
    let held = held_store(&ground.engine)?;
    let ground = ground.clone();
    Ok(Box::new(move || {
        let desks = Crew::new();
        let app =
            App::new(settings(&ground.engine), face, workers(&ground, desks.member())?, Arc::clone(&ground.log), None);
        let shown = portal::Portal::new(app);
        let runtime = Builder::new_multi_thread().worker_threads(SPEAKERS).enable_io().enable_time().build();
        let runtime = runtime.ends(Exit::Unavailable, "the runtime cannot be started")?;
        let (stop, stopped) = watch::channel(false);
        let watched = |task: JoinHandle<std::io::Result<()>>| {
            let (events, stopped) = (ground.events.clone(), stopped.clone());
            runtime.spawn(async move {
                let ended = task.await.map_err(std::io::Error::other).flatten();
                if !*stopped.borrow() {
                    let _ = events.send(Event::Ended(Part::Portal, ended.err()));
                }
            })
        };
        let mut tasks = vec![watched(runtime.spawn(portal::run(shown.at(bound), stopped.clone())))];
        tasks
            .extend(metrics.map(|bound| watched(runtime.spawn(portal::run(shown.numbers_at(bound), stopped.clone())))));
        let apache = fastcgi.map(|bound| runtime.spawn(portal::authorize(bound, shown.clone(), stopped.clone())));
        tasks.extend(apache.map(watched));
        ground.log.info("door: open");
        let log = ground.log;
        Ok(Box::new(Portal { shown, places, runtime, stop, tasks, desks, held, log }))
    }))
}

impl Running for Portal {
    fn prepare(&mut self, ground: &Ground) -> Result<Commit<'_>, Vec<Failure>> {
        let config = &ground.engine.config;
        let mut wrong = self.places.changed(config);
        // Without it nothing fits, and that it is missing is said already.
        let face =
            if config.door.base_url.is_some() { face(config).map_err(|more| wrong.extend(more)).ok() } else { None };
        let held = held_store(&ground.engine).map_err(|failure| wrong.push(failure)).ok();
        let workers = workers(ground, self.desks.member()).map_err(|failure| wrong.push(failure)).ok();
        let (Some(face), Some(held), Some(workers), true) = (face, held, workers, wrong.is_empty()) else {
            return Err(wrong);
        };
        let (settings, log) = (settings(&ground.engine), Arc::clone(&ground.log));
        Ok(Box::new(move || {
            self.shown.replace(App::new(settings, face, workers, Arc::clone(&log), Some(&self.shown.app())));
            self.held = held;
            self.log = log;
        }))
    }

    fn reloaded(&self, is_in_force: bool) {
        self.shown.reloaded(is_in_force);
    }

    fn stop(&self) {
        let _ = self.stop.send(true);
    }

    fn rest(self: Box<Self>, until: Instant) -> Vec<String> {
        let Self { shown, runtime, tasks, desks, held, log, .. } = *self;
        let all = async {
            for task in tasks {
                let _ = task.await;
            }
        };
        let mut left = Vec::new();
        if runtime.block_on(async { tokio::time::timeout_at(until.into(), all).await }).is_err() {
            left.push(format!("the portal's connections, {} of the proxy's", shown.connections()));
        }
        log.info("door: closed");
        runtime.shutdown_timeout(LAST_MOMENT);
        drop(shown);
        if desks.has_ended(until.max(Instant::now() + LAST_MOMENT)) {
            // The last one to go closes the store.
            let _ = held.close();
        } else {
            left.push("questions of the portal's to databases".to_owned());
        }
        left
    }
}

impl Places {
    fn of(config: &Config, is_given: bool) -> Self {
        let door = &config.door;
        let listen = (!is_given).then(|| (door.listen.clone(), door.socket_mode));
        Self { listen, metrics: door.metrics, fastcgi: door.fastcgi }
    }

    /// What a configuration says otherwise. Other places could be listened at, but not by all that are without the
    /// rights with which otab was started, and not all or nothing.
    fn changed(&self, config: &Config) -> Vec<Failure> {
        let new = Self::of(config, self.listen.is_none());
        let keys = [
            (self.listen != new.listen, "door.listen or door.socket_mode"),
            (self.metrics != new.metrics, "door.metrics"),
            (self.fastcgi != new.fastcgi, "door.fastcgi"),
        ];
        let says =
            |key| format!("{key} has changed, and counts from the start on; restart otab serve, or take it back");
        let changed = keys.into_iter().filter(|(is_changed, _)| *is_changed);
        changed.map(|(_, key)| Failure::new(Exit::Config, says(key))).collect()
    }
}

/// Several failures as one.
fn together(all: &[Failure]) -> Failure {
    let lines: Vec<String> = all.iter().map(|failure| format!("{:#}", failure.error)).collect();
    Failure::new(Exit::Config, lines.join("\n"))
}

/// What is shown, read and tried; or all that is wrong with it.
fn face(config: &Config) -> Result<Face, Vec<Failure>> {
    let obstacles = portal_fit::obstacles(config).into_iter();
    let mut wrong: Vec<Failure> =
        obstacles.map(|(says, remedy)| Failure::new(Exit::Config, format!("{says}; {remedy}"))).collect();
    let pages = pages(config).map_err(|failure| wrong.push(failure)).ok();
    let logo = logo(config).map_err(|failure| wrong.push(failure)).ok();
    match (pages, logo) {
        (Some(pages), Some(logo)) if wrong.is_empty() => {
            Ok(Face { pages, style: Style::new(config.door.accent), logo })
        }
        _ => Err(wrong),
    }
}

fn bind(config: &Config) -> Result<Bound, Failure> {
    let (place, name) = match &config.door.listen {
        Listen::Tcp(address) => (Place::Tcp(*address), address.to_string()),
        Listen::Unix(path) => (Place::Unix(path.clone(), config.door.socket_mode), path.display().to_string()),
    };
    portal::bind(&place).ends(Exit::Unavailable, &format!("door.listen: {name}"))
}

/// A place besides the door's own, where there is to be one.
fn bind_besides(address: Option<SocketAddr>, key: &str) -> Result<Option<Bound>, Failure> {
    let bind = |address| portal::bind(&Place::Tcp(address)).ends(Exit::Unavailable, &format!("{key}: {address}"));
    address.map(bind).transpose()
}

/// The threads behind the pages. Each holds `member` until it ends.
fn workers(ground: &Ground, member: Member) -> Result<Workers, Failure> {
    let ground = ground.clone();
    let make: Make = Arc::new(move || {
        let _ = &member;
        Box::new(EngineBackend::new(ground.clone()))
    });
    Workers::start(BACKENDS, &make).ends(Exit::Unavailable, "no thread can be started")
}
fn settings(engine: &Engine) -> Settings {
    let (config, door) = (&engine.config, &engine.config.door);
    Settings {
        base_url: door.base_url.clone().unwrap_or_default(),
        logout_url: portal_url::logout(config).unwrap_or_default(),
        hand_over: HandOver::new(&door.hand_over),
        user_header: door.user_header.clone(),
        ends: engine.session_ends(),
        trusted: door.trusted_proxies.iter().map(|(address, length)| Network::new(*address, *length)).collect(),
        requests_per_minute: door.requests_per_minute,
        wrong_tokens_per_hour: door.wrong_tokens_per_hour,
    }
}

/// The pages, tried.
pub fn pages(config: &Config) -> Result<Pages, Failure> {
    let auth = &config.one_time_auth;
    let look = Look {
        site_name: auth.site_name.clone(),
        has_logo: config.door.logo.is_some(),
        language: auth.language.clone(),
        login_page: portal_url::overview(config),
    };
    let messages = |language: &str| {
        let own = auth.messages_for(language).clone();
        Messages {
            new_link: own.new_link,
            refresh_failed: own.refresh_failed,
            link_expired: own.link_expired,
            wrong_link: own.wrong_link,
        }
    };
    Pages::load(config.door.templates.as_deref(), look, &messages).ends(Exit::Config, "door.templates")
}

/// The logo, read.
pub fn logo(config: &Config) -> Result<Option<Logo>, Failure> {
    let read = |path: &std::path::PathBuf| {
        Logo::read(path).map_err(|why| Failure::new(Exit::Config, format!("door.logo: {why}")))
    };
    config.door.logo.as_ref().map(read).transpose()
}
