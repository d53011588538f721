//! Static configuration: every value with its source, every fault with its place, all faults at once.
//!
//! It is the only place that reads the environment, and it writes nothing: secrets that must be made are made
//! by `boot`. Settings that an administrator changes at run time are `types::setting`'s.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gateway::{Clock, Dns, EnvList, OutboundProxy, Site};
use types::Secret;
use types::base_url::BaseUrl;
use types::system::ConfigLine;

mod dotenv;
pub mod edge;
pub mod keys;
mod pool_lists;
mod problem;
mod read;
pub mod secret;
pub mod service;
pub mod source;
#[cfg(test)]
mod tests;
mod toml_file;
pub mod trust;

pub use edge::EdgeLimits;
pub use problem::{ConfigProblem, ConfigProblems};
pub use read::masked_url;
pub use source::Inputs;
pub use trust::TrustProxy;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One line a person can read.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Changes the log level at run time; the empty text means "as configured at start".
pub type LevelHandle = Arc<dyn Fn(&str) + Send + Sync>;

/// Everything that one process is told at its start.
#[derive(Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the product contract")]
pub struct ServerConfig {
    /// `TOLLGATE_ENV=production`.
    pub production: bool,
    /// Address to listen on.
    pub host: IpAddr,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Public address, if it was given.
    pub base_url: Option<BaseUrl>,
    /// Database address; may hold a password.
    pub database_url: Secret<String>,
    /// Accepted and checked; this version does not use it.
    pub redis_url: Option<Secret<String>>,
    /// Database, journal and secrets live here.
    pub data_dir: PathBuf,
    /// Admin sign-in; none means "made at the first start" (development only).
    pub admin_token: Option<Secret<String>>,
    /// Master secret of the vault; none means "made at the first start" (development only).
    pub encryption_secret: Option<Secret<String>>,
    /// Master secrets of before, for decryption only.
    pub encryption_previous: Vec<Secret<String>>,
    /// Whether cookies carry `Secure`.
    pub secure_cookies: bool,
    /// Whether migrations run at start.
    pub auto_migrate: bool,
    /// Whose forwarding headers are believed.
    pub trust_proxy: TrustProxy,
    /// Deadline of a provider test in milliseconds.
    pub api_test_timeout_ms: u64,
    /// `EXTRA_CA_FILE`
    pub extra_ca_file: Option<PathBuf>,
    /// Whether limits are enforced.
    pub enable_rate_limit: bool,
    /// `ENABLE_CIRCUIT_BREAKER_ON_NETWORK_ERRORS`
    pub breaker_on_network_errors: bool,
    /// Accept any upstream certificate; development only.
    pub unsafe_disable_tls_check: bool,
    /// Default outbound proxy.
    pub outbound: OutboundProxy,
    /// How names of upstreams are looked up.
    pub dns: Dns,
    /// Where vendors' fixed ports are listened on while a sign-in waits; `None`: nowhere.
    pub oauth_callback_host: Option<IpAddr>,
    /// A level, or a list such as `info,gateway=debug`.
    pub log_level: String,
    /// Text or JSON.
    pub log_format: LogFormat,
    /// Credentials that variables name.
    pub pool_lists: Vec<EnvList>,
    /// Deadlines and caps of the edge.
    pub edge: EdgeLimits,
    /// Every value with its source; secrets masked.
    pub lines: Vec<ConfigLine>,
    /// What is odd but no fault.
    pub warnings: Vec<String>,
    /// Set by whoever installed the log; does nothing otherwise.
    pub set_log_level: LevelHandle,
    /// What tells the time; tests move theirs.
    pub clock: Clock,
}

impl fmt::Debug for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerConfig")
            .field("lines", &self.lines)
            .field("edge", &self.edge)
            .finish_non_exhaustive()
    }
}

impl ServerConfig {
    /// Judges what was found. Reading it from the process is [`Inputs::from_process`]'s.
    pub fn load(inputs: Inputs) -> Result<Self, ConfigProblems> {
        let mut read = read::Reader::new(source::Layers::of(inputs));
        let production = read.choice("TOLLGATE_ENV", &["development", "production"]) == "production";
        let host = read.host();
        let port = u16::try_from(read.number("PORT", 8080, 0..=65_535)).unwrap_or_default();
        let base_url = read.base_url();
        let data_dir = read.data_dir();
        let config = Self {
            production,
            host,
            port,
            database_url: read.database_url(default_database(&data_dir)),
            redis_url: read.redis_url(),
            admin_token: read.secret("ADMIN_TOKEN", production),
            encryption_secret: read.secret("ENCRYPTION_SECRET", production),
            encryption_previous: read.secrets("ENCRYPTION_SECRET_PREVIOUS"),
            secure_cookies: read.switch("ENABLE_SECURE_COOKIES", production),
            auto_migrate: read.switch("AUTO_MIGRATE", true),
            trust_proxy: read.trust_proxy(),
            enable_rate_limit: read.switch("ENABLE_RATE_LIMIT", true),
            breaker_on_network_errors: read.switch("ENABLE_CIRCUIT_BREAKER_ON_NETWORK_ERRORS", false),
            api_test_timeout_ms: read.number("API_TEST_TIMEOUT_MS", 15_000, 5_000..=120_000),
            extra_ca_file: read.file("EXTRA_CA_FILE"),
            unsafe_disable_tls_check: read.switch("UNSAFE_DISABLE_TLS_CHECK", false),
            outbound: OutboundProxy {
                http: read.proxy_url("HTTP_PROXY"),
                https: read.proxy_url("HTTPS_PROXY"),
                no_proxy: read.list("NO_PROXY"),
            },
            dns: Dns {
                servers: read.name_servers("DNS_SERVERS"),
                timeout_ms: read.number("DNS_TIMEOUT_MS", 2_000, 100..=30_000),
            },
            oauth_callback_host: read.callback_host("OAUTH_CALLBACK_HOST"),
            log_level: read.log_level(),
            log_format: match read.choice("LOG_FORMAT", &["text", "json"]) {
                "json" => LogFormat::Json,
                _ => LogFormat::Text,
            },
            pool_lists: pool_lists::read(&mut read),
            edge: EdgeLimits::of_profile(production),
            lines: Vec::new(),
            warnings: Vec::new(),
            set_log_level: Arc::new(|_| {}),
            clock: Clock::system(),
            base_url,
            data_dir,
        };
        config.judge_as_a_whole(&mut read);
        let (problems, warnings, mut lines) = read.finish();
        if !problems.is_empty() {
            return Err(ConfigProblems(problems));
        }
        // What names credentials has no place among the fixed names: it comes last.
        let place = |line: &ConfigLine| keys::KEYS.iter().position(|key| key.name == line.name);
        lines.sort_by_key(|line| place(line).unwrap_or(usize::MAX));
        Ok(Self { lines, warnings, ..config })
    }

