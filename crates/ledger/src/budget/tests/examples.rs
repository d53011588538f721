//! Single rules of budgets, one at a time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use types::limits::LimitName;
use types::quota::ScopeKind;
use types::{Money, Timestamp};

use super::super::{Amounts, Blocked, Budgets, Charge, Hold, Loaded, Moment, Rule, Scope, Span};
use super::calendar::{Kind, moment, rule_at};
use super::{DAY, HOUR, id, nano, rule, scope, sure, total};

const START: Timestamp = Timestamp(20_000 * DAY);

fn at(ms: i64) -> Moment {
    moment(START.plus_ms(ms))
}

fn user() -> Scope {
    scope(ScopeKind::User, 1)
}

fn hold(budgets: &Budgets, moment: Moment, rules: &[Rule], amounts: Amounts) -> Result<Hold, Blocked> {
    budgets.hold(id(1), moment, &[Charge { scope: user(), rules }], amounts)
}

fn spend(budgets: &Budgets, moment: Moment, rules: &[Rule], amount: i64) {
    hold(budgets, moment, rules, sure(amount)).unwrap().settle(nano(amount), Money::ZERO);
}

#[test]
fn rl_a_hard_limit_is_used_to_the_last_nano_and_no_further() {
    let budgets = Budgets::new();
    spend(&budgets, at(0), &[total(100)], 60);
    let held = hold(&budgets, at(0), &[total(100)], sure(30)).unwrap();
    let blocked = hold(&budgets, at(0), &[total(100)], sure(11)).unwrap_err();
    assert_eq!((blocked.used, blocked.reserved, blocked.needed), (nano(60), nano(30), nano(11)));
    assert!(blocked.waits, "the thirty may come back");
    assert_eq!((blocked.resets_at, blocked.rolling, blocked.allowance), (None, false, false));
    let never = hold(&budgets, at(0), &[total(100)], sure(41)).unwrap_err();
    assert!(!never.waits);
    let last = hold(&budgets, at(0), &[total(100)], sure(10)).unwrap();
    assert_eq!(budgets.reserved(user()), nano(40));
    held.settle(nano(5), Money::ZERO);
    drop(last);
    assert_eq!(
        (budgets.reserved(user()), budgets.total(user()), budgets.open_holds()),
        (Money::ZERO, nano(65), 0)
    );
}

#[test]
fn inv_13_all_scopes_must_have_room_or_none_is_held() {
    for mask in 0..64_u32 {
        let budgets = Budgets::new();
        let kinds = [ScopeKind::Global, ScopeKind::User, ScopeKind::Key, ScopeKind::Package];
        let wide = [total(100)];
        let narrow = [total(9)];
        let charge = |n: usize, kind| Charge {
            scope: scope(kind, 1),
            rules: if mask & (1 << n) == 0 { &wide[..] } else { &narrow[..] },
        };
        let payers: Vec<_> = (0..).zip(kinds).map(|(n, kind)| charge(n, kind)).collect();
        let result = budgets.hold(id(1), at(0), &payers, sure(10));
        assert_eq!(result.is_ok(), mask % 16 == 0, "{mask:b}");
        let Ok(mut held) = result else {
            assert!(budgets.figures().iter().all(|figures| figures.worst.is_zero()));
            continue;
        };
        let suppliers = [charge(4, ScopeKind::Provider)];
        let groups = [charge(5, ScopeKind::Group)];
        let attempted = held.attempt(&suppliers, &groups, sure(10));
        assert_eq!(attempted.is_ok(), mask == 0, "{mask:b}");
        let of_attempt = [ScopeKind::Provider, ScopeKind::Group];
        let expected = if mask == 0 { nano(10) } else { Money::ZERO };
        assert!(of_attempt.iter().all(|kind| budgets.reserved(scope(*kind, 1)) == expected), "{mask:b}");
    }
}

#[test]
fn a_limit_that_waiting_does_not_help_with_is_named_first() {
    let budgets = Budgets::new();
    let (one, two) = (scope(ScopeKind::Global, 0), user());
    let _held = budgets.hold(id(1), at(0), &[Charge { scope: one, rules: &[total(100)] }], sure(95)).unwrap();
    let payers = [Charge { scope: one, rules: &[total(100)] }, Charge { scope: two, rules: &[total(5)] }];
    let blocked = budgets.would_block(at(0), &payers, sure(10)).unwrap();
    assert_eq!((blocked.scope, blocked.waits), (two, false));
    let blocked = budgets.would_block(at(0), &payers[..1], sure(10)).unwrap();
    assert_eq!((blocked.scope, blocked.waits), (one, true));
    assert_eq!(budgets.open_holds(), 1);
}

