//! What a vendor says of how far an account is used up, window by window (EX-12).

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a vendor said last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Allowance {
    /// When it said so.
    pub at: Timestamp,
    /// Its windows, in the vendor's order.
    pub windows: Vec<AllowanceWindow>,
}

/// One window of use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AllowanceWindow {
    /// `5h`, `7d`, `requests`, `tokens` and the like.
    pub name: String,
    /// How much of it is used, in percent, rounded down; may be over 100.
    pub used_percent: u32,
    /// When it begins anew; null if the vendor does not say.
    pub resets_at: Option<Timestamp>,
    /// Whether `account_allowance_percent` looks at it: only windows of hours and days that concern every model do.
    pub stops: bool,
}

/// How long what a vendor said is believed if it did not say until when.
const BELIEVED_MS: i64 = 300_000;

impl Allowance {
    /// Until when the account is to be left alone if at most so much of a window may be used; `None` if it need not.
    pub fn stopped_until(&self, most_percent: u32, now: Timestamp) -> Option<Timestamp> {
        let over = self.windows.iter().filter(|window| window.stops && window.used_percent >= most_percent);
        let until = over.map(|window| window.resets_at.unwrap_or_else(|| self.at.plus_ms(BELIEVED_MS)));
        until.filter(|until| *until > now).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ex_12_a_used_up_window_stops_until_its_reset_and_no_longer() {
        let window = |used_percent, resets_at: Option<i64>, stops| AllowanceWindow {
            name: "5h".to_owned(),
            used_percent,
            resets_at: resets_at.map(Timestamp),
            stops,
        };
        let of = |windows| Allowance { at: Timestamp(1_000), windows };
        let full =
            of(vec![window(90, Some(5_000), true), window(95, Some(9_000), true), window(99, None, false)]);
        assert_eq!(full.stopped_until(90, Timestamp(2_000)), Some(Timestamp(9_000)), "the last of them");
        assert_eq!(full.stopped_until(91, Timestamp(2_000)), Some(Timestamp(9_000)));
        assert_eq!(full.stopped_until(96, Timestamp(2_000)), None, "minutes are not looked at");
        assert_eq!(full.stopped_until(90, Timestamp(9_000)), None, "over");
        let vague = of(vec![window(100, None, true)]);
        assert_eq!(vague.stopped_until(90, Timestamp(2_000)), Some(Timestamp(301_000)));
    }
}
