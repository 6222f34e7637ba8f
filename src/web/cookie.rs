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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        session(&headers).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn one_cookie_of_the_right_form_is_a_session() {
        let value = "abcdefghijklmnopqrstuv";
        let pair = format!("__Host-otab={value}");
        assert_eq!(read(&[&format!("a=b; {pair};c=d")]).as_deref(), Some(value));
        assert_eq!(read(&[&format!("a=ä; {pair}"), "b=ö"]).as_deref(), Some(value));
        for lines in [
            &[format!("{pair}; {pair}")][..],
            &[pair.clone(), pair.clone()],
            &[format!("{pair}x")],
            &["__Host-otab=".to_owned()],
            &[format!("otab={value}")],
            &[format!("__host-otab={value}")],
            &[],
        ] {
            assert_eq!(read(&lines.iter().map(String::as_str).collect::<Vec<_>>()), None, "{lines:?}");
        }
    }
}