    /// Rules about more than one value, and values that this version takes but cannot honour.
    fn judge_as_a_whole(&self, read: &mut read::Reader) {
        if self.production && self.unsafe_disable_tls_check {
            read.fault("UNSAFE_DISABLE_TLS_CHECK", "it is honoured in development only; remove it");
        }
        if let (Some(token), Some(secret)) = (&self.admin_token, &self.encryption_secret)
            && self.production
            && token.expose() == secret.expose()
        {
            read.fault(
                "ENCRYPTION_SECRET",
                "it must differ from ADMIN_TOKEN: whoever knows one would know both",
            );
        }
        if self.unsafe_disable_tls_check && !self.production {
            read.warn("UNSAFE_DISABLE_TLS_CHECK is on: upstream certificates are not checked");
        }
        if self.redis_url.is_some() {
            read.warn("REDIS_URL is set, but is not used by this version");
        }
        if !self.enable_rate_limit {
            read.warn("ENABLE_RATE_LIMIT is off: no limit is enforced, of money neither; everything is booked all the same");
        }
        let plain = self.base_url.as_ref().is_some_and(|url| url.as_str().starts_with("http://"));
        if self.secure_cookies && plain {
            read.warn(
                "ENABLE_SECURE_COOKIES is on, but BASE_URL begins with http://: browsers will refuse the sign-in \
                 cookie unless the address is localhost",
            );
        }
    }

    /// Where to listen.
    pub fn listen_address(&self) -> SocketAddr {
        SocketAddr::new(self.host, self.port)
    }

    /// What the dashboard must know of its own address.
    pub fn site(&self) -> Site {
        Site {
            base_url: self.base_url.as_ref().map(ToString::to_string),
            secure_cookies: self.secure_cookies,
            production: self.production,
        }
    }

    /// `development` or `production`.
    pub fn profile(&self) -> &'static str {
        if self.production { "production" } else { "development" }
    }

    /// Marks a value as made at start, for `config show` and the system page.
    pub(crate) fn mark_generated(lines: &mut [ConfigLine], name: &str) {
        for line in lines.iter_mut().filter(|line| line.name == name) {
            "generated".clone_into(&mut line.source);
            "(set)".clone_into(&mut line.value);
        }
    }

    /// A configuration for tests: everything in `data_dir`, any free port of the loopback, short deadlines.
    pub fn for_tests(data_dir: &Path) -> Self {
        Self {
            production: false,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            base_url: None,
            database_url: Secret::new(default_database(data_dir)),
            redis_url: None,
            data_dir: data_dir.to_path_buf(),
            admin_token: Some(Secret::new("test-admin-0f8a1c5e7b3d9264".to_owned())),
            encryption_secret: Some(Secret::new("test-vault-5d2e8c41f09ab673".to_owned())),
            encryption_previous: Vec::new(),
            secure_cookies: false,
            auto_migrate: true,
            trust_proxy: TrustProxy::Nobody,
            api_test_timeout_ms: 5_000,
            extra_ca_file: None,
            enable_rate_limit: true,
            breaker_on_network_errors: false,
            unsafe_disable_tls_check: false,
            outbound: OutboundProxy::default(),
            dns: Dns::default(),
            oauth_callback_host: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            log_level: "info".to_owned(),
            log_format: LogFormat::Text,
            pool_lists: Vec::new(),
            edge: EdgeLimits::for_tests(),
            lines: Vec::new(),
            warnings: Vec::new(),
            set_log_level: Arc::new(|_| {}),
            clock: Clock::system(),
        }
    }
}

/// SQLite in the data folder. `%`, `?` and `#` mean something in the address, so a path with them is escaped.
fn default_database(data_dir: &Path) -> String {
    let path = data_dir.join("tollgate.db").display().to_string();
    let path = path.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    format!("sqlite://{}", path.strip_prefix("./").unwrap_or(&path))
}
