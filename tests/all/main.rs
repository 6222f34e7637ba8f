//! Integration tests, one module a subject.

mod config;
mod corpus;
mod fixtures;
mod otobo;
mod promises;
mod properties;
