//! Texts in the forms that others prescribe: in URLs, in HTML, as tags of languages; and what cannot be seen in them.
//!
//! Pure.

pub mod html;
mod invisible;
pub mod language;
pub mod percent;

pub use invisible::is_invisible;
