//! A credential's health by examples; see `laws` for what holds after any events.

use types::provider::ProviderKind;
use types::routing::FailureClass as C;

use super::*;
use crate::cooldown;

mod laws;
mod network;

const CONFIG: BreakerConfig = BreakerConfig {
    failure_threshold: Some(3),
    open_duration_ms: Some(10_000),
    half_open_success_threshold: Some(1),
};
const START: i64 = 1_800_000_000_000;
const A: Option<&str> = Some("model-a");
const B: Option<&str> = Some("model-b");

fn at(ms: i64) -> Timestamp {
    Timestamp(START + ms)
}

#[expect(clippy::unnecessary_wraps, reason = "every use is where a failure may have none")]
fn rest(state: CredentialState, until: i64, whole: bool, told: bool) -> Option<Rest> {
    Some(Rest { until: at(until), state, whole, told })
}

fn limited(until: i64) -> Option<Rest> {
    rest(CredentialState::RateLimited, until, false, true)
}

fn failure(model: Option<&str>, class: C, rest: Option<Rest>) -> Failed<'_> {
    Failed { model, class, rest, fingerprint: 1, confirmed: true, network_counts: false, what: "it failed" }
}

fn fail(health: &mut Health, ms: i64, model: Option<&str>, class: C, rest: Option<Rest>) -> usize {
    health.failed(failure(model, class, rest), at(ms), &CONFIG).len()
}

fn succeed(health: &mut Health, ms: i64, model: Option<&str>) -> usize {
    health.succeeded(model, at(ms), &CONFIG).len()
}

fn resting(until: i64) -> Look {
    Look::Resting { until: at(until), state: CredentialState::RateLimited }
}

#[test]
fn fault_u26_a_model_rests_until_its_time_and_then_one_request_looks() {
    let mut health = Health::default();
    assert!(health.is_quiet(at(0)));
    fail(&mut health, 0, A, C::RateLimit, limited(5_000));
    assert_eq!(health.look(A, at(4_999)), resting(5_000));
    assert_eq!(health.look(B, at(4_999)), Look::Free, "other models go on");
    assert_eq!(health.look(None, at(4_999)), Look::Free);
    assert!(!health.is_quiet(at(4_999)));
    assert_eq!(health.look(A, at(5_000)), Look::Probe);
    assert!(health.begin_probe(A, at(5_000)));
    assert!(!health.begin_probe(A, at(5_001)));
    assert_eq!(health.look(A, at(5_001)), resting(6_001));
    assert!(!health.is_quiet(at(5_001)), "its time is over, but nobody knows yet whether it is well");
    succeed(&mut health, 5_500, A);
    assert_eq!(health.look(A, at(5_500)), Look::Free);
    assert!(health.is_quiet(at(5_500)));
}

#[test]
fn a_probe_without_an_outcome_makes_room_for_the_next() {
    let mut health = Health::default();
    fail(&mut health, 0, A, C::RateLimit, limited(5_000));
    assert!(health.begin_probe(A, at(5_000)));
    health.end_probe(A);
    assert!(health.begin_probe(A, at(5_001)));
    assert!(!health.begin_probe(A, at(605_000)));
    assert!(health.begin_probe(A, at(605_001)), "a lost one is given up after ten minutes");
}

/// A stored state outlives the process, this does not: it looks free, and yet one at a time has to look.
#[test]
fn where_nothing_keeps_requests_away_there_is_one_probe_at_a_time_too() {
    let mut health = Health::default();
    assert!(health.begin_probe(A, at(0)));
    assert!(!health.begin_probe(A, at(1)));
    assert!(!health.begin_probe(B, at(1)));
    assert!(health.is_quiet(at(1)), "others are not kept away by it");
    health.end_probe(A);
    assert!(health.begin_probe(B, at(2)));
    succeed(&mut health, 3, B);
    assert!(health.begin_probe(A, at(4)));
    fail(&mut health, 5, A, C::Client, None);
    assert!(health.begin_probe(A, at(6)));
    assert!(!health.begin_probe(A, at(600_005)));
    assert!(health.begin_probe(A, at(600_006)));
}

