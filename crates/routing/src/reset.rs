//! Reading when a quota is full again out of vendors' headers.
//!
//! It only reads: how long a credential rests is decided in [`crate::cooldown`].

use std::time::{Duration, UNIX_EPOCH};

use http::HeaderMap;
use types::Timestamp;
use types::provider::ProviderKind;

/// Numbers from here on are seconds since 1970 (year 2001), smaller ones are a duration in seconds.
const EPOCH_S: i64 = 1_000_000_000;
/// Numbers from here on are milliseconds since 1970 (year 2001).
const EPOCH_MS: i64 = 1_000_000_000_000;
/// Stands for every time too far away to be told.
const FAR_MS: i64 = i64::MAX / 4;

/// `retry-after-ms` (milliseconds), else `Retry-After` (seconds, with fractions if it must be, or an HTTP date), in
/// milliseconds from now; zero or less if it is over.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let ms = text(headers, "retry-after-ms").and_then(|text| number_ms(text).map(|ms| ms / 1_000));
    ms.or_else(|| {
        let text = text(headers, "retry-after")?;
        number_ms(text).or_else(|| date_ms(text).map(|at| at.saturating_sub(now.0)))
    })
}

/// When the limits that are used up are full again by the vendor's own headers, in milliseconds from now. `None` if
/// they say nothing of it, or that it is over.
pub(crate) fn of_vendor(kind: ProviderKind, headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let ms = match kind {
        ProviderKind::Anthropic => anthropic(headers, now),
        ProviderKind::OpenAi | ProviderKind::AzureOpenAi | ProviderKind::OpenAiCompatible => {
            openai(headers, now)
        }
        ProviderKind::Gemini | ProviderKind::Vertex | ProviderKind::Bedrock => None,
    };
    ms.filter(|ms| *ms > 0)
}

/// Whether Anthropic's headers say that the account as a whole is used up, not just one model's share.
pub(crate) fn is_whole(headers: &HeaderMap) -> bool {
    // A claim such as `seven_day_opus` is a window of one family of models.
    let of_models = text(headers, "anthropic-ratelimit-unified-representative-claim")
        .is_some_and(|claim| claim.starts_with("seven_day_"));
    unified_used_up(headers) && !of_models
}

fn unified_used_up(headers: &HeaderMap) -> bool {
    text(headers, "anthropic-ratelimit-unified-status") == Some("rejected")
        || is_zero(headers, "anthropic-ratelimit-unified-remaining")
}

fn anthropic(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    let reset = |name: &str| text(headers, name).and_then(|text| ahead_ms(text, now));
    if unified_used_up(headers) {
        let windows = ["5h", "7d"].into_iter().filter_map(|window| {
            let status = text(headers, &format!("anthropic-ratelimit-unified-{window}-status"));
            (status == Some("rejected"))
                .then(|| reset(&format!("anthropic-ratelimit-unified-{window}-reset")))
                .flatten()
        });
        return reset("anthropic-ratelimit-unified-reset").or_else(|| windows.max());
    }
    ["requests", "tokens", "input-tokens", "output-tokens"]
        .into_iter()
        .filter(|what| is_zero(headers, &format!("anthropic-ratelimit-{what}-remaining")))
        .filter_map(|what| reset(&format!("anthropic-ratelimit-{what}-reset")))
        .max()
}

fn openai(headers: &HeaderMap, now: Timestamp) -> Option<i64> {
    ["-requests", "-tokens", ""]
        .into_iter()
        // What is not used up did not cause this, and its reset is when it is full, not when it is enough.
        .filter(|what| {
            let remaining = format!("x-ratelimit-remaining{what}");
            text(headers, &remaining).is_none() || is_zero(headers, &remaining)
        })
        .filter_map(|what| text(headers, &format!("x-ratelimit-reset{what}")))
        .filter_map(|text| ahead_ms(text, now))
        .max()
}

/// A time or duration in any of the forms in use, in milliseconds from now: RFC 3339, seconds or milliseconds since
/// 1970, seconds, `6m0s`, `20ms`.
pub(crate) fn ahead_ms(text: &str, now: Timestamp) -> Option<i64> {
    if let Some(ms) = number_ms(text) {
        return Some(match ms / 1_000 {
            // A number of milliseconds was read as seconds.
            n if n >= EPOCH_MS => n.saturating_sub(now.0),
            n if n >= EPOCH_S => ms.saturating_sub(now.0),
            _ => ms,
        });
    }
    duration_ms(text).or_else(|| text.parse::<Timestamp>().ok().map(|at| at.0.saturating_sub(now.0)))
}

/// A decimal number of seconds in milliseconds. No sign, no blanks, nothing but a number.
fn number_ms(text: &str) -> Option<i64> {
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let seconds = text.parse::<f64>().ok()?;
    // It fails for what is too large, and only for that.
    Some(Duration::try_from_secs_f64(seconds).map_or(FAR_MS, whole_ms))
}

/// A duration of numbers with units, such as `1h2m3.5s` or `20ms`.
fn duration_ms(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let (number, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.')?);
        let (unit, after) = after.split_at(after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len()));
        let ms = number_ms(number)?;
        sum = sum.saturating_add(match unit {
            "ms" => ms / 1_000,
            "s" => ms,
            "m" => ms.saturating_mul(60),
            "h" => ms.saturating_mul(3_600),
            "d" => ms.saturating_mul(86_400),
            _ => return None,
        });
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

fn date_ms(text: &str) -> Option<i64> {
    let at = httpdate::parse_http_date(text).ok()?;
    Some(at.duration_since(UNIX_EPOCH).map_or(0, whole_ms))
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(FAR_MS).min(FAR_MS)
}

fn is_zero(headers: &HeaderMap, name: &str) -> bool {
    text(headers, name).and_then(number_ms) == Some(0)
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}
