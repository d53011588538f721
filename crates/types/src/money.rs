//! Money and factors: whole numbers inside, decimal text outside, no floating point anywhere.
//!
//! It knows amounts only; what something costs is `ledger::price`'s business.
#![deny(clippy::float_arithmetic)]

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// An amount in USD, never negative; inside it is a whole number of nano-USD (10⁻⁹ USD).
///
/// JSON and text carry it as a decimal number in a string, `"0.001234567"`; a JSON number is accepted too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
pub struct Money(
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("examples" = ["0.001234567"])))] i64,
);

/// The text is no amount that can be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadMoney {
    /// No decimal number.
    #[error("expected a decimal number of USD such as 0.25")]
    NotANumber,
    /// Below zero.
    #[error("must not be negative")]
    Negative,
    /// More digits after the point than are kept.
    #[error("at most nine digits after the decimal point")]
    TooFine,
    /// Beyond the range.
    #[error("at most 9223372036 USD")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One dollar.
    pub const ONE_USD: Self = Self(1_000_000_000);
    /// The largest amount: about 9.2 billion USD.
    pub const MAX: Self = Self(i64::MAX);

    /// From nano-USD; `None` below zero.
    pub fn from_nano(nano: i64) -> Option<Self> {
        (nano >= 0).then_some(Self(nano))
    }

    /// From nano-USD; an amount below zero becomes zero, one beyond the range the largest.
    pub fn clamp_nano(nano: i128) -> Self {
        Self(i64::try_from(nano.clamp(0, i128::from(i64::MAX))).unwrap_or(i64::MAX))
    }

    /// Nano-USD, 0 to `i64::MAX`.
    pub fn nano(self) -> i64 {
        self.0
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// The sum; stops at the end of the range.
    pub fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; stops at zero.
    pub fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0).max(0))
    }

    /// For people: at least two digits after the point and no trailing zeros beyond them, `12.50`, `0.000125`.
    pub fn display(self) -> String {
        let text = self.to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        format!("{whole}.{fraction:0<2}")
    }
}

/// A difference of amounts in nano-USD as decimal text with its sign, `-0.5`.
pub fn signed_usd(nano: i64) -> String {
    let amount = Money(i64::try_from(nano.unsigned_abs()).unwrap_or(i64::MAX));
    if nano < 0 { format!("-{amount}") } else { amount.to_string() }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(print(self.0.unsigned_abs(), 9, &mut [0; PRINTED]))
    }
}

impl FromStr for Money {
    type Err = BadMoney;

    fn from_str(text: &str) -> Result<Self, BadMoney> {
        if let Some(nano) = plain(text, 9).and_then(|nano| i64::try_from(nano).ok()) {
            return Ok(Self(nano));
        }
        let decimal = decimal(text).ok_or(BadMoney::NotANumber)?;
        if decimal.is_sign_negative() && !decimal.is_zero() {
            return Err(BadMoney::Negative);
        }
        let nano = decimal.checked_mul(Decimal::from(1_000_000_000)).ok_or(BadMoney::TooLarge)?;
        if !nano.fract().is_zero() {
            return Err(BadMoney::TooFine);
        }
        nano.to_i64().map(Self).ok_or(BadMoney::TooLarge)
    }
}

/// A multiplier of money with six digits after the point, 0 to 1000. JSON carries it as text, `"1.25"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(transparent))]
pub struct Factor(
    #[cfg_attr(feature = "schema", schemars(with = "String", extend("examples" = ["1.25"])))] u32,
);

/// The text is no multiplier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a number from 0 to 1000 with at most six digits after the decimal point")]
pub struct BadFactor;

impl Factor {
    /// Changes nothing.
    pub const ONE: Self = Self(1_000_000);
    /// Makes everything free.
    pub const ZERO: Self = Self(0);
    /// Millionths in one.
    pub const SCALE: u32 = 1_000_000;

