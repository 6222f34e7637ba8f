//! Integration tests, one module a subject.

mod checks;
mod config;
mod corpus;
mod deliver;
mod documents;
mod endurance;
mod filter;
mod fixtures;
mod fuzz;
mod licences;
mod otobo;
mod people;
mod perl;
mod promises;
mod properties;
mod readers;
mod rooms;
mod setups;
mod site;
