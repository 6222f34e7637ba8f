//! All customer sources, asked in the order of the configuration.
//!
//! A source that cannot be asked is an error and never "nobody": the next source must not answer for
//! somebody whom the first one knows.

use jiff::Timestamp;

use super::question::{self, ask, open};
use super::{Claim, Created, CustomerUser, Entry, Error, Found, NewCustomer, Refusal, Source, sql};
use crate::db::Databases;
use crate::mail::Address;

/// The customer sources of a site.
#[derive(Debug, Clone)]
pub struct Directory {
    sources: Vec<Source>,
}

impl Directory {
    /// A directory that asks these sources in this order.
    #[must_use]
    pub fn new(sources: Vec<Source>) -> Self {
        Self { sources }
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Result<&Source, Error> {
        let source = self.sources.iter().find(|source| source.name == name);
        source.ok_or_else(|| Error::UnknownSource(name.to_owned()))
    }

    /// Who the address belongs to, strictly compared.
    pub fn find(&self, dbs: &mut Databases, address: &Address) -> Result<Found, Error> {
        let mut invalid = None;
        for source in &self.sources {
            let found = question::by_address(dbs, source, address)?;
            match found.into_iter().next() {
                Some(customer) if customer.valid => return Ok(Found::Valid(customer)),
                Some(customer) => invalid = invalid.or(Some(customer)),
                None => {}
            }
        }
        Ok(invalid.map_or(Found::Nobody, Found::Invalid))
    }

    /// The customer with exactly this login in one source.
    pub fn by_login(&self, dbs: &mut Databases, source: &str, login: &str) -> Result<Option<CustomerUser>, Error> {
        let source = self.source(source)?;
        question::by_login(dbs, source, login)
    }

    /// The customer with exactly this login in the first source that has one.
    pub fn by_login_anywhere(&self, dbs: &mut Databases, login: &str) -> Result<Option<CustomerUser>, Error> {
        Self::first_with(dbs, &self.sources, login)
    }

    /// Whether a source that is asked before this customer's own has his login, too.
    pub fn has_namesake_before(&self, dbs: &mut Databases, customer: &CustomerUser) -> Result<bool, Error> {
        let before = self.sources.iter().take_while(|source| source.name != customer.source);
        Ok(Self::first_with(dbs, before, &customer.login)?.is_some())
    }

    fn first_with<'s>(
        dbs: &mut Databases,
        sources: impl IntoIterator<Item = &'s Source>,
        login: &str,
    ) -> Result<Option<CustomerUser>, Error> {
        for source in sources {
            let found = question::by_login(dbs, source, login)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Whether any source knows the address as somebody else's login, customer id or address: broadly equal, in a row
    /// whose own address is not strictly this one.
    pub fn claimed(&self, dbs: &mut Databases, address: &Address) -> Result<Option<Claim>, Error> {
        Self::first_claim(dbs, &self.sources, &address.forms(), Some(address))
    }

    /// The same in all sources but the one called `source`, where [`Directory::create`] asks.
    pub fn claimed_elsewhere(
        &self,
        dbs: &mut Databases,
        source: &str,
        address: &Address,
    ) -> Result<Option<Claim>, Error> {
        let others = self.sources.iter().filter(|other| other.name != source);
        Self::first_claim(dbs, others, &address.forms(), Some(address))
    }

    /// Whether the text is anybody's login, customer id or address, broadly compared.
    pub fn knows(&self, dbs: &mut Databases, text: &str) -> Result<bool, Error> {
        let claim = Self::first_claim(dbs, &self.sources, &[text.to_owned()], None)?;
        Ok(claim.is_some())
    }

    /// Makes a customer, or finds the one that somebody else has made meanwhile.
    ///
    /// The looks and the write are one transaction that holds otab's write lock from its start, so two
    /// processes make one customer. Claims of other sources are the caller's to ask for before.
    pub fn create(
        &self,
        dbs: &mut Databases,
        source: &str,
        new: &NewCustomer,
        now: Timestamp,
    ) -> Result<Created, Error> {
        let source = self.writable(source)?;
        let entry = Entry::from(new);
        entry.check()?;
        let db = open(dbs, source)?;
        let made = db.write(|tx| {
            let (found, claim) = sql::by_address_or_claim(tx, source, &new.address)?;
            if let Some(existing) = found.into_iter().next() {
                return Ok(Created::Existing(existing));
            }
            if let Some(claim) = claim {
                let source_name = claim.source;
                return Err(Refusal::Claimed { source_name }.into());
            }
            sql::insert(tx, source, &entry, now)?;
            Ok(Created::New(entry.stored_in(source)))
        });
        if matches!(made, Err(Error::Refused(Refusal::Constraint(_)))) {
            // The helpdesk does not know otab's lock: an agent may have made this very customer meanwhile.
            let found = question::by_address(dbs, source, &new.address)?;
            return found.into_iter().next().map_or(made, |existing| Ok(Created::Existing(existing)));
        }
        made.map_err(|error: Error| error.of(source))
    }

    /// Writes a customer as a person states it, without a password and without asking for claims.
    pub fn add(&self, dbs: &mut Databases, source: &str, entry: &Entry, now: Timestamp) -> Result<CustomerUser, Error> {
        let source = self.writable(source)?;
        entry.check()?;
        ask(dbs, source, |db| db.write(|tx| sql::insert(tx, source, entry, now)))?;
        Ok(entry.stored_in(source))
    }

    /// Makes the customer with exactly this login invalid; `false` where there is none.
    pub fn disable(&self, dbs: &mut Databases, source: &str, login: &str, now: Timestamp) -> Result<bool, Error> {
        let source = self.writable(source)?;
        ask(dbs, source, |db| db.write(|tx| sql::disable(tx, source, login, now)))
    }

    /// The customers of one source in order of login, at most `limit`.
    pub fn list(&self, dbs: &mut Databases, source: &str, limit: Option<u32>) -> Result<Vec<CustomerUser>, Error> {
        let source = self.source(source)?;
        question::list(dbs, source, limit.unwrap_or(u32::MAX))
    }

    /// One preference of a customer, such as `UserLanguage`.
    pub fn preference(
        &self,
        dbs: &mut Databases,
        source: &str,
        login: &str,
        key: &str,
    ) -> Result<Option<String>, Error> {
        let source = self.source(source)?;
        question::preference(dbs, source, login, key)
    }

    fn first_claim<'s>(
        dbs: &mut Databases,
        sources: impl IntoIterator<Item = &'s Source>,
        texts: &[String],
        owner: Option<&Address>,
    ) -> Result<Option<Claim>, Error> {
        for source in sources {
            let claim = question::claim(dbs, source, texts, owner)?;
            if claim.is_some() {
                return Ok(claim);
            }
        }
        Ok(None)
    }

    fn writable(&self, name: &str) -> Result<&Source, Error> {
        let source = self.source(name)?;
        if source.is_read_only { Err(Error::Refused(Refusal::ReadOnly(name.to_owned()))) } else { Ok(source) }
    }
}

#[cfg(test)]
mod tests;
