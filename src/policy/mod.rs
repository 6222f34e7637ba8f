//! (room `policy`)
