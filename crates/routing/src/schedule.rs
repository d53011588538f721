//! Hours of the day in which a provider may serve.
//!
//! Minutes of the day only; which minute it is in which time zone is the caller's business.

use types::routing::Schedule;

const DAY_MIN: u16 = 24 * 60;

/// Whether the window covers a minute of the day (0 to 1439, beyond that it wraps). An end before the start means
/// over midnight; an empty window, which inputs refuse, shuts nobody out.
pub fn is_open(schedule: &Schedule, minute_of_day: u16) -> bool {
    let (start, end) = (schedule.start.minutes(), schedule.end.minutes());
    let minute = minute_of_day % DAY_MIN;
    if start < end { (start..end).contains(&minute) } else { minute >= start || minute < end }
}

/// Minutes until it opens; zero while it is open.
pub fn opens_in_min(schedule: &Schedule, minute_of_day: u16) -> u32 {
    if is_open(schedule, minute_of_day) {
        return 0;
    }
    u32::from((schedule.start.minutes() + DAY_MIN - minute_of_day % DAY_MIN) % DAY_MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(start: &str, end: &str) -> Schedule {
        Schedule { start: start.parse().unwrap(), end: end.parse().unwrap() }
    }

    fn minute(text: &str) -> u16 {
        text.parse::<types::limits::TimeOfDay>().unwrap().minutes()
    }

    #[test]
    fn windows_hold_their_start_and_not_their_end() {
        for (start, end, now, open, wait) in [
            ("09:00", "17:00", "09:00", true, 0),
            ("09:00", "17:00", "16:59", true, 0),
            ("09:00", "17:00", "17:00", false, 16 * 60),
            ("09:00", "17:00", "08:59", false, 1),
            ("22:00", "06:00", "23:59", true, 0),
            ("22:00", "06:00", "00:00", true, 0),
            ("22:00", "06:00", "05:59", true, 0),
            ("22:00", "06:00", "06:00", false, 16 * 60),
            ("22:00", "06:00", "21:59", false, 1),
            ("00:00", "12:00", "12:00", false, 12 * 60),
            ("12:00", "00:00", "23:59", true, 0),
            ("12:00", "00:00", "00:00", false, 12 * 60),
            ("08:00", "08:00", "03:00", true, 0),
        ] {
            let schedule = window(start, end);
            assert_eq!(is_open(&schedule, minute(now)), open, "{start}-{end} at {now}");
            assert_eq!(opens_in_min(&schedule, minute(now)), wait, "{start}-{end} at {now}");
        }
    }

    #[test]
    fn waiting_as_long_as_told_meets_an_open_window_and_no_shorter() {
        for (start, end) in [("09:00", "17:00"), ("22:30", "06:15"), ("23:59", "00:00"), ("00:00", "23:59")] {
            let schedule = window(start, end);
            for now in 0..DAY_MIN {
                let wait = u16::try_from(opens_in_min(&schedule, now)).unwrap();
                assert!(is_open(&schedule, now + wait), "{start}-{end} at {now}");
                assert!(wait == 0 || !is_open(&schedule, now + wait - 1), "{start}-{end} at {now}");
            }
        }
    }
}
