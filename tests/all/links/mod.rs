//! Link mails, from the mail that earns one to the mail server that takes it, by the real binary.

mod caps;
mod death;
mod hand;
mod load;
mod loops;
pub mod peer;
mod peers;
mod postfix;
mod shape;
mod standing;
mod story;
mod tls;
mod wake;
