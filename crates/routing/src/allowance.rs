//! How far an account is used up, out of vendors' headers. It only reads; who is left alone is decided elsewhere.

use http::HeaderMap;
use types::Timestamp;
use types::allowance::{Allowance, AllowanceWindow};
use types::provider::ProviderKind;

use crate::reset::{ahead_ms, text};

/// Anthropic's windows; the ones of one family of models stop nobody.
const UNIFIED: [(&str, bool); 4] = [("5h", true), ("7d", true), ("7d_opus", false), ("7d_sonnet", false)];

/// What the headers of an answer say; `None` if nothing.
pub fn read(kind: ProviderKind, headers: &HeaderMap, now: Timestamp) -> Option<Allowance> {
    // Every answer comes by here, and few say anything of it.
    let starts = ["anthropic-ratelimit-", "x-codex-", "x-ratelimit-"];
    if !headers.keys().any(|name| starts.iter().any(|start| name.as_str().starts_with(start))) {
        return None;
    }
    let windows = match kind {
        ProviderKind::Anthropic => unified(headers, now),
        ProviderKind::OpenAi | ProviderKind::AzureOpenAi | ProviderKind::OpenAiCompatible => {
            let windows = codex(headers, now);
            if windows.is_empty() { openai(headers, now) } else { windows }
        }
        ProviderKind::Gemini | ProviderKind::Vertex | ProviderKind::Bedrock => Vec::new(),
    };
    (!windows.is_empty()).then(|| Allowance { at: now, windows, balances: Vec::new() })
}

/// `anthropic-ratelimit-unified-5h-utilization` is a share from 0 to 1, `…-reset` an instant.
fn unified(headers: &HeaderMap, now: Timestamp) -> Vec<AllowanceWindow> {
    let window = |(name, stops): (&str, bool)| {
        let used = text(headers, &format!("anthropic-ratelimit-unified-{name}-utilization"))?;
        let resets_at = instant(headers, &format!("anthropic-ratelimit-unified-{name}-reset"), now);
        Some(AllowanceWindow { name: name.to_owned(), used_percent: percent(used, 100.0)?, resets_at, stops })
    };
    UNIFIED.into_iter().filter_map(window).collect()
}

/// `x-codex-primary-used-percent`, with the window's length in minutes and its end.
fn codex(headers: &HeaderMap, now: Timestamp) -> Vec<AllowanceWindow> {
    let window = |which: &str| {
        let field = |name: &str| format!("x-codex-{which}-{name}");
        let used_percent = percent(text(headers, &field("used-percent"))?, 1.0)?;
        let minutes: u32 = text(headers, &field("window-minutes")).and_then(|m| m.parse().ok()).unwrap_or(0);
        let name = match minutes {
            0 => which.to_owned(),
            whole if whole % 1_440 == 0 => format!("{}d", whole / 1_440),
            whole if whole % 60 == 0 => format!("{}h", whole / 60),
            other => format!("{other}min"),
        };
        let resets_at = instant(headers, &field("reset-at"), now)
            .or_else(|| instant(headers, &field("reset-after-seconds"), now));
        Some(AllowanceWindow { name, used_percent, resets_at, stops: true })
    };
    ["primary", "secondary"].into_iter().filter_map(window).collect()
}

/// `x-ratelimit-limit-requests` and its like: windows of a minute or so, which nobody is stopped for.
fn openai(headers: &HeaderMap, now: Timestamp) -> Vec<AllowanceWindow> {
    let window = |name: &str| {
        let number = |what: &str| text(headers, &format!("x-ratelimit-{what}-{name}"))?.parse::<u64>().ok();
        let (limit, left) = (number("limit")?, number("remaining")?);
        let used = limit.saturating_sub(left).saturating_mul(100).checked_div(limit)?;
        let resets_at = instant(headers, &format!("x-ratelimit-reset-{name}"), now);
        let used_percent = u32::try_from(used).ok()?;
        Some(AllowanceWindow { name: name.to_owned(), used_percent, resets_at, stops: false })
    };
    ["requests", "tokens"].into_iter().filter_map(window).collect()
}

