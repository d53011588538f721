//! What the engine is told at its start. Reading it from the environment is the server's business.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use types::Secret;
use types::credential::Tier;
use types::pool::PoolFault;
use types::system::ConfigLine;

/// The folder of the data folder in which fresh tokens of accounts wait, sealed, until the database has them.
pub const UNSAVED_TOKENS: &str = "tokens";

/// Static configuration of one process.
#[derive(Clone)]
pub struct Config {
    /// Database, journal and secrets live here.
    pub data_dir: PathBuf,
    /// What the dashboard must know of its own address.
    pub site: Site,
    /// Admin sign-in and bearer of the admin REST API.
    pub admin_token: Secret<String>,
    /// Master secret for stored credentials.
    pub encryption_secret: Secret<String>,
    /// Master secrets of before, for decryption only.
    pub encryption_previous: Vec<Secret<String>>,
    /// Default outbound proxy.
    pub outbound: OutboundProxy,
    /// How names are looked up.
    pub dns: Dns,
    /// Where vendors' fixed ports are listened on while a sign-in waits; `None`: nowhere.
    pub oauth_callback_host: Option<IpAddr>,
    /// Authorities that are believed beside the machine's own: a file of PEM certificates.
    pub extra_ca_file: Option<PathBuf>,
    /// Accept any upstream certificate; development only.
    pub unsafe_disable_tls_check: bool,
    /// Deadline of a provider test in milliseconds; default 15,000 (5,000 to 120,000).
    pub api_test_timeout_ms: u64,
    /// Whether limits refuse anything (`ENABLE_RATE_LIMIT`); usage is booked either way.
    pub enforce_limits: bool,
    /// Whether failed connections count for breakers (`ENABLE_CIRCUIT_BREAKER_ON_NETWORK_ERRORS`), whatever the
    /// setting `routing.breaker_on_network_errors` says.
    pub breaker_on_network_errors: bool,
    /// Credentials that variables of the environment name (TP-11).
    pub env_lists: Vec<EnvList>,
    /// Effective configuration with its sources, secrets masked, for the system page.
    pub config_lines: Vec<ConfigLine>,
    /// Name of this instance in the books; one per data folder.
    pub node: String,
    /// Changes the log level at run time; the empty text means "as configured at start".
    pub set_log_level: Arc<dyn Fn(&str) + Send + Sync>,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("data_dir", &self.data_dir)
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

/// The credentials that one variable of the environment names.
#[derive(Clone, Debug)]
pub struct EnvList {
    /// Its name.
    pub variable: String,
    /// Which provider they are for: its name in capital letters, whatever is no letter or digit as `_`; or its id.
    pub provider: String,
    /// The tier that they are in.
    pub tier: Tier,
    /// What was taken, in order, each once.
    pub entries: Vec<EnvEntry>,
    /// What was left out, and why.
    pub refused: Vec<PoolFault>,
}

/// One entry of such a variable.
#[derive(Clone, Debug)]
pub struct EnvEntry {
    /// Its place in the list, from 1.
    pub number: u32,
    /// The API key.
    pub secret: Secret<String>,
}

/// How the dashboard is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// `BASE_URL`, without a trailing slash.
    pub base_url: Option<String>,
    /// Whether cookies carry `Secure`, which browsers refuse over plain HTTP.
    pub secure_cookies: bool,
    /// `TOLLGATE_ENV=production`.
    pub production: bool,
}

/// `DNS_SERVERS` and `DNS_TIMEOUT_MS`.
#[derive(Clone, Debug)]
pub struct Dns {
    /// Name servers to ask in place of the machine's resolver; empty: the machine's.
    pub servers: Vec<SocketAddr>,
    /// How long a connection waits for a name, in milliseconds; default 2,000 (100 to 30,000).
    pub timeout_ms: u64,
}

impl Default for Dns {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout_ms: 2_000 }
    }
}

/// `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`.
#[derive(Clone, Debug, Default)]
pub struct OutboundProxy {
    /// For `http://` upstreams.
    pub http: Option<Secret<String>>,
    /// For `https://` upstreams.
    pub https: Option<Secret<String>>,
    /// Hosts that are reached directly: names, `.suffixes`, addresses, networks, or `*`.
    pub no_proxy: Vec<String>,
}

impl OutboundProxy {
    /// The proxy for an upstream, unless its host is excepted.
    pub(crate) fn for_host(&self, https: bool, host: &str) -> Option<&Secret<String>> {
        let proxy = if https { self.https.as_ref() } else { self.http.as_ref() }?;
        let excepted = self.no_proxy.iter().any(|rule| excepts(rule.trim(), host));
        (!excepted).then_some(proxy)
    }
}

fn excepts(rule: &str, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if rule == "*" {
        return true;
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return rule.parse::<ipnet::IpNet>().is_ok_and(|network| network.contains(&address))
            || rule.parse::<IpAddr>().is_ok_and(|known| known == address);
    }
    let suffix = rule.trim_start_matches('.');
    !suffix.is_empty()
        && (host.eq_ignore_ascii_case(suffix)
            || host.len().checked_sub(suffix.len() + 1).and_then(|at| host.get(at..)).is_some_and(|tail| {
                tail.starts_with('.') && tail.get(1..).is_some_and(|t| t.eq_ignore_ascii_case(suffix))
            }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_excepts_hosts_suffixes_and_networks() {
        let proxy = OutboundProxy {
            http: Some(Secret::new("http://proxy:3128".into())),
            https: None,
            no_proxy: ["localhost", ".internal", "10.0.0.0/8", "::1"].map(String::from).to_vec(),
        };
        for (host, used) in [
            ("api.example.com", true),
            ("localhost", false),
            ("ollama.internal", false),
            ("notinternal", true),
            ("10.2.3.4", false),
            ("11.2.3.4", true),
            ("[::1]", false),
        ] {
            assert_eq!(proxy.for_host(false, host).is_some(), used, "{host}");
        }
        assert!(proxy.for_host(true, "api.example.com").is_none());
    }
}
