//! Whose request it is, as far as addresses go. Forwarding headers count only if the peer of the socket is a
//! proxy of ours, and then only as far to the left as proxies of ours wrote them (OWASP ASVS 5.0, 4.1.3).
//!
//! `Forwarded` and `X-Real-IP` are not read: two headers that say the same can be made to differ.

use std::net::IpAddr;

use http::{HeaderMap, HeaderName};

use crate::config::TrustProxy;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The caller's address; an extension of every request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

/// The first address, from the right, that is not a proxy of ours; the leftmost if all are; the last good one
/// before an entry that is no address.
pub fn resolve(peer: IpAddr, headers: &HeaderMap, trust: &TrustProxy) -> ClientIp {
    let mut client = peer.to_canonical();
    if !trust.covers(client) {
        return ClientIp(client);
    }
    let values: Vec<&str> =
        headers.get_all(X_FORWARDED_FOR).iter().map(|value| value.to_str().unwrap_or("?")).collect();
    for entry in values.iter().rev().flat_map(|value| value.rsplit(',')) {
        let Some(address) = parse(entry.trim()) else { break };
        client = address;
        if !trust.covers(client) {
            break;
        }
    }
    ClientIp(client)
}

/// `1.2.3.4`, `1.2.3.4:567`, `::1`, `[::1]`, `[::1]:567`; nothing else.
fn parse(entry: &str) -> Option<IpAddr> {
    let address = entry
        .parse::<IpAddr>()
        .or_else(|_| entry.parse::<std::net::SocketAddr>().map(|socket| socket.ip()))
        .or_else(|_| entry.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>());
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn resolved(trust: &str, peer: &str, values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(X_FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        resolve(peer.parse().unwrap(), &headers, &TrustProxy::parse(trust).unwrap()).0.to_string()
    }

    #[test]
    fn x3_twenty_cases_of_who_is_believed() {
        let cases: &[(&str, &str, &[&str], &str)] = &[
            ("false", "203.0.113.9", &[], "203.0.113.9"),
            ("false", "127.0.0.1", &["1.1.1.1"], "127.0.0.1"),
            ("true", "127.0.0.1", &["1.1.1.1"], "1.1.1.1"),
            ("true", "203.0.113.9", &["1.1.1.1"], "203.0.113.9"),
            ("true", "10.0.0.2", &["9.9.9.9, 1.1.1.1"], "1.1.1.1"),
            ("true", "10.0.0.2", &["9.9.9.9, 1.1.1.1, 10.0.0.3"], "1.1.1.1"),
            ("true", "10.0.0.2", &["9.9.9.9", "1.1.1.1"], "1.1.1.1"),
            ("true", "10.0.0.2", &["10.0.0.9, 10.0.0.3"], "10.0.0.9"),
            ("true", "10.0.0.2", &[], "10.0.0.2"),
            ("true", "10.0.0.2", &["nonsense"], "10.0.0.2"),
            ("true", "10.0.0.2", &["1.1.1.1, nonsense"], "10.0.0.2"),
            ("true", "10.0.0.2", &["nonsense, 1.1.1.1"], "1.1.1.1"),
            ("true", "10.0.0.2", &["1.1.1.1:4711"], "1.1.1.1"),
            ("true", "10.0.0.2", &["[2001:db8::7]:4711"], "2001:db8::7"),
            ("true", "10.0.0.2", &["[2001:db8::7]"], "2001:db8::7"),
            ("true", "::1", &["2001:db8::7"], "2001:db8::7"),
            ("true", "::ffff:10.0.0.2", &["::ffff:1.1.1.1"], "1.1.1.1"),
            ("192.0.2.0/24", "192.0.2.1", &["1.1.1.1"], "1.1.1.1"),
            ("192.0.2.0/24", "10.0.0.2", &["1.1.1.1"], "10.0.0.2"),
            ("192.0.2.0/24,10.0.0.2", "10.0.0.2", &["1.1.1.1, 192.0.2.7"], "1.1.1.1"),
            ("192.0.2.0/24", "192.0.2.1", &["10.0.0.5"], "10.0.0.5"),
            ("true", "10.0.0.2", &[""], "10.0.0.2"),
        ];
        for (trust, peer, values, expected) in cases {
            assert_eq!(resolved(trust, peer, values), *expected, "{trust} {peer} {values:?}");
        }
    }

    proptest! {
        /// Whatever a caller writes to the left of what our proxy appends changes nothing.
        #[test]
        fn x3_a_forged_prefix_never_changes_the_result(prefix in "[ -~]{0,60}") {
            let honest = resolved("true", "10.0.0.2", &["198.51.100.7"]);
            let forged = resolved("true", "10.0.0.2", &[&format!("{prefix}, 198.51.100.7")]);
            prop_assert_eq!(&honest, &forged);
            let two_lines = resolved("true", "10.0.0.2", &[&prefix, "198.51.100.7"]);
            prop_assert_eq!(&honest, &two_lines);
            prop_assert_eq!(resolved("false", "198.51.100.7", &[&prefix]), "198.51.100.7");
        }
    }
}
