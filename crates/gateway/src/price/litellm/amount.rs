//! Decimal numbers of a price list as whole numbers, exactly and without floating point.

use types::Money;

/// Largest price of a million tokens, in USD: two hundred times the dearest known.
const MAX_PER_MILLION: i64 = 100_000;
/// Largest price of a piece, in USD.
const MAX_PIECE: i64 = 10_000;
/// Largest number of tokens.
const MAX_TOKENS: u64 = 1 << 40;
/// Beyond everything.
const ABSURD: &str = "is absurd";
const NANO: i64 = 1_000_000_000;

/// A price per token as a price per million, rounded up to the next nano-USD.
pub(super) fn per_million(json: &str) -> Result<Money, &'static str> {
    money(json, 15, MAX_PER_MILLION, "is absurd: more than 100000 USD for a million tokens")
}

/// A price per piece, rounded up.
pub(super) fn per_piece(json: &str) -> Result<Money, &'static str> {
    money(json, 9, MAX_PIECE, "is absurd: more than 10000 USD apiece")
}

/// A multiplier in millionths, rounded up; 0 to 100.
pub(super) fn multiplier(json: &str) -> Result<u128, &'static str> {
    let micro = scaled(json, 6)?;
    if micro > 100_000_000 { Err("is absurd: more than 100") } else { Ok(micro) }
}

/// A number of tokens; `8192.0` is one, too.
pub(super) fn tokens(json: &str) -> Result<u64, &'static str> {
    let count = scaled(json, 0)?;
    // Twice, to tell what was rounded.
    if scaled(json, 1)? != count * 10 {
        return Err("must be a whole number");
    }
    u64::try_from(count).ok().filter(|count| *count <= MAX_TOKENS).ok_or(ABSURD)
}

fn money(json: &str, shift: i64, most: i64, absurd: &'static str) -> Result<Money, &'static str> {
    let nano = scaled(json, shift).map_err(|what| if what == ABSURD { absurd } else { what })?;
    let nano = i64::try_from(nano).map_err(|_| absurd)?;
    Money::from_nano(nano).filter(|_| nano <= most * NANO).ok_or(absurd)
}

/// `number × 10^shift`, rounded up to a whole number. The text must be a JSON number.
fn scaled(json: &str, shift: i64) -> Result<u128, &'static str> {
    const WRONG: &str = "must be a number";
    let (negative, text) = json.strip_prefix('-').map_or((false, json), |rest| (true, rest));
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent_of(exponent).ok_or(WRONG)?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if whole.is_empty() || !digits().all(|b| b.is_ascii_digit()) {
        return Err(WRONG);
    }
    let mut power = exponent + shift - i64::try_from(fraction.len()).unwrap_or(i64::MAX / 4);
    let (mut value, mut rest) = (0_u128, false);
    for digit in digits().map(|b| u128::from(b - b'0')) {
        if value >= 10_u128.pow(34) {
            // Far more digits than any price has: what is cut off only rounds up.
            power += 1;
            rest |= digit != 0;
        } else {
            value = value * 10 + digit;
        }
    }
    if value == 0 && !rest {
        return Ok(0);
    }
    if negative {
        return Err("must not be negative");
    }
    let factor = |power| u32::try_from(power).ok().and_then(|power| 10_u128.checked_pow(power));
    let result = if power >= 0 {
        factor(power).and_then(|factor| value.checked_mul(factor))
    } else {
        // Without a divisor it is below the smallest unit by far.
        Some(factor(-power).map_or(1, |divisor| value.div_ceil(divisor)))
    };
    result.and_then(|value| value.checked_add(u128::from(rest))).filter(|v| *v <= MOST).ok_or(ABSURD)
}

/// Beyond every bound above, and far from the end of the range.
const MOST: u128 = 10_u128.pow(30);

/// The exponent, cut to a range that cannot overflow.
fn exponent_of(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let size = digits.parse::<i64>().unwrap_or(i64::MAX).min(1_000_000);
    Some(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_exactly_and_rounded_up() {
        for (text, nano) in [
            ("3e-06", 3_000_000_000),
            ("0.000003", 3_000_000_000),
            ("3.0E-6", 3_000_000_000),
            ("1.5e-07", 150_000_000),
            ("0", 0),
            ("-0.0", 0),
            ("0e99999999999999999999", 0),
            ("1e-15", 1),
            ("1e-16", 1),
            ("1e-99999999999999999999", 1),
            ("3.3333333333333333e-07", 333_333_334),
            ("0.1000000000000000000000000000000000000000000000001", 100_000 * NANO),
        ] {
            if text.starts_with("0.1000") {
                assert!(per_million(text).is_err(), "{text}");
            } else {
                assert_eq!(per_million(text).map(Money::nano), Ok(nano), "{text}");
            }
        }
        assert_eq!(per_million("0.1").map(Money::nano), Ok(100_000 * NANO));
        assert_eq!(per_piece("0.039").map(Money::nano), Ok(39_000_000));
        assert_eq!(multiplier("1.1"), Ok(1_100_000));
        assert_eq!(tokens("8192.0"), Ok(8192));
        assert_eq!(tokens("1e6"), Ok(1_000_000));
    }

    #[test]
    fn nonsense_is_told_apart() {
        for text in ["\"3\"", "null", "true", "[]", "{}", "", "-", ".5", "1e", "1e-", "NaN", "0x10", "1 "] {
            assert_eq!(per_million(text), Err("must be a number"), "{text}");
        }
        for text in ["-1", "-1e-30", "-1e400"] {
            assert_eq!(per_million(text), Err("must not be negative"), "{text}");
        }
        for text in
            ["1", "1e400", "99999999999999999999999999999999999999999999999999", "1e99999999999999999999"]
        {
            assert!(per_million(text).unwrap_err().contains("absurd"), "{text}");
        }
        assert_eq!(tokens("1.5"), Err("must be a whole number"));
        assert!(tokens("1e300").is_err());
    }
}