#[test]
fn an_estimated_limit_holds_the_estimate_and_is_raised_as_the_cost_runs() {
    let budgets = Budgets::new();
    let rules = [rule(LimitName::Total, 100, false, Span::Always)];
    let amounts = Amounts { worst: nano(1000), estimate: nano(20) };
    let mut first = hold(&budgets, at(0), &rules, amounts).unwrap();
    let second = hold(&budgets, at(0), &rules, amounts).unwrap();
    first.raise(nano(10)).unwrap();
    assert_eq!(first.amounts().estimate, nano(20), "never less");
    first.raise(nano(80)).unwrap();
    let cut = first.raise(nano(81)).unwrap_err();
    assert_eq!((cut.needed, cut.reserved, cut.waits), (nano(1), nano(100), true));
    assert_eq!(first.amounts().estimate, nano(80));
    second.settle(nano(20), Money::ZERO);
    assert!(!first.raise(nano(81)).unwrap_err().waits);
    first.settle(nano(80), Money::ZERO);
    // An estimate of nothing still needs room for something.
    let unknown = Amounts { worst: nano(1), estimate: Money::ZERO };
    assert!(hold(&budgets, at(0), &rules, unknown).is_err());
    assert!(hold(&budgets, at(0), &rules, sure(0)).is_ok(), "what costs nothing passes");
}

#[test]
fn a_running_cost_above_the_worst_case_is_held_on_hard_limits_too() {
    let budgets = Budgets::new();
    let mut held = hold(&budgets, at(0), &[total(100)], sure(50)).unwrap();
    held.raise(nano(100)).unwrap();
    assert_eq!(budgets.reserved(user()), nano(100));
    assert!(held.raise(nano(101)).is_err());
    held.settle(nano(100), Money::ZERO);
    assert_eq!(budgets.reserved(user()), Money::ZERO);
}

#[test]
fn failed_attempts_are_the_providers_business_and_never_the_callers() {
    let budgets = Budgets::new();
    let (east, west) = (scope(ScopeKind::Provider, 1), scope(ScopeKind::Provider, 2));
    let group = scope(ScopeKind::Group, 1);
    let on = |scope| Charge { scope, rules: &[] };
    let mut held = hold(&budgets, at(0), &[total(100)], sure(50)).unwrap();
    held.attempt(&[on(east)], &[on(group)], sure(30)).unwrap();
    assert_eq!((budgets.reserved(east), budgets.reserved(group)), (nano(30), nano(50)));
    held.fail_attempt(nano(7));
    assert_eq!((budgets.reserved(east), budgets.reserved(group)), (Money::ZERO, Money::ZERO));
    held.attempt(&[on(west)], &[on(group)], sure(40)).unwrap();
    held.raise_provider(nano(45)).unwrap();
    assert_eq!(budgets.reserved(west), nano(45));
    held.settle(nano(20), nano(15));
    let totals = [user(), east, west, group].map(|scope| budgets.total(scope).nano());
    assert_eq!(totals, [20, 7, 15, 20]);
    assert!(budgets.figures().iter().all(|figures| figures.worst.is_zero()));
}

#[test]
fn a_hold_is_resized_both_ways() {
    let budgets = Budgets::new();
    let mut held = hold(&budgets, at(0), &[total(100)], sure(50)).unwrap();
    held.resize(sure(80)).unwrap();
    assert_eq!(budgets.reserved(user()), nano(80));
    assert!(held.resize(sure(101)).is_err());
    assert_eq!(held.amounts(), sure(80));
    held.resize(sure(10)).unwrap();
    assert_eq!(budgets.reserved(user()), nano(10));
    drop(held);
    assert_eq!(budgets.reserved(user()), Money::ZERO);
}

