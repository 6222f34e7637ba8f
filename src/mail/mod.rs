//! Mail as bytes: the header block and its fields, edits, addresses, field values.
//!
//! Pure, bytes in and bytes out. This room never reads a clock, a file or a database, and uses no
//! other room.

pub mod address;
pub mod edit;
pub mod fold;
pub mod guard;
pub mod header;
pub mod strainer;
pub mod value;

pub use address::Address;
pub use edit::{Edit, NewField};
pub use fold::fold;
pub use guard::Guard;
pub use header::{Field, Header};
pub use value::FieldValue;
