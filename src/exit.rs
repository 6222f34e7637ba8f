//! (room `exit`)
