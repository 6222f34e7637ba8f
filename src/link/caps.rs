//! How many link mails may go out, and how long to wait before the next try. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::mail::Address;

/// How many link mails may go out within an hour; 0: any number.
#[derive(Debug, Clone, Copy)]
pub struct Caps {
    /// To one address.
    pub per_address: u32,
    /// To one domain.
    pub per_domain: u32,
    /// In all.
    pub in_all: u32,
}

/// Whether the caps leave room for one more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Room {
    /// They do.
    Free,
    /// This address has had enough: nobody shall flood it through otab. There is room again at this time.
    AddressFull {
        /// From when on.
        due: Timestamp,
    },
    /// This domain, or all together: there is room again at this time.
    Later {
        /// From when on.
        due: Timestamp,
        /// Only this domain has had enough.
        domain: Option<String>,
    },
}

/// How long to wait after a try that failed: one minute, and twice as long each time, up to an hour.
#[must_use]
pub fn pause(tries: i64) -> SignedDuration {
    let doublings = u32::try_from((tries - 1).clamp(0, 6)).unwrap_or_default();
    SignedDuration::from_mins((1_i64 << doublings).min(60))
}

/// The mailbox that an address leads to, for counting: what stands behind a `+` is the sender's to choose
/// (RFC 5233), and so is the case, and which form of an international domain he takes.
#[must_use]
pub fn mailbox(recipient: &str) -> String {
    let recipient = Address::parse(recipient).map_or_else(|| recipient.to_lowercase(), |address| address.to_string());
    match (recipient.split_once('+'), recipient.rsplit_once('@')) {
        (Some((user, _)), Some((local, domain))) if user.len() < local.len() => format!("{user}@{domain}"),
        _ => recipient,
    }
}

/// The domain of such a mailbox.
#[must_use]
pub fn domain(recipient: &str) -> &str {
    recipient.rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mailbox_has_one_cap_however_it_is_addressed() {
        for (address, counted) in [
            ("Carol+a+b@X.test", "carol@x.test"),
            ("carol@x.test", "carol@x.test"),
            ("hans+1@Müller.test", "hans@xn--mller-kva.test"),
            ("hans@xn--mller-kva.test", "hans@xn--mller-kva.test"),
            ("+a@x.test", "@x.test"),
            ("No Address+x", "no address+x"),
        ] {
            assert_eq!(mailbox(address), counted);
        }
    }

    #[test]
    fn pauses_grow_up_to_an_hour() {
        let minutes: Vec<i64> = (1..=9).map(|tries| pause(tries).as_mins()).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}
