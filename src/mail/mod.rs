//! Mail as bytes: the header block and its fields, edits, addresses, field values.
//!
//! Pure, bytes in and bytes out. This room never reads a clock, a file or a database, and uses no
//! other room.

pub mod address;
pub mod fold;

pub use address::Address;
pub use fold::fold;
