//! (room `link`)
