//! `otab store`: the database itself. Never touches a customer source of its own place.

mod bar;
mod copy;

use super::cli::Store;
use super::failure::Done;
use super::print;
use super::site::{self, Site};
use crate::exit::Exit;

/// Runs it.
pub fn run(site: &Site, command: Store) -> Done {
    match command {
        Store::Migrate => migrate(site),
        Store::Copy(args) => copy::run(site, &args),
    }
}

/// All or nothing, in one transaction (on MariaDB: gone on with where it was broken off); filters that come
/// meanwhile wait for it, or defer their mail.
fn migrate(site: &Site) -> Done {
    crate::store::migrate(&site.store)?;
    site::open_log(&site.config).info("the store has this version's schema");
    print::line("the store has this version's schema")?;
    Ok(Exit::Ok)
}
