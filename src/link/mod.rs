//! Link mails: what carries a link to the customer's stored address.

pub mod compose;
pub mod outbox;
pub mod probe;
pub mod queue;
mod smtp;
pub mod template;
pub mod transport;