#[test]
fn inv_10_a_cost_belongs_to_the_windows_of_its_admission() {
    let budgets = Budgets::new();
    let midnight = DAY;
    let day = |ms| [rule_at(Kind::DayFixed, 100, true, START.plus_ms(ms))];
    let late = hold(&budgets, at(midnight - 1000), &day(midnight - 1000), sure(60)).unwrap();
    // Neither what it holds nor what it costs is the next day's.
    let next = hold(&budgets, at(midnight + 1000), &day(midnight + 1000), sure(100)).unwrap();
    late.settle(nano(60), Money::ZERO);
    next.settle(nano(40), Money::ZERO);
    let read = |ms| budgets.read(user(), &day(ms), START.plus_ms(ms))[0].used;
    assert_eq!((read(midnight - 1), read(midnight)), (nano(60), nano(40)));
}

#[test]
fn a_rolling_window_says_when_enough_has_left_it() {
    let budgets = Budgets::new();
    let rules = [rule_at(Kind::FiveRolling, 100, true, START)];
    spend(&budgets, at(0), &rules, 30);
    spend(&budgets, at(HOUR), &rules, 60);
    let refused = |ms, amount| hold(&budgets, at(ms), &rules, sure(amount)).unwrap_err();
    let minute = 60_000;
    let first = refused(2 * HOUR, 20);
    assert_eq!((first.resets_at, first.rolling), (Some(START.plus_ms(5 * HOUR + minute)), true));
    assert_eq!(refused(2 * HOUR, 90).resets_at, Some(START.plus_ms(6 * HOUR + minute)));
    assert_eq!(refused(2 * HOUR, 101).resets_at, None);
    assert!(hold(&budgets, at(5 * HOUR + minute - 1), &rules, sure(20)).is_err());
    assert!(hold(&budgets, at(5 * HOUR + minute), &rules, sure(20)).is_ok());
}

#[test]
fn a_window_of_first_use_begins_with_a_use_and_ends_five_hours_later() {
    let budgets = Budgets::new();
    let rules = [rule_at(Kind::FiveFirstUse, 100, true, START)];
    let read = |ms| budgets.read(user(), &rules, START.plus_ms(ms))[0];
    assert_eq!((read(0).since, read(0).resets_at), (None, None));
    spend(&budgets, at(HOUR), &rules, 100);
    let (since, until) = (START.plus_ms(HOUR), START.plus_ms(6 * HOUR));
    assert_eq!((read(2 * HOUR).since, read(2 * HOUR).resets_at), (Some(since), Some(until)));
    assert_eq!(budgets.take_anchors(), [(user(), since)]);
    assert_eq!(budgets.take_anchors(), []);
    let blocked = hold(&budgets, at(6 * HOUR - 1), &rules, sure(1)).unwrap_err();
    assert_eq!(blocked.resets_at, Some(until));
    spend(&budgets, at(9 * HOUR), &rules, 100);
    assert_eq!(read(9 * HOUR).since, Some(START.plus_ms(9 * HOUR)));
    // A use that waited while another began the window is not lost to it.
    let budgets = Budgets::new();
    let later = hold(&budgets, at(HOUR), &rules, sure(50)).unwrap();
    spend(&budgets, at(HOUR - 1), &rules, 50);
    later.settle(nano(50), Money::ZERO);
    assert!(hold(&budgets, at(HOUR + 1), &rules, sure(1)).is_err());
}

#[test]
fn inv_10_a_clock_that_jumps_back_far_opens_no_window_anew() {
    for kind in [Kind::FiveFirstUse, Kind::Week] {
        let budgets = Budgets::new();
        let rules = |ms| [rule_at(kind, 100, true, START.plus_ms(ms))];
        for week in 5..10 {
            spend(&budgets, at(week * 7 * DAY), &rules(week * 7 * DAY), 1);
        }
        // Months back, spend all there is; a moment later there is nothing left.
        spend(&budgets, at(HOUR), &rules(HOUR), 100);
        assert!(hold(&budgets, at(2 * HOUR), &rules(2 * HOUR), sure(1)).is_err(), "{kind:?}");
    }
}

#[test]
fn a_new_limit_starts_with_what_was_spent_before_it_existed() {
    let budgets = Budgets::new();
    spend(&budgets, at(0), &[], 70);
    for kind in super::calendar::KINDS {
        let rules = [rule_at(kind, 100, true, START.plus_ms(HOUR))];
        let used = budgets.read(user(), &rules, START.plus_ms(HOUR))[0].used;
        assert_eq!(used, nano(70), "{kind:?}");
        assert!(hold(&budgets, at(HOUR), &rules, sure(31)).is_err(), "{kind:?}");
    }
}

