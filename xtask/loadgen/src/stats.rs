//! Medians, percentiles and conversions. It knows nothing of what the numbers mean.

use std::time::Duration;

/// The middle one; of an even number, the upper of the two in the middle.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// The value that `per_cent` of a hundred do not exceed.
pub(crate) fn percentile(values: &mut [Duration], per_cent: usize) -> Duration {
    values.sort_unstable();
    let at = (values.len() * per_cent / 100).min(values.len().saturating_sub(1));
    values.get(at).copied().unwrap_or_default()
}

/// Microseconds with fractions.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// A count as a number to divide by; counts of this bench stay far below 2^32.
pub(crate) fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_the_upper_middle_one() {
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), Some(3.0));
        assert_eq!(median(&[]), None);
    }

    #[test]
    fn the_99th_percentile_of_a_hundred_is_the_largest() {
        let mut values: Vec<Duration> = (1..=100).map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut values, 99), Duration::from_millis(100));
        assert_eq!(percentile(&mut values, 50), Duration::from_millis(51));
        assert_eq!(percentile(&mut [], 50), Duration::ZERO);
    }
}
