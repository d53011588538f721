//! Settings that an administrator changes at run time. Each is stated once, here, with its default and range.

mod kind;
mod read;

use serde::{Deserialize, Serialize};

use crate::credential::Tier;
use crate::dialect::named;
use crate::routing::Strategy;
use crate::{Factor, Money, Problem, Timestamp};

pub use kind::{SETTINGS, SettingKind};

named! {
    /// What becomes of a request for a model without a known price.
    UnpricedPolicy {
        /// Serve it, charge nothing, flag it; a later price makes up for it.
        Allow = "allow",
        /// Refuse it.
        Refuse = "refuse",
        /// Charge the set default price.
        DefaultPrice = "default_price",
    }
}

named! {
    /// Whose price counts where a provider redirects a model.
    PricedModel {
        /// The model that was sent upstream: what the vendor bills.
        Upstream = "upstream",
        /// The model that was asked for.
        Requested = "requested",
    }
}

named! {
    /// What is charged when nobody can know what the upstream did (a crash, a cut connection before any answer).
    UnknownOutcome {
        /// The estimated input.
        Input = "input",
        /// Everything that was held.
        Reserve = "reserve",
    }
}

/// The values in force. Every field is read outside `admin`; a test holds the code to that.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own on the settings page")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `pool.tier_order`
    pub pool_tier_order: Vec<Tier>,
    /// `pool.max_attempts`
    pub pool_max_attempts: u32,
    /// `routing.strategy`: who is first among candidates of the same tier and priority.
    pub routing_strategy: Strategy,
    /// `routing.deadline_ms`: all attempts together, up to the first byte.
    pub routing_deadline_ms: u32,
    /// `routing.gate_ms`: how long the beginning of a stream is held back for its first content; zero means not.
    pub routing_gate_ms: u32,
    /// `routing.retry_budget_percent`: attempts beyond the first, in percent of the requests, after failures that
    /// cost the upstream work.
    pub routing_retry_budget_percent: u32,
    /// `routing.retry_unknown`: try another credential although the first may have acted on the request.
    pub routing_retry_unknown: bool,
    /// `routing.hedge_percent`: how many of the requests may have a second attempt beside a slow one; zero means none.
    pub routing_hedge_percent: u32,
    /// `routing.hedge_min_ms`: how long the first attempt has at least before a second one begins.
    pub routing_hedge_min_ms: u32,
    /// `routing.hedge_max_usd`: what the cancelled attempt of a request may waste at most, by the estimate; where it
    /// may be more, there is no second attempt.
    pub routing_hedge_max_usd: Money,
    /// `routing.queue_ms`: how long a request waits for a free slot where all candidates are busy.
    pub routing_queue_ms: u32,
    /// `routing.queue_size`: requests that may wait so, for each provider.
    pub routing_queue_size: u32,
    /// `routing.cooldown_max_s`: longest rest that an upstream can ask for.
    pub routing_cooldown_max_s: u32,
    /// `routing.unavailable_s`: longest time for which a credential whose network fails is tried last.
    pub routing_unavailable_s: u32,
    /// `routing.breaker_on_network_errors`: whether failed connections count for breakers.
    pub routing_breaker_on_network_errors: bool,
    /// `affinity.enabled`: whether conversations stick to a credential.
    pub affinity_enabled: bool,
    /// `affinity.ttl_minutes`: how long a conversation is remembered after its last request.
    pub affinity_ttl_minutes: u32,
    /// `affinity.cache_minutes`: how long a vendor's prompt cache stays warm; a conversation that rested longer may
    /// go back to a better credential.
    pub affinity_cache_minutes: u32,
    /// `rectify.thinking_signature`
    pub rectify_thinking_signature: bool,
    /// `rectify.thinking_budget`
    pub rectify_thinking_budget: bool,
    /// `rectify.empty_text`
    pub rectify_empty_text: bool,
    /// `rectify.orphan_tool_results`
    pub rectify_orphan_tool_results: bool,
    /// `session.lifetime_hours`
    pub session_lifetime_hours: u32,
    /// `session.idle_minutes`
    pub session_idle_minutes: u32,
    /// `retention.request_days`
    pub retention_request_days: u32,
    /// `retention.audit_days`
    pub retention_audit_days: u32,
    /// `log.level`
    pub log_level: String,
    /// `journal.strict`
    pub journal_strict: bool,
    /// `billing.time_zone`: IANA name; days, weeks and months of limits and packages begin in it.
    pub billing_time_zone: String,
    /// `billing.global_price_rate`: replaces users' price rates unless it is 1.
    pub billing_global_price_rate: Factor,
    /// `billing.priced_model`
    pub billing_priced_model: PricedModel,
    /// `billing.unpriced_policy`
    pub billing_unpriced_policy: UnpricedPolicy,
    /// `billing.default_input_per_million_usd`
    pub billing_default_input: Money,
    /// `billing.default_output_per_million_usd`
    pub billing_default_output: Money,
    /// `billing.unknown_outcome`
    pub billing_unknown_outcome: UnknownOutcome,
    /// `limits.global_daily_usd`; zero means none.
    pub limits_global_daily: Money,
    /// `limits.global_monthly_usd`; zero means none.
    pub limits_global_monthly: Money,
    /// `limits.wait_ms`: how long a request waits for money that others hold before it is refused.
    pub limits_wait_ms: u32,
    /// `limits.default_max_output_tokens`: longest output assumed where neither request nor price table bounds it.
    pub limits_default_max_output_tokens: u32,
    /// `limits.money_status`: status of a refusal because of a limit in USD.
    pub limits_money_status: u16,
    /// `limits.package_status`: status of a refusal because of a package.
    pub limits_package_status: u16,
    /// `limits.ip_per_minute`; zero means none.
    pub limits_ip_per_minute: u32,
    /// `limits.ip_exempt`: networks that the limit per address does not concern.
    pub limits_ip_exempt: Vec<ipnet::IpNet>,
    /// `prices.sync_url`: where a price list in LiteLLM's format is fetched from; empty means nowhere.
    pub prices_sync_url: String,
    /// `prices.sync_hours`: how often; zero means by hand only.
    pub prices_sync_hours: u32,
    /// `account_health_check_enabled`: whether credentials are checked by themselves.
    pub account_health_check_enabled: bool,
    /// `account_health_check_interval`: each credential once in so many minutes.
    pub account_health_check_interval: u32,
    /// `account_health_check_parallelism`: so many at once.
    pub account_health_check_parallelism: u32,
    /// `account_error_threshold`: failed checks in a row after which a credential is switched off.
    pub account_error_threshold: u32,
    /// `account_allowance_percent`: how much of a vendor's window may be used before a credential is left alone until
    /// it begins anew; 100 leaves that to the vendor.
    pub account_allowance_percent: u32,
    /// `account_session_key_probe`: whether claude.ai's session keys are asked after, as a browser's cookie.
    pub account_session_key_probe: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pool_tier_order: vec![Tier::Personal, Tier::Shared, Tier::Fallback],
            pool_max_attempts: 3,
            routing_strategy: Strategy::Weighted,
            routing_deadline_ms: 900_000,
            routing_gate_ms: 10_000,
            routing_retry_budget_percent: 20,
            routing_retry_unknown: false,
            routing_hedge_percent: 0,
            routing_hedge_min_ms: 1_000,
            routing_hedge_max_usd: Money::ONE_USD,
            routing_queue_ms: 5_000,
            routing_queue_size: 100,
            routing_cooldown_max_s: 3_600,
            routing_unavailable_s: 300,
            routing_breaker_on_network_errors: false,
            affinity_enabled: true,
            affinity_ttl_minutes: 60,
            affinity_cache_minutes: 5,
            rectify_thinking_signature: true,
            rectify_thinking_budget: true,
            rectify_empty_text: true,
            rectify_orphan_tool_results: true,
            session_lifetime_hours: 24,
            session_idle_minutes: 60,
            retention_request_days: 90,
            retention_audit_days: 365,
            log_level: String::new(),
            journal_strict: false,
            billing_time_zone: "UTC".to_owned(),
            billing_global_price_rate: Factor::ONE,
            billing_priced_model: PricedModel::Upstream,
            billing_unpriced_policy: UnpricedPolicy::Allow,
            billing_default_input: Money::ZERO,
            billing_default_output: Money::ZERO,
            billing_unknown_outcome: UnknownOutcome::Input,
            limits_global_daily: Money::ZERO,
            limits_global_monthly: Money::ZERO,
            limits_wait_ms: 10_000,
            limits_default_max_output_tokens: 32_768,
            limits_money_status: 429,
            limits_package_status: 403,
            limits_ip_per_minute: 100,
            limits_ip_exempt: ["127.0.0.0/8", "::1/128"].iter().filter_map(|net| net.parse().ok()).collect(),
            prices_sync_url: String::new(),
            prices_sync_hours: 0,
            account_health_check_enabled: false,
            account_health_check_interval: 5,
            account_health_check_parallelism: 5,
            account_error_threshold: 5,
            account_allowance_percent: 100,
            account_session_key_probe: false,
        }
    }
}

