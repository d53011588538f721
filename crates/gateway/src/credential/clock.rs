//! How far a vendor's clock is from ours, for signatures that are good for a few minutes by the vendor's (Amazon's).
//!
//! Only a refusal teaches it: whoever is answered well needs no other clock.

use http::HeaderMap;
use http::header::DATE;
use types::Timestamp;

use super::{Gauge, Ordering};

/// Amazon takes signatures that are at most five minutes old, or young.
const TAKEN_MS: i64 = 240_000;

impl Gauge {
    /// Hears of a refusal when it was made. A clock that differs by more than signatures are taken for counts from now
    /// on, and one that does not counts no more.
    pub(crate) fn hear_clock(&self, headers: &HeaderMap, now: Timestamp) {
        let date = headers.get(DATE).and_then(|value| value.to_str().ok());
        let Some(date) = date.and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok()) else {
            return;
        };
        let ahead = date.timestamp_millis().saturating_sub(now.0);
        let counts = if ahead.saturating_abs() > TAKEN_MS { ahead } else { 0 };
        let before = self.vendor_ahead_ms.swap(counts, Ordering::AcqRel);
        if counts != before && counts != 0 {
            tracing::warn!(
                ahead_s = counts / 1_000,
                "a vendor's clock differs from this machine's: requests are signed by the vendor's; look at the time \
                 service here"
            );
        }
    }

    /// The vendor's clock, as far as it is known to differ.
    pub(crate) fn vendors_now(&self, now: Timestamp) -> Timestamp {
        now.plus_ms(self.vendor_ahead_ms())
    }

    /// How far it is ahead of ours, in milliseconds; 0 if it does not differ.
    pub(crate) fn vendor_ahead_ms(&self) -> i64 {
        self.vendor_ahead_ms.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_248_000_000);

    fn heard(gauge: &Gauge, ahead_s: i64) -> i64 {
        let at = chrono::DateTime::from_timestamp_millis(NOW.0 + ahead_s * 1_000).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(DATE, at.format("%a, %d %b %Y %H:%M:%S GMT").to_string().parse().unwrap());
        gauge.hear_clock(&headers, NOW);
        gauge.vendors_now(NOW).0 - NOW.0
    }

    #[test]
    fn a_clock_counts_only_where_signatures_would_be_refused() {
        let gauge = Gauge::default();
        for (ahead_s, expected_s) in
            [(0, 0), (200, 0), (-200, 0), (1_200, 1_200), (1_300, 1_300), (-3_600, -3_600), (3, 0)]
        {
            assert_eq!(heard(&gauge, ahead_s), expected_s * 1_000, "{ahead_s}");
        }
        heard(&gauge, 1_200);
        let mut odd = HeaderMap::new();
        gauge.hear_clock(&odd, NOW);
        odd.insert(DATE, "yesterday".parse().unwrap());
        gauge.hear_clock(&odd, NOW);
        assert_eq!(gauge.vendor_ahead_ms(), 1_200_000, "what says nothing changes nothing");
    }
}