#[test]
fn a_failed_probe_makes_room_whatever_its_class() {
    for class in C::ALL.iter().copied() {
        let mut health = Health::default();
        for _ in 0..3 {
            fail(&mut health, 0, A, C::Provider, None);
        }
        assert!(health.begin_probe(A, at(10_000)));
        fail(&mut health, 10_001, A, class, None);
        let later = at(10_001 + 8 * 10_000);
        assert!(health.begin_probe(A, later), "{class}");
    }
}

#[test]
fn the_whole_rests_for_all_models_and_only_one_of_them_looks() {
    let mut health = Health::default();
    fail(&mut health, 0, A, C::RateLimit, rest(CredentialState::RateLimited, 5_000, true, true));
    for model in [A, B, None] {
        assert_eq!(health.look(model, at(0)), resting(5_000));
    }
    assert!(health.begin_probe(B, at(5_000)));
    assert!(!health.begin_probe(A, at(5_000)));
    health.end_probe(A);
    assert!(!health.begin_probe(A, at(5_000)), "only its own end makes room");
    health.end_probe(B);
    assert!(health.begin_probe(A, at(5_000)));
    succeed(&mut health, 5_100, A);
    assert_eq!(health.look(B, at(5_100)), Look::Free);
    assert!(health.is_quiet(at(5_100)));
}

#[test]
fn a_request_from_before_the_rest_does_not_end_it() {
    let mut health = Health::default();
    fail(&mut health, 0, A, C::RateLimit, limited(5_000));
    succeed(&mut health, 100, A);
    assert_eq!(health.look(A, at(100)), resting(5_000));
    assert_eq!(health.streak(A, C::RateLimit), 1);
}

#[test]
fn requests_that_fail_together_are_one_rest() {
    let mut health = Health::default();
    for _ in 0..10 {
        fail(&mut health, 0, A, C::RateLimit, limited(5_000));
    }
    assert_eq!(health.streak(A, C::RateLimit), 1);
    assert_eq!(health.streak(B, C::RateLimit), 0);
    fail(&mut health, 5_000, A, C::RateLimit, limited(15_000));
    assert_eq!(health.streak(A, C::RateLimit), 2);
    succeed(&mut health, 15_000, A);
    assert_eq!(health.streak(A, C::RateLimit), 0);
}

#[test]
fn the_longer_rest_counts_unless_the_upstream_says_better() {
    let untold = |until| rest(CredentialState::RateLimited, until, false, false);
    let mut health = Health::default();
    fail(&mut health, 0, A, C::RateLimit, untold(60_000));
    fail(&mut health, 0, A, C::RateLimit, untold(5_000));
    assert_eq!(health.look(A, at(0)), resting(60_000));
    fail(&mut health, 0, A, C::RateLimit, limited(7_000));
    assert_eq!(health.look(A, at(0)), resting(7_000));
    fail(&mut health, 0, A, C::RateLimit, limited(6_000));
    assert_eq!(health.look(A, at(0)), resting(7_000));
}

/// CRS's header-less 429, which kept an account away for hours: here it is looked at again within minutes.
#[test]
fn fault_u28_rests_without_a_word_never_keep_it_away_for_long() {
    let mut health = Health::default();
    let (mut now, mut looks) = (0, 0);
    while now < 3_600_000 {
        let streak = health.streak(A, C::RateLimit);
        let none = http::HeaderMap::new();
        let rest =
            cooldown::rest(C::RateLimit, ProviderKind::Anthropic, &none, None, at(now), streak, 3_600, 7);
        fail(&mut health, now, A, C::RateLimit, rest);
        health.end_probe(A);
        let Look::Resting { until, .. } = health.look(A, at(now)) else { panic!("it should rest") };
        assert!(until.0 - START - now <= 300_000);
        now = until.0 - START;
        assert!(health.begin_probe(A, at(now)));
        looks += 1;
    }
    assert!((12..40).contains(&looks), "{looks} looks within an hour");
    succeed(&mut health, now, A);
    assert!(health.is_quiet(at(now)));
}

