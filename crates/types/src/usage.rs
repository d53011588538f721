//! Rolled-up usage and the overview made of it.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::{ApiKeyId, CredentialId, Money, ProviderId, Timestamp, UserId};

named! {
    /// What usage is summed by.
    UsageBy {
        /// UTC day.
        Day = "day",
        /// UTC hour.
        Hour = "hour",
        /// Model asked for.
        Model = "model",
        /// User.
        User = "user",
        /// Key.
        Key = "key",
        /// Provider.
        Provider = "provider",
        /// Credential.
        Credential = "credential",
        /// The group of providers through which requests went.
        Group = "group",
        /// Grant of a package.
        Package = "package",
    }
}

/// Sums over some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageTotals {
    /// Requests that ended, refused ones included.
    pub requests: u64,
    /// Of those: failed, broken or interrupted.
    pub errors: u64,
    /// Of those: refused by Tollgate.
    pub refused: u64,
    /// Fresh input tokens.
    pub input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// Tokens read from a prompt cache.
    pub cache_read_tokens: u64,
    /// Tokens written to a prompt cache.
    pub cache_write_tokens: u64,
    /// Requests without a known price.
    pub unpriced: u64,
    /// What callers were charged.
    pub cost_usd: Money,
    /// The same at list price.
    pub base_cost_usd: Money,
    /// What providers charge, failed attempts included.
    pub provider_cost_usd: Money,
}

/// One line of a usage table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsageLine {
    /// What the line is about: an RFC 3339 time, a model name or an id, as text.
    pub key: String,
    /// A name for people; null where none is known.
    pub label: Option<String>,
    /// The sums.
    #[serde(flatten)]
    pub totals: UsageTotals,
}

/// Upper bounds in milliseconds of the latency histogram's bins; one more bin holds the rest.
pub const LATENCY_BOUNDS_MS: [u64; 15] =
    [25, 50, 100, 200, 300, 500, 750, 1_000, 1_500, 2_500, 5_000, 10_000, 20_000, 40_000, 90_000];

/// Which bin a latency belongs to: 0 to 15.
pub fn latency_bin(ms: u64) -> usize {
    LATENCY_BOUNDS_MS.iter().position(|bound| ms <= *bound).unwrap_or(LATENCY_BOUNDS_MS.len())
}

/// The upper bound of the bin that holds the given share (0 to 100) of the counts; null without counts.
pub fn latency_percentile(bins: &[u64; 16], percent: u64) -> Option<u64> {
    let total: u64 = bins.iter().sum();
    if total == 0 {
        return None;
    }
    let wanted = (total * percent).div_ceil(100).max(1);
    let mut seen = 0;
    for (bin, count) in bins.iter().enumerate() {
        seen += count;
        if seen >= wanted {
            return Some(LATENCY_BOUNDS_MS.get(bin).copied().unwrap_or(u64::from(u32::MAX)));
        }
    }
    None
}

/// One point of the overview's charts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UsagePoint {
    /// Start of the bucket.
    pub at: Timestamp,
    /// The sums.
    #[serde(flatten)]
    pub totals: UsageTotals,
    /// Median first byte, as the upper bound of its histogram bin; null without samples.
    pub first_byte_p50_ms: Option<u64>,
    /// 95th percentile of the first byte, likewise.
    pub first_byte_p95_ms: Option<u64>,
}

named! {
    /// Spans that the overview offers.
    OverviewSpan {
        /// The last 24 hours, by hour.
        Day = "24h",
        /// The last 7 days, by hour.
        Week = "7d",
        /// The last 30 days, by day.
        Month = "30d",
    }
}

impl OverviewSpan {
    /// Length in milliseconds.
    pub fn length_ms(self) -> i64 {
        match self {
            Self::Day => Timestamp::DAY_MS,
            Self::Week => 7 * Timestamp::DAY_MS,
            Self::Month => 30 * Timestamp::DAY_MS,
        }
    }

    /// Width of one bucket in milliseconds.
    pub fn bucket_ms(self) -> i64 {
        match self {
            Self::Day | Self::Week => Timestamp::HOUR_MS,
            Self::Month => Timestamp::DAY_MS,
        }
    }
}

