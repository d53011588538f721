//! How long a hold and its settlement take.

use std::time::Instant;

use types::quota::ScopeKind;
use types::{Money, Timestamp};

use super::super::{Budgets, Charge};
use super::calendar::{Kind, moment, rule_at};
use super::{HOUR, id, nano, scope, sure};

/// Prints the figure; the bound is loose because debug builds and busy machines are slow.
#[test]
fn hold_and_settle_over_four_scopes_is_quick() {
    const ROUNDS: u64 = 20_000;
    let budgets = Budgets::new();
    let kinds = [ScopeKind::Global, ScopeKind::User, ScopeKind::Key, ScopeKind::Provider];
    let ids: Vec<_> = (0..ROUNDS).map(id).collect();
    let begun = Instant::now();
    for (n, request) in (0_i64..).zip(&ids) {
        // A request every ten seconds: windows move all the time.
        let at = Timestamp(HOUR * 500_000 + n * 10_000);
        let rules =
            [rule_at(Kind::FiveRolling, i64::MAX, true, at), rule_at(Kind::DayFixed, i64::MAX, true, at)];
        let charges = kinds.map(|kind| Charge { scope: scope(kind, 1), rules: &rules });
        let mut hold = budgets.hold(*request, moment(at), &charges[..3], sure(100)).unwrap();
        hold.attempt(&charges[3..], &[], sure(100)).unwrap();
        hold.settle(nano(60), nano(50));
    }
    let each = begun.elapsed() / u32::try_from(ROUNDS).unwrap();
    budgets.applied(&ids);
    assert_eq!(budgets.unapplied(), 0);
    println!("hold, attempt and settle over 4 scopes with 2 rules each: {each:?}");
    assert!(each.as_micros() < 500);
    assert_eq!(budgets.reserved(scope(ScopeKind::User, 1)), Money::ZERO);
}