#[test]
fn only_faults_of_the_upstream_count_in_breakers() {
    for class in C::ALL.iter().copied() {
        let mut health = Health::default();
        for ms in 0..20 {
            fail(&mut health, ms, A, class, None);
        }
        let opens = health.worst(at(20)) == BreakerState::Open;
        assert_eq!(opens, matches!(class, C::Provider | C::Unknown), "{class}");
        let blamed = !matches!(class, C::NotFound | C::Client | C::ClientGone | C::Local);
        assert_eq!(health.failed_total(), if blamed { 20 } else { 0 }, "{class}");
        assert_eq!(health.is_quiet(at(20)), !opens, "{class}");
    }
}

#[test]
fn a_breaker_is_of_one_model_and_its_changes_name_it() {
    let mut health = Health::default();
    let changes: Vec<_> =
        (0..3).flat_map(|ms| health.failed(failure(A, C::Provider, None), at(ms), &CONFIG)).collect();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].model.as_deref(), A);
    assert_eq!(changes[0].change.to, BreakerState::Open);
    assert_eq!(health.look(A, at(3)), Look::Open { until: at(10_002) });
    assert_eq!(health.look(B, at(3)), Look::Free);
    assert_eq!(health.worst(at(3)), BreakerState::Open);
    assert_eq!(health.worst(at(10_002)), BreakerState::HalfOpen);
    assert!(health.begin_probe(A, at(10_002)));
    assert_eq!(health.look(A, at(10_002)), Look::Open { until: at(11_002) });
    let changes = health.succeeded(A, at(10_003), &CONFIG);
    health.end_probe(A);
    assert_eq!(changes[0].change.to, BreakerState::Closed);
    assert!(health.is_quiet(at(10_003)));
    let lines = health.breakers(at(10_003));
    assert_eq!((lines[0].model.as_deref(), lines[0].state, lines[0].failures), (A, BreakerState::Closed, 0));
    assert_eq!(lines[0].last_error.as_deref(), Some("it failed"));
    assert_eq!(lines.len(), 1);
}

#[test]
fn a_rest_and_a_breaker_of_one_model_take_one_probe_together() {
    let mut health = Health::default();
    for _ in 0..3 {
        fail(&mut health, 0, A, C::Provider, None);
    }
    fail(&mut health, 0, A, C::RateLimit, limited(20_000));
    assert_eq!(health.look(A, at(10_000)), resting(20_000));
    assert!(health.begin_probe(A, at(20_000)));
    assert!(!health.begin_probe(A, at(20_000)));
    assert_eq!(succeed(&mut health, 20_001, A), 1);
    health.end_probe(A);
    assert_eq!(health.look(A, at(20_001)), Look::Free);
}

#[test]
fn fault_u36_a_missing_model_rests_alone() {
    let mut health = Health::default();
    let missing = rest(CredentialState::Unavailable, 600_000, false, false);
    fail(&mut health, 0, A, C::NotFound, missing);
    assert_eq!(
        health.look(A, at(0)),
        Look::Resting { until: at(600_000), state: CredentialState::Unavailable }
    );
    assert_eq!(health.look(B, at(0)), Look::Free);
}

#[test]
fn made_up_models_cannot_crowd_out_real_ones() {
    let mut health = Health::default();
    let missing = rest(CredentialState::Unavailable, 600_000, false, false);
    for n in 0..1_000 {
        fail(&mut health, n, Some(&format!("made-up-{n}")), C::NotFound, missing);
    }
    assert_eq!(health.models.len(), MODELS);
    for _ in 0..3 {
        fail(&mut health, 2_000, A, C::Provider, None);
    }
    assert!(matches!(health.look(A, at(2_000)), Look::Open { .. }));
    assert_eq!(health.look(B, at(2_000)), Look::Free);
}

