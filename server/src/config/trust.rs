//! Whose forwarding headers are believed. The walk over the headers is `middleware::client_ip`'s.

use std::net::IpAddr;

use ipnet::IpNet;

/// `TRUST_PROXY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TrustProxy {
    /// Nobody's; the default.
    #[default]
    Nobody,
    /// Those of peers with a private or loopback address.
    PrivatePeers,
    /// Those of peers in these networks.
    Networks(Vec<IpNet>),
}

impl TrustProxy {
    /// Reads `true`, `false` or a list of addresses and networks; the error is the part that is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "" | "false" | "off" | "no" | "0" => return Ok(Self::Nobody),
            "true" | "on" | "yes" | "1" => return Ok(Self::PrivatePeers),
            _ => {}
        }
        let mut networks = Vec::new();
        for part in text.split([',', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
            let network = part.parse::<IpNet>().or_else(|_| part.parse::<IpAddr>().map(IpNet::from));
            networks.push(network.map_err(|error| format!("'{part}' ({error})"))?.trunc());
        }
        Ok(Self::Networks(networks))
    }

    /// Whether this address is a proxy of ours.
    pub fn covers(&self, address: IpAddr) -> bool {
        match self {
            Self::Nobody => false,
            Self::PrivatePeers => is_private(address),
            Self::Networks(networks) => networks.iter().any(|network| network.contains(&address)),
        }
    }
}

impl std::fmt::Display for TrustProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => f.write_str("false"),
            Self::PrivatePeers => f.write_str("true"),
            Self::Networks(networks) => {
                f.write_str(&networks.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
            }
        }
    }
}

/// Loopback, RFC 1918, link-local, shared address space (RFC 6598) and unique local IPv6 (RFC 4193).
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback() || v4.is_private() || v4.is_link_local() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}
