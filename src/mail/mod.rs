//! Mail as bytes: the header block and its fields, edits, addresses, field values; parts of a body, and the
//! placeholder in them.
//!
//! Pure, bytes in and bytes out. This room never reads a clock, a file or a database, and uses no other room but
//! `text`.

pub mod address;
mod breaks;
pub mod edit;
pub mod encoded;
mod end;
pub mod fold;
pub mod from;
pub mod header;
pub mod last_look;
pub mod part;
pub mod pattern;
pub mod person;
pub mod placeholder;
pub mod protected;
pub mod recipient;
pub mod replace;
mod scan;
pub mod spell;
pub mod stream_filter;
pub mod trace;
pub mod transfer;
pub mod value;

pub use address::{Address, domain};
pub use edit::{Edit, NewField};
pub use fold::fold;
pub use header::{Field, Header};
pub use last_look::last_look;
pub use pattern::Pattern;
pub use protected::Protected;
pub use value::FieldValue;