#[test]
fn more_than_64_models_in_trouble_share_one_breaker_but_no_missing_model() {
    let mut health = Health::default();
    for n in 0..MODELS {
        for _ in 0..3 {
            fail(&mut health, 0, Some(&format!("model-{n}")), C::Provider, None);
        }
    }
    let missing = rest(CredentialState::Unavailable, 600_000, false, false);
    fail(&mut health, 0, A, C::NotFound, missing);
    assert_eq!(health.look(B, at(0)), Look::Free);
    assert_eq!(health.look(A, at(0)), Look::Free);
    for _ in 0..2 {
        fail(&mut health, 0, A, C::Provider, None);
    }
    let changes = health.failed(failure(B, C::Provider, None), at(0), &CONFIG);
    assert_eq!(changes[0].model.as_deref(), Some("*"));
    assert!(matches!(health.look(A, at(0)), Look::Open { .. }));
    assert_eq!(health.models.len(), MODELS);
    assert_eq!(health.breakers(at(0)).len(), MODELS + 1);
    assert_eq!(health.reset_breakers(at(1)).len(), MODELS + 1);
    assert!(health.is_quiet(at(1)));
}

#[test]
fn suspension_rests_the_whole_for_an_hour_each_time() {
    let mut health = Health::default();
    for n in 0..3 {
        let now = n * 3_600_000;
        let none = http::HeaderMap::new();
        let rest = cooldown::rest(C::Quota, ProviderKind::OpenAi, &none, None, at(now), 0, 60, 7);
        fail(&mut health, now, A, C::Quota, rest);
        health.end_probe(A);
        let until = at(now + 3_600_000);
        assert_eq!(health.look(B, at(now)), Look::Resting { until, state: CredentialState::Suspended });
        assert!(health.begin_probe(A, until));
    }
}

#[test]
fn rests_are_told_and_cleared() {
    let mut health = Health::default();
    fail(&mut health, 0, A, C::RateLimit, limited(5_000));
    fail(&mut health, 0, B, C::System, rest(CredentialState::Unavailable, 4_000, false, false));
    fail(&mut health, 0, B, C::RateLimit, rest(CredentialState::RateLimited, 3_000, true, true));
    let lines: Vec<_> = health.rests(at(0)).into_iter().map(|l| (l.model, l.state, l.until)).collect();
    let a = (A.map(str::to_owned), CredentialState::RateLimited, at(5_000));
    let b = (B.map(str::to_owned), CredentialState::Unavailable, at(4_000));
    assert_eq!(lines, [(None, CredentialState::RateLimited, at(3_000)), a, b]);
    assert_eq!(health.rests(at(4_500)).len(), 1);
    assert_eq!(health.clear_rests(), 3);
    assert!(health.is_quiet(at(0)));
    assert_eq!(health.streak(A, C::RateLimit), 0);
    assert_eq!(health.clear_rests(), 0);
}

#[test]
fn a_clock_that_goes_back_ends_no_rest_for_good_but_lets_one_look() {
    let mut health = Health::default();
    fail(&mut health, 0, A, C::RateLimit, limited(5_000));
    assert_eq!(health.look(A, at(-500)), resting(5_000));
    assert_eq!(health.look(A, at(-86_400_000)), Look::Probe);
    assert!(health.begin_probe(A, at(-86_400_000)));
    assert!(!health.begin_probe(A, at(-86_400_000)));
}

#[test]
fn a_day_of_outcomes_is_kept_in_slots_of_five_minutes() {
    let mut health = Health::default();
    // START is a multiple of five minutes.
    assert_eq!(START % 300_000, 0);
    succeed(&mut health, 0, A);
    fail(&mut health, 299_999, A, C::Auth, None);
    fail(&mut health, 299_999, A, C::Client, None);
    succeed(&mut health, 300_000, B);
    let slots = health.slots(at(300_000));
    assert_eq!(slots.len(), 288);
    assert_eq!(slots[286..], [(1, 1), (1, 0)]);
    assert_eq!((health.answered(), health.failed_total()), (2, 1));
    assert_eq!(health.slots(at(86_400_000))[0], (1, 0));
    assert_eq!(health.slots(at(86_700_000)).iter().filter(|slot| **slot != (0, 0)).count(), 0);
}