fn instant(headers: &HeaderMap, name: &str, now: Timestamp) -> Option<Timestamp> {
    text(headers, name).and_then(|text| ahead_ms(text, now)).map(|ms| now.plus_ms(ms))
}

/// A decimal number as whole percent, rounded down, at most 1000; nothing else is one.
fn percent(text: &str, times: f64) -> Option<u32> {
    whole_percent(text.parse::<f64>().ok()? * times)
}

/// A number of percent as a whole one, rounded down, at most 1000; `None` if it is negative or none at all.
pub fn whole_percent(number: f64) -> Option<u32> {
    let number = Some(number).filter(|n| n.is_finite() && *n >= 0.0)?;
    // A share such as 0.29 is a little less than 29 hundredths in binary.
    (0..=1_000_u32).rev().find(|whole| f64::from(*whole) <= number + 1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000);

    fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn told(kind: ProviderKind, lines: &[(&'static str, &str)]) -> Vec<(String, u32, Option<i64>, bool)> {
        let found = read(kind, &headers(lines), NOW).map(|found| found.windows).unwrap_or_default();
        let line = |w: AllowanceWindow| (w.name, w.used_percent, w.resets_at.map(|at| at.0 - NOW.0), w.stops);
        found.into_iter().map(line).collect()
    }

    #[test]
    fn ex_12_each_vendors_windows_are_read() {
        let unified = told(
            ProviderKind::Anthropic,
            &[
                ("anthropic-ratelimit-unified-5h-utilization", "0.29"),
                ("anthropic-ratelimit-unified-5h-reset", "1800003600"),
                ("anthropic-ratelimit-unified-7d-utilization", "1.02"),
                ("anthropic-ratelimit-unified-7d_opus-utilization", "0.5"),
            ],
        );
        let expected =
            [("5h", 29, Some(3_600_000), true), ("7d", 102, None, true), ("7d_opus", 50, None, false)];
        assert_eq!(unified, expected.map(|(name, used, at, stops)| (name.to_owned(), used, at, stops)));
        let codex = told(
            ProviderKind::OpenAi,
            &[
                ("x-codex-primary-used-percent", "81.7"),
                ("x-codex-primary-window-minutes", "300"),
                ("x-codex-primary-reset-after-seconds", "60"),
                ("x-codex-secondary-used-percent", "3"),
                ("x-codex-secondary-window-minutes", "10080"),
                ("x-ratelimit-limit-requests", "100"),
                ("x-ratelimit-remaining-requests", "1"),
            ],
        );
        let expected = [("5h", 81, Some(60_000), true), ("7d", 3, None, true)];
        assert_eq!(codex, expected.map(|(name, used, at, stops)| (name.to_owned(), used, at, stops)));
        let minutes = told(
            ProviderKind::OpenAi,
            &[
                ("x-ratelimit-limit-tokens", "30000"),
                ("x-ratelimit-remaining-tokens", "7500"),
                ("x-ratelimit-reset-tokens", "6m0s"),
            ],
        );
        assert_eq!(minutes, [("tokens".to_owned(), 75, Some(360_000), false)]);
    }

    #[test]
    fn ex_12_nonsense_is_no_window() {
        for nonsense in ["", "-1", "NaN", "inf", "much", "1e400"] {
            let lines = [("anthropic-ratelimit-unified-5h-utilization", nonsense)];
            assert_eq!(told(ProviderKind::Anthropic, &lines), [], "{nonsense}");
        }
        let none = [("x-ratelimit-limit-requests", "0"), ("x-ratelimit-remaining-requests", "0")];
        assert_eq!(told(ProviderKind::OpenAi, &none), []);
        assert_eq!(read(ProviderKind::Gemini, &headers(&none), NOW), None);
    }
}
