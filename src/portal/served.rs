//! The app that new requests go to, and its replacement by one with another configuration.
//!
//! Sockets, connections, counts and what is remembered of sessions stay; a request ends with the app that it began with.

use std::sync::Arc;

use axum::Router;
use prometheus_client::metrics::gauge::Gauge;

use super::app::App;
use super::listen::Bound;
use super::routes;
use super::server::Serving;
use crate::current::Current;

/// Which of an app's routes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Routes {
    /// Those for the proxy.
    Pages,
    /// Those for Prometheus.
    Numbers,
}

struct Served {
    app: Arc<App>,
    pages: Router,
    numbers: Router,
}

impl From<Arc<App>> for Served {
    fn from(app: Arc<App>) -> Self {
        Self { pages: routes::pages(&app), numbers: routes::numbers(&app), app }
    }
}

/// The app in force.
#[derive(Clone)]
pub struct Portal(Arc<Current<Served>>);

impl Portal {
    /// The first one.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self(Arc::new(Current::new(app.into())))
    }

    /// Lets new requests go to this app.
    pub fn replace(&self, app: Arc<App>) {
        let remembered = Arc::clone(&app.remembered);
        self.0.replace(app.into());
        remembered.clear();
    }

    /// Notes whether the configuration that was read last is in force.
    pub fn reloaded(&self, is_in_force: bool) {
        self.app().metrics.reloaded(is_in_force);
    }

    /// How many connections of the proxy's there are.
    #[must_use]
    pub fn connections(&self) -> i64 {
        self.app().metrics.connections.get()
    }

    /// What is served to the proxy, at its place.
    #[must_use]
    pub fn at(&self, bound: Bound) -> Serving {
        let connections = self.app().metrics.connections.clone();
        Serving { bound, portal: self.clone(), routes: Routes::Pages, connections }
    }

    /// What is served to Prometheus, at its place.
    #[must_use]
    pub fn numbers_at(&self, bound: Bound) -> Serving {
        // Who reads the numbers is none of them.
        Serving { bound, portal: self.clone(), routes: Routes::Numbers, connections: Gauge::default() }
    }

    /// The app in force now.
    #[must_use]
    pub fn app(&self) -> Arc<App> {
        Arc::clone(&self.0.get().app)
    }

    pub(super) fn router(&self, routes: Routes) -> Router {
        let served = self.0.get();
        match routes {
            Routes::Pages => served.pages.clone(),
            Routes::Numbers => served.numbers.clone(),
        }
    }

    pub(super) fn note(&self, line: String) {
        self.app().journal.note(line);
    }
}
