//! Integration tests, one module a subject.

mod config;
mod corpus;
mod deliver;
mod documents;
mod endurance;
mod examples;
mod filter;
mod fixtures;
mod licences;
mod otobo;
mod people;
mod perl;
mod postfix;
mod promises;
mod properties;
mod rooms;
mod site;
