//! Turns texts into values. Nothing stops at the first fault: each is noted, and a default stands in so that
//! the rest can be checked too.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use types::Secret;
use types::base_url::BaseUrl;
use types::system::ConfigLine;
use url::Url;

use super::keys;
use super::problem::ConfigProblem;
use super::secret::weakness;
use super::source::{Layers, Raw};
use super::trust::TrustProxy;

/// Reads one value after the other and keeps the books about them.
pub(super) struct Reader {
    layers: Layers,
    pub(super) lines: Vec<ConfigLine>,
}

/// How to make a secret; part of each message that asks for one.
const MAKE_ONE: &str = "make one with: openssl rand -hex 32";

impl Reader {
    pub(super) fn new(layers: Layers) -> Self {
        Self { layers, lines: Vec::new() }
    }

    pub(super) fn finish(self) -> (Vec<ConfigProblem>, Vec<String>, Vec<ConfigLine>) {
        (self.layers.problems, self.layers.warnings, self.lines)
    }

    /// The variables that name credentials of the pool.
    pub(super) fn pool_variables(&self) -> Vec<(String, Raw)> {
        self.layers.pool.iter().map(|(name, raw)| (name.clone(), raw.clone())).collect()
    }

    pub(super) fn warn(&mut self, text: impl Into<String>) {
        self.layers.warnings.push(text.into());
    }

    /// Notes a fault of a value, at the place where it stands.
    pub(super) fn fault(&mut self, name: &str, message: impl Into<String>) {
        let (key, place) = match self.layers.get(name) {
            Some(raw) => (raw.name.clone(), raw.place.clone()),
            None => (name.to_owned(), String::new()),
        };
        self.layers.problems.push(ConfigProblem { place, key, message: message.into() });
    }

    /// A value through its parser. The error text says what was expected; the value is quoted unless secret.
    fn parsed<T>(
        &mut self,
        name: &'static str,
        default: T,
        show: impl Fn(&T) -> String,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> T {
        let raw: Option<Raw> = self.layers.get(name).cloned();
        let mut value = default;
        if let Some(raw) = &raw {
            match parse(&raw.text) {
                Ok(good) => value = good,
                Err(expected) => self.fault(name, expected),
            }
        }
        self.lines.push(ConfigLine {
            name: name.to_owned(),
            value: show(&value),
            source: raw.map_or("default", |raw| raw.layer.as_str()).to_owned(),
        });
        value
    }

    pub(super) fn switch(&mut self, name: &'static str, default: bool) -> bool {
        self.parsed(name, default, bool::to_string, |text| match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "on" | "yes" => Ok(true),
            "false" | "0" | "off" | "no" => Ok(false),
            _ => Err(format!("expected true or false, found {}", quoted(text))),
        })
    }

