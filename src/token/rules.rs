//! What a token still opens: pure functions of what is known about it.
//!
//! Checked at every use, whether or not cron has run `otab purge` (promise 8).

use jiff::{SignedDuration, Timestamp};

use super::{State, TokenFacts};
use crate::ticket::Ticket;

const DAY: i64 = 24 * 60 * 60;

/// How long a pending token waits for the word that its mail was taken. Where the word is lost (a
/// kill between the two), the mail may well have gone on and its link be in the customer's hands.
pub const PENDING: SignedDuration = SignedDuration::from_hours(1);

/// How far ahead of now something may have been created: so far the clocks of two hosts may differ. What is further
/// ahead was created by a clock that was wrong, and counts as over: it would live on for as long as that clock said.
pub const AHEAD: SignedDuration = SignedDuration::from_mins(5);

/// Whether something was created by a clock that was ahead.
#[must_use]
pub fn is_ahead(created_at: Timestamp, now: Timestamp) -> bool {
    created_at.duration_since(now) > AHEAD
}

/// How long tokens live, in days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Days that links outlive the closing of their ticket; 0: none at all.
    pub access_days_after_close: u32,
    /// Days after which a token that was never bound to a ticket is purged.
    pub unbound_days: u32,
    /// Days after which any token is too old; 0: never.
    pub max_token_days: u32,
}

/// What is known about the ticket of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TicketStanding {
    /// The token is bound to no ticket yet.
    Unbound,
    /// It is bound to a ticket that does not exist (any more).
    Gone,
    /// The ticket is neither closed, removed nor merged.
    Open,
    /// The ticket is closed, removed or merged.
    Over {
        /// Since when.
        since: Timestamp,
    },
}

impl From<&Ticket> for TicketStanding {
    fn from(ticket: &Ticket) -> Self {
        if ticket.state_type.is_over() { Self::Over { since: ticket.changed_at } } else { Self::Open }
    }
}

/// What is known about the customer of a token, now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomerStanding {
    /// Valid, without a password, with the address that the token was issued for.
    Good,
    /// No source has this login any more.
    Gone,
    /// Not valid any more.
    Invalid,
    /// Has a password by now, and logs in with it.
    HasPassword,
    /// The stored address is not strictly the one that the link went to.
    AddressChanged,
}

/// What a token's use comes to; the last three have a message of the package each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It opens its ticket (unbound: the portal's overview), if the redeeming succeeds.
    Valid,
    /// Unknown, or its time is over.
    LinkExpired,
    /// Used, while a newer one is active.
    WrongLink,
    /// Used, and none is active: a new link may go out.
    Renew,
}

/// What the use of a token comes to. `others_active`: another token for the same ticket and customer
/// (unbound: mail and customer) is active.
#[must_use]
pub fn answer(
    token: Option<&TokenFacts>,
    ticket: TicketStanding,
    others_active: bool,
    customer: CustomerStanding,
    limits: &Limits,
    now: Timestamp,
) -> Answer {
    let Some(token) = token else {
        return Answer::LinkExpired;
    };
    if customer != CustomerStanding::Good
        || is_ahead(token.created_at, now)
        || is_too_old(token, limits, now)
        || is_closed(ticket, limits, now)
        || ticket == TicketStanding::Gone
        || is_unbound_too_long(token, ticket, limits, now)
    {
        return Answer::LinkExpired;
    }
    match token.state {
        State::Active | State::Pending if counts_as_active(token, now) => Answer::Valid,
        State::Active | State::Pending | State::Revoked => Answer::LinkExpired,
        State::Used if others_active => Answer::WrongLink,
        // Whoever may still read a closed ticket need not be mailed a new link to it.
        State::Used if matches!(ticket, TicketStanding::Over { .. }) => Answer::LinkExpired,
        State::Used => Answer::Renew,
    }
}

/// Whether links to a ticket in this standing open it.
#[must_use]
pub fn opens(ticket: TicketStanding, limits: &Limits, now: Timestamp) -> bool {
    ticket != TicketStanding::Gone && !is_closed(ticket, limits, now)
}

