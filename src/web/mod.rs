//! The door.

pub mod fastcgi;
