//! Many threads at one limit.

use std::sync::Barrier;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use types::quota::ScopeKind;
use types::{Money, Timestamp};

use super::super::{Budgets, Charge, Hold, Rule};
use super::calendar::moment;
use super::{id, nano, scope, sure, total};

const LIMIT: i64 = 10_000;

/// Runs so many threads that take up to ten at once; returns the most that was spent and held at any time, what was
/// spent in the end, and how many were admitted.
fn hammer(threads: u64, take: fn(&Budgets, u64, &[Rule], i64) -> Option<Hold>) -> (i64, i64, u64) {
    let budgets = Budgets::new();
    let global = scope(ScopeKind::Global, 0);
    let rules = [total(LIMIT)];
    let each = (4096 / threads).max(40);
    let most = AtomicI64::new(0);
    let admitted = AtomicI64::new(0);
    let barrier = Barrier::new(usize::try_from(threads).unwrap());
    thread::scope(|running| {
        for worker in 0..threads {
            let (budgets, rules, most, admitted, barrier) = (&budgets, &rules, &most, &admitted, &barrier);
            running.spawn(move || {
                barrier.wait();
                for n in 0..each {
                    let seed = worker * each + n;
                    let worst = i64::try_from(seed % 97 + 1).unwrap();
                    let Some(hold) = take(budgets, seed, rules, worst) else { continue };
                    admitted.fetch_add(1, Ordering::Relaxed);
                    let figures = budgets.figures();
                    let sum = figures.iter().find(|figures| figures.scope == global).unwrap();
                    most.fetch_max(sum.total.nano() + sum.worst.nano(), Ordering::Relaxed);
                    if n % 3 == 0 {
                        thread::yield_now();
                    }
                    match n % 5 {
                        0 => drop(hold),
                        1 => hold.settle(nano(worst), Money::ZERO),
                        _ => hold.settle(nano(worst / 2), Money::ZERO),
                    }
                }
            });
        }
    });
    assert_eq!((budgets.open_holds(), budgets.reserved(global)), (0, Money::ZERO));
    (most.into_inner(), budgets.total(global).nano(), u64::try_from(admitted.into_inner()).unwrap())
}

fn charge(rules: &[Rule]) -> [Charge<'_>; 1] {
    [Charge { scope: scope(ScopeKind::Global, 0), rules }]
}

fn atomically(budgets: &Budgets, seed: u64, rules: &[Rule], worst: i64) -> Option<Hold> {
    budgets.hold(id(seed), moment(Timestamp(0)), &charge(rules), sure(worst)).ok()
}

/// The mutant: looks, and takes later without looking.
fn check_then_act(budgets: &Budgets, seed: u64, rules: &[Rule], worst: i64) -> Option<Hold> {
    let at = moment(Timestamp(0));
    if budgets.would_block(at, &charge(rules), sure(worst)).is_some() {
        return None;
    }
    thread::yield_now();
    budgets.hold(id(seed), at, &charge(&[]), sure(worst)).ok()
}

#[test]
fn inv_05_no_number_of_threads_overshoots_a_hard_limit() {
    for threads in [8, 64, 512] {
        let (most, spent, admitted) = hammer(threads, atomically);
        println!(
            "N = {threads}: limit {LIMIT}, most spent and held {most}, spent {spent}, admitted {admitted}"
        );
        assert!(most <= LIMIT && spent <= LIMIT, "overshoot at N = {threads}: {most}, {spent}");
        assert!(spent > LIMIT * 9 / 10, "the limit was hardly reached: {spent}");
    }
}

#[test]
fn the_check_then_act_mutant_overshoots() {
    let found = (0..20).any(|_| hammer(512, check_then_act).0 > LIMIT);
    assert!(found, "the hammer cannot see an overshoot");
}

#[test]
fn inv_04_a_hundred_thousand_aborts_leave_nothing_held() {
    let budgets = Budgets::new();
    let rules = [total(1_000_000)];
    for n in 0..100_000 {
        let mut hold = budgets.hold(id(n), moment(Timestamp(0)), &charge(&rules), sure(10)).unwrap();
        if n % 2 == 0 {
            let provider = Charge { scope: scope(ScopeKind::Provider, 1), rules: &[] };
            hold.attempt(&[provider], &[], sure(3)).unwrap();
        }
        drop(hold);
    }
    assert!(budgets.figures().iter().all(|figures| figures.worst.is_zero() && figures.total.is_zero()));
    assert_eq!((budgets.open_holds(), budgets.unapplied()), (0, 0));
}
