//! What a vendor says of how far an account is used up, window by window (EX-12).

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What a vendor said last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Allowance {
    /// When it said so of the windows.
    pub at: Timestamp,
    /// Its windows, in the vendor's order.
    pub windows: Vec<AllowanceWindow>,
    /// Its money, where the vendor tells it, by currency.
    #[serde(default)]
    pub balances: Vec<AllowanceBalance>,
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

/// Money that is left on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AllowanceBalance {
    /// When the vendor said so.
    pub at: Timestamp,
    /// `CNY`, `USD` and the like.
    pub currency: String,
    /// What is left, as the vendor wrote it: a decimal number, which may be negative.
    pub left: String,
    /// Of how much; null if the vendor does not say.
    pub of: Option<String>,
    /// How much of that is used, in percent, rounded down; 100 if nothing is left, null if nobody can say.
    pub used_percent: Option<u32>,
}

/// How long what a vendor said is believed if it did not say until when: of a window, and of money, which only checks
/// ask after.
const BELIEVED_MS: i64 = 300_000;
const MONEY_BELIEVED_MS: i64 = Timestamp::HOUR_MS;
/// No window is longer: who names a later end says nothing of it.
const LONGEST_MS: i64 = 31 * Timestamp::DAY_MS;

impl Allowance {
    /// Until when the account is to be left alone if at most so much of a window or of its money may be used; `None`
    /// if it need not.
    pub fn stopped_until(&self, most_percent: u32, now: Timestamp) -> Option<Timestamp> {
        let over = self.windows.iter().filter(|window| window.stops && window.used_percent >= most_percent);
        let told =
            |window: &AllowanceWindow| window.resets_at.filter(|at| *at <= self.at.plus_ms(LONGEST_MS));
        let until = over.map(|window| told(window).unwrap_or_else(|| self.at.plus_ms(BELIEVED_MS)));
        let spent =
            self.balances.iter().filter(|money| money.used_percent.is_some_and(|p| p >= most_percent));
        let until = until.chain(spent.map(|money| money.at.plus_ms(MONEY_BELIEVED_MS)));
        until.filter(|until| *until > now).max()
    }

    /// The most that is used of anything that may stop it, in percent.
    pub fn most_used(&self) -> u32 {
        let windows = self.windows.iter().filter(|window| window.stops).map(|window| window.used_percent);
        windows.chain(self.balances.iter().filter_map(|money| money.used_percent)).max().unwrap_or(0)
    }

    /// When any of it was said last.
    pub fn said_at(&self) -> Timestamp {
        self.balances.iter().map(|money| money.at).max().map_or(self.at, |at| at.max(self.at))
    }

    /// The same with what was said before of what nothing is said of now.
    pub fn after(mut self, before: Option<&Self>) -> Self {
        let Some(before) = before else { return self };
        if self.windows.is_empty() && !before.windows.is_empty() {
            self.windows.clone_from(&before.windows);
            self.at = before.at;
        }
        if self.balances.is_empty() {
            self.balances.clone_from(&before.balances);
        }
        self
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
        let of = |windows| Allowance { at: Timestamp(1_000), windows, balances: Vec::new() };
        let full =
            of(vec![window(90, Some(5_000), true), window(95, Some(9_000), true), window(99, None, false)]);
        assert_eq!(full.stopped_until(90, Timestamp(2_000)), Some(Timestamp(9_000)), "the last of them");
        assert_eq!(full.stopped_until(91, Timestamp(2_000)), Some(Timestamp(9_000)));
        assert_eq!(full.stopped_until(96, Timestamp(2_000)), None, "minutes are not looked at");
        assert_eq!(full.stopped_until(90, Timestamp(9_000)), None, "over");
        let vague = of(vec![window(100, None, true)]);
        assert_eq!(vague.stopped_until(90, Timestamp(2_000)), Some(Timestamp(301_000)));
        let absurd = of(vec![window(100, Some(i64::MAX), true)]);
        assert_eq!(absurd.stopped_until(90, Timestamp(2_000)), Some(Timestamp(301_000)), "not for ever");
        assert_eq!(absurd.stopped_until(90, Timestamp(301_000)), None);
    }

    fn money(at: i64, used_percent: Option<u32>) -> AllowanceBalance {
        AllowanceBalance {
            at: Timestamp(at),
            currency: "USD".to_owned(),
            left: "1.50".to_owned(),
            of: None,
            used_percent,
        }
    }

    #[test]
    fn ex_12_money_that_is_nearly_spent_stops_for_an_hour_and_money_of_unknown_size_does_not() {
        let of = |used| Allowance { balances: vec![money(1_000, used)], ..Allowance::default() };
        assert_eq!(of(Some(90)).stopped_until(90, Timestamp(2_000)), Some(Timestamp(3_601_000)));
        assert_eq!(of(Some(89)).stopped_until(90, Timestamp(2_000)), None);
        assert_eq!(of(None).stopped_until(1, Timestamp(2_000)), None);
        assert_eq!(of(Some(90)).stopped_until(90, Timestamp(3_601_000)), None, "over");
        assert_eq!((of(Some(90)).most_used(), of(None).most_used()), (90, 0));
    }

    #[test]
    fn ex_12_windows_and_money_that_are_told_apart_stand_beside_each_other() {
        let window = AllowanceWindow { name: "5h".to_owned(), used_percent: 7, resets_at: None, stops: true };
        let windows = Allowance { at: Timestamp(5), windows: vec![window], ..Allowance::default() };
        let spent = Allowance { at: Timestamp(9), balances: vec![money(9, Some(3))], ..Allowance::default() };
        let both = spent.clone().after(Some(&windows));
        assert_eq!((both.at, both.windows.len(), both.balances.len()), (Timestamp(5), 1, 1));
        assert_eq!((both.said_at(), both.most_used()), (Timestamp(9), 7));
        assert_eq!(windows.clone().after(Some(&spent)).balances, spent.balances);
        let newer = Allowance { balances: vec![money(11, None)], ..Allowance::default() };
        assert_eq!(newer.clone().after(Some(&both)).balances, newer.balances, "the later word counts");
        let old = r#"{"at":"2026-11-21T10:00:00Z","windows":[]}"#;
        assert!(
            serde_json::from_str::<Allowance>(old).unwrap().balances.is_empty(),
            "as it was stored before"
        );
    }
}