    /// Whether it changes nothing.
    pub fn is_one(&self) -> bool {
        *self == Self::ONE
    }

    /// From millionths; `None` beyond 1000.
    pub fn from_micro(micro: u32) -> Option<Self> {
        (micro <= 1000 * Self::SCALE).then_some(Self(micro))
    }

    /// Millionths.
    pub fn micro(self) -> u32 {
        self.0
    }
}

impl Default for Factor {
    fn default() -> Self {
        Self::ONE
    }
}

impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(print(self.0.into(), 6, &mut [0; PRINTED]))
    }
}

impl FromStr for Factor {
    type Err = BadFactor;

    fn from_str(text: &str) -> Result<Self, BadFactor> {
        if let Some(micro) = plain(text, 6) {
            return u32::try_from(micro).ok().and_then(Self::from_micro).ok_or(BadFactor);
        }
        let decimal = decimal(text).filter(|d| !d.is_sign_negative() || d.is_zero()).ok_or(BadFactor)?;
        let micro = decimal.checked_mul(Decimal::from(Self::SCALE)).ok_or(BadFactor)?;
        if !micro.fract().is_zero() {
            return Err(BadFactor);
        }
        micro.to_u32().and_then(Self::from_micro).ok_or(BadFactor)
    }
}

/// Bytes of the longest number that is printed: ten digits, a point, nine digits.
const PRINTED: usize = 20;

/// A number of parts of one, of which one has 10^`places`, as decimal text. The books hold many of them.
fn print(parts: u64, places: u32, buffer: &mut [u8; PRINTED]) -> &str {
    let scale = 10_u64.pow(places);
    let (mut whole, mut rest, mut places) = (parts / scale, parts % scale, places);
    let mut start = PRINTED;
    let mut push = |byte: u8| {
        start = start.saturating_sub(1);
        if let Some(place) = buffer.get_mut(start) {
            *place = byte;
        }
    };
    let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    if rest > 0 {
        while rest % 10 == 0 {
            rest /= 10;
            places -= 1;
        }
        for _ in 0..places {
            push(digit(rest));
            rest /= 10;
        }
        push(b'.');
    }
    push(digit(whole));
    while whole > 9 {
        whole /= 10;
        push(digit(whole));
    }
    buffer.get(start..).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

/// The parts of one in a text as [`print`] writes it, at most nine digits before the point; `None` for any other text,
/// which may still be a number.
fn plain(text: &str, places: u32) -> Option<u64> {
    fn number(digits: &str) -> Option<u64> {
        let add = |sum: u64, byte: u8| byte.is_ascii_digit().then(|| sum * 10 + u64::from(byte - b'0'));
        (1..=9).contains(&digits.len()).then(|| digits.bytes().try_fold(0, add)).flatten()
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let missing = places.checked_sub(u32::try_from(fraction.len()).ok()?)?;
    Some(number(whole)? * 10_u64.pow(places) + number(fraction)? * 10_u64.pow(missing))
}

/// Plain (`0.25`) and scientific (`2.5e-7`) decimal numbers; nothing else, least of all `NaN`.
fn decimal(text: &str) -> Option<Decimal> {
    let text = text.trim();
    if text.is_empty() || text.len() > 40 || text.starts_with('+') || text.contains('_') {
        return None;
    }
    if text.contains(['e', 'E']) {
        Decimal::from_scientific(text).ok()
    } else {
        Decimal::from_str_exact(text).ok()
    }
}

macro_rules! text_form {
    ($name:ident, $places:literal, $expected:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(print(
                    self.0.try_into().unwrap_or_default(),
                    $places,
                    &mut [0; PRINTED],
                ))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl de::Visitor<'_> for Visitor {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(E::custom)
                    }
                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                    // The shortest text that reads back as the same number is what the sender wrote.
                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$name, E> {
                        self.visit_str(&number.to_string())
                    }
                }
                deserializer.deserialize_any(Visitor)
            }
        }
    };
}