impl Settings {
    /// The value of a setting as text; `None` for an unknown name.
    pub fn get(&self, name: &str) -> Option<String> {
        fn list<T: ToString>(items: &[T]) -> String {
            items.iter().map(T::to_string).collect::<Vec<_>>().join(",")
        }
        Some(match name {
            "pool.tier_order" => list(&self.pool_tier_order),
            "pool.max_attempts" => self.pool_max_attempts.to_string(),
            "routing.strategy" => self.routing_strategy.to_string(),
            "routing.deadline_ms" => self.routing_deadline_ms.to_string(),
            "routing.gate_ms" => self.routing_gate_ms.to_string(),
            "routing.retry_budget_percent" => self.routing_retry_budget_percent.to_string(),
            "routing.hedge_percent" => self.routing_hedge_percent.to_string(),
            "routing.hedge_min_ms" => self.routing_hedge_min_ms.to_string(),
            "routing.hedge_max_usd" => self.routing_hedge_max_usd.to_string(),
            "routing.queue_ms" => self.routing_queue_ms.to_string(),
            "routing.queue_size" => self.routing_queue_size.to_string(),
            "routing.cooldown_max_s" => self.routing_cooldown_max_s.to_string(),
            "routing.unavailable_s" => self.routing_unavailable_s.to_string(),
            "routing.retry_unknown" => self.routing_retry_unknown.to_string(),
            "routing.breaker_on_network_errors" => self.routing_breaker_on_network_errors.to_string(),
            "affinity.enabled" => self.affinity_enabled.to_string(),
            "affinity.ttl_minutes" => self.affinity_ttl_minutes.to_string(),
            "affinity.cache_minutes" => self.affinity_cache_minutes.to_string(),
            "rectify.thinking_signature" => self.rectify_thinking_signature.to_string(),
            "rectify.thinking_budget" => self.rectify_thinking_budget.to_string(),
            "rectify.empty_text" => self.rectify_empty_text.to_string(),
            "rectify.orphan_tool_results" => self.rectify_orphan_tool_results.to_string(),
            "session.lifetime_hours" => self.session_lifetime_hours.to_string(),
            "session.idle_minutes" => self.session_idle_minutes.to_string(),
            "retention.request_days" => self.retention_request_days.to_string(),
            "retention.audit_days" => self.retention_audit_days.to_string(),
            "log.level" => self.log_level.clone(),
            "journal.strict" => self.journal_strict.to_string(),
            "billing.time_zone" => self.billing_time_zone.clone(),
            "billing.global_price_rate" => self.billing_global_price_rate.to_string(),
            "billing.priced_model" => self.billing_priced_model.to_string(),
            "billing.unpriced_policy" => self.billing_unpriced_policy.to_string(),
            "billing.default_input_per_million_usd" => self.billing_default_input.to_string(),
            "billing.default_output_per_million_usd" => self.billing_default_output.to_string(),
            "billing.unknown_outcome" => self.billing_unknown_outcome.to_string(),
            "limits.global_daily_usd" => self.limits_global_daily.to_string(),
            "limits.global_monthly_usd" => self.limits_global_monthly.to_string(),
            "limits.wait_ms" => self.limits_wait_ms.to_string(),
            "limits.default_max_output_tokens" => self.limits_default_max_output_tokens.to_string(),
            "limits.money_status" => self.limits_money_status.to_string(),
            "limits.package_status" => self.limits_package_status.to_string(),
            "limits.ip_per_minute" => self.limits_ip_per_minute.to_string(),
            "limits.ip_exempt" => list(&self.limits_ip_exempt),
            "prices.sync_url" => self.prices_sync_url.clone(),
            "prices.sync_hours" => self.prices_sync_hours.to_string(),
            "account_health_check_enabled" => self.account_health_check_enabled.to_string(),
            "account_health_check_interval" => self.account_health_check_interval.to_string(),
            "account_health_check_parallelism" => self.account_health_check_parallelism.to_string(),
            "account_error_threshold" => self.account_error_threshold.to_string(),
            "account_allowance_percent" => self.account_allowance_percent.to_string(),
            "account_session_key_probe" => self.account_session_key_probe.to_string(),
            _ => return None,
        })
    }

