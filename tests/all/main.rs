//! Integration tests, one module a subject.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::print_stderr, reason = "what was measured is shown")]

mod bench;
mod check;
mod checks;
mod clocks;
mod config;
mod corpus;
mod damaged;
mod debian;
mod deliver;
mod documents;
#[cfg(feature = "door")]
mod door;
mod endurance;
mod engine;
mod filter;
mod fixtures;
mod foreign;
mod fuzz;
#[cfg(feature = "door")]
mod growth;
mod http;
mod init;
mod last_look;
mod licences;
mod links;
mod mixed;
mod newcomers;
mod otobo;
mod outgoing;
mod people;
mod perl;
mod places;
mod promises;
mod properties;
mod readers;
mod rooms;
mod secrets;
#[cfg(feature = "door")]
mod serve;
mod servers;
mod setups;
mod site;
mod syncs;
