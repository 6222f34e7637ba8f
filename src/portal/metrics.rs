//! The numbers for Prometheus. No label holds anything that a client chose.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// The bounds of the durations that are told apart, in seconds.
const BOUNDS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 2.5, 10.0];

/// What a request is counted under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Labels {
    pub(super) route: &'static str,
    pub(super) status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Route {
    pub(super) route: &'static str,
}

/// All numbers.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    pub(super) requests: Family<Labels, Counter>,
    pub(super) durations: Family<Route, Histogram>,
    pub(super) connections: Gauge,
    pub(super) sessions: Counter,
    pub(super) wrong_tokens: Counter,
    pub(super) limited: Counter,
    pub(super) troubles: Counter,
    /// 0 where a configuration that was read anew is refused.
    last_reload: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("otab_door");
        let this = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BOUNDS)),
            connections: Gauge::default(),
            sessions: Counter::default(),
            wrong_tokens: Counter::default(),
            limited: Counter::default(),
            troubles: Counter::default(),
            last_reload: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests answered", this.requests.clone());
        registry.register_with_unit(
            "request_duration",
            "From the whole header block to the answer",
            Unit::Seconds,
            this.durations.clone(),
        );
        registry.register("connections", "Open connections", this.connections.clone());
        registry.register("sessions_started", "Links used", this.sessions.clone());
        registry.register("wrong_tokens", "Requests with a token that opens nothing", this.wrong_tokens.clone());
        registry.register("limited", "Requests refused by a limit", this.limited.clone());
        registry.register("unavailable", "Questions that the site could not answer", this.troubles.clone());
        let what = "Whether the configuration that was read last is in force";
        registry.register("last_reload_successful", what, this.last_reload.clone());
        this.last_reload.set(1);
        Self { registry, ..this }
    }
}

impl Metrics {
    pub(super) fn reloaded(&self, is_in_force: bool) {
        self.last_reload.set(is_in_force.into());
    }

    pub(super) fn is_reload_refused(&self) -> bool {
        self.last_reload.get() == 0
    }

    /// As Prometheus reads it (`OpenMetrics` 1.0).
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