    pub(super) fn number(&mut self, name: &'static str, default: u64, range: RangeInclusive<u64>) -> u64 {
        self.parsed(name, default, u64::to_string, |text| {
            text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
                let (from, to) = (range.start(), range.end());
                format!("expected a whole number from {from} to {to}, found {}", quoted(text))
            })
        })
    }

    pub(super) fn choice(&mut self, name: &'static str, words: &'static [&'static str]) -> &'static str {
        let first = words.first().copied().unwrap_or_default();
        self.parsed(
            name,
            first,
            |word| (*word).to_owned(),
            |text| {
                words
                    .iter()
                    .copied()
                    .find(|word| word.eq_ignore_ascii_case(text))
                    .ok_or_else(|| format!("expected one of {}, found {}", words.join(", "), quoted(text)))
            },
        )
    }

    pub(super) fn host(&mut self) -> IpAddr {
        self.parsed("HOST", IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::to_string, |text| {
            if text.eq_ignore_ascii_case("localhost") {
                return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
            }
            text.trim_start_matches('[').trim_end_matches(']').parse().ok().ok_or_else(|| {
                format!("expected an IP address such as 127.0.0.1, 0.0.0.0 or ::, found {}", quoted(text))
            })
        })
    }

    pub(super) fn base_url(&mut self) -> Option<BaseUrl> {
        let show = |url: &Option<BaseUrl>| url.as_ref().map_or_else(String::new, ToString::to_string);
        self.parsed("BASE_URL", None, show, |text| {
            let url = BaseUrl::parse(text).map_err(|error| format!("{error}, found {}", quoted(text)))?;
            let path = Url::parse(url.as_str()).map(|url| url.path().to_owned()).unwrap_or_default();
            if path.trim_matches('/').is_empty() {
                Ok(Some(url))
            } else {
                Err(format!(
                    "expected an address without a path: Tollgate is served at the root, found {}",
                    quoted(text)
                ))
            }
        })
    }

    pub(super) fn data_dir(&mut self) -> PathBuf {
        let show = |path: &PathBuf| path.display().to_string();
        self.parsed("DATA_DIR", PathBuf::from("./data"), show, |text| {
            if text.contains('\0') { Err("expected a path".to_owned()) } else { Ok(PathBuf::from(text)) }
        })
    }

    pub(super) fn file(&mut self, name: &'static str) -> Option<PathBuf> {
        let show =
            |path: &Option<PathBuf>| path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
        self.parsed(name, None, show, |text| {
            if std::path::Path::new(text).is_file() {
                Ok(Some(PathBuf::from(text)))
            } else {
                Err("expected the path of a file that is there".to_owned())
            }
        })
    }

    pub(super) fn database_url(&mut self, default: String) -> Secret<String> {
        self.parsed(
            "DATABASE_URL",
            Secret::new(default),
            |url| masked_url(url.expose()),
            |text| {
                let scheme = text.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
                match scheme {
                    "sqlite" if text.len() > "sqlite://".len() && text.starts_with("sqlite://") => Ok(()),
                    "postgres" | "postgresql" => match Url::parse(text) {
                        Ok(url) if url.has_host() => Ok(()),
                        _ => Err("expected postgres://user:password@host:port/database".to_owned()),
                    },
                    _ => {
                        Err("expected sqlite://path/to/tollgate.db or postgres://user:password@host/database"
                            .to_owned())
                    }
                }?;
                Ok(Secret::new(text.to_owned()))
            },
        )
    }

    pub(super) fn redis_url(&mut self) -> Option<Secret<String>> {
        self.url("REDIS_URL", &["redis", "rediss"])
    }

    pub(super) fn proxy_url(&mut self, name: &'static str) -> Option<Secret<String>> {
        self.url(name, &["http", "https", "socks5", "socks5h"])
    }

    fn url(&mut self, name: &'static str, schemes: &[&str]) -> Option<Secret<String>> {
        let show =
            |url: &Option<Secret<String>>| url.as_ref().map(|u| masked_url(u.expose())).unwrap_or_default();
        self.parsed(name, None, show, |text| match Url::parse(text) {
            Ok(url) if schemes.contains(&url.scheme()) && url.has_host() => {
                Ok(Some(Secret::new(text.to_owned())))
            }
            // The text may hold a password, so it is not quoted.
            _ => Err(format!("expected an address that begins with {}", join_schemes(schemes))),
        })
    }

    pub(super) fn list(&mut self, name: &'static str) -> Vec<String> {
        self.parsed(
            name,
            Vec::new(),
            |items| items.join(","),
            |text| {
                Ok(text
                    .split(',')
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect())
            },
        )
    }

    pub(super) fn name_servers(&mut self, name: &'static str) -> Vec<SocketAddr> {
        let show =
            |servers: &Vec<SocketAddr>| servers.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        self.parsed(name, Vec::new(), show, |text| {
            let read = |item: &str| {
                let bare = item.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
                bare.or_else(|_| item.parse())
                    .map_err(|_| format!("expected addresses such as 10.0.0.2 or 10.0.0.2:53, found {item}"))
            };
            let items: Vec<_> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
            if items.len() > 4 {
                return Err("expected at most four name servers".to_owned());
            }
            items.into_iter().map(read).collect()
        })
    }

    /// An address to listen on, or `off`.
    pub(super) fn callback_host(&mut self, name: &'static str) -> Option<IpAddr> {
        let usual = Some(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let show = |host: &Option<IpAddr>| host.map_or_else(|| "off".to_owned(), |host| host.to_string());
        self.parsed(name, usual, show, |text| match text.to_ascii_lowercase().as_str() {
            "off" => Ok(None),
            "localhost" => Ok(usual),
            other => other.trim_start_matches('[').trim_end_matches(']').parse().map(Some).map_err(|_| {
                format!("expected an IP address such as 127.0.0.1 or 0.0.0.0, or off, found {}", quoted(text))
            }),
        })
    }

    pub(super) fn trust_proxy(&mut self) -> TrustProxy {
        self.parsed("TRUST_PROXY", TrustProxy::Nobody, TrustProxy::to_string, |text| {
            TrustProxy::parse(text).map_err(|part| {
                format!(
                    "expected false, true, or networks such as 10.0.0.0/8,192.168.1.5; cannot read {part}"
                )
            })
        })
    }

    pub(super) fn log_level(&mut self) -> String {
        self.parsed("LOG_LEVEL", "info".to_owned(), Clone::clone, |text| {
            let level = text.to_ascii_lowercase();
            let known = ["error", "warn", "info", "debug", "trace"].contains(&level.as_str());
            if known || (text.contains('=') && text.parse::<tracing_subscriber::filter::Targets>().is_ok()) {
                return Ok(level);
            }
            Err(format!(
                "expected error, warn, info, debug or trace, or a list such as info,gateway=debug, found {}",
                quoted(text)
            ))
        })
    }

    /// A secret. Production needs one that is fit; elsewhere a missing one is made at the first start.
    pub(super) fn secret(&mut self, name: &'static str, production: bool) -> Option<Secret<String>> {
        let raw = self.layers.get(name).cloned();
        let key = keys::find(name);
        let shown = key.and_then(|key| key.alias).unwrap_or(name);
        match &raw {
            None if production => {
                let message =
                    format!("{shown} is required in production: at least 32 random characters; {MAKE_ONE}");
                self.fault(name, message);
            }
            Some(raw) => match weakness(&raw.text) {
                Some(why) if production => {
                    let message = format!(
                        "{shown} is required to be at least 32 random characters, but {why}; {MAKE_ONE}"
                    );
                    self.fault(name, message);
                }
                Some(why) => {
                    let given = &raw.name;
                    self.warn(format!("{given}: {why}; production would refuse it ({MAKE_ONE})"));
                }
                None => {}
            },
            None => {}
        }
        self.lines.push(ConfigLine {
            name: name.to_owned(),
            value: if raw.is_some() { "(set)" } else { "(made at the first start)" }.to_owned(),
            source: raw.as_ref().map_or("default", |raw| raw.layer.as_str()).to_owned(),
        });
        raw.map(|raw| Secret::new(raw.text))
    }

    /// The master secrets of before, separated by commas.
    pub(super) fn secrets(&mut self, name: &'static str) -> Vec<Secret<String>> {
        let show = |secrets: &Vec<Secret<String>>| match secrets.len() {
            0 => String::new(),
            count => format!("({count} set)"),
        };
        self.parsed(name, Vec::new(), show, |text| {
            Ok(text
                .split(',')
                .map(str::trim)
                .filter(|s| !s.is_empty())
                .map(|s| Secret::new(s.to_owned()))
                .collect())
        })
    }
}

fn join_schemes(schemes: &[&str]) -> String {
    schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(", ")
}

/// The value in quotes, cut short and without control characters: it is going to a terminal.
fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    let dots = if text.chars().count() > 40 { "…" } else { "" };
    format!("\"{short}{dots}\"")
}

/// An address without its password and without the values of its query, which may hold one too.
pub fn masked_url(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else { return "…".to_owned() };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "…".to_owned();
    }
    if url.query().is_some_and(|query| query.to_ascii_lowercase().contains("password")) {
        url.set_query(Some("…"));
    }
    // `Url` would print `sqlite://data/x` as it is, host and all, which is what was written.
    url.to_string()
}
