//! The retry budget and its pauses.

use proptest::prelude::*;

use super::*;

#[test]
fn ten_are_always_allowed_within_ten_seconds() {
    let budget = RetryBudget::default();
    let taken = (0..50).filter(|_| budget.take(Timestamp(0), 20)).count();
    assert_eq!(taken, 10);
    assert!(!budget.take(Timestamp(9_999), 20));
    assert!(budget.take(Timestamp(10_000), 20));
}

#[test]
fn with_no_share_there_is_still_the_floor() {
    let budget = RetryBudget::default();
    (0..1_000).for_each(|_| budget.request(Timestamp(0)));
    assert_eq!((0..50).filter(|_| budget.take(Timestamp(0), 0)).count(), 10);
}

/// Everything is down, 100 requests a second come, and each would like to try three more times.
#[test]
fn fault_u49_in_a_total_outage_the_upstreams_get_at_most_a_fifth_more() {
    let budget = RetryBudget::default();
    let (mut requests, mut attempts) = (0_u32, 0_u32);
    for n in 0..6_000 {
        let now = Timestamp(1_800_000_000_000 + n * 10);
        budget.request(now);
        requests += 1;
        attempts += 1;
        attempts += (0..3).map(|_| u32::from(budget.take(now, 20))).sum::<u32>();
    }
    assert!(attempts * 10 <= requests * 12, "{attempts} attempts of {requests} requests");
    assert!(
        attempts * 100 >= requests * 119,
        "the budget is used: {attempts} attempts of {requests} requests"
    );
}

#[test]
fn pauses_grow_to_a_second_and_are_spread_over_the_whole_range() {
    for (attempt, most) in
        [(0, 25), (1, 50), (3, 200), (5, 800), (6, 1_000), (63, 1_000), (64, 1_000), (u32::MAX, 1_000)]
    {
        let pauses: Vec<_> = (0..2_000).map(|seed| pause_ms(attempt, seed)).collect();
        assert!(pauses.iter().all(|ms| *ms <= most), "attempt {attempt}");
        let quarters = (0..4).map(|q| pauses.iter().filter(|ms| **ms * 4 / (most + 1) == q).count());
        assert!(quarters.min() > Some(350), "attempt {attempt}");
    }
}

proptest! {
    /// Within the window there are never more than the larger of floor and share.
    #[test]
    fn the_share_holds_at_every_moment(
        steps in prop::collection::vec((0_i64..300, any::<bool>()), 1..400),
        percent in 0_u32..=100,
    ) {
        let budget = RetryBudget::default();
        let (mut now, mut log) = (1_800_000_000_000_i64, Vec::new());
        for (ms, is_request) in steps {
            now += ms;
            if is_request {
                budget.request(Timestamp(now));
                log.push((now, true));
                continue;
            }
            let held = |kind| log.iter().filter(|(at, k)| at / 1_000 > now / 1_000 - 10 && *k == kind).count();
            let most = (held(true) * usize::try_from(percent).unwrap() / 100).max(10);
            let taken = budget.take(Timestamp(now), percent);
            prop_assert_eq!(taken, held(false) < most);
            if taken {
                log.push((now, false));
            }
        }
    }
}

#[test]
fn second_attempts_are_a_share_of_the_requests_of_a_minute() {
    let budget = HedgeBudget::default();
    let now = Timestamp(1_800_000_000_000);
    assert!(!budget.take(now, 0), "off");
    for _ in 0..200 {
        budget.request(now);
    }
    let taken = (0..200).filter(|_| budget.take(now, 5)).count();
    assert_eq!(taken, 10);
    assert!(!budget.take(now.plus_ms(59_000), 5));
    assert!(budget.take(now.plus_ms(61_000), 5), "one in a minute is always allowed");
    assert!(!budget.take(now.plus_ms(61_000), 5));
}
