//! Days, weeks and months of the billing time zone, and the windows of limits made of them.
//!
//! Clocks of a zone jump twice a year: a local time that does not exist counts as the first that does, and one that
//! exists twice as the earlier, so that every window has exactly one beginning.

use std::sync::Mutex;
use std::sync::PoisonError;

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;
use ledger::budget::{Moment, Span};
use types::Timestamp;
use types::limits::{LimitName, Limits, TimeOfDay, WindowMode};

/// Five hours.
const FIVE_HOURS_MS: i64 = 5 * Timestamp::HOUR_MS;

/// The calendar of one time zone.
#[derive(Debug)]
pub(crate) struct Calendar {
    zone: Tz,
    /// The last answer: nearly all instants of a process fall into the same week and month.
    last: Mutex<Option<Cached>>,
}

#[derive(Clone, Copy, Debug)]
struct Cached {
    day: (Timestamp, Timestamp),
    week: (Timestamp, Timestamp),
    month: (Timestamp, Timestamp),
}

impl Calendar {
    /// The calendar of an IANA zone; `None` for an unknown name.
    pub(crate) fn of(zone: &str) -> Option<Self> {
        Some(Self { zone: zone.parse().ok()?, last: Mutex::new(None) })
    }

    /// The calendar of UTC.
    pub(crate) fn utc() -> Self {
        Self { zone: Tz::UTC, last: Mutex::new(None) }
    }

    /// Minutes since midnight.
    pub(crate) fn minute_of_day(&self, at: Timestamp) -> u16 {
        use chrono::Timelike;
        let local =
            DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default().with_timezone(&self.zone);
        u16::try_from(local.hour() * 60 + local.minute()).unwrap_or(0)
    }

    /// An instant with the beginnings of its week and month.
    pub(crate) fn moment(&self, at: Timestamp) -> Moment {
        let cached = self.around(at);
        Moment { at, week: cached.week.0, month: cached.month.0 }
    }

    /// The window of a limit at an instant.
    pub(crate) fn span(&self, name: LimitName, limits: &Limits, at: Timestamp) -> Span {
        let fixed = |(since, until)| Span::Fixed { since, until };
        match name {
            LimitName::FiveHours if limits.limit_5h_mode == Some(WindowMode::Fixed) => {
                Span::FirstUse { ms: FIVE_HOURS_MS }
            }
            LimitName::FiveHours => Span::Rolling { ms: FIVE_HOURS_MS },
            LimitName::Day if limits.daily_mode == Some(WindowMode::Rolling) => {
                Span::Rolling { ms: Timestamp::DAY_MS }
            }
            LimitName::Day => fixed(match limits.daily_reset_time.filter(|time| time.minutes() > 0) {
                Some(time) => self.day_from(time, at),
                None => self.around(at).day,
            }),
            LimitName::Week => fixed(self.around(at).week),
            LimitName::Month => fixed(self.around(at).month),
            _ => Span::Always,
        }
    }

