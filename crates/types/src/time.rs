//! Points in time. Wall time is read in one place only (`gateway::clock`); this is just the value.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Milliseconds since the Unix epoch, UTC. Serialises as RFC 3339 (`2026-11-21T08:30:00.000Z`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
pub struct Timestamp(
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("format" = "date-time")))] pub i64,
);

impl Timestamp {
    /// Milliseconds in an hour: the width of a usage bucket.
    pub const HOUR_MS: i64 = 3_600_000;
    /// Milliseconds in a day.
    pub const DAY_MS: i64 = 24 * Self::HOUR_MS;

    /// Later by so many milliseconds (earlier if negative); stops at the ends of the range.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The start of the UTC hour that contains this instant.
    pub fn hour_start(self) -> Self {
        Self(self.0 - self.0.rem_euclid(Self::HOUR_MS))
    }

    /// The start of the UTC day that contains this instant.
    pub fn day_start(self) -> Self {
        Self(self.0 - self.0.rem_euclid(Self::DAY_MS))
    }

    /// `2026-11-21 08:30:00` in UTC, for tables.
    pub fn display_utc(self) -> String {
        self.to_datetime().format("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// The text is no RFC 3339 time, no `YYYY-MM-DD` date and no `YYYY-MM-DDTHH:MM` (a browser's `datetime-local`).
#[derive(Debug, thiserror::Error)]
#[error("expected a time such as 2026-11-21T08:30:00Z")]
pub struct BadTime;

impl FromStr for Timestamp {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(time.timestamp_millis()));
        }
        for form in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"] {
            if let Ok(time) = chrono::NaiveDateTime::parse_from_str(text, form) {
                return Ok(Self(time.and_utc().timestamp_millis()));
            }
        }
        let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| BadTime)?;
        Ok(Self(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let time: Timestamp = "2026-11-21T08:30:00+01:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-11-21T07:30:00.000Z");
        assert_eq!(time.to_string().parse::<Timestamp>().unwrap(), time);
        assert_eq!(time.hour_start().display_utc(), "2026-11-21 07:00:00");
    }

    #[test]
    fn dates_of_browsers_are_read_as_utc() {
        assert_eq!("2026-11-21".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T00:00:00.000Z");
        assert_eq!("2026-11-21T05:06".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T05:06:00.000Z");
        assert!("soon".parse::<Timestamp>().is_err());
    }
}
