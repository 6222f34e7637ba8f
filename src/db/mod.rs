//! (room `db`)
