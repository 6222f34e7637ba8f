//! otab, the one-time auth bridge: a mail filter in front of OTOBO and Znuny.
//!
//! This library promises no API. It exists so that the binary stays thin and tests can call every
//! room directly. ARCHITECTURE.md says which room may use which.

pub mod cli;
pub mod clock;
pub mod config;
pub mod current;
pub mod customer;
pub mod db;
pub mod draft;
pub mod engine;
pub mod exit;
pub mod failpoint;
pub mod failure;
pub mod link;
pub mod log;
pub mod mail;
pub mod mode;
pub mod pipe;
pub mod policy;
#[cfg(feature = "door")]
pub mod portal;
pub mod process;
#[cfg(feature = "door")]
pub mod serve;
pub mod session;
pub mod store;
pub mod text;
pub mod ticket;
pub mod token;
pub mod worker;