#[test]
fn inv_08_a_load_keeps_what_is_held_and_what_the_database_does_not_have_yet() {
    let budgets = Budgets::new();
    let charge = [Charge { scope: user(), rules: &[] }];
    let open = budgets.hold(id(1), at(0), &charge, sure(5)).unwrap();
    budgets.hold(id(2), at(0), &charge, sure(9)).unwrap().settle(nano(9), Money::ZERO);
    budgets.hold(id(3), at(0), &charge, sure(20)).unwrap().settle(nano(20), Money::ZERO);
    budgets.applied(&[id(2), id(99)]);
    assert_eq!(budgets.unapplied(), 1);
    let loaded = Loaded {
        scope: user(),
        minutes: vec![(START, nano(9))],
        week: nano(10),
        month: nano(11),
        total: nano(12),
        five_hours_since: None,
        reset_at: None,
    };
    budgets.load(vec![loaded], at(60_000));
    let used = |kind| budgets.read(user(), &[rule_at(kind, 1, true, START)], START)[0].used.nano();
    assert_eq!(super::calendar::KINDS.map(used), [29, 29, 29, 29, 30, 31, 32]);
    assert_eq!(budgets.reserved(user()), nano(5));
    // A record that reaches the database before its settlement here does not stay for ever.
    budgets.applied(&[id(1), id(3)]);
    open.settle(nano(5), Money::ZERO);
    assert_eq!(budgets.unapplied(), 0);
}

#[test]
fn us_a_reset_counts_from_zero_and_what_runs_settles_into_the_time_before() {
    let budgets = Budgets::new();
    spend(&budgets, at(0), &[total(100)], 90);
    let running = hold(&budgets, at(0), &[total(100)], sure(10)).unwrap();
    budgets.reset(user(), START.plus_ms(1));
    assert_eq!((budgets.total(user()), budgets.reserved(user())), (Money::ZERO, nano(10)));
    running.settle(nano(10), Money::ZERO);
    assert_eq!((budgets.total(user()), budgets.reserved(user())), (Money::ZERO, Money::ZERO));
    spend(&budgets, at(1), &[total(100)], 100);
    // What was admitted before it does not come back with a load.
    budgets.load(Vec::new(), at(1));
    assert_eq!(budgets.total(user()), nano(100));
}

#[test]
fn us_a_second_reset_after_the_clock_was_put_back_brings_nothing_back() {
    let budgets = Budgets::new();
    let running = hold(&budgets, at(HOUR), &[], sure(10)).unwrap();
    budgets.reset(user(), START.plus_ms(HOUR + 1));
    running.settle(nano(10), Money::ZERO);
    budgets.reset(user(), START);
    budgets.load(Vec::new(), at(0));
    assert_eq!(budgets.total(user()), Money::ZERO);
}

#[test]
fn a_share_of_a_budget_is_not_overdrawn() {
    let budgets = Budgets::new();
    budgets.set_allowance(user(), Some(nano(50)));
    spend(&budgets, at(0), &[], 30);
    let blocked = hold(&budgets, at(0), &[total(1000)], sure(21)).unwrap_err();
    assert!(blocked.allowance && blocked.waits);
    assert_eq!((blocked.used, blocked.limit), (nano(30), nano(50)));
    budgets.set_allowance(user(), Some(nano(60)));
    let held = hold(&budgets, at(0), &[total(1000)], sure(21)).unwrap();
    assert!(hold(&budgets, at(0), &[total(1000)], sure(10)).is_err());
    held.settle(nano(1), Money::ZERO);
    // Neither a reset nor a load gives back what was consumed of it.
    budgets.reset(user(), START);
    budgets.load(Vec::new(), at(0));
    assert_eq!(budgets.consumed(user()), nano(31));
    budgets.set_allowance(user(), None);
    assert!(hold(&budgets, at(0), &[total(1000)], sure(900)).is_ok());
}

