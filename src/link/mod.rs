//! Link mails: what carries a link to the customer's stored address.

pub mod outbox;
