//! Rests by class, and the matrix of headers of each vendor.

use http::{HeaderName, HeaderValue};
use proptest::prelude::*;
use types::credential::CredentialState as S;
use types::provider::ProviderKind as P;
use types::routing::FailureClass as C;

use super::*;

/// 2026-11-21T08:00:00Z, a Saturday.
const NOW: Timestamp = Timestamp(1_795_248_000_000);
const NOW_S: i64 = NOW.0 / 1_000;
const HOUR_S: u32 = 3_600;

/// Kind, headers, what the body says in milliseconds, the rest in milliseconds, whether all of it rests.
type Told<'a> = (P, Vec<(&'a str, &'a str)>, Option<u64>, i64, bool);

fn headers(lines: &[(&str, &str)]) -> HeaderMap {
    let line = |(name, value): &(&str, &str)| {
        (HeaderName::try_from(*name).unwrap(), HeaderValue::try_from(*value).unwrap())
    };
    lines.iter().map(line).collect()
}

fn limited(kind: P, lines: &[(&str, &str)], body_ms: Option<u64>) -> Rest {
    rest(C::RateLimit, kind, &headers(lines), body_ms, NOW, 0, HOUR_S, 1).unwrap()
}

#[test]
fn the_time_of_the_tests_is_what_it_says() {
    assert_eq!(NOW.to_string(), "2026-11-21T08:00:00.000Z");
}

#[test]
fn fault_u27_retry_after_in_all_its_forms() {
    let table: &[(&str, Option<i64>)] = &[
        ("5", Some(5_000)),
        ("0", Some(1_000)),
        ("0.2", Some(1_000)),
        ("1.5", Some(1_500)),
        ("  7 ", Some(7_000)),
        ("3600", Some(3_600_000)),
        ("Sat, 21 Nov 2026 08:00:30 GMT", Some(30_000)),
        ("Saturday, 21-Nov-26 08:00:30 GMT", Some(30_000)),
        ("Sat Nov 21 08:00:30 2026", Some(30_000)),
        ("Sat, 21 Nov 2026 07:59:00 GMT", Some(1_000)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(1_000)),
        ("1000000000000", Some(1_000_000_000_000_000)),
        ("1e12", Some(1_000_000_000_000_000)),
        ("soon", None),
        ("", None),
        ("-5", None),
        ("+5", None),
        ("NaN", None),
        ("inf", None),
        ("5 seconds", None),
        ("Sat, 31 Feb 2026 08:00:30 GMT", None),
    ];
    for (text, ms) in table {
        assert_eq!(retry_after(&headers(&[("retry-after", text)]), NOW), *ms, "{text:?}");
    }
    for far in ["1e300", "99999999999999999999999999"] {
        let ms = retry_after(&headers(&[("retry-after", far)]), NOW).unwrap();
        assert!(ms > 1_000_000_000_000_000, "{far}");
    }
    let bytes: HeaderMap =
        [(http::header::RETRY_AFTER, HeaderValue::from_bytes(b"\xff\xfe").unwrap())].into_iter().collect();
    assert_eq!(retry_after(&bytes, NOW), None);
    assert_eq!(retry_after(&HeaderMap::new(), NOW), None);
}

#[test]
fn milliseconds_come_before_seconds_unless_they_are_nonsense() {
    let both = |ms: &str| retry_after(&headers(&[("retry-after-ms", ms), ("retry-after", "9")]), NOW);
    assert_eq!(both("2500"), Some(2_500));
    assert_eq!(both("2500.75"), Some(2_500));
    assert_eq!(both("12"), Some(1_000));
    assert_eq!(both("soon"), Some(9_000));
}

