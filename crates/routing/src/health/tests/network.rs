//! What a failed network does to a credential that may be well.

use super::*;

#[test]
fn network_faults_demote_and_a_success_takes_it_back() {
    let unavailable = |until| rest(CredentialState::Unavailable, until, false, false);
    let mut health = Health::default();
    for n in 0..2 {
        assert_eq!(fail(&mut health, n, A, C::System, unavailable(5_000)), 0, "breakers do not count it");
    }
    assert_eq!(health.look(A, at(10)), Look::Demoted { until: at(5_000), again: None });
    assert_eq!(health.worst(at(10)), BreakerState::Closed);
    assert_eq!(health.look(A, at(5_000)), Look::Free, "once over it is as before, without a probe");
    fail(&mut health, 5_000, A, C::System, unavailable(15_000));
    assert_eq!(health.streak(A, C::System), 2);
    succeed(&mut health, 5_001, A);
    assert_eq!(health.streak(A, C::System), 0);
    assert!(health.is_quiet(at(5_001)));
}

#[test]
fn fault_u49_who_cannot_be_reached_again_and_again_is_looked_at_by_one_at_a_time() {
    let unavailable = |until| rest(CredentialState::Unavailable, until, false, false);
    let mut health = Health::default();
    for n in 0..10 {
        fail(&mut health, n, A, C::System, unavailable(5_000));
    }
    let demoted = |until, again| Look::Demoted { until: at(until), again: Some(at(again)) };
    assert_eq!(health.look(A, at(10)), demoted(5_000, 1_009), "those that failed together count once");
    assert_eq!(health.look(B, at(10)), Look::Free);
    assert!(health.begin_probe(A, at(1_009)));
    assert_eq!(health.look(A, at(1_010)), demoted(5_000, 2_010), "somebody looks");
    assert!(!health.begin_probe(A, at(1_010)), "one at a time");
    fail(&mut health, 1_020, A, C::System, unavailable(5_000));
    assert_eq!(health.look(A, at(1_030)), demoted(5_000, 3_020), "twice as long");
    for n in 1..10 {
        assert!(health.begin_probe(A, at(1_020 + n * 8_000)));
        fail(&mut health, 1_020 + n * 8_000, A, C::System, unavailable(200_000));
    }
    assert_eq!(health.look(A, at(73_021)), demoted(200_000, 81_020), "but never longer than 8 s");
    assert_eq!(health.look(A, at(200_000)), Look::Probe, "nor all at once when it may be over");
    assert!(health.begin_probe(A, at(200_000)));
    assert!(matches!(health.look(A, at(200_001)), Look::Demoted { again: Some(_), .. }));
    succeed(&mut health, 200_002, A);
    assert_eq!(health.look(A, at(200_003)), Look::Free);
    assert!(health.is_quiet(at(200_003)));
}

#[test]
fn network_faults_open_breakers_only_by_the_switch() {
    let mut health = Health::default();
    let counted = Failed { network_counts: true, ..failure(A, C::System, None) };
    let changes: Vec<_> = (0..3).map(|ms| health.failed(counted, at(ms), &CONFIG).len()).collect();
    assert_eq!(changes, [0, 0, 1]);
}

#[test]
fn fault_u49_failures_in_a_row_add_up_to_a_doubt_and_a_success_takes_it_back() {
    let unavailable = |until| rest(CredentialState::Unavailable, until, false, false);
    let mut health = Health::default();
    assert_eq!(health.doubt(A, at(0), 5), None);
    fail(&mut health, 0, A, C::System, unavailable(5_000));
    let doubt = |share, last, again| Some(Doubt { share, last: at(last), again: at(again) });
    assert_eq!(health.doubt(A, at(1), 5), doubt(333, 0, 1_000));
    assert_eq!(health.doubt(B, at(1), 5), None, "another model may well be there");
    assert_eq!(
        health.doubt(A, at(60_000), 5),
        doubt(333, 0, 1_000),
        "although it is asked as before by then"
    );
    assert_eq!(health.doubt(A, at(120_000), 5), None, "but not forever");
    for n in 1..3 {
        fail(&mut health, n, A, C::System, unavailable(5_000));
    }
    assert_eq!(
        health.doubt(A, at(500_000), 5),
        doubt(1_000, 2, 1_002),
        "whoever is never reached is remembered"
    );
    assert!(health.begin_probe(A, at(500_000)));
    assert_eq!(health.doubt(A, at(500_000), 5), doubt(1_000, 500_000, 501_000), "somebody looks");
    succeed(&mut health, 500_001, A);
    assert_eq!(health.doubt(A, at(500_001), 5), None);
    assert!(!health.is_doubted(at(500_001)));

    // The same of answers that are none, as far as its breaker counts them.
    fail(&mut health, 600_000, A, C::Provider, None);
    assert_eq!(health.doubt(A, at(600_001), 5), doubt(200, 600_000, 601_000));
    assert_eq!(health.doubt(A, at(600_001), 1_000), doubt(1, 600_000, 601_000));
    assert!(health.is_doubted(at(600_001)) && !health.is_doubted(at(900_000)));
    fail(&mut health, 700_000, A, C::RateLimit, None);
    assert_eq!(health.doubt(A, at(700_001), 5).map(|doubt| doubt.share), Some(200), "a quota is no fault");
}
