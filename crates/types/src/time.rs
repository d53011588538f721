//! Points in time. Wall time is read in one place only (`gateway::clock`); this is just the value.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
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

    /// The usual text of an instant, without what makes a general formatter slow: the books hold it in every record.
    /// `None` outside the years that have four digits.
    fn print(self, buffer: &mut [u8; PRINTED]) -> Option<&str> {
        let date = self.to_datetime().date_naive();
        let ms = u32::try_from(self.0.rem_euclid(Self::DAY_MS)).ok()?;
        let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9_999)?;
        let parts = [
            (0, 4, year),
            (5, 2, date.month()),
            (8, 2, date.day()),
            (11, 2, ms / 3_600_000),
            (14, 2, ms / 60_000 % 60),
            (17, 2, ms / 1_000 % 60),
            (20, 3, ms % 1_000),
        ];
        *buffer = *b"0000-00-00T00:00:00.000Z";
        for (start, digits, mut number) in parts {
            for place in buffer.iter_mut().skip(start).take(digits).rev() {
                *place = b'0' + u8::try_from(number % 10).unwrap_or_default();
                number /= 10;
            }
        }
        std::str::from_utf8(buffer).ok()
    }

    /// Reads what [`print`](Self::print) writes; `None` for every other text, which may still be a time.
    fn plain(text: &str) -> Option<Self> {
        let text: &[u8; PRINTED] = text.as_bytes().try_into().ok()?;
        let number = |start: usize, digits: usize| {
            text.get(start..start + digits)?
                .iter()
                .try_fold(0_u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
        };
        let fixed = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'.'), (23, b'Z')];
        if fixed.into_iter().any(|(at, byte)| text.get(at) != Some(&byte)) {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(i32::try_from(number(0, 4)?).ok()?, number(5, 2)?, number(8, 2)?)?;
        let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let ms = ((hour * 60 + minute) * 60 + second) * 1_000 + number(20, 3)?;
        let days = date.signed_duration_since(NaiveDate::default()).num_days();
        Some(Self(days * Self::DAY_MS + i64::from(ms)))
    }

    fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0).unwrap_or_default()
    }
}

/// Bytes of `2026-11-21T08:30:00.000Z`.
const PRINTED: usize = 24;

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.print(&mut [0; PRINTED]) {
            Some(text) => f.write_str(text),
            None => f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true)),
        }
    }
}

/// The text is no RFC 3339 time, no `YYYY-MM-DD` date and no `YYYY-MM-DDTHH:MM` (a browser's `datetime-local`).
#[derive(Debug, thiserror::Error)]
#[error("expected a time such as 2026-11-21T08:30:00Z")]
pub struct BadTime;

impl FromStr for Timestamp {
    type Err = BadTime;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(time) = Self::plain(text) {
            return Ok(time);
        }
        let text = text.trim();
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Ok(Self(time.timestamp_millis()));
        }
        for form in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"] {
            if let Ok(time) = chrono::NaiveDateTime::parse_from_str(text, form) {
                return Ok(Self(time.and_utc().timestamp_millis()));
            }
        }
        let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| BadTime)?;
        Ok(Self(date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.print(&mut [0; PRINTED]) {
            Some(text) => serializer.serialize_str(text),
            None => serializer.collect_str(self),
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Timestamp;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time as text, such as \"2026-11-21T08:30:00Z\"")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Visitor)
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
    fn every_instant_prints_and_reads_as_the_general_formatter_has_it() {
        let mut at = -3_000_000_000_000_000_i64;
        while at < 300_000_000_000_000 {
            for ms in
                [at, at + 1, at - at.rem_euclid(Timestamp::DAY_MS), at - at.rem_euclid(Timestamp::DAY_MS) - 1]
            {
                let time = Timestamp(ms);
                let general = time.to_datetime().to_rfc3339_opts(SecondsFormat::Millis, true);
                assert_eq!(time.to_string(), general);
                assert_eq!(serde_json::to_string(&time).unwrap(), format!("\"{general}\""));
                assert_eq!(
                    general.parse::<Timestamp>().ok(),
                    DateTime::parse_from_rfc3339(&general).ok().map(|t| Timestamp(t.timestamp_millis()))
                );
            }
            at += 1_234_567_890_123;
        }
        for text in [
            "2026-02-29T00:00:00.000Z",
            "2026-11-21T24:00:00.000Z",
            "2026-11-21T08:60:00.000Z",
            "2026-11-21 08:30:00.0000",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert_eq!(
            "2026-11-21t08:30:00.000z".parse::<Timestamp>().unwrap().to_string(),
            "2026-11-21T08:30:00.000Z"
        );
        assert_eq!(serde_json::from_str::<Timestamp>("\"1970-01-01T00:00:00.001Z\"").unwrap(), Timestamp(1));
    }

    #[test]
    fn dates_of_browsers_are_read_as_utc() {
        assert_eq!("2026-11-21".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T00:00:00.000Z");
        assert_eq!("2026-11-21T05:06".parse::<Timestamp>().unwrap().to_string(), "2026-11-21T05:06:00.000Z");
        assert!("soon".parse::<Timestamp>().is_err());
    }
}
