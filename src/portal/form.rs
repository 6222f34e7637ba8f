//! Whether a POST comes from the door's own page, and what it holds. A browser states where a form was; a request
//! that does not state it, or states another place, or none (`null`), is refused.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};

/// Longest body, in bytes.
const LONGEST: usize = 1024;
/// How long it may take to come.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Whether Origin is the door's own (Fetch standard, section 3.2), or, without Origin, Sec-Fetch-Site says so.
pub(super) fn is_own(headers: &HeaderMap, base_url: &str) -> bool {
    let only = |name: &str| {
        let mut values = headers.get_all(name).iter();
        values.next().map(|first| if values.next().is_some() { b"" } else { first.as_bytes() })
    };
    match (only("origin"), only("sec-fetch-site")) {
        (Some(origin), _) => origin == base_url.as_bytes(),
        (None, site) => site == Some(b"same-origin"),
    }
}

/// Reads the form's field `name`: the empty text where there is none. The status says what is wrong.
pub(super) async fn field(headers: &HeaderMap, body: Body, name: &str) -> Result<String, StatusCode> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > LONGEST) {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let read = tokio::time::timeout(BODY_TIMEOUT, axum::body::to_bytes(body, LONGEST)).await;
    let Ok(read) = read else { return Err(StatusCode::REQUEST_TIMEOUT) };
    let bytes = read.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let mut values = form_urlencoded::parse(&bytes).filter(|(key, _)| key == name);
    let value = values.next().map(|(_, value)| value.into_owned());
    if values.next().is_some() {
        return Err(StatusCode::BAD_REQUEST);
    }
    Ok(value.unwrap_or_default())
}
