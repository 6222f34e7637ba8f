//! The parts of `otab serve`: what they are called, whether they are configured, and what each has to do.
//!
//! Another part is a line in [`Part`], in its matches and in `super::prepare`, and a type with [`Running`].

use std::sync::Arc;
use std::time::Instant;

use clap::ValueEnum;
use tokio::sync::mpsc::UnboundedSender;

use super::bell::Bell;
use crate::config::Config;
use crate::db::Url;
use crate::engine::Engine;
use crate::engine::portal_fit;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::log::Log;

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// The web pages behind the links, with their numbers, and the answers to Apache.
    Portal,
    /// Sends link mails, and deletes what is over.
    Worker,
}

/// Starts a part that is ready to.
pub type Begin = Box<dyn FnOnce() -> Result<Box<dyn Running>, Failure>>;

/// Puts a configuration in force that was read anew. It cannot fail.
pub type Commit<'a> = Box<dyn FnOnce() + 'a>;

/// A part that runs, on threads and with connections of its own.
pub trait Running {
    /// Reads all that a new configuration names. Nothing changes before the answer is called, which is once every part
    /// has one.
    fn prepare(&mut self, ground: &Ground) -> Result<Commit<'_>, Vec<Failure>>;

    /// Hears whether the configuration that was read last is in force.
    fn reloaded(&self, _is_in_force: bool) {}

    /// Nothing new begins from now on.
    fn stop(&self);

    /// Waits for what is under way, at most until then; what was not finished, for the log.
    fn rest(self: Box<Self>, until: Instant) -> Vec<String>;
}

/// What all parts stand on.
#[derive(Clone)]
pub struct Ground {
    /// The configuration, wired.
    pub engine: Arc<Engine>,
    /// Its log.
    pub log: Arc<Log>,
    /// The parts that run.
    pub parts: Vec<Part>,
    /// Rung where a link mail is due, or a customer new.
    pub orders: Arc<Bell>,
    /// The way to the one who hosts the parts.
    pub events: UnboundedSender<Event>,
}

/// What the host has to hear of.
#[derive(Debug)]
pub enum Event {
    /// This store has been copied elsewhere.
    Moved(Url),
    /// A part has ended that nobody had stopped.
    Ended(Part, Option<std::io::Error>),
}

impl Part {
    /// Those that were named, or all that are configured; or why not.
    pub fn chosen(named: &[Self], config: &Config) -> Result<Vec<Self>, Failure> {
        let wanted: Vec<Self> = Self::value_variants()
            .iter()
            .filter(|part| named.contains(part) || named.is_empty() && part.missing(config).is_none())
            .copied()
            .collect();
        let missing =
            |parts: &[Self]| -> Vec<String> { parts.iter().filter_map(|part| part.missing(config)).collect() };
        let why = if wanted.is_empty() {
            [vec!["nothing is configured that could be served".to_owned()], missing(Self::value_variants())].concat()
        } else {
            missing(&wanted)
        };
        if why.is_empty() { Ok(wanted) } else { Err(Failure::new(Exit::Config, why.join("\n"))) }
    }

    /// What it is called on the command line and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Portal => "portal",
            Self::Worker => "worker",
        }
    }

    /// Where it is not configured, what to do about it.
    #[must_use]
    pub fn missing(self, config: &Config) -> Option<String> {
        let (says, remedy) = match self {
            Self::Portal if config.door.base_url.is_none() => portal_fit::NO_BASE_URL,
            Self::Worker if !config.door.notify && config.door.purge.is_none() => {
                ("door.notify is false and door.purge is empty", "set notify = true, or purge to a time of day")
            }
            Self::Portal | Self::Worker => return None,
        };
        Some(format!("the {} is not configured: {says}; {remedy}", self.name()))
    }
}
