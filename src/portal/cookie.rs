//! The session's cookie: `__Host-`, so that no other host and no path can set it (RFC 6265bis, section 4.1.3).

use axum::http::{HeaderMap, header};

use crate::token::Secret;

const NAME: &str = "__Host-otab";
/// Length of a secret that this program makes.
const LENGTH: usize = 22;

/// The session that a request brings along. None where it brings two: one of them is somebody else's.
pub(super) fn session(headers: &HeaderMap) -> Option<Secret> {
    // Cookies of others may hold any byte, and hide none of ours.
    let lines: Vec<_> = headers.get_all(header::COOKIE).iter().map(|line| line.as_bytes().to_owned()).collect();
    let text = String::from_utf8_lossy(&lines.join(&b';')).into_owned();
    let pairs = text.split(';').filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value);
    let value = values.next()?;
    if values.next().is_some() || value.len() != LENGTH {
        return None;
    }
    Secret::parse(value).ok()
}

/// The field's value that gives a browser its session. It goes when the browser is closed.
pub(super) fn given(secret: &Secret) -> String {
    format!("{NAME}={}; Path=/; Secure; HttpOnly; SameSite=Lax", secret.expose())
}

/// The one that takes it away.
pub(super) fn taken() -> String {
    format!("{NAME}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0")
}
