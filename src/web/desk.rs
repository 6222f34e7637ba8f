//! What the door asks of the site, and what it is told. It says nothing of how the site finds out.

use jiff::Timestamp;

use crate::token::Secret;

/// The site behind the door. Each worker thread has one of its own, which may wait for databases.
pub trait Desk {
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

/// What a link would open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Its ticket.
    Open {
        /// The stored address of who would be signed in.
        address: String,
        /// The ticket's number; `None`: the overview.
        ticket: Option<String>,
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// Nothing: it is used, and a newer one is active.
    Wrong {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// Nothing: it is used, and a new one can be had.
    Used {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// Nothing: there is no such token, or its time is over.
    Over,
}

/// What the use of a link came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// A new session.
    New {
        /// For the browser.
        secret: Secret,
        /// Where it leads; `None`: the overview.
        ticket: Option<String>,
    },
    /// The link was used before, by the browser's own session, which goes on.
    Same {
        /// Where it leads.
        ticket: Option<String>,
    },
    /// It opens nothing; never [`View::Open`].
    Shut(View),
}

/// What the wish for a new link came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// A link mail is on order.
    Ordered {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// It could not be recorded.
    Failed {
        /// The customer's language, where known.
        language: Option<String>,
    },
    /// The old one has not been used and still works.
    StillGood,
    /// There is none to be had; [`View::Wrong`] or [`View::Over`].
    Shut(View),
}

/// Who a session is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guest {
    /// The customer's login.
    pub login: String,
    /// The ticket that he came for; `None`: the overview.
    pub ticket: Option<String>,
    /// When the session began.
    pub created_at: Timestamp,
    /// Its last request, as far as that is known.
    pub seen_at: Timestamp,
}
