//! How requests find their credential: strategies, per-provider rules, what failures mean.

use serde::{Deserialize, Serialize};

use crate::breaker::BreakerConfig;
use crate::dialect::{Dialect, Endpoint, named};
use crate::limits::TimeOfDay;
use crate::problem::FieldErrors;
use crate::provider::ProviderKind;
use crate::translation::{Served, endpoint_in};

named! {
    /// Who is first among candidates of the same tier and priority.
    Strategy {
        /// A draw by weight; the default.
        Weighted = "weighted",
        /// In turn.
        RoundRobin = "round_robin",
        /// The one with the fewest requests at once, in proportion to its weight.
        LeastLoaded = "least_loaded",
        /// The quicker of two drawn at random, by what it took lately and what it carries now.
        Latency = "latency",
        /// The one that charges least, by its cost multiplier; a draw by weight among equals.
        Cheapest = "cheapest",
    }
}

named! {
    /// Whose fault a failed attempt is, and so what follows from it.
    FailureClass {
        /// The upstream failed (5xx, an unusable answer): another credential is tried, its breaker counts.
        Provider = "provider",
        /// The way there failed (DNS, TCP, TLS, proxy): another is tried, breakers count only if the setting says so.
        System = "system",
        /// The upstream has too much to do (529, 503): another is tried, this one rests shortly.
        Overload = "overload",
        /// The account's quota is used up for now (429): every other credential is tried, this one rests.
        RateLimit = "rate_limit",
        /// The upstream refuses the credential (401, 403): every other is tried, this one is marked.
        Auth = "auth",
        /// The account is out of credit (402): every other is tried, this one is marked.
        Quota = "quota",
        /// This account does not have the model (404): another is tried, this model rests here.
        NotFound = "not_found",
        /// The request itself is at fault: its caller gets the upstream's answer, nothing is tried again.
        Client = "client",
        /// The caller left.
        ClientGone = "client_gone",
        /// It was sent and nobody knows whether it was acted on.
        Unknown = "unknown",
        /// Tollgate itself could not (books, preparation).
        Local = "local",
    }
}

named! {
    /// Whether an upstream is offered HTTP/2.
    Http2 {
        /// HTTP/1.1, one connection for each request at once; the default.
        Off = "off",
        /// HTTP/2 where an upstream behind TLS chooses it, many requests on one connection; else HTTP/1.1.
        Auto = "auto",
    }
}

impl Strategy {
    /// All of them, as settings name them.
    pub const WORDS: &'static [&'static str] =
        &["weighted", "round_robin", "least_loaded", "latency", "cheapest"];
}

/// Hours of the day in which a provider may serve, in the billing time zone. An end before the start means over
/// midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// `HH:MM` from which on.
    pub start: TimeOfDay,
    /// `HH:MM` until which; not included.
    pub end: TimeOfDay,
}

/// What a provider's routing depends on beside its limits. Stored as one value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct ProviderRouting {
    /// Its circuit breakers.
    pub breaker: BreakerConfig,
    /// Patterns of the User-Agents that it serves; one that begins with `!` excludes. Empty means all.
    pub clients: Vec<String>,
    /// When it may serve; null means always.
    pub schedule: Option<Schedule>,
    /// Whether conversations stick to its credentials.
    pub sticky: bool,
    /// Whether a request goes out directly when the outbound proxy cannot be reached.
    pub proxy_fallback_to_direct: bool,
    /// Requests that may wait for a free slot of its credentials; null means the setting `routing.queue_size`.
    pub queue_size: Option<u32>,
    /// How long such a request waits at most, in milliseconds; null means the setting `routing.queue_ms`. Credentials
    /// without a `max_concurrency` are never waited for.
    pub queue_ms: Option<u32>,
    /// What it speaks, the preferred one for translations first; empty means what its kind speaks.
    pub dialects: Vec<Dialect>,
    /// Whether it also answers callers of other dialects, for models that its list or its redirects name.
    pub translate: bool,
    /// `off` (the default) or `auto`: HTTP/2 where the upstream chooses it.
    pub http2: Http2,
}

impl ProviderRouting {
    /// What a provider of a kind speaks, best first.
    pub fn spoken(&self, kind: ProviderKind) -> &[Dialect] {
        if self.dialects.is_empty() { kind.dialects() } else { &self.dialects }
    }

    /// What it speaks with one model, by the vendor's name for it, best first.
    pub fn spoken_with(&self, kind: ProviderKind, model: &str) -> &[Dialect] {
        let spoken = self.spoken(kind);
        let only = kind.dialect_of(model).and_then(|only| spoken.iter().position(|known| *known == only));
        only.and_then(|at| spoken.get(at..=at)).unwrap_or(spoken)
    }

    /// How a provider of a kind can answer an endpoint with a model (its own name for it, if one is asked for);
    /// `None` if it cannot.
    pub fn serves(&self, kind: ProviderKind, endpoint: Endpoint, model: Option<&str>) -> Option<Served> {
        let spoken = model.map_or_else(|| self.spoken(kind), |model| self.spoken_with(kind, model));
        let served = Served::of(endpoint, spoken)?;
        let asked = match served {
            Served::Natively | Served::Counted(_) => endpoint,
            Served::Translated(dialect) => endpoint_in(dialect, endpoint, false),
        };
        (kind.offers(asked) && (self.translate || served == Served::Natively)).then_some(served)
    }
}

impl Default for ProviderRouting {
    fn default() -> Self {
        Self {
            breaker: BreakerConfig::default(),
            clients: Vec::new(),
            schedule: None,
            sticky: true,
            proxy_fallback_to_direct: false,
            queue_size: None,
            queue_ms: None,
            dialects: Vec::new(),
            translate: true,
            http2: Http2::Off,
        }
    }
}

