//! Link mails: what carries a link to the customer's stored address.

pub mod compose;
pub mod mailed;
pub mod notice;
pub mod outbox;
mod page;
pub mod probe;
pub mod queue;
mod smtp;
pub mod template;
pub mod transport;
pub mod waiting;
