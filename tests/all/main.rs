//! Integration tests, one module a subject.

mod config;
mod documents;
mod rooms;
