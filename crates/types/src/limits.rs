//! Limits of users, keys, providers and credentials: what is stored, and what outside programs send.
//!
//! It states limits; `ledger::budget` and `gateway::quota` enforce them.

use serde::{Deserialize, Serialize};

use crate::dialect::named;
use crate::money::Money;
use crate::problem::FieldErrors;
use crate::{Patch, Timestamp};

named! {
    /// A limit by its wire name.
    LimitName {
        /// Requests in a minute.
        Rpm = "rpm_limit",
        /// Tokens in a minute.
        Tpm = "tpm_limit",
        /// USD in five hours.
        FiveHours = "limit_5h_usd",
        /// USD in a day.
        Day = "daily_limit_usd",
        /// USD in a week (ISO 8601, from Monday).
        Week = "limit_weekly_usd",
        /// USD in a calendar month.
        Month = "limit_monthly_usd",
        /// USD altogether.
        Total = "limit_total_usd",
        /// Sessions at once.
        Sessions = "limit_concurrent_sessions",
        /// Requests at once.
        Requests = "max_concurrent_requests",
    }
}

impl LimitName {
    /// Whether it limits money.
    pub fn is_money(self) -> bool {
        matches!(self, Self::FiveHours | Self::Day | Self::Week | Self::Month | Self::Total)
    }
}

named! {
    /// How a window of five hours or a day moves.
    WindowMode {
        /// Always the last five hours (24 hours).
        Rolling = "rolling",
        /// Five hours from the first use; a day from the reset time.
        Fixed = "fixed",
    }
}

