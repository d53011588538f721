//! Counters and histograms, defined once. Labels come from closed sets: never a name, a key or a model.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use types::request::{Outcome, RequestRecord};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    endpoint: &'static str,
    outcome: &'static str,
    /// `2xx`, `4xx`, …
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PhaseLabel {
    phase: &'static str,
}

/// Kinds of tokens, in the order in which [`Metrics`] holds their counters.
const TOKEN_KINDS: [&str; 4] = ["input", "output", "cache_read", "cache_write"];

/// The process's metrics.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    // What every request touches is looked up once, at the start.
    total: Histogram,
    first_byte: Histogram,
    tokens: [Counter; 4],
    attempts: Family<KindLabel, Counter>,
    in_flight: Gauge,
    streams: Gauge,
    writer_failures: Counter,
    overshoots: Counter,
    cost: Counter,
    violations: Gauge,
    waiting: Gauge,
    backlog: Gauge<u64, AtomicU64>,
}

fn latency() -> Histogram {
    // 1 ms to about 2 minutes.
    Histogram::new(exponential_buckets(0.001, 2.5, 13))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("tollgate");
        let seconds: Family<PhaseLabel, Histogram, fn() -> Histogram> = Family::new_with_constructor(latency);
        let phase = |phase| seconds.get_or_create(&PhaseLabel { phase }).clone();
        let tokens = Family::<KindLabel, Counter>::default();
        let metrics = Self {
            requests: Family::default(),
            total: phase("total"),
            first_byte: phase("first_byte"),
            tokens: TOKEN_KINDS.map(|kind| tokens.get_or_create(&KindLabel { kind }).clone()),
            attempts: Family::default(),
            in_flight: Gauge::default(),
            streams: Gauge::default(),
            writer_failures: Counter::default(),
            overshoots: Counter::default(),
            cost: Counter::default(),
            violations: Gauge::default(),
            waiting: Gauge::default(),
            backlog: Gauge::default(),
            registry: Registry::default(),
        };
        registry.register("requests", "Requests that ended", metrics.requests.clone());
        registry.register_with_unit(
            "request",
            "Time from arrival to first byte and to the end",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register("tokens", "Tokens that upstreams counted", tokens.clone());
        registry.register("attempts", "Attempts at credentials by outcome", metrics.attempts.clone());
        registry.register("in_flight", "Requests in flight", metrics.in_flight.clone());
        registry.register("open_streams", "Streams open to callers", metrics.streams.clone());
        registry.register("writer_failures", "Failed writes of the books", metrics.writer_failures.clone());
        registry.register(
            "overshoots",
            "Requests that cost more than was held for them",
            metrics.overshoots.clone(),
        );
        registry.register("cost_nano_usd", "What callers were charged, in nano-USD", metrics.cost.clone());
        registry.register(
            "ledger_invariant_violations",
            "What the last audit of the books found; must be 0",
            metrics.violations.clone(),
        );
        registry.register(
            "waiting_for_money",
            "Requests that wait for money others hold",
            metrics.waiting.clone(),
        );
        registry.register("journal_backlog", "Records not yet in the database", metrics.backlog.clone());
        Self { registry, ..metrics }
    }

    /// Counts a finished request.
    pub(crate) fn finished(&self, record: &RequestRecord) {
        let status = match record.status_code {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        let labels =
            RequestLabels { endpoint: record.endpoint.as_str(), outcome: record.outcome.as_str(), status };
        self.requests.get_or_create(&labels).inc();
        self.cost.inc_by(u64::try_from(record.cost_usd.nano()).unwrap_or(0));
        if record.outcome == Outcome::Refused {
            return;
        }
        self.total.observe(seconds(record.duration_ms));
        if let Some(ms) = record.first_byte_ms {
            self.first_byte.observe(seconds(ms));
        }
        let tokens =
            [record.input_tokens, record.output_tokens, record.cache_read_tokens, record.cache_write_tokens];
        for (counter, count) in self.tokens.iter().zip(tokens) {
            counter.inc_by(count);
        }
        for attempt in &record.attempts {
            self.attempts.get_or_create(&KindLabel { kind: attempt.outcome.as_str() }).inc();
        }
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn in_flight(&self) -> GaugeGuard {
        GaugeGuard::new(&self.in_flight)
    }

    /// Counts a stream as open until the guard is dropped.
    pub(crate) fn open_stream(&self) -> GaugeGuard {
        GaugeGuard::new(&self.streams)
    }

    /// Requests and streams that are open now.
    pub(crate) fn open_now(&self) -> (u64, u64) {
        let read = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or(0);
        (read(&self.in_flight), read(&self.streams))
    }

    /// Counts a request that cost more than its worst case.
    pub(crate) fn overshot(&self) {
        self.overshoots.inc();
    }

    /// Notes what the last audit of the books found.
    pub(crate) fn audited(&self, violations: usize) {
        self.violations.set(i64::try_from(violations).unwrap_or(i64::MAX));
    }

    /// What the last audit of the books found.
    pub(crate) fn violations(&self) -> u64 {
        u64::try_from(self.violations.get()).unwrap_or(0)
    }

    /// Counts a failed write of the books.
    pub(crate) fn writer_failed(&self) {
        self.writer_failures.inc();
    }

    /// The Prometheus text (`OpenMetrics` 1.0).
    pub(crate) fn render(&self, backlog: u64, waiting: usize) -> String {
        self.backlog.set(backlog);
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a latency for a histogram, no money")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

/// Lowers its gauge when dropped.
#[derive(Debug)]
pub(crate) struct GaugeGuard(Gauge);

impl GaugeGuard {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}
