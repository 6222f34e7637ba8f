//! Who a request comes from, as far as that can be believed: only a trusted proxy may speak for others.

use std::net::{IpAddr, Ipv6Addr};

use axum::http::HeaderMap;

/// Longest list of addresses that is read, in bytes.
const LONGEST: usize = 1000;

/// An address, and how many of its first bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// A network; with a length of all bits one address.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Self {
        Self { address, length }
    }

    fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(net), IpAddr::V4(other)) => {
                let shift = 32 - u32::from(self.length.min(32));
                let bits = |ip: u32| ip.checked_shr(shift).unwrap_or_default();
                bits(net.to_bits()) == bits(other.to_bits())
            }
            (IpAddr::V6(net), IpAddr::V6(other)) => {
                let shift = 128 - u32::from(self.length.min(128));
                let bits = |ip: u128| ip.checked_shr(shift).unwrap_or_default();
                bits(net.to_bits()) == bits(other.to_bits())
            }
            _ => false,
        }
    }
}

/// The other end of a connection; `None`: of a Unix socket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) Option<IpAddr>);

/// Whom requests are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    /// An address; of IPv6 the first 64 bits, since one customer has all others.
    fn new(address: IpAddr) -> Self {
        match address {
            IpAddr::V6(ip) => Self(Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into()),
            IpAddr::V4(_) => Self(address),
        }
    }
}

/// Who a request comes from: going back through X-Forwarded-For, the first that is no trusted proxy. Where a
/// proxy wrote something else than an address, itself.
pub(super) fn client(peer: Peer, headers: &HeaderMap, trusted: &[Network]) -> Client {
    let is_trusted = |ip: IpAddr| trusted.iter().any(|network| network.holds(ip));
    let mut last = peer.0.map_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), |ip| ip.to_canonical());
    if peer.0.is_some() && !is_trusted(last) {
        return Client::new(last);
    }
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().map(|line| line.to_str().unwrap_or_default()).collect();
    let all = lines.join(",");
    let end = all.get(all.len().saturating_sub(LONGEST)..).unwrap_or_default();
    for entry in end.rsplit(',') {
        let Ok(ip) = entry.trim().parse::<IpAddr>() else { break };
        last = ip.to_canonical();
        if !is_trusted(last) {
            break;
        }
    }
    Client::new(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: Option<&str>, lines: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let network = |ip: &str, length| Network::new(ip.parse().unwrap(), length);
        let trusted = [network("127.0.0.1", 32), network("10.1.0.0", 16), network("2001:db8:1::", 48)];
        let peer = Peer(peer.map(|ip| ip.parse().unwrap()));
        client(peer, &headers, &trusted).0.to_string()
    }

    #[test]
    fn only_a_trusted_proxy_speaks_for_others() {
        for (peer, lines, client) in [
            (Some("192.0.2.1"), &["198.51.100.7"][..], "192.0.2.1"),
            (Some("127.0.0.1"), &["198.51.100.7"], "198.51.100.7"),
            (Some("::ffff:127.0.0.1"), &["198.51.100.7"], "198.51.100.7"),
            (Some("127.0.0.1"), &["1.1.1.1, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
            (Some("127.0.0.1"), &["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
            (Some("127.0.0.1"), &["10.1.2.3"], "10.1.2.3"),
            (Some("127.0.0.1"), &[], "127.0.0.1"),
            (Some("127.0.0.1"), &["unknown"], "127.0.0.1"),
            (Some("127.0.0.1"), &["198.51.100.7, unknown, 10.1.2.3"], "10.1.2.3"),
            (Some("10.2.0.1"), &["198.51.100.7"], "10.2.0.1"),
            (None, &["198.51.100.7"], "198.51.100.7"),
            (None, &[], "0.0.0.0"),
            (None, &["2001:db8:1:2::9, 2001:db8:1:3::1"], "2001:db8:1:2::"),
            (None, &["2001:db8:2:3:4:5:6:7"], "2001:db8:2:3::"),
        ] {
            assert_eq!(from(peer, lines), client, "{peer:?} {lines:?}");
        }
    }

    #[test]
    fn a_list_without_end_is_read_from_its_end() {
        let long = format!("{}198.51.100.7", "1.1.1.1, ".repeat(5000));
        assert_eq!(from(Some("127.0.0.1"), &[&long]), "198.51.100.7");
    }
}
