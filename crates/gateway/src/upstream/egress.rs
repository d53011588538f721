//! Where nothing may ever be sent, whatever an address says: metadata services, link-local and senseless ranges.
//!
//! It is applied to the addresses that a name resolves to, inside the connector, so that a name cannot change
//! its mind between the check and the connection. Loopback and private networks are open on purpose: local
//! models (Ollama, vLLM) live there, and only an administrator can enter an address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether a connection to this address is refused.
pub(crate) fn is_denied(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => denied_v4(v4),
        IpAddr::V6(v6) => embedded_v4(v6).map_or_else(|| denied_v6(v6), denied_v4),
    }
}

fn denied_v4(address: Ipv4Addr) -> bool {
    // 100.100.100.200 is the metadata service of Alibaba Cloud; the others use 169.254.169.254.
    address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.octets().first() == Some(&0)
        || address == Ipv4Addr::new(100, 100, 100, 200)
}

fn denied_v6(address: Ipv6Addr) -> bool {
    // fd00:ec2::254 is the metadata service of AWS.
    address.is_unspecified()
        || address.is_multicast()
        || address.is_unicast_link_local()
        || address == Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)
}

/// An IPv4 address in IPv6 clothes: mapped (RFC 4291 §2.5.5.2) or behind the NAT64 prefix (RFC 6052 §2.1).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    address.to_ipv4_mapped().or_else(|| {
        let bits = address.to_bits();
        let low = u32::try_from(bits & u128::from(u32::MAX)).ok()?;
        (bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000).then(|| Ipv4Addr::from_bits(low))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x7_metadata_and_senseless_addresses_are_denied_in_every_spelling() {
        for address in [
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "255.255.255.255",
            "224.0.0.1",
            "100.100.100.200",
            "::",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
        ] {
            assert!(is_denied(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn local_models_and_the_internet_are_open() {
        for address in
            ["127.0.0.1", "::1", "10.0.0.5", "192.168.1.2", "fd12::1", "1.1.1.1", "2606:4700::1111"]
        {
            assert!(!is_denied(address.parse().unwrap()), "{address}");
        }
    }
}