    fn around(&self, at: Timestamp) -> Cached {
        let inside = |(since, until): (Timestamp, Timestamp)| since <= at && at < until;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cached) = *last
            && inside(cached.day)
            && inside(cached.week)
            && inside(cached.month)
        {
            return cached;
        }
        let date = self.local(at).date();
        let monday = date - Days::new(u64::from(date.weekday().num_days_from_monday()));
        let first = date.with_day(1).unwrap_or(date);
        let next_month = first.checked_add_months(chrono::Months::new(1)).unwrap_or(first);
        let cached = Cached {
            day: (self.midnight(date), self.midnight(date + Days::new(1))),
            week: (self.midnight(monday), self.midnight(monday + Days::new(7))),
            month: (self.midnight(first), self.midnight(next_month)),
        };
        *last = Some(cached);
        cached
    }

    /// The day that begins at a time of its own.
    fn day_from(&self, time: TimeOfDay, at: Timestamp) -> (Timestamp, Timestamp) {
        let minutes = u32::from(time.minutes());
        let time = NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0).unwrap_or(NaiveTime::MIN);
        let date = self.local(at).date();
        let begin = |date: NaiveDate| self.instant(date.and_time(time));
        let today = begin(date);
        if at < today { (begin(date - Days::new(1)), today) } else { (today, begin(date + Days::new(1))) }
    }

    fn midnight(&self, date: NaiveDate) -> Timestamp {
        self.instant(date.and_time(NaiveTime::MIN))
    }

    fn local(&self, at: Timestamp) -> NaiveDateTime {
        let utc: DateTime<Utc> = DateTime::from_timestamp_millis(at.0).unwrap_or_default();
        utc.with_timezone(&self.zone).naive_local()
    }

    fn instant(&self, local: NaiveDateTime) -> Timestamp {
        let mut local = local;
        // A gap is an hour at most, apart from a few islands that skipped a whole day.
        for _ in 0..(26 * 4) {
            match self.zone.from_local_datetime(&local) {
                LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => {
                    return Timestamp(time.timestamp_millis());
                }
                LocalResult::None => local += chrono::TimeDelta::minutes(15),
            }
        }
        Timestamp(local.and_utc().timestamp_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn window(zone: &str, name: LimitName, limits: &Limits, now: &str) -> (String, String) {
        match Calendar::of(zone).unwrap().span(name, limits, at(now)) {
            Span::Fixed { since, until } => (since.to_string(), until.to_string()),
            other => panic!("{other:?}"),
        }
    }

    fn pair(since: &str, until: &str) -> (String, String) {
        (at(since).to_string(), at(until).to_string())
    }

    #[test]
    fn pk_03_weeks_are_iso_weeks_across_the_turn_of_the_year() {
        let week = |now| window("UTC", LimitName::Week, &Limits::default(), now);
        // 2024-12-30 is the Monday of week 1 of 2025.
        for now in ["2024-12-30T00:00:00Z", "2024-12-31T23:59:59Z", "2025-01-05T23:59:59Z"] {
            assert_eq!(week(now), pair("2024-12-30T00:00:00Z", "2025-01-06T00:00:00Z"), "{now}");
        }
        assert_eq!(week("2024-12-29T23:59:59Z").1, at("2024-12-30T00:00:00Z").to_string());
    }

    #[test]
    fn pk_03_a_day_is_23_or_25_hours_long_where_clocks_jump() {
        let day = |now| window("Europe/Berlin", LimitName::Day, &Limits::default(), now);
        assert_eq!(day("2026-03-29T12:00:00Z"), pair("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"));
        assert_eq!(day("2026-10-25T12:00:00Z"), pair("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"));
    }

    #[test]
    fn pk_03_months_end_where_they_should() {
        let month = |now| window("Asia/Shanghai", LimitName::Month, &Limits::default(), now);
        assert_eq!(month("2028-02-29T15:00:00Z"), pair("2028-01-31T16:00:00Z", "2028-02-29T16:00:00Z"));
        assert_eq!(month("2028-02-29T16:00:00Z").0, at("2028-02-29T16:00:00Z").to_string());
    }

    #[test]
    fn a_day_may_begin_at_a_time_that_a_jump_swallows() {
        let limits = Limits { daily_reset_time: Some("02:30".parse().unwrap()), ..Limits::default() };
        let day = |now| window("Europe/Berlin", LimitName::Day, &limits, now);
        // 02:30 does not exist on that day: it begins at 03:00 local time.
        assert_eq!(day("2026-03-29T00:59:00Z").1, at("2026-03-29T01:00:00Z").to_string());
        assert_eq!(day("2026-03-29T01:00:00Z").0, at("2026-03-29T01:00:00Z").to_string());
    }

    #[test]
    fn windows_follow_each_other_without_gap_or_overlap() {
        let calendar = Calendar::of("America/St_Johns").unwrap();
        let limits = Limits { daily_reset_time: Some("23:45".parse().unwrap()), ..Limits::default() };
        for name in [LimitName::Day, LimitName::Week, LimitName::Month] {
            let mut now = at("2025-12-01T00:00:00Z");
            for _ in 0..60 {
                let Span::Fixed { since, until } = calendar.span(name, &limits, now) else { panic!() };
                assert!(since <= now && now < until, "{name} {now}");
                let Span::Fixed { since: next, .. } = calendar.span(name, &limits, until) else { panic!() };
                assert_eq!(next, until, "{name} {now}");
                now = until;
            }
        }
    }

    #[test]
    fn unknown_zones_are_not_taken_for_utc() {
        assert!(Calendar::of("Mars/Olympus").is_none());
    }
}
