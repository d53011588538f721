//! The breaker by examples; see `model` for it against a plain model.

use super::*;

mod model;

/// Opens after 5 failures for 10 s, closes after 2 successes.
pub(super) const CONFIG: BreakerConfig = BreakerConfig {
    failure_threshold: Some(5),
    open_duration_ms: Some(10_000),
    half_open_success_threshold: Some(2),
};
pub(super) const START: i64 = 1_800_000_000_000;

fn at(ms: i64) -> Timestamp {
    Timestamp(START + ms)
}

fn fail(breaker: &mut Breaker, ms: i64) -> Option<Change> {
    breaker.failed(at(ms), &CONFIG, 0, true, "500 Internal Server Error")
}

fn opened(ms: i64) -> Breaker {
    let mut breaker = Breaker::default();
    for _ in 0..4 {
        assert_eq!(fail(&mut breaker, ms), None);
    }
    assert!(fail(&mut breaker, ms).is_some());
    breaker
}

fn no(ms: i64) -> Pass {
    Pass::No { until: at(ms) }
}

#[test]
fn fault_u32_five_failures_in_a_row_open_it() {
    let mut breaker = Breaker::default();
    for ms in 0..4 {
        assert_eq!(fail(&mut breaker, ms), None);
        assert_eq!(breaker.pass(at(ms)), Pass::Yes);
    }
    let change = fail(&mut breaker, 4).unwrap();
    assert_eq!((change.from, change.to), (BreakerState::Closed, BreakerState::Open));
    assert_eq!(change.reason, "5 requests in a row failed, the last: 500 Internal Server Error");
    assert_eq!(breaker.pass(at(5)), no(10_004));
    assert_eq!(breaker.state(at(10_003)), BreakerState::Open);
    assert_eq!(breaker.state(at(10_004)), BreakerState::HalfOpen);
    assert_eq!((breaker.failures(), breaker.openings()), (5, 1));
    assert_eq!(breaker.changed_at(at(5)), Some(at(4)));
    assert_eq!(breaker.changed_at(at(11_000)), Some(at(10_004)));
    assert_eq!(breaker.probe_at(), Some(at(10_004)));
}

#[test]
fn a_success_begins_the_count_anew() {
    let mut breaker = Breaker::default();
    for round in 0..3 {
        for _ in 0..4 {
            assert_eq!(fail(&mut breaker, round * 60_000), None);
        }
        assert_eq!(breaker.succeeded(at(round * 60_000), &CONFIG), None);
        assert_eq!(breaker.failures(), 0);
    }
}

#[test]
fn fault_u32_half_of_twenty_within_ten_seconds_open_it() {
    // Every second request fails, so there is never a run; 20 outcomes at 2 a second just fit into 10 s.
    let outcomes = |pause_ms: i64| {
        let mut breaker = Breaker::default();
        (0..200).find_map(|n| {
            if n % 2 == 0 {
                breaker.succeeded(at(n * pause_ms), &CONFIG);
                return None;
            }
            fail(&mut breaker, n * pause_ms).map(|change| (n, change.reason))
        })
    };
    let (n, reason) = outcomes(100).unwrap();
    assert_eq!(n, 19);
    assert!(reason.starts_with("10 of 20 requests within 10 s failed"), "{reason}");
    assert_eq!(outcomes(500).map(|(n, _)| n), Some(19));
    // Fewer than 20 within 10 s are no basis for a share.
    assert_eq!(outcomes(600), None);
}

#[test]
fn less_than_half_does_not_open_it() {
    let mut breaker = Breaker::default();
    for n in 0..3_000 {
        match n % 5 {
            0 | 1 => assert_eq!(fail(&mut breaker, n * 10), None),
            _ => assert_eq!(breaker.succeeded(at(n * 10), &CONFIG), None),
        }
    }
}

#[test]
fn one_bad_request_repeated_by_nobody_else_confirmed_never_opens_it() {
    let mut breaker = Breaker::default();
    for n in 0..1_000 {
        assert_eq!(breaker.failed(at(n * 37), &CONFIG, 7, false, "500"), None);
        assert_eq!(breaker.failures(), 1);
    }
    // Nor with one good request between any two of it.
    for n in 0..1_000 {
        breaker.succeeded(at(40_000 + n * 37), &CONFIG);
        assert_eq!(breaker.failed(at(40_000 + n * 37), &CONFIG, 7, false, "500"), None);
    }
}

#[test]
fn unconfirmed_failures_of_different_requests_open_it() {
    let mut breaker = Breaker::default();
    let trips = (0..5).map(|n| breaker.failed(at(0), &CONFIG, n, false, "500").is_some());
    assert_eq!(trips.collect::<Vec<_>>(), [false, false, false, false, true]);
}

#[test]
fn the_same_request_counts_each_time_once_another_could_serve_it() {
    let mut breaker = Breaker::default();
    let trips = (0..5).map(|_| breaker.failed(at(0), &CONFIG, 7, true, "500").is_some());
    assert_eq!(trips.last(), Some(true));
}

#[test]
fn half_open_lets_one_probe_pass_at_a_time() {
    let mut breaker = opened(0);
    assert!(!breaker.begin_probe(at(9_999)));
    assert_eq!(breaker.pass(at(10_000)), Pass::Probe);
    assert!(breaker.begin_probe(at(10_000)));
    assert!(!breaker.begin_probe(at(10_000)));
    assert_eq!(breaker.pass(at(10_500)), no(11_500));
    assert_eq!(breaker.succeeded(at(10_600), &CONFIG), None);
    assert_eq!(breaker.successes(), 1);
    assert!(breaker.begin_probe(at(10_600)), "an outcome makes room for the next");
    breaker.end_probe();
    assert!(breaker.begin_probe(at(10_700)), "so does an end without one");
    let change = breaker.succeeded(at(10_800), &CONFIG).unwrap();
    assert_eq!((change.from, change.to), (BreakerState::HalfOpen, BreakerState::Closed));
    assert_eq!(change.reason, "2 probes succeeded");
    breaker.end_probe();
    assert_eq!(breaker.pass(at(10_800)), Pass::Yes);
    assert_eq!((breaker.failures(), breaker.openings(), breaker.probe_at()), (0, 0, None));
}

