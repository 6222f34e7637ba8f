//! Link mails: what carries a link to the customer's stored address.

pub mod caps;
pub mod compose;
pub mod notice;
pub mod order;
mod page;
pub mod probe;
mod smtp;
pub mod template;
pub mod transport;
