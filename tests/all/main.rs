//! Integration tests, one module a subject.

mod config;
mod documents;
mod examples;
mod filter;
mod people;
mod rooms;
mod site;
