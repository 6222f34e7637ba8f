//! (room `ticket`)
