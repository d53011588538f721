//! RL-02: says once in the log that a proxy seems to stand in front while `TRUST_PROXY` is off, because then all
//! clients share one address, and limits per address hit the wrong ones or nobody.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;

use crate::config::TrustProxy;

/// Whether it was said; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ProxyHint(Arc<AtomicBool>);

impl ProxyHint {
    /// Looks at one request. After the hint was given once, this is one load.
    pub fn look(&self, peer: IpAddr, headers: &HeaderMap, trust: &TrustProxy) {
        if self.0.load(Ordering::Relaxed) || *trust != TrustProxy::Nobody {
            return;
        }
        let forwarded = ["x-forwarded-for", "forwarded", "x-real-ip"]
            .into_iter()
            .find(|name| headers.contains_key(*name));
        if let Some(header) = forwarded
            && !self.0.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                %peer,
                header,
                "a request brought a forwarding header, but TRUST_PROXY is off: if {peer} is your reverse proxy, all \
                 clients look like {peer}; set TRUST_PROXY=true"
            );
        }
    }

    /// Whether the hint was given.
    pub fn was_given(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
