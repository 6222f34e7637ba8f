//! Integration tests, one module a subject.

mod config;
mod examples;
mod filter;
mod people;
mod site;