text_form!(Money, 9, "an amount in USD as text, such as \"0.25\"");
text_form!(Factor, 6, "a multiplier as text, such as \"1.25\"");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_read_back_what_they_print() {
        for text in ["0", "1", "0.000000001", "12.5", "9223372036.854775807"] {
            assert_eq!(text.parse::<Money>().unwrap().to_string(), text);
        }
        assert_eq!("12.5".parse::<Money>().unwrap().display(), "12.50");
        assert_eq!("3".parse::<Money>().unwrap().display(), "3.00");
        assert_eq!("2.5e-7".parse::<Money>().unwrap().nano(), 250);
        assert_eq!(signed_usd(-500_000_000), "-0.5");
    }

    #[test]
    fn every_number_reads_back_and_means_the_same_as_a_decimal() {
        let mut nano = 1_i64;
        while nano < i64::MAX / 3 {
            for near in [nano - 1, nano, nano + 1, nano * 3] {
                let amount = Money(near);
                let text = amount.to_string();
                assert_eq!(Decimal::from_i128_with_scale(near.into(), 9).normalize().to_string(), text);
                assert_eq!(text.parse(), Ok(amount));
                assert_eq!(serde_json::to_string(&amount).unwrap(), format!("\"{text}\""));
            }
            nano = nano.saturating_mul(7);
        }
        assert_eq!(Money::MAX.to_string().parse(), Ok(Money::MAX));
        for micro in [0, 1, 10, 999_999, 1_000_000, 1_250_000, 999_999_999, 1_000_000_000] {
            let factor = Factor(micro);
            assert_eq!(Decimal::new(micro.into(), 6).normalize().to_string(), factor.to_string());
            assert_eq!(factor.to_string().parse(), Ok(factor));
        }
    }

    #[test]
    fn unusual_texts_of_numbers_are_still_numbers() {
        for (text, nano) in [
            ("007", 7_000_000_000),
            ("1.50", 1_500_000_000),
            (" 2 ", 2_000_000_000),
            ("-0", 0),
            ("1.0000000000", 1_000_000_000),
        ] {
            assert_eq!(text.parse::<Money>().map(Money::nano), Ok(nano), "{text}");
        }
        assert_eq!("1.0000000".parse(), Ok(Factor::ONE));
        assert!("+1".parse::<Money>().is_err());
        assert!("1000.000001".parse::<Factor>().is_err());
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        for (text, why) in [
            ("-1", BadMoney::Negative),
            ("0.0000000001", BadMoney::TooFine),
            ("9223372036.854775808", BadMoney::TooLarge),
            ("1e15", BadMoney::TooLarge),
            ("NaN", BadMoney::NotANumber),
            ("inf", BadMoney::NotANumber),
            ("", BadMoney::NotANumber),
            ("1,5", BadMoney::NotANumber),
            ("1_000", BadMoney::NotANumber),
            ("0x10", BadMoney::NotANumber),
        ] {
            assert_eq!(text.parse::<Money>(), Err(why), "{text}");
        }
        assert!("1001".parse::<Factor>().is_err());
        assert!("-0.1".parse::<Factor>().is_err());
        assert!("0.0000001".parse::<Factor>().is_err());
    }

    #[test]
    fn json_takes_text_and_numbers() {
        assert_eq!(serde_json::from_str::<Money>("0.1").unwrap(), serde_json::from_str("\"0.1\"").unwrap());
        assert_eq!(serde_json::from_str::<Money>("3").unwrap().to_string(), "3");
        assert!(serde_json::from_str::<Money>("-3").is_err());
        assert!(serde_json::from_str::<Money>("null").is_err());
        assert_eq!(serde_json::to_string(&Factor::ONE).unwrap(), "\"1\"");
        assert_eq!(serde_json::from_str::<Factor>("1.25").unwrap().micro(), 1_250_000);
    }
}