    /// Sets a setting from text, or says what was expected. The problem names the setting as its field.
    pub fn set(&mut self, name: &str, text: &str) -> Result<(), Problem> {
        let text = text.trim();
        let Some((_, kind)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
            return Err(Problem::new("not_found", format!("there is no setting '{name}'")));
        };
        let refuse = |expected: String| Problem::field(name, expected);
        let number = || read::number(*kind, text).map_err(refuse);
        let switch = || read::switch(text).map_err(refuse);
        match name {
            "pool.tier_order" => self.pool_tier_order = read::tiers(text).map_err(refuse)?,
            "pool.max_attempts" => self.pool_max_attempts = number()?,
            "routing.strategy" => self.routing_strategy = read::parsed(text).map_err(refuse)?,
            "routing.deadline_ms" => self.routing_deadline_ms = number()?,
            "routing.gate_ms" => self.routing_gate_ms = number()?,
            "routing.retry_budget_percent" => self.routing_retry_budget_percent = number()?,
            "routing.hedge_percent" => self.routing_hedge_percent = number()?,
            "routing.hedge_min_ms" => self.routing_hedge_min_ms = number()?,
            "routing.hedge_max_usd" => self.routing_hedge_max_usd = read::parsed(text).map_err(refuse)?,
            "routing.queue_ms" => self.routing_queue_ms = number()?,
            "routing.queue_size" => self.routing_queue_size = number()?,
            "routing.cooldown_max_s" => self.routing_cooldown_max_s = number()?,
            "routing.unavailable_s" => self.routing_unavailable_s = number()?,
            "routing.retry_unknown" => self.routing_retry_unknown = switch()?,
            "routing.breaker_on_network_errors" => self.routing_breaker_on_network_errors = switch()?,
            "affinity.enabled" => self.affinity_enabled = switch()?,
            "rectify.thinking_signature" => self.rectify_thinking_signature = switch()?,
            "rectify.thinking_budget" => self.rectify_thinking_budget = switch()?,
            "rectify.empty_text" => self.rectify_empty_text = switch()?,
            "rectify.orphan_tool_results" => self.rectify_orphan_tool_results = switch()?,
            "affinity.ttl_minutes" => self.affinity_ttl_minutes = number()?,
            "affinity.cache_minutes" => self.affinity_cache_minutes = number()?,
            "session.lifetime_hours" => self.session_lifetime_hours = number()?,
            "session.idle_minutes" => self.session_idle_minutes = number()?,
            "retention.request_days" => self.retention_request_days = number()?,
            "retention.audit_days" => self.retention_audit_days = number()?,
            "log.level" => self.log_level = read::choice(*kind, text).map_err(refuse)?,
            "journal.strict" => self.journal_strict = switch()?,
            "billing.time_zone" => self.billing_time_zone = read::time_zone(text).map_err(refuse)?,
            "billing.global_price_rate" => {
                self.billing_global_price_rate = read::parsed(text).map_err(refuse)?;
            }
            "billing.priced_model" => self.billing_priced_model = read::parsed(text).map_err(refuse)?,
            "billing.unpriced_policy" => self.billing_unpriced_policy = read::parsed(text).map_err(refuse)?,
            "billing.default_input_per_million_usd" => {
                self.billing_default_input = read::parsed(text).map_err(refuse)?;
            }
            "billing.default_output_per_million_usd" => {
                self.billing_default_output = read::parsed(text).map_err(refuse)?;
            }
            "billing.unknown_outcome" => self.billing_unknown_outcome = read::parsed(text).map_err(refuse)?,
            "limits.global_daily_usd" => self.limits_global_daily = read::parsed(text).map_err(refuse)?,
            "limits.global_monthly_usd" => self.limits_global_monthly = read::parsed(text).map_err(refuse)?,
            "limits.wait_ms" => self.limits_wait_ms = number()?,
            "limits.default_max_output_tokens" => self.limits_default_max_output_tokens = number()?,
            "limits.money_status" => self.limits_money_status = read::status(*kind, text).map_err(refuse)?,
            "limits.package_status" => {
                self.limits_package_status = read::status(*kind, text).map_err(refuse)?;
            }
            "limits.ip_per_minute" => self.limits_ip_per_minute = number()?,
            "limits.ip_exempt" => self.limits_ip_exempt = read::networks(text).map_err(refuse)?,
            "prices.sync_url" => self.prices_sync_url = read::address(text).map_err(refuse)?,
            "prices.sync_hours" => self.prices_sync_hours = number()?,
            "account_health_check_enabled" => self.account_health_check_enabled = switch()?,
            "account_health_check_interval" => self.account_health_check_interval = number()?,
            "account_health_check_parallelism" => self.account_health_check_parallelism = number()?,
            "account_error_threshold" => self.account_error_threshold = number()?,
            "account_session_key_probe" => self.account_session_key_probe = switch()?,
            _ => self.account_allowance_percent = number()?,
        }
        Ok(())
    }
}

/// One row of the settings page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SettingView {
    /// `group.name`
    pub name: String,
    /// The value in force.
    pub value: String,
    /// What it is unless changed.
    pub default: String,
    /// Who changed it last; null if it is the default.
    pub updated_by: Option<String>,
    /// When it was changed last.
    pub updated_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests;