#[test]
fn fault_u26_u27_what_each_vendor_says_of_its_quota() {
    let epoch = (NOW_S + 90).to_string();
    let epoch_ms = (NOW.0 + 45_000).to_string();
    let past = (NOW_S - 90).to_string();
    let seven = "anthropic-ratelimit-unified-representative-claim";
    #[rustfmt::skip]
    let table: Vec<Told<'_>> = vec![
        // Retry-After is the same for all.
        (P::Anthropic, vec![("retry-after", "5")], None, 5_000, false),
        (P::OpenAi, vec![("retry-after", "5")], None, 5_000, false),
        (P::OpenAiCompatible, vec![("retry-after", "5")], Some(99_000), 5_000, false),
        (P::AzureOpenAi, vec![("retry-after-ms", "2500"), ("retry-after", "3")], None, 2_500, false),
        (P::Gemini, vec![("retry-after", "5")], Some(99_000), 5_000, false),
        // Never longer than the setting, never shorter than a second.
        (P::OpenAi, vec![("retry-after", "1e12")], None, 3_600_000, false),
        (P::OpenAi, vec![("retry-after", "Sat, 21 Nov 2026 07:00:00 GMT")], None, 1_000, false),
        // Garbage or the past: what else there is counts.
        (P::OpenAi, vec![("retry-after", "soon"), ("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "12s")], None, 12_000, false),
        (P::OpenAi, vec![("retry-after", "Sat, 21 Nov 2026 07:00:00 GMT"), ("x-ratelimit-reset-requests", "12s")], None, 12_000, false),
        (P::Gemini, vec![("retry-after", "soon")], Some(31_500), 31_500, false),
        // Anthropic: only what is used up, and until all of that is full again.
        (P::Anthropic, vec![
            ("anthropic-ratelimit-requests-remaining", "49"), ("anthropic-ratelimit-requests-reset", "2026-11-21T08:10:00Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "0"), ("anthropic-ratelimit-input-tokens-reset", "2026-11-21T08:00:40Z"),
            ("anthropic-ratelimit-tokens-remaining", "0"), ("anthropic-ratelimit-tokens-reset", "2026-11-21T08:00:20Z"),
        ], None, 40_000, false),
        (P::Anthropic, vec![("anthropic-ratelimit-output-tokens-remaining", "0"), ("anthropic-ratelimit-output-tokens-reset", "2026-11-21T09:00:25+01:00")], None, 25_000, false),
        // Anthropic's windows over all models.
        (P::Anthropic, vec![("anthropic-ratelimit-unified-status", "rejected"), ("anthropic-ratelimit-unified-reset", &epoch)], None, 90_000, true),
        (P::Anthropic, vec![("anthropic-ratelimit-unified-remaining", "0"), ("anthropic-ratelimit-unified-reset", &epoch)], None, 90_000, true),
        (P::Anthropic, vec![("anthropic-ratelimit-unified-status", "rejected"), ("retry-after", "30")], None, 30_000, true),
        (P::Anthropic, vec![
            ("anthropic-ratelimit-unified-status", "rejected"),
            ("anthropic-ratelimit-unified-5h-status", "rejected"), ("anthropic-ratelimit-unified-5h-reset", &epoch),
            ("anthropic-ratelimit-unified-7d-status", "allowed"), ("anthropic-ratelimit-unified-7d-reset", "9999999999"),
        ], None, 90_000, true),
        (P::Anthropic, vec![("anthropic-ratelimit-unified-status", "rejected"), (seven, "five_hour"), ("anthropic-ratelimit-unified-reset", "9999999999")], None, 3_600_000, true),
        (P::Anthropic, vec![("anthropic-ratelimit-unified-status", "rejected"), (seven, "seven_day_opus"), ("anthropic-ratelimit-unified-reset", &epoch)], None, 90_000, false),
        (P::Anthropic, vec![("anthropic-ratelimit-unified-status", "allowed_warning"), ("anthropic-ratelimit-unified-reset", &epoch), ("retry-after", "4")], None, 4_000, false),
        // OpenAI: durations.
        (P::OpenAi, vec![("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "6m0s")], None, 360_000, false),
        (P::OpenAi, vec![("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "20ms")], None, 1_000, false),
        (P::OpenAi, vec![("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "1m7.66s")], None, 67_660, false),
        (P::OpenAi, vec![
            ("x-ratelimit-remaining-requests", "5"), ("x-ratelimit-reset-requests", "8m"),
            ("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "9s"),
        ], None, 9_000, false),
        (P::AzureOpenAi, vec![("x-ratelimit-remaining-tokens", "0"), ("x-ratelimit-reset-tokens", "30")], None, 30_000, false),
        // Others: since 1970, in seconds or milliseconds.
        (P::OpenAiCompatible, vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &epoch)], None, 90_000, false),
        (P::OpenAiCompatible, vec![("x-ratelimit-reset", &epoch_ms)], None, 45_000, false),
        (P::OpenAiCompatible, vec![("x-ratelimit-reset", "1h2m3s")], None, 3_600_000, false),
        (P::OpenAiCompatible, vec![("x-ratelimit-reset", &past)], Some(8_000), 8_000, false),
        // Gemini: only the body.
        (P::Gemini, vec![("x-ratelimit-reset", "77")], Some(31_500), 31_500, false),
        (P::Gemini, vec![], Some(u64::MAX), 3_600_000, false),
    ];
    for (kind, lines, body, ms, whole) in table {
        let expected =
            Rest { until: NOW.plus_ms(ms), state: CredentialState::RateLimited, whole, told: true };
        assert_eq!(limited(kind, &lines, body), expected, "{kind} {lines:?}");
    }
}

#[test]
fn headers_of_another_vendor_or_of_what_is_left_say_nothing() {
    let left = [("x-ratelimit-remaining-tokens", "9"), ("x-ratelimit-reset-tokens", "9m")];
    let odd = [
        ("x-ratelimit-reset-requests", "6 minutes"),
        ("x-ratelimit-reset-tokens", "m"),
        ("x-ratelimit-reset", "5x"),
    ];
    let unified = [
        ("anthropic-ratelimit-unified-status", "rejected"),
        ("anthropic-ratelimit-unified-reset", "1795248090"),
    ];
    for (kind, lines) in
        [(P::OpenAi, &left[..]), (P::OpenAi, &odd), (P::Anthropic, &left), (P::OpenAi, &unified)]
    {
        let rest = limited(kind, lines, None);
        assert!(!rest.told && !rest.whole, "{lines:?}");
    }
}

#[test]
fn fault_u28_without_any_word_it_doubles_from_five_seconds_to_five_minutes_and_is_spread() {
    for streak in (0..12).chain([63, 64, u32::MAX]) {
        let middle = if streak >= 6 { 300_000 } else { 5_000 << streak };
        let all: Vec<i64> = (0..500)
            .map(|seed| {
                let none = HeaderMap::new();
                let rest = rest(C::RateLimit, P::OpenAi, &none, None, NOW, streak, HOUR_S, seed).unwrap();
                assert!(!rest.told && !rest.whole);
                rest.until.0 - NOW.0
            })
            .collect();
        let (least, most) = (all.iter().min().unwrap(), all.iter().max().unwrap());
        assert!(*least >= middle / 2 && *least < middle * 6 / 10, "streak {streak}: from {least}");
        assert!(*most <= (middle * 3 / 2).min(300_000), "streak {streak}: to {most}");
        assert!(*most > (middle * 14 / 10).min(299_999), "streak {streak}: to {most}");
    }
}

#[test]
fn fault_u33_u34_u36_rests_of_the_other_classes() {
    let of = |class, streak, max_s, lines: &[(&str, &str)]| {
        let rest = rest(class, P::Anthropic, &headers(lines), None, NOW, streak, max_s, 1)?;
        Some(((rest.until.0 - NOW.0) / 1_000, rest.state, rest.whole, rest.told))
    };
    for (streak, s) in [(0, 10), (1, 20), (2, 40), (3, 80), (4, 120), (40, 120)] {
        assert_eq!(of(C::Overload, streak, HOUR_S, &[]), Some((s, S::Overloaded, false, false)));
    }
    assert_eq!(of(C::Overload, 0, HOUR_S, &[("retry-after", "33")]), Some((33, S::Overloaded, false, true)));
    assert_eq!(of(C::Overload, 0, 7, &[]), Some((7, S::Overloaded, false, false)));
    for (streak, s) in [(0, 5), (1, 10), (5, 160), (6, 300), (60, 300)] {
        assert_eq!(of(C::System, streak, 300, &[]), Some((s, S::Unavailable, false, false)));
    }
    assert_eq!(of(C::NotFound, 9, HOUR_S, &[]), Some((600, S::Unavailable, false, false)));
    assert_eq!(of(C::Quota, 9, 60, &[("retry-after", "1")]), Some((3_600, S::Suspended, true, false)));
    for class in [C::Provider, C::Auth, C::Client, C::ClientGone, C::Unknown, C::Local] {
        assert_eq!(of(class, 0, HOUR_S, &[("retry-after", "5")]), None);
    }
}

proptest! {
    /// Whatever comes, a rest lasts between a second and the bound.
    #[test]
    fn no_header_breaks_it_or_rests_beyond_the_bound(
        after in "[ -~]{0,40}",
        reset in prop_oneof!["[ -~]{0,40}", "[0-9]{1,30}(\\.[0-9]{1,30})?(ms|s|m|h|d)?([0-9]{1,9}(ms|s))?"],
        name in prop::sample::select(vec![
            "x-ratelimit-reset", "x-ratelimit-reset-tokens", "anthropic-ratelimit-unified-reset", "retry-after-ms",
        ]),
        kind in prop::sample::select(ProviderKind::ALL),
        class in prop::sample::select(C::ALL),
        body in any::<Option<u64>>(),
        now in any::<i64>(),
        (streak, max_s, seed) in any::<(u32, u32, u64)>(),
    ) {
        let lines = headers(&[("retry-after", &after), (name, &reset), ("anthropic-ratelimit-unified-status", "rejected")]);
        // Times near the ends of the range stop there.
        let now = Timestamp(now / 2);
        if let Some(rest) = rest(class, kind, &lines, body, now, streak, max_s, seed) {
            let ms = rest.until.0 - now.0;
            let bound = if class == C::Quota { 3_600_000 } else { i64::from(max_s).max(1) * 1_000 };
            prop_assert!((1_000..=bound).contains(&ms), "{} ms of {}", ms, bound);
        }
    }
}
