//! `[door]`: the web server behind the link.
//!
//! This file only reads and checks settings; it listens nowhere and opens no file.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::names;
use super::problem::{Complaint, complaint};
use super::reader::Table;

/// Where the page's address comes in `door.hand_over`.
pub const PAGE: &str = "{{page}}";
/// The beginning of a Unix socket's address.
const UNIX: &str = "unix:";

/// `[door]`.
#[derive(Debug, Clone)]
pub struct Door {
    /// Where it listens, unless systemd hands it a socket.
    pub listen: Listen,
    /// The mode of a Unix socket.
    pub socket_mode: u32,
    /// Scheme and host that customers see, as a browser states them in Origin; `None`: not set.
    pub base_url: Option<String>,
    /// How long a session lasts without a request.
    pub session_idle: Duration,
    /// How long it lasts at most.
    pub session_length: Duration,
    /// Whose word on the client's address is believed: addresses, with the length of the prefix that counts.
    pub trusted_proxies: Vec<(IpAddr, u8)>,
    /// The query with which the portal logs a customer in; holds [`PAGE`] at most once.
    pub hand_over: String,
    /// The field in which the proxy gets the login.
    pub user_header: String,
    /// Most pages within a minute by address; 0: any number.
    pub requests_per_minute: u32,
    /// Most tokens that open nothing within an hour by address; 0: any number.
    pub wrong_tokens_per_hour: u32,
    /// A picture.
    pub logo: Option<PathBuf>,
    /// Red, green, blue.
    pub accent: [u8; 3],
    /// The folder with pages and texts of the site's own.
    pub templates: Option<PathBuf>,
    /// Whether it sends link mails, too.
    pub notify: bool,
    /// When it deletes what is over, each day: hour and minute, local time.
    pub purge: Option<(i8, i8)>,
    /// Where it shows its numbers.
    pub metrics: Option<SocketAddr>,
    /// Where it answers Apache.
    pub fastcgi: Option<SocketAddr>,
}

/// `door.listen`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    /// On this machine's loopback.
    Tcp(SocketAddr),
    /// On a socket in the file system.
    Unix(PathBuf),
}

pub(super) fn read(table: &Table<'_, '_>, folder: &Path) -> Door {
    let listen = table.string("listen", |text| listen(text).map(drop));
    let mode = table.string("socket_mode", |text| mode(text).map(drop));
    let accent = table.string("accent", |text| color(text).map(drop));
    let purge = table.string_or_off("purge", |text| time(text).map(drop));
    let metrics = table.string_or_off("metrics", |text| loopback(text).map(drop));
    let fastcgi = table.string_or_off("fastcgi", |text| loopback(text).map(drop));
    Door {
        // What does not parse has been a problem.
        listen: self::listen(&listen).map_or_else(|_| Listen::Unix(PathBuf::new()), |l| l.under(folder)),
        socket_mode: self::mode(&mode).unwrap_or_default(),
        base_url: table.string_or_off("base_url", base_url),
        session_idle: Duration::from_secs(60 * table.integer::<u64>("session_minutes")),
        session_length: Duration::from_secs(3600 * table.integer::<u64>("session_hours")),
        trusted_proxies: table.list("trusted_proxies", network),
        hand_over: table.string("hand_over", hand_over),
        user_header: table.string("user_header", user_header),
        requests_per_minute: table.integer("requests_per_minute"),
        wrong_tokens_per_hour: table.integer("wrong_tokens_per_hour"),
        logo: table.string_or_off("logo", names::not_empty).map(|path| folder.join(path)),
        accent: color(&accent).unwrap_or_default(),
        templates: table.string_or_off("templates", names::not_empty).map(|path| folder.join(path)),
        notify: table.boolean("notify"),
        purge: purge.and_then(|text| time(&text).ok()),
        metrics: metrics.and_then(|text| loopback(&text).ok()),
        fastcgi: fastcgi.and_then(|text| loopback(&text).ok()),
    }
}

impl Listen {
    fn under(self, folder: &Path) -> Self {
        match self {
            Self::Unix(path) => Self::Unix(folder.join(path)),
            tcp @ Self::Tcp(_) => tcp,
        }
    }
}