/// Why a token is to be purged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doom {
    /// Its ticket has been closed, removed or merged for long enough.
    Closed,
    /// Its ticket does not exist.
    Gone,
    /// It was never bound to a ticket.
    Unbound,
    /// It is older than any token may become.
    TooOld,
}

/// Whether no ticket has come of the token's mail for so long that none will: purged or not.
fn is_unbound_too_long(token: &TokenFacts, ticket: TicketStanding, limits: &Limits, now: Timestamp) -> bool {
    ticket == TicketStanding::Unbound && is_older(token.created_at, limits.unbound_days, now)
}

/// Whether a token is over, and why; the first reason counts.
#[must_use]
pub fn doom(token: &TokenFacts, ticket: TicketStanding, limits: &Limits, now: Timestamp) -> Option<Doom> {
    if is_closed(ticket, limits, now) {
        Some(Doom::Closed)
    } else if ticket == TicketStanding::Gone {
        Some(Doom::Gone)
    } else if is_unbound_too_long(token, ticket, limits, now) {
        Some(Doom::Unbound)
    } else if is_too_old(token, limits, now) {
        Some(Doom::TooOld)
    } else {
        None
    }
}

/// Whether a token counts as active. `store` asks the database the same.
#[must_use]
pub fn counts_as_active(token: &TokenFacts, now: Timestamp) -> bool {
    let age = now.as_second().saturating_sub(token.created_at.as_second());
    match token.state {
        State::Active => true,
        State::Pending => token.ticket_number.is_some() || age >= PENDING.as_secs(),
        State::Used | State::Revoked => false,
    }
}

fn is_closed(ticket: TicketStanding, limits: &Limits, now: Timestamp) -> bool {
    let days = limits.access_days_after_close;
    match ticket {
        // 0 means at once, also where the two clocks differ. A day ahead is more than any mistaken zone makes of now.
        TicketStanding::Over { since } => {
            days == 0 || is_older(since, days, now) || since.as_second().saturating_sub(now.as_second()) > DAY
        }
        _ => false,
    }
}

fn is_too_old(token: &TokenFacts, limits: &Limits, now: Timestamp) -> bool {
    let days = limits.max_token_days;
    days != 0 && is_older(token.created_at, days, now)
}

