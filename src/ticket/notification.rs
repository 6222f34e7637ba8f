//! A notification's texts in OTOBO's and Znuny's tables (`notification_event`, `notification_event_message`), as
//! the helpdesk's administrators wrote them. Only read; what they come to in a mail is not this room's matter.

use super::Otobo;
use crate::db::{Databases, Error, Row, Statements};

/// OTOBO's `valid`: 1 is valid.
const VALID: i64 = 1;

/// A notification that may be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its texts, one a language, in order of the languages' names; never none.
    pub messages: Vec<Message>,
}

/// Its text in one language, with its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As OTOBO calls it: `de`, `pt_BR`.
    pub language: String,
    /// The subject.
    pub subject: String,
    /// The text, or the piece of HTML.
    pub body: String,
    /// Whether the body is HTML.
    pub is_html: bool,
}

/// Why a notification cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be looked up now.
    #[error(transparent)]
    Db(#[from] Error),
    /// There is none with this number.
    #[error("the helpdesk has no notification {0}")]
    Missing(u32),
    /// It has been switched off.
    #[error("the helpdesk's notification {0} is not valid")]
    Invalid(u32),
    /// It says nothing in any language.
    #[error("the helpdesk's notification {0} has no texts")]
    Empty(u32),
}

impl Otobo {
    /// The notification with this number.
    pub fn notification(&self, dbs: &mut Databases, id: u32) -> Result<Notification, Unusable> {
        let db = dbs.reading(self.url())?;
        let sql = "SELECT valid_id FROM notification_event WHERE id = ?";
        let row = db.row(sql, &[id.into()])?.ok_or(Unusable::Missing(id))?;
        if row.int(0)? != VALID {
            return Err(Unusable::Invalid(id));
        }
        let sql = "SELECT m.language, m.subject, m.text, m.content_type FROM notification_event_message m \
                   WHERE m.notification_id = ? ORDER BY m.language, m.id";
        let messages = db.rows(sql, &[id.into()])?.iter().map(message).collect::<Result<Vec<_>, _>>()?;
        if messages.is_empty() { Err(Unusable::Empty(id)) } else { Ok(Notification { messages }) }
    }
}

fn message(row: &Row) -> Result<Message, Error> {
    let kind = row.text(3)?.trim().to_ascii_lowercase();
    Ok(Message {
        language: row.text(0)?.into_owned(),
        subject: row.text(1)?.into_owned(),
        body: row.text(2)?.into_owned(),
        is_html: kind.starts_with("text/html"),
    })
}
