//! The names of settings, and which texts each takes. It holds no values.

use crate::routing::Strategy;

/// How a setting is shown and checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A whole number within a range (inclusive).
    Number(u32, u32),
    /// `true` or `false`.
    Switch,
    /// One of the given words; the empty word means "as configured at start".
    Choice(&'static [&'static str]),
    /// The three tiers in an order, separated by commas.
    TierOrder,
    /// An IANA time zone.
    TimeZone,
    /// An amount in USD.
    Amount,
    /// A multiplier.
    Multiplier,
    /// Addresses or networks, separated by commas.
    Networks,
    /// An `http(s)` address, or nothing.
    Address,
}

/// Name and kind of each setting, in the order of the settings page.
pub const SETTINGS: &[(&str, SettingKind)] = &[
    ("pool.tier_order", SettingKind::TierOrder),
    ("pool.max_attempts", SettingKind::Number(1, 10)),
    ("routing.strategy", SettingKind::Choice(Strategy::WORDS)),
    ("routing.deadline_ms", SettingKind::Number(1_000, 3_600_000)),
    ("routing.gate_ms", SettingKind::Number(0, 60_000)),
    ("routing.retry_budget_percent", SettingKind::Number(0, 100)),
    ("routing.retry_unknown", SettingKind::Switch),
    ("routing.hedge_percent", SettingKind::Number(0, 50)),
    ("routing.hedge_min_ms", SettingKind::Number(50, 600_000)),
    ("routing.hedge_max_usd", SettingKind::Amount),
    ("routing.queue_ms", SettingKind::Number(0, 600_000)),
    ("routing.queue_size", SettingKind::Number(0, 10_000)),
    ("routing.cooldown_max_s", SettingKind::Number(1, 86_400)),
    ("routing.unavailable_s", SettingKind::Number(1, 86_400)),
    ("routing.breaker_on_network_errors", SettingKind::Switch),
    ("account_health_check_enabled", SettingKind::Switch),
    ("account_health_check_interval", SettingKind::Number(1, 1_440)),
    ("account_health_check_parallelism", SettingKind::Number(1, 50)),
    ("account_error_threshold", SettingKind::Number(1, 100)),
    ("account_allowance_percent", SettingKind::Number(1, 100)),
    ("account_session_key_probe", SettingKind::Switch),
    ("affinity.enabled", SettingKind::Switch),
    ("affinity.ttl_minutes", SettingKind::Number(1, 1_440)),
    ("affinity.cache_minutes", SettingKind::Number(1, 1_440)),
    ("rectify.thinking_signature", SettingKind::Switch),
    ("rectify.thinking_budget", SettingKind::Switch),
    ("rectify.empty_text", SettingKind::Switch),
    ("rectify.orphan_tool_results", SettingKind::Switch),
    ("billing.time_zone", SettingKind::TimeZone),
    ("billing.global_price_rate", SettingKind::Multiplier),
    ("billing.priced_model", SettingKind::Choice(&["upstream", "requested"])),
    ("billing.unpriced_policy", SettingKind::Choice(&["allow", "refuse", "default_price"])),
    ("billing.default_input_per_million_usd", SettingKind::Amount),
    ("billing.default_output_per_million_usd", SettingKind::Amount),
    ("billing.unknown_outcome", SettingKind::Choice(&["input", "reserve"])),
    ("limits.global_daily_usd", SettingKind::Amount),
    ("limits.global_monthly_usd", SettingKind::Amount),
    ("limits.wait_ms", SettingKind::Number(0, 120_000)),
    ("limits.default_max_output_tokens", SettingKind::Number(1, 10_000_000)),
    ("limits.money_status", SettingKind::Choice(&["429", "402", "403"])),
    ("limits.package_status", SettingKind::Choice(&["403", "402", "429"])),
    ("limits.ip_per_minute", SettingKind::Number(0, 1_000_000)),
    ("limits.ip_exempt", SettingKind::Networks),
    ("prices.sync_url", SettingKind::Address),
    ("prices.sync_hours", SettingKind::Number(0, 720)),
    ("session.lifetime_hours", SettingKind::Number(1, 720)),
    ("session.idle_minutes", SettingKind::Number(5, 10_080)),
    ("retention.request_days", SettingKind::Number(1, 3_650)),
    ("retention.audit_days", SettingKind::Number(30, 3_650)),
    ("log.level", SettingKind::Choice(&["", "error", "warn", "info", "debug", "trace"])),
    ("journal.strict", SettingKind::Switch),
];
