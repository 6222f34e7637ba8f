//! otab's own tables, and every statement on them.

mod damage;
pub mod link_mails;
pub mod newcomers;
pub mod outbox;
pub mod queue;
pub mod sessions;
pub mod tickets;
pub mod tokens;
pub mod waiting;

pub use damage::{Soundness, soundness};
