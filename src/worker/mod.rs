//! What runs beside mail: telling the helpdesk of new customers, and sending link mails.

mod after_create;
pub mod due;
mod link_mail;
pub mod notify;
pub mod purge;
pub mod spawn_notify;
mod transport;

pub use transport::transport;
