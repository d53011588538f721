//! How long an upstream's error asks to wait, where the body says so.
//!
//! Points in time need a clock and are left to the headers.

use crate::json::{self, elements, text};

/// Longest wait that is believed, in milliseconds: 31 days.
const MOST_MS: u64 = 31 * 24 * 3_600 * 1_000;

/// The wait in milliseconds that an error object (or its words) asks for.
pub(super) fn asked(object: &[u8], message: &str) -> Option<u64> {
    let named = [("retry_after_ms", 1), ("retry_after", 1_000), ("resets_in_seconds", 1_000)]
        .iter()
        .find_map(|(name, unit)| number(json::field(object, name)?, *unit));
    named.or_else(|| retry_info(object)).or_else(|| in_words(message)).filter(|ms| *ms <= MOST_MS)
}

/// Google's `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}` among the details.
fn retry_info(object: &[u8]) -> Option<u64> {
    let details = json::field(object, "details").filter(|d| d.first() == Some(&b'['))?;
    elements(details).find_map(|detail| {
        let delay = json::field(detail, "retryDelay").or_else(|| json::field(detail, "retry_delay"))?;
        duration(&text::decode(delay)?)
    })
}

/// OpenAI's "Please try again in 6m0s." and "… in 20ms".
fn in_words(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("try again in ")?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len());
    duration(rest.get(..end)?.trim_end_matches('.'))
}

/// `1.5s`, `6m0s`, `20ms`, `1h2m3s`, `2d1h`.
fn duration(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut sum = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (amount, tail) =
            rest.split_at_checked(rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?)?;
        let (unit, tail) =
            tail.split_at_checked(tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len()))?;
        let unit = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        sum = sum.checked_add(times(amount, unit)?)?;
        rest = tail;
    }
    Some(sum)
}

/// A number, or a number in quotes, of units of so many milliseconds.
fn number(value: &[u8], unit: u64) -> Option<u64> {
    times(std::str::from_utf8(text::inner(value).unwrap_or(value)).ok()?, unit)
}

/// A plain decimal times a unit, rounded up, without floats.
fn times(decimal: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = decimal.split_once('.').unwrap_or((decimal, ""));
    let fraction = fraction.get(..9).unwrap_or(fraction);
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return None;
    }
    let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = if fraction.is_empty() { 0 } else { fraction.parse::<u64>().ok()? };
    whole.parse::<u64>().ok()?.checked_mul(unit)?.checked_add(part.checked_mul(unit)?.div_ceil(scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dialect;
    use crate::error::parse_upstream;

    #[test]
    fn u26_the_wait_of_an_error_is_read_wherever_it_stands() {
        for (body, wanted) in [
            (
                r#"{"error":{"code":429,"details":[{"@type":"type.googleapis.com/google.rpc.Help"},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"17.5s"}],"message":"q","status":"RESOURCE_EXHAUSTED"}}"#,
                Some(17_500),
            ),
            (r#"{"error":{"message":"m","retry_after":2}}"#, Some(2_000)),
            (r#"{"error":{"message":"m","retry_after":"0.25"}}"#, Some(250)),
            (r#"{"error":{"message":"m","retry_after_ms":40}}"#, Some(40)),
            (
                r#"{"error":{"type":"usage_limit_reached","message":"m","resets_in_seconds":60}}"#,
                Some(60_000),
            ),
            (r#"{"error":{"message":"Rate limit reached. Please try again in 6m0s."}}"#, Some(360_000)),
            (r#"{"error":{"message":"Please try again in 20ms. Visit x"}}"#, Some(20)),
            (r#"{"error":{"message":"Please try again in 1.0001s"}}"#, Some(1_001)),
            (r#"{"error":{"message":"Please try again in a while"}}"#, None),
            (r#"{"error":{"message":"m","retry_after":-1}}"#, None),
            (r#"{"error":{"message":"m","retry_after":1e12}}"#, None),
            (r#"{"error":{"message":"m","retry_after":99999999999999999999}}"#, None),
            (r#"{"error":{"message":"m","retry_after":9999999}}"#, None),
            (r#"{"error":{"message":"m","details":"none"}}"#, None),
        ] {
            let found = parse_upstream(Dialect::Gemini, body.as_bytes()).unwrap();
            assert_eq!(found.retry_after_ms, wanted, "{body}");
        }
    }

    #[test]
    fn durations_are_read_in_every_unit() {
        for (text, wanted) in [
            ("1h2m3s", Some(3_723_000)),
            ("1d", Some(86_400_000)),
            ("0s", Some(0)),
            ("", None),
            ("5", None),
            ("s", None),
            ("1.5.5s", None),
            ("5y", None),
        ] {
            assert_eq!(duration(text), wanted, "{text}");
        }
    }
}