#[test]
fn the_waker_hears_of_everything_that_makes_room() {
    let budgets = Budgets::new();
    let heard = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&heard);
    budgets.set_waker(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let calls = || heard.swap(0, Ordering::Relaxed);
    let mut held = hold(&budgets, at(0), &[total(100)], sure(50)).unwrap();
    let provider = [Charge { scope: scope(ScopeKind::Provider, 1), rules: &[] }];
    held.attempt(&provider, &[], sure(1)).unwrap();
    held.raise(nano(60)).unwrap();
    assert_eq!(calls(), 0);
    held.resize(sure(20)).unwrap();
    assert_eq!(calls(), 1);
    held.attempt(&provider, &[], sure(1)).unwrap();
    assert_eq!(calls(), 1);
    held.fail_attempt(nano(1));
    assert_eq!(calls(), 1);
    held.settle(nano(1), Money::ZERO);
    assert_eq!(calls(), 1);
    drop(hold(&budgets, at(0), &[total(100)], sure(50)).unwrap());
    assert_eq!(calls(), 1);
}

#[test]
fn amounts_at_the_end_of_the_range_neither_wrap_nor_panic() {
    let budgets = Budgets::new();
    let huge = Amounts { worst: Money::MAX, estimate: Money::MAX };
    let held: Vec<_> = (0..4).map(|_| hold(&budgets, at(0), &[], huge).unwrap()).collect();
    assert_eq!(budgets.reserved(user()), Money::MAX);
    for hold in held {
        hold.settle(Money::MAX, Money::MAX);
    }
    assert_eq!((budgets.reserved(user()), budgets.total(user())), (Money::ZERO, Money::MAX));
    assert!(hold(&budgets, at(0), &[total(i64::MAX)], sure(1)).is_err());
}

#[test]
fn a_second_attempt_beside_the_first_holds_its_own_and_one_of_the_two_stays() {
    let (first, second, group) =
        (scope(ScopeKind::Credential, 1), scope(ScopeKind::Credential, 2), scope(ScopeKind::Group, 1));
    for second_wins in [true, false] {
        let budgets = Budgets::new();
        let limit = [total(100)];
        let mut held = hold(&budgets, at(0), &[], sure(50)).unwrap();
        let suppliers = [Charge { scope: first, rules: &limit }];
        let groups = [Charge { scope: group, rules: &limit }];
        held.attempt(&suppliers, &groups, sure(40)).unwrap();
        let beside = [Charge { scope: second, rules: &limit }];
        assert!(held.beside(&beside, sure(101)).is_err(), "never beyond a limit");
        held.beside(&beside, sure(60)).unwrap();
        let reserved = |scope| budgets.reserved(scope);
        assert_eq!((reserved(first), reserved(second), reserved(group)), (nano(40), nano(60), nano(50)));
        assert!(
            budgets.figures().iter().all(|of| of.worst == of.open.worst && of.estimate == of.open.estimate)
        );
        if second_wins {
            held.take_beside(nano(7));
            assert_eq!((reserved(first), reserved(second), reserved(group)), (nano(0), nano(60), nano(50)));
        } else {
            held.leave_beside(nano(7));
            assert_eq!((reserved(first), reserved(second), reserved(group)), (nano(40), nano(0), nano(50)));
        }
        assert!(budgets.figures().iter().all(|of| of.worst == of.open.worst));
        held.settle(nano(30), nano(20));
        let spent = (budgets.total(first), budgets.total(second), budgets.total(group));
        let (won, lost) = (nano(20), nano(7));
        assert_eq!(spent, if second_wins { (lost, won, nano(30)) } else { (won, lost, nano(30)) });
        assert!([first, second, group].iter().all(|scope| reserved(*scope).is_zero()));
        assert_eq!(budgets.unapplied(), 1);
    }
    // Whoever leaves while both run leaves nothing behind.
    let budgets = Budgets::new();
    let mut held = hold(&budgets, at(0), &[], sure(50)).unwrap();
    held.attempt(&[Charge { scope: first, rules: &[] }], &[], sure(40)).unwrap();
    held.beside(&[Charge { scope: first, rules: &[] }], sure(40)).unwrap();
    assert_eq!(budgets.reserved(first), nano(80), "both at one supplier");
    drop(held);
    assert_eq!((budgets.reserved(first), budgets.open_holds()), (nano(0), 0));
}
