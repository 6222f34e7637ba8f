//! Integration tests, one module a subject.

mod config;
mod filter;
mod people;
mod site;
