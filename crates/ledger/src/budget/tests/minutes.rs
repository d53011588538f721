//! The minutes of an account against a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::super::minutes::{Minutes, Stretch};

#[derive(Clone, Debug)]
enum Step {
    Add { back: i64, nano: i64 },
    Sum { slot: usize, from: i64, length: i64 },
    Pass { minutes: i64 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (prop_oneof![3 => 0..3_i64, 1 => 0..400_i64], 0..50_i64).prop_map(|(back, nano)| Step::Add { back, nano }),
        4 => (0..3_usize, prop_oneof![Just(300_i64), Just(1440), 0..1500_i64], prop_oneof![Just(1_000_000_i64), 0..1500_i64])
            .prop_map(|(slot, from, length)| Step::Sum { slot, from, length }),
        2 => prop_oneof![4 => 0..3_i64, 1 => 0..400_i64].prop_map(|minutes| Step::Pass { minutes }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn running_sums_equal_sums_from_scratch(steps in prop::collection::vec(step(), 0..300)) {
        let mut minutes = Minutes::default();
        let mut plain: BTreeMap<i64, i128> = BTreeMap::new();
        let mut now = 1_000_000;
        for step in steps {
            match step {
                Step::Add { back, nano } => {
                    minutes.add(now - back, nano);
                    *plain.entry(now - back).or_default() += i128::from(nano);
                }
                Step::Sum { slot, from, length } => {
                    let stretch = Stretch { from: now - from, to: now - from + length };
                    let expected: i128 = plain.range(stretch.from..stretch.to).map(|(_, sum)| sum).sum();
                    prop_assert_eq!(minutes.sum(slot, stretch), expected);
                }
                Step::Pass { minutes } => now += minutes,
            }
        }
    }
}

#[test]
fn old_minutes_go_and_a_clock_that_jumps_ahead_for_a_moment_takes_none_away() {
    let mut minutes = Minutes::default();
    let day = |from| Stretch { from, to: from + 1440 };
    for minute in 0..1440 {
        minutes.add(minute, 1);
    }
    // Ten days ahead for twenty minutes.
    for minute in 0..20 {
        minutes.add(14_400 + minute, 1);
    }
    assert_eq!(minutes.sum(1, day(0)), 1440);
    // A year of busy minutes does not pile up.
    for minute in 1440..500_000 {
        minutes.add(minute, 1);
    }
    assert!(minutes.used().count() < 1700);
    assert_eq!(minutes.sum(1, day(500_000 - 1440)), 1440);
}