fn listen(text: &str) -> Result<Listen, Complaint> {
    match text.strip_prefix(UNIX) {
        Some("") => Err(complaint("names no socket", "write unix: and a path, such as unix:/run/otab/door.sock")),
        Some(path) => Ok(Listen::Unix(path.into())),
        None => loopback(text).map(Listen::Tcp),
    }
}

/// An address of this machine alone: whoever reaches the door without the proxy would be asked for no TLS, and
/// could say what only the proxy may say.
fn loopback(text: &str) -> Result<SocketAddr, Complaint> {
    let address: Option<SocketAddr> = text.parse().ok();
    let remedy = "write 127.0.0.1 or [::1] and a port, such as 127.0.0.1:8421";
    match address {
        Some(address) if address.ip().is_loopback() => Ok(address),
        Some(_) => Err(complaint("can be reached from other machines, past the proxy", remedy)),
        None => Err(complaint("is no address with a port", remedy)),
    }
}

fn mode(text: &str) -> Result<u32, Complaint> {
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o777 && text.len() <= 4);
    mode.ok_or_else(|| complaint("is no mode", "write it in octal digits, such as 0660"))
}

/// As a browser writes an origin: in lower case, without the default port, without a slash (RFC 6454, section 6.2).
fn base_url(text: &str) -> Result<(), Complaint> {
    let remedy = "write https:// and the host as browsers show it, such as https://help.example.org";
    let Some(place) = text.strip_prefix("https://") else {
        return Err(complaint("is not https", remedy));
    };
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (place, None),
    };
    let is_sign = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.[:]".contains(&b);
    let is_port = |port: &str| port.parse::<u16>().is_ok_and(|n| n != 443 && n.to_string() == port);
    if host.is_empty() || !host.bytes().all(is_sign) || !port.is_none_or(is_port) {
        return Err(complaint("is not just https, a host in lower case, and a port other than 443", remedy));
    }
    Ok(())
}

/// An address, or a network: `10.0.0.0/8`.
fn network(text: &str) -> Result<(IpAddr, u8), Complaint> {
    let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
    let address: Option<IpAddr> = address.parse().ok();
    let whole = if address.is_some_and(|a| a.is_ipv6()) { 128 } else { 32 };
    let length = length.map_or(Some(whole), |length| length.parse().ok().filter(|l: &u8| *l <= whole));
    address.zip(length).ok_or_else(|| {
        complaint("is neither an address nor a network", "write something like 127.0.0.1 or 10.1.0.0/16")
    })
}

/// What can stand in a request's first line behind the question mark.
fn hand_over(text: &str) -> Result<(), Complaint> {
    let rest = text.replacen(PAGE, "", 1);
    let is_query = |b: u8| b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b);
    if text.is_empty() || text.len() > 500 || !rest.bytes().all(is_query) {
        let remedy =
            format!("write the signs of a URL's query, and {PAGE} once, as in Action=Login;RequestedURL={PAGE}");
        return Err(complaint("is no query", remedy));
    }
    Ok(())
}

/// Fields that mean something else in an answer.
const OTHERS: [&str; 9] = [
    "set-cookie",
    "location",
    "connection",
    "transfer-encoding",
    "cache-control",
    "date",
    "trailer",
    "upgrade",
    "www-authenticate",
];

fn user_header(text: &str) -> Result<(), Complaint> {
    let is_name = !text.is_empty() && text.len() <= 60 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let name = text.to_ascii_lowercase();
    if !is_name || name.starts_with("content-") || OTHERS.contains(&name.as_str()) {
        return Err(complaint(
            "cannot carry a login",
            "write a field's name in letters, digits and -, such as Remote-User",
        ));
    }
    Ok(())
}

fn color(text: &str) -> Result<[u8; 3], Complaint> {
    let digits = text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
    let [_, red, green, blue] =
        number.ok_or_else(|| complaint("is no colour", "write # and six hex digits, such as #1f5fa8"))?.to_be_bytes();
    Ok([red, green, blue])
}

fn time(text: &str) -> Result<(i8, i8), Complaint> {
    let two = |digits: &str, most: i8| {
        let plain = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse().ok().filter(|number| plain && *number <= most)
    };
    let time = text.split_once(':').and_then(|(hour, minute)| Some((two(hour, 23)?, two(minute, 59)?)));
    time.ok_or_else(|| complaint("is no time of day", "write hours and minutes, such as 04:00"))
}