/// A minute of the day, `HH:MM`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
pub struct TimeOfDay(#[cfg_attr(feature = "schema", schemars(with = "String"))] u16);

/// The text is no time of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time of the day such as 18:30")]
pub struct BadTimeOfDay;

impl TimeOfDay {
    /// Minutes after midnight, 0 to 1439.
    pub fn minutes(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = BadTimeOfDay;
    fn from_str(text: &str) -> Result<Self, BadTimeOfDay> {
        let (hours, minutes) = text.trim().split_once(':').ok_or(BadTimeOfDay)?;
        let number = |text: &str, end: u16| {
            let plain = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u16>().ok().filter(|n| plain && *n < end).ok_or(BadTimeOfDay)
        };
        Ok(Self(number(hours, 24)? * 60 + number(minutes, 60)?))
    }
}

impl Serialize for TimeOfDay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeOfDay {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A limit that is higher for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Increase {
    /// Which limit, by its wire name; only limits in USD.
    pub limit: LimitName,
    /// By how much.
    pub extra_usd: Money,
    /// Until when.
    pub until: Timestamp,
}

/// Limits as stored and shown. Null means none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Limits {
    /// Requests in any 60 seconds.
    pub rpm_limit: Option<u64>,
    /// Tokens (all classes) in any 60 seconds.
    pub tpm_limit: Option<u64>,
    /// USD in five hours.
    pub limit_5h_usd: Option<Money>,
    /// Default rolling.
    pub limit_5h_mode: Option<WindowMode>,
    /// USD in a day.
    pub daily_limit_usd: Option<Money>,
    /// Default fixed.
    pub daily_mode: Option<WindowMode>,
    /// When a fixed day begins, in the billing time zone; default 00:00.
    pub daily_reset_time: Option<TimeOfDay>,
    /// USD in a week, from Monday in the billing time zone.
    pub limit_weekly_usd: Option<Money>,
    /// USD in a calendar month of the billing time zone.
    pub limit_monthly_usd: Option<Money>,
    /// USD altogether, since the last reset of usage.
    pub limit_total_usd: Option<Money>,
    /// Sessions at once; a session counts for five minutes after its last request.
    pub limit_concurrent_sessions: Option<u32>,
    /// Requests at once.
    pub max_concurrent_requests: Option<u32>,
    /// Limits in USD that hold an estimate instead of the worst case: fewer refusals near the limit, and a stream
    /// that would pass it is cut. All others are hard: they are never exceeded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub estimated: Vec<LimitName>,
    /// Temporary increases; those that are over are ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub increases: Vec<Increase>,
}

impl Limits {
    /// The amount of a limit in USD as configured; `None` for none and for limits that are no money.
    pub fn usd(&self, name: LimitName) -> Option<Money> {
        match name {
            LimitName::FiveHours => self.limit_5h_usd,
            LimitName::Day => self.daily_limit_usd,
            LimitName::Week => self.limit_weekly_usd,
            LimitName::Month => self.limit_monthly_usd,
            LimitName::Total => self.limit_total_usd,
            _ => None,
        }
    }

    /// The amount in force at an instant, temporary increases included.
    pub fn usd_at(&self, name: LimitName, now: Timestamp) -> Option<Money> {
        let extra = self
            .increases
            .iter()
            .filter(|increase| increase.limit == name && now < increase.until)
            .fold(Money::ZERO, |sum, increase| sum.plus(increase.extra_usd));
        self.usd(name).map(|limit| limit.plus(extra))
    }

    /// Whether a limit in USD is held by the worst case.
    pub fn is_hard(&self, name: LimitName) -> bool {
        !self.estimated.contains(&name)
    }

    /// Whether money is limited.
    pub fn has_money(&self) -> bool {
        self.limit_5h_usd.is_some()
            || self.daily_limit_usd.is_some()
            || self.limit_weekly_usd.is_some()
            || self.limit_monthly_usd.is_some()
            || self.limit_total_usd.is_some()
    }

    /// Whether nothing is limited.
    pub fn is_none(&self) -> bool {
        LimitName::ALL.iter().all(|name| self.usd(*name).is_none())
            && self.rpm_limit.is_none()
            && self.tpm_limit.is_none()
            && self.limit_concurrent_sessions.is_none()
            && self.max_concurrent_requests.is_none()
    }

    /// The limits that are looser than `ceiling` allows, with the ceiling as text: a key's against its user's.
    pub fn beyond(&self, ceiling: &Self) -> Vec<(LimitName, String)> {
        let mut beyond = Vec::new();
        for name in LimitName::ALL.iter().copied().filter(|name| name.is_money()) {
            if let (Some(own), Some(most)) = (self.usd(name), ceiling.usd(name))
                && own > most
            {
                beyond.push((name, most.to_string()));
            }
        }
        let number = |own: Option<u64>, most: Option<u64>| match (own, most) {
            (Some(own), Some(most)) if own > most => Some(most.to_string()),
            _ => None,
        };
        for (name, own, most) in [
            (LimitName::Rpm, self.rpm_limit, ceiling.rpm_limit),
            (LimitName::Tpm, self.tpm_limit, ceiling.tpm_limit),
            (
                LimitName::Sessions,
                self.limit_concurrent_sessions.map(u64::from),
                ceiling.limit_concurrent_sessions.map(u64::from),
            ),
            (
                LimitName::Requests,
                self.max_concurrent_requests.map(u64::from),
                ceiling.max_concurrent_requests.map(u64::from),
            ),
        ] {
            beyond.extend(number(own, most).map(|most| (name, most)));
        }
        beyond
    }
}

/// Limits as sent: absent fields stay, null and zero mean none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct LimitsInput {
    /// Requests in any 60 seconds.
    pub rpm_limit: Patch<u64>,
    /// Tokens in any 60 seconds.
    pub tpm_limit: Patch<u64>,
    /// USD in five hours.
    pub limit_5h_usd: Patch<Money>,
    /// `rolling` (default) or `fixed`.
    pub limit_5h_mode: Patch<WindowMode>,
    /// USD in a day.
    pub daily_limit_usd: Patch<Money>,
    /// `fixed` (default) or `rolling`.
    pub daily_mode: Patch<WindowMode>,
    /// `HH:MM` in the billing time zone.
    pub daily_reset_time: Patch<TimeOfDay>,
    /// USD in a week.
    pub limit_weekly_usd: Patch<Money>,
    /// USD in a month.
    pub limit_monthly_usd: Patch<Money>,
    /// USD altogether.
    pub limit_total_usd: Patch<Money>,
    /// Sessions at once.
    pub limit_concurrent_sessions: Patch<u32>,
    /// Requests at once.
    pub max_concurrent_requests: Patch<u32>,
    /// Limits in USD that hold an estimate.
    pub estimated: Patch<Vec<LimitName>>,
    /// Temporary increases, all at once.
    pub increases: Patch<Vec<Increase>>,
}

impl LimitsInput {
    /// Applies the change and notes what is wrong with the result.
    pub(crate) fn apply(&self, current: Limits, errors: &mut FieldErrors) -> Limits {
        fn amount(patch: &Patch<Money>, current: Option<Money>) -> Option<Money> {
            patch.clone().apply(current).filter(|amount| !amount.is_zero())
        }
        fn number<T: Copy + Default + PartialEq>(patch: &Patch<T>, current: Option<T>) -> Option<T> {
            patch.clone().apply(current).filter(|number| *number != T::default())
        }
        let limits = Limits {
            rpm_limit: number(&self.rpm_limit, current.rpm_limit),
            tpm_limit: number(&self.tpm_limit, current.tpm_limit),
            limit_5h_usd: amount(&self.limit_5h_usd, current.limit_5h_usd),
            limit_5h_mode: self.limit_5h_mode.clone().apply(current.limit_5h_mode),
            daily_limit_usd: amount(&self.daily_limit_usd, current.daily_limit_usd),
            daily_mode: self.daily_mode.clone().apply(current.daily_mode),
            daily_reset_time: self.daily_reset_time.clone().apply(current.daily_reset_time),
            limit_weekly_usd: amount(&self.limit_weekly_usd, current.limit_weekly_usd),
            limit_monthly_usd: amount(&self.limit_monthly_usd, current.limit_monthly_usd),
            limit_total_usd: amount(&self.limit_total_usd, current.limit_total_usd),
            limit_concurrent_sessions: number(
                &self.limit_concurrent_sessions,
                current.limit_concurrent_sessions,
            ),
            max_concurrent_requests: number(&self.max_concurrent_requests, current.max_concurrent_requests),
            estimated: self.estimated.clone().apply(Some(current.estimated)).unwrap_or_default(),
            increases: self.increases.clone().apply(Some(current.increases)).unwrap_or_default(),
        };
        if limits.estimated.iter().any(|name| !name.is_money()) {
            errors.add("limits.estimated", "only limits in USD can be estimated");
        }
        if limits.increases.iter().any(|increase| !increase.limit.is_money()) {
            errors.add("limits.increases", "only limits in USD can be increased for a while");
        }
        if limits.increases.len() > 20 {
            errors.add("limits.increases", "at most 20");
        }
        for (field, value) in [("limits.rpm_limit", limits.rpm_limit), ("limits.tpm_limit", limits.tpm_limit)]
        {
            if value.is_some_and(|value| value > 1_000_000_000) {
                errors.add(field, "at most 1,000,000,000");
            }
        }
        limits
    }
}
