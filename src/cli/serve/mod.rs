//! `otab serve`: the door, from the settings to the end by a signal.
//!
//! Nothing of this is started for a mail. The runtime is tokio's; databases are asked on threads of their own.

mod desk;
mod schedule;

use std::sync::Arc;

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::door_fit;
use crate::config::{Config, Listen};
use crate::db::{Databases, Url};
use crate::engine::Engine;
use crate::engine::portal_url;
use crate::exit::Exit;
use crate::failure::{Done, Ends, Failure};
use crate::log::Log;
use crate::web::{
    self, App, Bound, HandOver, Logo, Look, Make, Messages, Network, Pages, Place, Settings, Style, Workers,
};
use desk::SiteDesk;

/// Threads that ask databases. SQLite lets one write at a time; servers take more than one office clicks.
const DESKS: usize = 4;
/// Threads that speak HTTP.
const SPEAKERS: usize = 2;

/// Runs it until a signal ends it.
pub fn run(engine: Engine) -> Done {
    let obstacles = door_fit::obstacles(&engine.config);
    if !obstacles.is_empty() {
        let all: Vec<String> = obstacles.into_iter().map(|(says, remedy)| format!("{says}; {remedy}")).collect();
        return Err(Failure::new(Exit::Config, all.join("\n")));
    }
    let pages = pages(&engine.config)?;
    let style = Style::new(engine.config.door.accent);
    let logo = logo(&engine.config)?;
    // Before any thread: it changes the environment.
    let bound = bind(&engine.config)?;
    let metrics = bind_besides(engine.config.door.metrics, "door.metrics")?;
    let fastcgi = bind_besides(engine.config.door.fastcgi, "door.fastcgi")?;
    let log = Arc::clone(&engine.log);
    let held = held_store(&engine)?;
    let engine = Arc::new(engine);
    let (workers, threads) = workers(&engine, &log)?;
    let app = App::new(settings(&engine), pages, style, logo, workers, Arc::clone(&log));
    let end = schedule::End::default();
    schedule::start(&engine, &log, &end).ends(Exit::Unavailable, "no thread can be started")?;
    let runtime = Builder::new_multi_thread().worker_threads(SPEAKERS).enable_io().enable_time().build();
    let runtime = runtime.ends(Exit::Unavailable, "the runtime cannot be started")?;
    let served = serve(&runtime, app, bound, [metrics, fastcgi], &log);
    end.tell();
    runtime.shutdown_background();
    // The last one to go closes the databases.
    for thread in threads {
        let _ = thread.join();
    }
    held.close().ends(Exit::Unavailable, "the store")?;
    served
}

/// The store, opened once to see that it opens. A file stays open: the filters beside it then never are the last to
/// close it, and need not begin its log anew, read it through, or fold it in.
fn held_store(engine: &Engine) -> Result<Databases, Failure> {
    let mut dbs = engine.databases(desk::PATIENCE);
    dbs.get(&engine.store)?;
    if matches!(engine.store, Url::Sqlite(_)) {
        return Ok(dbs);
    }
    dbs.close()?;
    Ok(engine.databases(desk::PATIENCE))
}

/// Serves until SIGTERM or SIGINT; systemd is told when the door is open and when it closes.
fn serve(
    runtime: &Runtime,
    app: Arc<App>,
    bound: Bound,
    [metrics, fastcgi]: [Option<Bound>; 2],
    log: &Arc<Log>,
) -> Done {
    runtime.block_on(async {
        let (tell, stop) = watch::channel(false);
        let mut signals = (
            signal(SignalKind::terminate()).ends(Exit::Unavailable, "signals")?,
            signal(SignalKind::interrupt()).ends(Exit::Unavailable, "signals")?,
        );
        let mut door = tokio::spawn(web::run(app.at(bound), Arc::clone(log), stop.clone()));
        let numbers = metrics.map(|bound| tokio::spawn(web::run(app.numbers_at(bound), Arc::clone(log), stop.clone())));
        let apache = fastcgi.map(|bound| tokio::spawn(web::authorize(bound, Arc::clone(&app), stop)));
        drop(app);
        notify_manager(log, sd_notify::NotifyState::Ready);
        log.info("door: open");
        tokio::select! {
            _ = signals.0.recv() => {}
            _ = signals.1.recv() => {}
            // A door that nobody told to close.
            failed = &mut door => {
                failed.map_err(std::io::Error::other).flatten().ends(Exit::Unavailable, "the door")?;
                return Err(Failure::new(Exit::Software, "the door has closed by itself"));
            }
        }
        notify_manager(log, sd_notify::NotifyState::Stopping);
        let _ = tell.send(true);
        let served = door.await.map_err(std::io::Error::other).flatten();
        if let Some(numbers) = numbers {
            let _ = numbers.await;
        }
        if let Some(apache) = apache {
            let _ = apache.await;
        }
        log.info("door: closed");
        served.ends(Exit::Unavailable, "the door")?;
        Ok(Exit::Ok)
    })
}

/// Tells the service manager, if there is one (`sd_notify(3)`).
fn notify_manager(log: &Log, state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        log.warning(&format!("door: the service manager cannot be told: {error}"));
    }
}

fn bind(config: &Config) -> Result<Bound, Failure> {
    if let Some(bound) = web::from_systemd().ends(Exit::Unavailable, "the socket that systemd hands over")? {
        return Ok(bound);
    }
    let (place, name) = match &config.door.listen {
        Listen::Tcp(address) => (Place::Tcp(*address), address.to_string()),
        Listen::Unix(path) => (Place::Unix(path.clone(), config.door.socket_mode), path.display().to_string()),
    };
    web::bind(&place).ends(Exit::Unavailable, &format!("door.listen: {name}"))
}

/// A place besides the door's own, where there is to be one.
fn bind_besides(address: Option<std::net::SocketAddr>, key: &str) -> Result<Option<Bound>, Failure> {
    let bind = |address| web::bind(&Place::Tcp(address)).ends(Exit::Unavailable, &format!("{key}: {address}"));
    address.map(bind).transpose()
}

/// The threads behind the door.
fn workers(engine: &Arc<Engine>, log: &Arc<Log>) -> Result<(Workers, Vec<std::thread::JoinHandle<()>>), Failure> {
    let ends = engine.session_ends();
    let (engine, log) = (Arc::clone(engine), Arc::clone(log));
    let make: Make = Arc::new(move || Box::new(SiteDesk::new(Arc::clone(&engine), Arc::clone(&log), ends)));
    Workers::start(DESKS, &make).ends(Exit::Unavailable, "no thread can be started")
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
