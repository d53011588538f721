//! What a vendor said of how far an account is used up, as it is known now. Who is left alone for it is decided in
//! `serve::route`.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::HeaderMap;
use types::Timestamp;
use types::allowance::Allowance;
use types::provider::ProviderKind;

use super::Gauge;

/// What the vendor said last.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The most that is used of anything that may stop it, in percent; spares the lock.
    used_percent: AtomicU32,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    allowance: Option<Arc<Allowance>>,
    /// Whether it is stored.
    is_kept: bool,
}

impl Told {
    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, allowance: Allowance, is_kept: bool) {
        let mut last = self.last();
        // Headers tell windows, checks may tell money: what one is silent about, the other said.
        let allowance = allowance.after(last.allowance.as_deref());
        self.used_percent.store(allowance.most_used(), Ordering::Release);
        *last = Last { allowance: Some(Arc::new(allowance)), is_kept };
    }
}

impl Gauge {
    /// Listens to what an answer says of how far the account is used up.
    pub(crate) fn hear(&self, kind: ProviderKind, headers: &HeaderMap, now: Timestamp) {
        if let Some(allowance) = routing::allowance::read(kind, headers, now) {
            self.told.put(allowance, false);
        }
    }

    /// Takes over what its vendor said of windows and money in the body of an answer.
    pub(crate) fn tell(&self, allowance: Allowance) {
        self.told.put(allowance, false);
    }

    /// Takes over what was kept, unless something later is known.
    pub(crate) fn remember(&self, allowance: Allowance) {
        if self.allowance().is_none_or(|last| last.said_at() < allowance.said_at()) {
            self.told.put(allowance, true);
        }
    }

    /// What the vendor said last.
    pub(crate) fn allowance(&self) -> Option<Arc<Allowance>> {
        self.told.last().allowance.clone()
    }

    /// The same, if it is not kept yet; from now on it counts as kept.
    pub(crate) fn keep_allowance(&self) -> Option<Arc<Allowance>> {
        let mut last = self.told.last();
        if std::mem::replace(&mut last.is_kept, true) { None } else { last.allowance.clone() }
    }

    /// Uses it whatever was said, until its vendor says more.
    pub(super) fn overrule_allowance(&self) {
        self.told.used_percent.store(0, Ordering::Release);
    }

    /// Until when it is left alone because so much of a window or of its money is used; `None` if it need not.
    pub(crate) fn stopped_until(&self, most_percent: u32, now: Timestamp) -> Option<Timestamp> {
        // At 100 the vendor itself says when it is enough.
        if most_percent >= 100 || self.told.used_percent.load(Ordering::Acquire) < most_percent {
            return None;
        }
        self.allowance()?.stopped_until(most_percent, now)
    }
}

#[cfg(test)]
mod tests {
    use types::allowance::{AllowanceBalance, AllowanceWindow};

    use super::*;

    fn windows(at: i64, used_percent: u32) -> Allowance {
        let window = AllowanceWindow {
            name: "5h".to_owned(),
            used_percent,
            resets_at: Some(Timestamp(10_000)),
            stops: true,
        };
        Allowance { at: Timestamp(at), windows: vec![window], balances: Vec::new() }
    }

    fn money(at: i64, used_percent: Option<u32>) -> Allowance {
        let (currency, left) = ("USD".to_owned(), "1".to_owned());
        let balance = AllowanceBalance { at: Timestamp(at), currency, left, of: None, used_percent };
        Allowance { at: Timestamp(at), windows: Vec::new(), balances: vec![balance] }
    }

    #[test]
    fn ex_12_it_is_left_alone_from_the_very_percent_on_and_never_at_a_hundred() {
        let gauge = Gauge::default();
        let stopped = |most| gauge.stopped_until(most, Timestamp(2));
        assert_eq!(stopped(1), None, "nothing was said");
        gauge.tell(windows(1, 90));
        assert_eq!(
            (stopped(91), stopped(90), stopped(89)),
            (None, Some(Timestamp(10_000)), Some(Timestamp(10_000)))
        );
        gauge.tell(windows(1, 250));
        assert_eq!(stopped(100), None, "the vendor decides");
        gauge.tell(windows(2, 5));
        assert_eq!(stopped(6), None, "the later word counts");
        gauge.tell(money(2, Some(95)));
        assert_eq!(stopped(95), Some(Timestamp(3_600_002)), "money counts too");
        gauge.tell(windows(3, 6));
        assert_eq!(stopped(95), Some(Timestamp(3_600_002)), "and is not forgotten for a window");
    }

    #[test]
    fn ex_12_whoever_recovers_it_overrules_its_vendor_until_that_says_more() {
        let gauge = Gauge::default();
        gauge.tell(windows(1, 95));
        gauge.reset(Timestamp(2));
        assert_eq!(gauge.stopped_until(90, Timestamp(2)), None);
        assert_eq!(gauge.allowance().unwrap().windows[0].used_percent, 95, "it is still shown");
        gauge.remember(windows(1, 95));
        assert_eq!(gauge.stopped_until(90, Timestamp(2)), None, "what is stored is no news");
        gauge.tell(windows(3, 96));
        assert_eq!(gauge.stopped_until(90, Timestamp(4)), Some(Timestamp(10_000)));
    }

    #[test]
    fn ex_12_what_was_kept_never_goes_over_what_is_known_and_is_kept_once() {
        let gauge = Gauge::default();
        gauge.remember(windows(5, 50));
        assert_eq!(gauge.keep_allowance(), None, "it comes from there");
        gauge.remember(windows(4, 10));
        assert_eq!(gauge.allowance().unwrap().windows[0].used_percent, 50);
        gauge.tell(windows(6, 60));
        gauge.remember(windows(6, 20));
        assert_eq!(gauge.allowance().unwrap().windows[0].used_percent, 60);
        assert_eq!(gauge.keep_allowance().unwrap().windows[0].used_percent, 60);
        assert_eq!(gauge.keep_allowance(), None, "once");
        gauge.remember(money(7, None));
        assert_eq!(gauge.allowance().unwrap().balances.len(), 1, "money that another instance heard of");
    }
}
