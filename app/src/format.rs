//! Numbers as people read them. Integers only; no locale, so that both halves print the same.

use types::Money;
use types::usage::UsageTotals;

/// `1234567` as `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1234567` as `1.23 M`: three figures for tiles and axes.
pub(crate) fn compact(n: u64) -> String {
    scaled(n, &[(1_000_000_000_000, "T"), (1_000_000_000, "B"), (1_000_000, "M"), (10_000, "k")], "")
        .unwrap_or_else(|| count(n))
}

/// Bytes in binary units.
pub(crate) fn bytes(n: u64) -> String {
    scaled(n, &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")], " ")
        .unwrap_or_else(|| format!("{n} B"))
}

fn scaled(n: u64, units: &[(u64, &str)], gap: &str) -> Option<String> {
    let (unit, name) = units.iter().find(|(unit, _)| n >= *unit)?;
    // The `k` step begins at 10,000 so that small counts stay exact, but it still divides by 1,000.
    let unit = if *unit == 10_000 { 1_000 } else { *unit };
    let whole = n / unit;
    let rest = (n % unit) * 100 / unit;
    Some(match whole {
        0..10 => format!("{whole}.{rest:02}{gap}{name}"),
        10..100 => format!("{whole}.{}{gap}{name}", rest / 10),
        _ => format!("{}{gap}{name}", count(whole)),
    })
}

/// Milliseconds: `850 ms`, `1.25 s`, `2 m 05 s`, `3 h 20 m`.
pub(crate) fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        60_000..3_600_000 => format!("{} m {:02} s", ms / 60_000, ms % 60_000 / 1_000),
        3_600_000..86_400_000 => format!("{} h {:02} m", ms / 3_600_000, ms % 3_600_000 / 60_000),
        _ => format!("{} d {:02} h", ms / 86_400_000, ms % 86_400_000 / 3_600_000),
    }
}

/// A percentile out of the latency histogram: `≤ 300 ms`, or `> 90 s` for the open bin.
pub(crate) fn latency(ms: Option<u64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(ms) if ms > 90_000 => "> 90 s".to_owned(),
        Some(ms) => format!("≤ {}", duration(ms)),
    }
}

/// A share of a whole with one decimal: `0.4 %`.
pub(crate) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let permille = (u128::from(part) * 1_000).div_ceil(u128::from(whole));
    format!("{}.{} %", permille / 10, permille % 10)
}

/// A seconds period as people say it: `30 s`, `5 m`, `1 h`.
pub(crate) fn period(seconds: u64) -> String {
    match seconds {
        s if s >= 86_400 && s.is_multiple_of(86_400) => format!("{} d", s / 86_400),
        s if s >= 3_600 && s.is_multiple_of(3_600) => format!("{} h", s / 3_600),
        s if s >= 60 && s.is_multiple_of(60) => format!("{} m", s / 60),
        s => format!("{s} s"),
    }
}

/// An amount for tables: four digits after the point, so that columns line up: `$1,234.5678`. The exact amount
/// belongs beside it, as title.
pub(crate) fn usd(amount: Money) -> String {
    fixed(amount, 4).unwrap_or_else(|| "< $0.0001".to_owned())
}

/// An amount for tiles: two digits after the point from one dollar on, else four.
pub(crate) fn usd_short(amount: Money) -> String {
    let digits = if amount.nano() >= NANO { 2 } else { 4 };
    fixed(amount, digits).unwrap_or_else(|| "< $0.0001".to_owned())
}

/// Nano-USD for a chart's axis.
pub(crate) fn usd_nano(nano: u64) -> String {
    let amount = Money::clamp_nano(nano.into());
    format!("${}", if nano >= 1_000_000_000_000 { compact(nano / 1_000_000_000) } else { amount.display() })
}

/// Nano-USD as a chart's value.
pub(crate) fn nano(amount: Money) -> u64 {
    amount.nano().unsigned_abs()
}

/// All tokens of some sums.
pub(crate) fn tokens(totals: &UsageTotals) -> u64 {
    totals.input_tokens + totals.output_tokens + totals.cache_read_tokens + totals.cache_write_tokens
}

const NANO: i64 = 1_000_000_000;

/// Rounded to the nearest; `None` where something would show as nothing.
fn fixed(amount: Money, digits: u32) -> Option<String> {
    let scale = 10_u64.pow(digits);
    let unit = 1_000_000_000 / scale;
    let rounded = (nano(amount) + unit / 2) / unit;
    if rounded == 0 && !amount.is_zero() {
        return None;
    }
    let width = usize::try_from(digits).unwrap_or_default();
    Some(format!("${}.{:0width$}", count(rounded / scale), rounded % scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_carry_separators_and_tiles_three_figures() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(compact(9_999), "9,999");
        assert_eq!(compact(12_345), "12.3k");
        assert_eq!(compact(1_234_567), "1.23M");
        assert_eq!(bytes(1_536), "1.50 KiB");
    }

    #[test]
    fn amounts_line_up_and_nothing_shows_as_nothing() {
        let usd = |text: &str| usd(text.parse().unwrap());
        assert_eq!(usd("1234.56785"), "$1,234.5679");
        assert_eq!(usd("0"), "$0.0000");
        assert_eq!(usd("0.000000001"), "< $0.0001");
        assert_eq!(usd_short("12.345".parse().unwrap()), "$12.35");
        assert_eq!(usd_short("0.5".parse().unwrap()), "$0.5000");
        assert_eq!(usd_nano(2_500_000), "$0.0025");
    }

    #[test]
    fn durations_and_shares_read_as_people_say_them() {
        assert_eq!(duration(850), "850 ms");
        assert_eq!(duration(1_250), "1.25 s");
        assert_eq!(duration(125_000), "2 m 05 s");
        assert_eq!(latency(Some(u64::from(u32::MAX))), "> 90 s");
        assert_eq!(percent(1, 1_000_000), "0.1 %");
        assert_eq!(percent(0, 5), "0.0 %");
        assert_eq!(percent(0, 0), "–");
        assert_eq!(period(300), "5 m");
    }
}
