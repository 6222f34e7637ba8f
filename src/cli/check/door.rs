//! Whether the web door would start, and fits the links and the portal.

use super::finding::Finding;
use crate::engine::Engine;
use crate::engine::portal_fit;
use crate::exit::Exit;
#[cfg(feature = "door")]
use crate::serve;

/// Whether `otab serve` would start, where it is meant to.
pub fn check(engine: &Engine) -> Vec<Finding> {
    if engine.config.door.base_url.is_none() {
        return Vec::new();
    }
    let bad = |(says, remedy)| Finding::bad("door", Exit::Config, says, remedy);
    #[cfg_attr(not(feature = "door"), allow(unused_mut, reason = "without the door there are no pages"))]
    let mut found: Vec<Finding> = portal_fit::obstacles(&engine.config).into_iter().map(bad).collect();
    #[cfg(feature = "door")]
    for failed in [serve::pages(&engine.config).err(), serve::logo(&engine.config).err()].into_iter().flatten() {
        found.push(bad((format!("{:#}", failed.error), "mend the file, or take it away")));
    }
    if found.is_empty() {
        found.push(Finding::good("door", "links lead to it, and its pages are whole"));
    }
    found
}
