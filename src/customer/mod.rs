//! (room `customer`)
