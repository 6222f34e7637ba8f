//! What the door asks of the site, and what it is told. It says nothing of how the site finds out.

use jiff::Timestamp;

pub use crate::engine::visit::{Entry, Guest, Renewal, View};
use crate::token::Secret;

/// The site behind the door. Each worker thread has one of its own, which may wait for databases.
pub trait Backend {
    /// What a link would open now. Changes nothing.
    fn look(&mut self, token: &Secret, session: Option<&Secret>) -> Result<View, Trouble>;

    /// Uses a token up and begins a session, both or neither; the session that the browser had before ends.
    fn enter(&mut self, token: &Secret, session: Option<&Secret>) -> Result<Entry, Trouble>;

    /// Orders a new link in the place of one that is used up.
    fn renew(&mut self, token: &Secret) -> Result<Renewal, Trouble>;

    /// Who a session is for, if it still is; `seen` is the last request that the door has not told before.
    fn guest(&mut self, session: &Secret, seen: Option<Timestamp>) -> Result<Option<Guest>, Trouble>;

    /// Ends a session.
    fn leave(&mut self, session: &Secret) -> Result<(), Trouble>;

    /// Whether the store answers.
    fn answers(&mut self) -> Result<(), Trouble>;
}

/// The site cannot say now. The log says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A database is away, or takes too long.
    Away,
    /// The store has been copied elsewhere, and is not in use any more.
    Moved,
}
