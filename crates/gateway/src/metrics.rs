//! Counters and histograms, defined once. Labels come from closed sets: never a name, a key or a model. Identities of
//! credentials are the exception, because an administrator makes each of them.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use types::request::{Attempt, AttemptOutcome, HedgeOutcome, Outcome, RequestRecord};

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

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CredentialLabel {
    credential_id: i64,
}

/// What is counted elsewhere and shown here.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readings {
    /// Records not yet in the database.
    pub(crate) backlog: u64,
    /// Requests that wait for money.
    pub(crate) waiting: usize,
    /// Accounts that are out of use until somebody signs in again.
    pub(crate) accounts_lost: usize,
    /// Attempts at another credential after a failed one.
    pub(crate) switches: u64,
    /// Requests that ran out of credentials.
    pub(crate) exhausted: u64,
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
    hedges: Family<KindLabel, Counter>,
    rate_limited: Family<CredentialLabel, Counter>,
    // Attempts that say how well upstreams do, and those of them that went well.
    judged: Counter,
    good: Counter,
    success_ratio: Gauge<f64, AtomicU64>,
    switches: Counter,
    exhausted: Counter,
    checks: Family<KindLabel, Counter>,
    switched_off: Counter,
    cut_off: Gauge,
    token_refreshes: Family<KindLabel, Counter>,
    in_flight: Gauge,
    streams: Gauge,
    sockets: Gauge,
    writer_failures: Counter,
    overshoots: Counter,
    cost: Counter,
    violations: Gauge,
    waiting: Gauge,
    accounts_lost: Gauge,
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
            hedges: Family::default(),
            rate_limited: Family::default(),
            judged: Counter::default(),
            good: Counter::default(),
            success_ratio: Gauge::default(),
            switches: Counter::default(),
            exhausted: Counter::default(),
            checks: Family::default(),
            switched_off: Counter::default(),
            cut_off: Gauge::default(),
            token_refreshes: Family::default(),
            in_flight: Gauge::default(),
            streams: Gauge::default(),
            sockets: Gauge::default(),
            writer_failures: Counter::default(),
            overshoots: Counter::default(),
            cost: Counter::default(),
            violations: Gauge::default(),
            waiting: Gauge::default(),
            accounts_lost: Gauge::default(),
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
        metrics.register_attempts(&mut registry);
        registry.register(
            "upstream_rate_limited",
            "Answers 429 of upstreams by credential",
            metrics.rate_limited.clone(),
        );
        registry.register(
            "attempt_success_ratio",
            "Share of attempts that went well since the start, callers who left aside; 1 if there was none",
            metrics.success_ratio.clone(),
        );
        registry.register(
            "pool_switches",
            "Attempts at another credential after a failed one",
            metrics.switches.clone(),
        );
        registry.register(
            "pool_exhausted",
            "Requests that ran out of credentials",
            metrics.exhausted.clone(),
        );
        registry.register("credential_checks", "Checks of credentials by result", metrics.checks.clone());
        registry.register(
            "credentials_switched_off",
            "Credentials that failed too many checks in a row",
            metrics.switched_off.clone(),
        );
        registry.register(
            "checks_cut_off",
            "1 while more than half of the checks get no answer",
            metrics.cut_off.clone(),
        );
        registry.register("in_flight", "Requests in flight", metrics.in_flight.clone());
        registry.register("open_streams", "Streams open to callers", metrics.streams.clone());
        registry.register("open_sockets", "WebSockets open to callers", metrics.sockets.clone());
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
        metrics.register_accounts(&mut registry);
        Self { registry, ..metrics }
    }

    fn register_accounts(&self, registry: &mut Registry) {
        registry.register(
            "token_refreshes",
            "Refreshes of accounts' tokens by outcome",
            self.token_refreshes.clone(),
        );
        registry.register(
            "accounts_lost",
            "Accounts that are out of use until somebody signs in again",
            self.accounts_lost.clone(),
        );
    }

    fn register_attempts(&self, registry: &mut Registry) {
        registry.register("attempts", "Attempts at credentials by outcome", self.attempts.clone());
        let what = "Second attempts beside slow ones, by what became of them";
        registry.register("hedges", what, self.hedges.clone());
    }

    /// Counts a refresh of a token: `ok`, or what its failure means.
    pub(crate) fn token_refreshed(&self, outcome: &'static str) {
        self.token_refreshes.get_or_create(&KindLabel { kind: outcome }).inc();
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
            self.attempted(attempt);
        }
    }

    fn attempted(&self, attempt: &Attempt) {
        self.attempts.get_or_create(&KindLabel { kind: attempt.outcome.as_str() }).inc();
        if attempt.status_code == Some(429) {
            let label = CredentialLabel { credential_id: attempt.credential_id.0 };
            self.rate_limited.get_or_create(&label).inc();
        }
        // Who was not waited for to the end is not judged.
        if matches!(attempt.outcome, AttemptOutcome::ClientGone | AttemptOutcome::Superseded) {
            return;
        }
        self.judged.inc();
        // A cut at a limit of ours is no fault of theirs.
        if matches!(attempt.outcome, AttemptOutcome::Done | AttemptOutcome::BudgetCut) {
            self.good.inc();
        }
    }

    /// Counts a second attempt beside a slow one, or that there could be none.
    pub(crate) fn hedged(&self, outcome: HedgeOutcome) {
        self.hedges.get_or_create(&KindLabel { kind: outcome.as_str() }).inc();
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn in_flight(&self) -> GaugeGuard {
        GaugeGuard::new(&self.in_flight)
    }

    /// Counts a stream as open until the guard is dropped.
    pub(crate) fn open_stream(&self) -> GaugeGuard {
        GaugeGuard::new(&self.streams)
    }

    /// Counts a WebSocket as open until the guard is dropped; how many are open with it.
    pub(crate) fn open_socket(&self) -> (GaugeGuard, u64) {
        let guard = GaugeGuard::new(&self.sockets);
        (guard, u64::try_from(self.sockets.get()).unwrap_or(0))
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

    /// Counts a check of a credential.
    pub(crate) fn checked(&self, kind: &'static str) {
        self.checks.get_or_create(&KindLabel { kind }).inc();
    }

    /// Counts a credential that its checks switched off.
    pub(crate) fn switched_off(&self) {
        self.switched_off.inc();
    }

    /// Notes whether checks are answered at all.
    pub(crate) fn checks_cut_off(&self, cut_off: bool) {
        self.cut_off.set(i64::from(cut_off));
    }

    /// Counts a failed write of the books.
    pub(crate) fn writer_failed(&self) {
        self.writer_failures.inc();
    }

    /// The Prometheus text (`OpenMetrics` 1.0).
    pub(crate) fn render(&self, now: Readings) -> String {
        self.backlog.set(now.backlog);
        self.waiting.set(i64::try_from(now.waiting).unwrap_or(i64::MAX));
        self.accounts_lost.set(i64::try_from(now.accounts_lost).unwrap_or(i64::MAX));
        self.switches.inner().store(now.switches, Ordering::Relaxed);
        self.exhausted.inner().store(now.exhausted, Ordering::Relaxed);
        self.success_ratio.set(ratio(self.good.get(), self.judged.get()));
        let mut text = String::new();
        // Writing into a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a share for a gauge, no money")]
fn ratio(good: u64, all: u64) -> f64 {
    if all == 0 { 1.0 } else { good as f64 / all as f64 }
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

#[cfg(test)]
mod tests {
    use types::{CredentialId, ProviderId};

    use super::*;

    #[test]
    fn tp_13_rate_limits_are_counted_by_credential_and_success_as_a_share() {
        let metrics = Metrics::new();
        let attempt = |outcome, status_code| Attempt {
            outcome,
            status_code,
            ..Attempt::begun((ProviderId(1), "p"), (CredentialId(7), "c"))
        };
        metrics.attempted(&attempt(AttemptOutcome::UpstreamError, Some(429)));
        metrics.attempted(&attempt(AttemptOutcome::Done, Some(200)));
        metrics.attempted(&attempt(AttemptOutcome::ClientGone, None));
        let text = metrics.render(Readings { switches: 3, exhausted: 1, ..Readings::default() });
        for line in [
            "tollgate_upstream_rate_limited_total{credential_id=\"7\"} 1",
            "tollgate_attempt_success_ratio 0.5",
            "tollgate_pool_switches_total 3",
            "tollgate_pool_exhausted_total 1",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is missing in:\n{text}");
        }
        assert!(Metrics::new().render(Readings::default()).contains("tollgate_attempt_success_ratio 1"));
    }
}
