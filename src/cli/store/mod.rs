//! `otab store`: the database itself. Never touches a customer source of its own place.

mod bar;
mod copy;

use super::args::Store;
use super::print;
use crate::engine::Engine;
use crate::exit::Exit;
use crate::failure::Done;

/// Runs it.
pub fn run(engine: &Engine, command: Store) -> Done {
    match command {
        Store::Migrate => migrate(engine),
        Store::Copy(args) => copy::run(engine, &args),
    }
}

/// All or nothing, in one transaction (on MariaDB: gone on with where it was broken off); filters that come
/// meanwhile wait for it, or defer their mail.
fn migrate(engine: &Engine) -> Done {
    crate::store::migrate(&engine.store)?;
    engine.log.info("the store has this version's schema");
    print::line("the store has this version's schema")?;
    Ok(Exit::Ok)
}
