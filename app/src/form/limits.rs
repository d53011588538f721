//! The limits section of the forms of users, keys, providers, credentials and groups.
//!
//! Temporary increases have a form of their own: they come and go without touching the limit.

use serde::{Deserialize, Serialize};
use types::limits::{LimitName, Limits, WindowMode};

/// Limits as text; it lies flat within the form that holds it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct LimitsForm {
    pub(crate) rpm_limit: String,
    pub(crate) tpm_limit: String,
    pub(crate) limit_5h_usd: String,
    pub(crate) limit_5h_mode: String,
    pub(crate) daily_limit_usd: String,
    pub(crate) daily_mode: String,
    pub(crate) daily_reset_time: String,
    pub(crate) limit_weekly_usd: String,
    pub(crate) limit_monthly_usd: String,
    pub(crate) limit_total_usd: String,
    pub(crate) limit_concurrent_sessions: String,
    pub(crate) max_concurrent_requests: String,
    pub(crate) estimate_5h: String,
    pub(crate) estimate_daily: String,
    pub(crate) estimate_weekly: String,
    pub(crate) estimate_monthly: String,
    pub(crate) estimate_total: String,
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl LimitsForm {
    /// What the section of a known thing shows.
    pub(crate) fn of(limits: &Limits) -> Self {
        let estimate = |name| if limits.is_hard(name) { String::new() } else { "on".to_owned() };
        Self {
            rpm_limit: text(limits.rpm_limit),
            tpm_limit: text(limits.tpm_limit),
            limit_5h_usd: text(limits.limit_5h_usd),
            limit_5h_mode: text(limits.limit_5h_mode.map(WindowMode::as_str)),
            daily_limit_usd: text(limits.daily_limit_usd),
            daily_mode: text(limits.daily_mode.map(WindowMode::as_str)),
            daily_reset_time: text(limits.daily_reset_time),
            limit_weekly_usd: text(limits.limit_weekly_usd),
            limit_monthly_usd: text(limits.limit_monthly_usd),
            limit_total_usd: text(limits.limit_total_usd),
            limit_concurrent_sessions: text(limits.limit_concurrent_sessions),
            max_concurrent_requests: text(limits.max_concurrent_requests),
            estimate_5h: estimate(LimitName::FiveHours),
            estimate_daily: estimate(LimitName::Day),
            estimate_weekly: estimate(LimitName::Week),
            estimate_monthly: estimate(LimitName::Month),
            estimate_total: estimate(LimitName::Total),
        }
    }

    /// How many limits are set.
    pub(crate) fn count(&self) -> usize {
        [
            &self.rpm_limit,
            &self.tpm_limit,
            &self.limit_5h_usd,
            &self.daily_limit_usd,
            &self.limit_weekly_usd,
            &self.limit_monthly_usd,
            &self.limit_total_usd,
            &self.limit_concurrent_sessions,
            &self.max_concurrent_requests,
        ]
        .iter()
        .filter(|text| !text.is_empty())
        .count()
    }
}
