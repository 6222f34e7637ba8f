//! The rows of the table, by groups that share their inputs.

mod crowd;
mod fields;
mod known;
mod memory;
mod million;
mod new_sender;
mod pipe;
mod purge;
mod servers;
mod steady;
mod syncs;

use anyhow::Result;

use crate::bench::Bench;

/// Rows that are measured together.
pub struct Group {
    /// What `--only` calls it.
    pub name: &'static str,
    /// Whether it takes so long that `--long` has to ask for it.
    pub long: bool,
    /// Measures and tells.
    pub measure: fn(&mut Bench) -> Result<()>,
}

const fn usual(name: &'static str, measure: fn(&mut Bench) -> Result<()>) -> Group {
    Group { name, long: false, measure }
}

/// All of them, in the order of the table.
pub const ALL: [Group; 13] = [
    usual("known", known::wall),
    usual("instructions", known::instructions),
    usual("new", new_sender::wall),
    usual("syncs", syncs::measure),
    usual("memory", memory::measure),
    usual("pipe", pipe::measure),
    usual("large", fields::measure),
    usual("crowd", crowd::measure),
    usual("steady", steady::measure),
    usual("servers", servers::measure),
    usual("others", known::others),
    Group { name: "million", long: true, measure: million::measure },
    Group { name: "purge", long: true, measure: purge::measure },
];