named! {
    /// What needs a person.
    AttentionKind {
        /// No provider is set up yet.
        NoProvider = "no_provider",
        /// No key was issued yet.
        NoKey = "no_key",
        /// A provider is enabled but has no usable credential.
        NoCredential = "no_credential",
        /// The upstream refused a credential.
        CredentialInvalid = "credential_invalid",
        /// Its checks switched a credential off.
        CredentialOff = "credential_off",
        /// Most checks get no answer: this machine's own way out, most likely.
        ChecksCutOff = "checks_cut_off",
        /// Somebody has to sign in to an account again.
        AccountLost = "account_lost",
        /// A circuit breaker of a credential is open.
        BreakerOpen = "breaker_open",
        /// A credential cannot be decrypted.
        CredentialUnreadable = "credential_unreadable",
        /// Something is wrong with the pool's set-up; the subject says what.
        PoolFault = "pool_fault",
        /// More than a tenth of the last hour's requests failed.
        ErrorRate = "error_rate",
        /// The books' writer lags behind or fails.
        WriterLate = "writer_late",
        /// Models are used that have no price.
        Unpriced = "unpriced",
        /// A limit in USD is used to 90 per cent or more.
        NearLimit = "near_limit",
        /// The last audit of the books found something.
        AuditFailed = "audit_failed",
    }
}

/// One entry of the overview's "needs attention" list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Attention {
    /// What is wrong.
    pub kind: AttentionKind,
    /// Name of the thing concerned, or a count, as text.
    pub subject: String,
    /// The provider concerned.
    pub provider_id: Option<ProviderId>,
    /// The credential concerned.
    pub credential_id: Option<CredentialId>,
}

/// Everything that the overview page shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overview {
    /// The span.
    pub span: OverviewSpan,
    /// When it was computed.
    pub at: Timestamp,
    /// Sums over the span.
    pub totals: UsageTotals,
    /// Median first byte over the span.
    pub first_byte_p50_ms: Option<u64>,
    /// 95th percentile over the span.
    pub first_byte_p95_ms: Option<u64>,
    /// Requests in flight right now.
    pub in_flight: u64,
    /// Of those: streams.
    pub open_streams: u64,
    /// One point a bucket, oldest first, without holes.
    pub points: Vec<UsagePoint>,
    /// The ten models with most requests.
    pub top_models: Vec<UsageLine>,
    /// The ten keys with most requests.
    pub top_keys: Vec<UsageLine>,
    /// The providers by requests, at most ten.
    pub top_providers: Vec<UsageLine>,
    /// What needs a person; empty if all is well.
    pub attention: Vec<Attention>,
}

/// What a member sees of himself; also the answer of `GET /v1/usage`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OwnUsage {
    /// Who asks.
    pub user_id: UserId,
    /// His name.
    pub user_name: String,
    /// The key that asked; null on the dashboard.
    pub key_id: Option<ApiKeyId>,
    /// Its name.
    pub key_name: Option<String>,
    /// Sums of the current UTC day.
    pub today: UsageTotals,
    /// Sums of the last 30 days.
    pub last_30_days: UsageTotals,
    /// By UTC day, oldest first, the last 30 days.
    pub by_day: Vec<UsageLine>,
    /// By model, the last 30 days, at most 50.
    pub by_model: Vec<UsageLine>,
    /// Limits of the user and (over the API) of the key that asked, with what is used.
    pub quotas: Vec<crate::quota::QuotaLine>,
    /// Packages of the user.
    pub packages: Vec<crate::package::GrantView>,
}

/// Which usage to sum.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct UsageFilter {
    /// What to sum by; default `day`.
    pub by: Option<UsageBy>,
    /// From; default 30 days ago.
    pub since: Option<Timestamp>,
    /// Before; default now.
    pub until: Option<Timestamp>,
    /// Only of this user.
    pub user_id: Option<UserId>,
    /// Only of this key.
    pub key_id: Option<ApiKeyId>,
    /// Only of this provider.
    pub provider_id: Option<ProviderId>,
    /// Only of this model.
    pub model: Option<String>,
    /// At most so many lines; default 100, 1 to 1,000.
    pub limit: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_name_the_bin() {
        let mut bins = [0; 16];
        assert_eq!(latency_percentile(&bins, 50), None);
        for ms in [10, 20, 30, 40, 4_000] {
            bins[latency_bin(ms)] += 1;
        }
        assert_eq!(latency_percentile(&bins, 50), Some(50));
        assert_eq!(latency_percentile(&bins, 95), Some(5_000));
    }
}
