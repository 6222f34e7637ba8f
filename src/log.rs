//! (room `log`)
