//! (room `token`)
