//! The customer id of a new customer. By `{{domain}}` customers share it, and may see each other's tickets: so a domain
//! counts only if the site names it, or if it is a company of the helpdesk's already.

use super::Engine;
use crate::customer::{Error, Refusal, naming};
use crate::db::Databases;
use crate::mail::Address;

/// The customer id by `create.customer_id`, and why the helpdesk's companies were not asked, if they cannot be read.
pub fn customer_id(
    engine: &Engine,
    dbs: &mut Databases,
    address: &Address,
) -> Result<Result<(String, Option<String>), Refusal>, Error> {
    let create = &engine.config.create;
    let Ok(id) = naming::customer_id(&create.customer_id, address) else {
        return Ok(Err(Refusal::Empty("customer id")));
    };
    if !naming::uses_domain(&create.customer_id) || create.company_domains.iter().any(|named| named.matches(address)) {
        return Ok(Ok((id, None)));
    }
    if !are_there(engine)? {
        return Ok(Ok((address.to_string(), None)));
    }
    let ids = [id.as_str(), address.domain()];
    Ok(Ok(match engine.directory.has_company(dbs, &engine.backend, &ids)? {
        Ok(true) => (id, None),
        Ok(false) => (address.to_string(), None),
        Err(error) => {
            let why = format!("customer_company cannot be read, the address is the customer id: {error}");
            (address.to_string(), Some(why))
        }
    }))
}

/// Whether the helpdesk's companies are where new customers are created: otab's own store has none.
pub fn are_there(engine: &Engine) -> Result<bool, Error> {
    let backend = engine.directory.source(&engine.backend)?;
    Ok(!backend.is_directory() && backend.url != engine.store)
}