#[test]
fn a_probe_that_was_lost_is_given_up_after_ten_minutes() {
    let mut breaker = opened(0);
    assert!(breaker.begin_probe(at(10_000)));
    assert!(!breaker.begin_probe(at(609_999)));
    assert!(breaker.begin_probe(at(610_000)));
}

#[test]
fn each_failed_probe_doubles_the_open_time_up_to_eight_times() {
    let mut breaker = opened(0);
    let mut now = 0;
    let mut waits = Vec::new();
    for _ in 0..6 {
        let Pass::No { until } = breaker.pass(at(now)) else { panic!("it should be open") };
        waits.push((until.0 - START - now) / 1_000);
        now = until.0 - START;
        assert!(breaker.begin_probe(at(now)));
        let change = fail(&mut breaker, now).unwrap();
        assert_eq!((change.from, change.to), (BreakerState::HalfOpen, BreakerState::Open));
        breaker.end_probe();
    }
    assert_eq!(waits, [10, 20, 40, 80, 80, 80]);
    assert_eq!(breaker.openings(), 7);
}

fn closed_after_one_failed_probe() -> Breaker {
    let mut breaker = opened(0);
    fail(&mut breaker, 10_000);
    for _ in 0..2 {
        breaker.succeeded(at(30_000), &CONFIG);
    }
    assert_eq!(breaker.state(at(30_000)), BreakerState::Closed);
    breaker
}

#[test]
fn the_growth_is_remembered_for_as_long_as_it_was_open() {
    let trip = |mut breaker: Breaker, ms: i64| {
        for _ in 0..5 {
            fail(&mut breaker, ms);
        }
        breaker.probe_at().unwrap().0 - START - ms
    };
    assert_eq!(trip(closed_after_one_failed_probe(), 49_999), 40_000);
    assert_eq!(trip(closed_after_one_failed_probe(), 50_000), 10_000);
}

#[test]
fn what_began_before_it_opened_changes_nothing() {
    let mut breaker = opened(0);
    assert_eq!(fail(&mut breaker, 5_000), None);
    assert_eq!(breaker.succeeded(at(5_000), &CONFIG), None);
    assert_eq!(breaker.pass(at(5_000)), no(10_000));
    assert_eq!((breaker.openings(), breaker.successes()), (1, 0));
}

#[test]
fn a_reset_closes_it_and_forgets_the_growth() {
    let mut breaker = opened(0);
    fail(&mut breaker, 10_000);
    let change = breaker.reset(at(11_000)).unwrap();
    assert_eq!((change.from, change.to), (BreakerState::Open, BreakerState::Closed));
    assert_eq!(breaker.pass(at(11_000)), Pass::Yes);
    assert_eq!(breaker.reset(at(11_000)), None);
    assert_eq!(breaker.changed_at(at(11_000)), Some(at(11_000)));
    for _ in 0..5 {
        fail(&mut breaker, 11_000);
    }
    assert_eq!(breaker.pass(at(11_000)), no(21_000));
}

#[test]
fn a_clock_that_goes_back_does_not_keep_it_open() {
    let breaker = opened(0);
    // Threads that read the clock a little earlier are no jump.
    assert_eq!(breaker.state(at(-1_000)), BreakerState::Open);
    assert_eq!(breaker.state(at(-1_001)), BreakerState::HalfOpen);
    assert_eq!(breaker.state(at(-86_400_000)), BreakerState::HalfOpen);
    assert_eq!(breaker.state(at(86_400_000)), BreakerState::HalfOpen);
}

#[test]
fn long_errors_are_cut() {
    let mut breaker = Breaker::default();
    breaker.failed(at(0), &CONFIG, 0, true, &"ü".repeat(1_000));
    assert_eq!(breaker.last_error().map(|e| e.chars().count()), Some(300));
}

/// One second up, one second down, and 20 requests a second that all come here if they may.
#[test]
fn fault_u50_flapping_causes_no_storm_of_probes() {
    let config = BreakerConfig { open_duration_ms: Some(1_000), ..CONFIG };
    let mut breaker = Breaker::default();
    let mut trips: Vec<i64> = Vec::new();
    let (mut probes, mut failed) = (0_usize, 0_usize);
    for ms in (0..600_000).step_by(50) {
        let is_up = ms / 1_000 % 2 == 0;
        let probe = match breaker.pass(at(ms)) {
            Pass::No { .. } => continue,
            Pass::Probe => breaker.begin_probe(at(ms)),
            Pass::Yes => false,
        };
        probes += usize::from(probe);
        if is_up {
            breaker.succeeded(at(ms), &config);
        } else {
            failed += 1;
            trips.extend(breaker.failed(at(ms), &config, 0, true, "connection refused").map(|_| ms));
        }
        if probe {
            breaker.end_probe();
        }
    }
    let pauses: Vec<_> = trips.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let (early, late) = pauses.split_at(4);
    assert!(late.iter().all(|pause| *pause >= 8_000), "grows to eight times: {early:?} {late:?}");
    assert!(trips.len() <= 600 / 8 + 4, "{} trips", trips.len());
    assert!(probes <= 2 * trips.len(), "{probes} probes, {} trips", trips.len());
    assert!(failed <= 5 * trips.len(), "{failed} failures, {} trips", trips.len());
}