/// Whether more than `days` days have passed since `then`.
fn is_older(then: Timestamp, days: u32, now: Timestamp) -> bool {
    let age = now.as_second().saturating_sub(then.as_second());
    age > i64::from(days) * DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { access_days_after_close: 14, unbound_days: 14, max_token_days: 0 };
    const NOW: i64 = 1000 * DAY;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn token(state: State, age: i64, bound: bool) -> TokenFacts {
        TokenFacts {
            state,
            ticket_number: bound.then(|| "1".to_owned()),
            created_at: at(NOW - age),
            ..TokenFacts::default()
        }
    }

    fn over(age: i64) -> TicketStanding {
        TicketStanding::Over { since: at(NOW - age) }
    }

    fn good(token: &TokenFacts, ticket: TicketStanding, others: bool, limits: &Limits) -> Answer {
        let customer = CustomerStanding::Good;
        answer(Some(token), ticket, others, customer, limits, at(NOW))
    }

    #[test]
    fn the_table_holds_cell_by_cell() {
        use Answer::{LinkExpired, Renew, Valid, WrongLink};
        use State::{Active, Pending, Revoked, Used};
        use TicketStanding::{Gone, Open, Unbound};
        let (fresh, stale) = (over(14 * DAY), over(14 * DAY + 1));
        let tickets = [Unbound, Gone, Open, fresh, stale];
        // State, others active; then one answer for each ticket above.
        let table = [
            (Active, false, [Valid, LinkExpired, Valid, Valid, LinkExpired]),
            (Active, true, [Valid, LinkExpired, Valid, Valid, LinkExpired]),
            (Pending, false, [LinkExpired, LinkExpired, Valid, Valid, LinkExpired]),
            (Pending, true, [LinkExpired, LinkExpired, Valid, Valid, LinkExpired]),
            (Used, false, [Renew, LinkExpired, Renew, LinkExpired, LinkExpired]),
            (Used, true, [WrongLink, LinkExpired, WrongLink, WrongLink, LinkExpired]),
            (Revoked, false, [LinkExpired; 5]),
            (Revoked, true, [LinkExpired; 5]),
        ];
        for (state, others, answers) in table {
            for (ticket, expected) in tickets.into_iter().zip(answers) {
                let token = token(state, 60, ticket != Unbound);
                let given = good(&token, ticket, others, &LIMITS);
                assert_eq!(given, expected, "{state} {others} {ticket:?}");
            }
        }
    }

    #[test]
    fn a_token_without_a_ticket_for_too_long_is_over() {
        for (age, ticket, expected) in [
            (14 * DAY, TicketStanding::Unbound, Answer::Valid),
            (14 * DAY + 1, TicketStanding::Unbound, Answer::LinkExpired),
            (14 * DAY + 1, TicketStanding::Open, Answer::Valid),
        ] {
            assert_eq!(good(&token(State::Active, age, false), ticket, false, &LIMITS), expected, "{age} {ticket:?}");
        }
    }

    #[test]
    fn a_customer_who_is_not_good_any_more_opens_nothing() {
        for customer in [
            CustomerStanding::Gone,
            CustomerStanding::Invalid,
            CustomerStanding::HasPassword,
            CustomerStanding::AddressChanged,
        ] {
            for state in [State::Active, State::Pending, State::Used, State::Revoked] {
                for others in [false, true] {
                    let token = token(state, 60, true);
                    let open = TicketStanding::Open;
                    let given = answer(Some(&token), open, others, customer, &LIMITS, at(NOW));
                    assert_eq!(given, Answer::LinkExpired);
                }
            }
        }
        let unknown = answer(None, TicketStanding::Open, true, CustomerStanding::Good, &LIMITS, at(NOW));
        assert_eq!(unknown, Answer::LinkExpired);
    }

    #[test]
    fn limits_are_whole_days_and_zero_is_at_once_or_never() {
        let old = token(State::Active, 30 * DAY, true);
        let limited = |days| Limits { max_token_days: days, ..LIMITS };
        let open = TicketStanding::Open;
        assert_eq!(good(&old, open, false, &limited(30)), Answer::Valid);
        assert_eq!(good(&old, open, false, &limited(29)), Answer::LinkExpired);
        assert_eq!(good(&old, open, false, &limited(0)), Answer::Valid);
        let at_once = Limits { access_days_after_close: 0, ..LIMITS };
        for age in [0, -60] {
            let given = good(&old, over(age), false, &at_once);
            assert_eq!(given, Answer::LinkExpired, "{age}");
        }
    }

    #[test]
    fn a_token_from_the_future_is_over() {
        for (ahead, expected) in [(300, Answer::Valid), (301, Answer::LinkExpired), (400 * DAY, Answer::LinkExpired)] {
            for ticket in [TicketStanding::Open, TicketStanding::Unbound] {
                let bound = ticket == TicketStanding::Open;
                assert_eq!(good(&token(State::Active, -ahead, bound), ticket, false, &LIMITS), expected, "{ahead}");
            }
            // Nor does it bring a new link.
            let used = good(&token(State::Used, -ahead, true), TicketStanding::Open, false, &LIMITS);
            assert_eq!(used == Answer::Renew, expected == Answer::Valid, "{ahead}");
        }
        // A clock that is behind must not delete what is good.
        assert_eq!(doom(&token(State::Active, -400 * DAY, true), TicketStanding::Open, &LIMITS, at(NOW)), None);
    }

    #[test]
    fn a_ticket_closed_by_a_clock_far_ahead_is_over() {
        let fresh = token(State::Active, 60, true);
        for (ahead, expected) in [(DAY, Answer::Valid), (DAY + 1, Answer::LinkExpired)] {
            assert_eq!(good(&fresh, over(-ahead), false, &LIMITS), expected, "{ahead}");
        }
    }

    #[test]
    fn an_unbound_pending_token_counts_after_an_hour() {
        for (age, expected) in [(3599, Answer::LinkExpired), (3600, Answer::Valid)] {
            let token = token(State::Pending, age, false);
            let given = good(&token, TicketStanding::Unbound, false, &LIMITS);
            assert_eq!(given, expected, "{age}");
        }
    }
}