/// Changes to a [`ProviderRouting`]; absent fields stay.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct RoutingInput {
    /// See [`ProviderRouting`].
    pub breaker: Option<BreakerConfig>,
    /// See [`ProviderRouting`].
    pub clients: Option<Vec<String>>,
    /// See [`ProviderRouting`]; null removes it.
    pub schedule: crate::Patch<Schedule>,
    /// See [`ProviderRouting`].
    pub sticky: Option<bool>,
    /// See [`ProviderRouting`].
    pub proxy_fallback_to_direct: Option<bool>,
    /// See [`ProviderRouting`]; null means the setting.
    pub queue_size: crate::Patch<u32>,
    /// See [`ProviderRouting`]; null means the setting.
    pub queue_ms: crate::Patch<u32>,
    /// See [`ProviderRouting`].
    pub dialects: Option<Vec<Dialect>>,
    /// See [`ProviderRouting`].
    pub translate: Option<bool>,
    /// See [`ProviderRouting`].
    pub http2: Option<Http2>,
}

impl RoutingInput {
    /// Applies the changes and notes what is wrong with the result.
    pub fn apply(&self, current: ProviderRouting, errors: &mut FieldErrors) -> ProviderRouting {
        let routing = ProviderRouting {
            breaker: self.breaker.unwrap_or(current.breaker),
            clients: self
                .clients
                .as_ref()
                .map_or(current.clients, |patterns| clean_clients(patterns, errors)),
            schedule: self.schedule.clone().apply(current.schedule),
            sticky: self.sticky.unwrap_or(current.sticky),
            proxy_fallback_to_direct: self
                .proxy_fallback_to_direct
                .unwrap_or(current.proxy_fallback_to_direct),
            queue_size: self.queue_size.clone().apply(current.queue_size),
            queue_ms: self.queue_ms.clone().apply(current.queue_ms),
            dialects: self.dialects.clone().unwrap_or(current.dialects),
            translate: self.translate.unwrap_or(current.translate),
            http2: self.http2.unwrap_or(current.http2),
        };
        routing.breaker.check(errors);
        if routing.queue_size.is_some_and(|n| n > 10_000) {
            errors.add("queue_size", "expected 0 to 10000");
        }
        if routing.queue_ms.is_some_and(|n| n > 600_000) {
            errors.add("queue_ms", "expected 0 to 600000 milliseconds");
        }
        if routing.schedule.is_some_and(|schedule| schedule.start == schedule.end) {
            errors.add("schedule", "start and end are the same; leave it out for always");
        }
        let twice = (1..routing.dialects.len()).any(|at| {
            routing.dialects.get(at).is_some_and(|d| routing.dialects.iter().take(at).any(|o| o == d))
        });
        if twice {
            errors.add("dialects", "names a dialect twice");
        }
        routing
    }
}

fn clean_clients(patterns: &[String], errors: &mut FieldErrors) -> Vec<String> {
    let cleaned: Vec<_> = patterns.iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect();
    let odd = |p: &String| p.len() > 200 || p.chars().any(char::is_control) || p == "!";
    if cleaned.len() > 100 || cleaned.iter().any(odd) {
        errors.add("clients", "expected at most 100 patterns of at most 200 printable characters");
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routing_without_any_field_is_the_default() {
        let read: ProviderRouting = serde_json::from_str("{}").unwrap();
        assert_eq!(read, ProviderRouting::default());
        assert!(read.sticky);
    }

    #[test]
    fn vertex_answers_each_model_in_its_own_dialect() {
        let routing = ProviderRouting::default();
        let serves = |endpoint, model| routing.serves(ProviderKind::Vertex, endpoint, Some(model));
        let translated = |dialect| Some(Served::Translated(dialect));
        assert_eq!(serves(Endpoint::Messages, "claude-x"), Some(Served::Natively));
        assert_eq!(serves(Endpoint::Messages, "gemini-x"), translated(Dialect::Gemini));
        assert_eq!(serves(Endpoint::GeminiStream, "gemini-x"), Some(Served::Natively));
        assert_eq!(serves(Endpoint::GeminiStream, "claude-x"), translated(Dialect::Anthropic));
        assert_eq!(serves(Endpoint::Responses, "claude-x"), translated(Dialect::Anthropic));
        assert_eq!(serves(Endpoint::Embeddings, "gemini-embedding-x"), None);
        assert_eq!(serves(Endpoint::GeminiEmbed, "gemini-embedding-x"), None);
        assert_eq!(serves(Endpoint::CountTokens, "claude-x"), Some(Served::Natively));
        let only = ProviderRouting { dialects: vec![Dialect::Anthropic], ..routing.clone() };
        let answer = only.serves(ProviderKind::Vertex, Endpoint::Messages, Some("renamed"));
        assert_eq!(answer, Some(Served::Natively), "who lists dialects knows better than names");
    }

    #[test]
    fn nonsense_is_refused_by_field() {
        let input: RoutingInput = serde_json::from_str(
            r#"{"breaker":{"failure_threshold":0},"clients":["!"],"queue_ms":600001,
                "schedule":{"start":"08:00","end":"08:00"}}"#,
        )
        .unwrap();
        let mut errors = FieldErrors::default();
        input.apply(ProviderRouting::default(), &mut errors);
        let problem = errors.finish(()).unwrap_err();
        let names: Vec<_> = problem.fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["breaker.failure_threshold", "clients", "queue_ms", "schedule"]);
    }
}
