//! What becomes of a token that waited for its mail, once the mail's fate is known.

use super::{Engine, Owed, named};
use crate::db::{self, Databases};
use crate::failpoint;
use crate::store::{outbox, tokens};

/// What the next stage has done with a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It has the mail.
    Taken,
    /// It has not: the token goes, since its link reached nobody, and the next try issues another.
    Refused,
}

impl Engine {
    /// Says of a pending token what became of its mail. Where this fails, the token stays pending: it counts as active
    /// once its ticket is known, or after an hour.
    ///
    /// # Errors
    ///
    /// The store did not take it.
    pub fn settle(&self, owed: &Owed, fate: Fate) -> Result<(), db::Error> {
        failpoint::at("settling");
        let now = self.now();
        let mut dbs = self.databases(self.config.limits.decide).leaving_logs();
        dbs.get(&self.store)?.write(|tx| match fate {
            Fate::Taken => {
                tokens::activate(tx, owed.token, now)?;
                outbox::release(tx, owed.token, now)
            }
            Fate::Refused => tokens::withdraw(tx, owed.token).map(drop),
        })?;
        if fate == Fate::Taken
            && let Some(id) = &owed.message_id
            && let Err(error) = self.bind(&mut dbs, id)
        {
            self.log.warning(&format!("{id}: the token's ticket is not known yet: {error}"));
        }
        if let Err(error) = dbs.close() {
            let mail = named(owed.message_id.as_deref());
            self.log.warning(&format!("{mail}: closing the databases: {error}"));
        }
        Ok(())
    }

    /// Binds the token to the ticket that has just been made of the mail, where ticket facts know it by now. Else the
    /// ticket is looked for when the link is used, and by purge.
    fn bind(&self, dbs: &mut Databases, message_id: &str) -> Result<(), db::Error> {
        let Some(ticket) = self.tickets.by_message_id(dbs, message_id)? else { return Ok(()) };
        let bound = dbs.get(&self.store)?.write(|tx| tokens::bind(tx, &ticket))?;
        if bound > 0 {
            self.log.info(&format!("{message_id}: became ticket {}", ticket.number));
        }
        Ok(())
    }
}
