//! Customers of whom the helpdesk has not been told yet (`create.after_create`). The mail path only notes them.

use jiff::Timestamp;

use super::Engine;
use crate::customer::Error;
use crate::db::{self, Databases};
use crate::failpoint;
use crate::store::newcomers;

/// Whether the site has a command that tells it.
#[must_use]
pub fn are_announced(engine: &Engine) -> bool {
    !engine.config.create.after_create.is_empty()
}

/// Notes a customer, before they are made.
pub fn note(engine: &Engine, dbs: &mut Databases, login: &str, now: Timestamp) -> Result<(), Error> {
    if !are_announced(engine) {
        return Ok(());
    }
    let noted =
        dbs.get(&engine.store).and_then(|store| store.write(|tx| newcomers::note(tx, &engine.backend, login, now)));
    failpoint::at("noted");
    noted.map_err(Error::Unnoted)
}

/// Whether the helpdesk has not been told of this customer yet.
pub fn waits(engine: &Engine, dbs: &mut Databases, backend: &str, login: &str) -> Result<bool, db::Error> {
    Ok(are_announced(engine) && newcomers::is_noted(dbs.get(&engine.store)?, backend, login)?)
}
