//! Integration tests, one module a subject.

mod config;
mod documents;
mod examples;
mod filter;
mod fixtures;
mod people;
mod properties;
mod rooms;
mod site;
