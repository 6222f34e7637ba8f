//! Integration tests, one module a subject.

mod check;
mod config;
mod corpus;
mod deliver;
mod documents;
mod endurance;
mod filter;
mod fixtures;
mod licences;
mod otobo;
mod people;
mod perl;
mod promises;
mod properties;
mod rooms;
mod servers;
mod setups;
mod site;
