//! What a database says of itself: product and version, clock, columns, rights, indexes, plans.
//!
//! Everything here is read from catalogues, or from a plan that is never carried out. Nothing is written, and
//! nothing is tried out by writing.

mod index;
mod product;
mod shape;

pub use index::{has_index, reads_all};
pub use product::{Product, clock, product, user};
pub use shape::{Gap, Kind, Need, Right, gaps};
