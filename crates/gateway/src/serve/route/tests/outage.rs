//! Pools in which everybody has failed.

use super::*;

/// A credential that failed so often in a row at time zero, of a breaker that opens at five.
fn failed(id: i64, failures: u64) -> Arc<Credential> {
    let credential = credential(id, |_| ());
    for fingerprint in 1..=failures {
        let failed = routing::health::Failed {
            model: Some("claude-x"),
            class: types::routing::FailureClass::Provider,
            rest: None,
            fingerprint,
            confirmed: false,
            network_counts: false,
            what: "500",
        };
        credential.gauge.failed(failed, Timestamp(0), &types::breaker::BreakerConfig::default());
    }
    credential
}

#[test]
fn fault_u49_where_nobody_can_be_reached_one_request_at_a_time_looks() {
    let unreached = |id: i64, failures: i64| {
        let credential = credential(id, |_| ());
        for at in 0..failures {
            let rest = routing::cooldown::Rest {
                until: Timestamp(6_000),
                state: CredentialState::Unavailable,
                whole: false,
                told: false,
            };
            let failed = routing::health::Failed {
                model: Some("claude-x"),
                class: types::routing::FailureClass::System,
                rest: Some(rest),
                fingerprint: 1,
                confirmed: false,
                network_counts: false,
                what: "refused",
            };
            credential.gauge.failed(failed, Timestamp(at), &types::breaker::BreakerConfig::default());
        }
        credential
    };
    let key = key(&[]);
    let of = |all: Vec<Arc<Credential>>| {
        let snapshot = snapshot(vec![provider(1, all, |_| ())]);
        let selection = select(&snapshot, demand(&key, &[], 1));
        let mut ranked: Vec<_> =
            selection.ranked.iter().map(|pick| (pick.credential.id.0, pick.probes)).collect();
        ranked.sort_unstable();
        (ranked, selection.nobody(demand(&key, &[], 1)))
    };
    // The demand's time is 1 s: who failed three times in the first milliseconds is left alone for 2 ms more.
    let (ranked, refusal) = of(vec![unreached(1, 3), unreached(2, 3)]);
    assert_eq!(ranked, [], "nobody waits for connections that will not come");
    assert_eq!((refusal.status, refusal.retry_after_s), (503, Some(1)));
    assert!(refusal.message.contains("unavailable 2"), "{}", refusal.message);
    let (ranked, _) = of(vec![unreached(1, 3), unreached(2, 2)]);
    assert_eq!(ranked, [(1, false), (2, false)], "as long as one may be reached, all are asked as before");
    let (ranked, _) = of(vec![unreached(1, 3), credential(2, |_| ())]);
    assert_eq!(ranked, [(1, false), (2, false)]);
}

#[test]
fn fault_u49_a_large_pool_that_is_dead_is_known_once_each_has_failed_once() {
    let key = key(&[]);
    let of = |all: Vec<Arc<Credential>>, now: i64, tried: &[CredentialId]| {
        let snapshot = snapshot(vec![provider(1, all, |_| ())]);
        let demand = Demand { now: Timestamp(now), ..demand(&key, tried, 1) };
        let selection = select(&snapshot, demand);
        let ranked: Vec<_> =
            selection.ranked.iter().map(|pick| (pick.credential.id.0, pick.probes)).collect();
        (ranked, selection.nobody(demand))
    };
    let pool = |dead: i64, failures| (1..=dead).map(|id| failed(id, failures)).collect::<Vec<_>>();
    // As long as somebody was not met he is first, whoever he is.
    let mut all = pool(49, 1);
    all.push(credential(50, |_| ()));
    let (ranked, _) = of(all.clone(), 10, &[]);
    assert_eq!((ranked.len(), ranked[0]), (50, (50, false)));
    // Once he failed too, callers are told at once.
    all[49] = failed(50, 1);
    let (ranked, refusal) = of(all.clone(), 10, &[]);
    assert_eq!(ranked, []);
    assert_eq!((refusal.status, refusal.retry_after_s), (503, Some(1)));
    assert!(refusal.message.contains("unavailable 50"), "{}", refusal.message);
    // Later one request at a time looks, at one of them.
    let (ranked, _) = of(all.clone(), 1_000, &[]);
    assert_eq!(ranked, [(1, true)]);
    let (ranked, _) = of(all.clone(), 1_000, &[CredentialId(1)]);
    assert_eq!(ranked, [(2, true)], "and whoever was looked at is not looked at again");
    assert!(all[0].gauge.begin_probe(Some("claude-x"), Timestamp(1_000)));
    assert_eq!(of(all.clone(), 1_100, &[]).0, [], "not so soon");
    assert_eq!(of(all.clone(), 1_500, &[]).0, [(2, true)]);
    // It is over for all as soon as one of them answers: the others come after it.
    all[6].gauge.succeeded(Some("claude-x"), Timestamp(1_500), &types::breaker::BreakerConfig::default());
    let (ranked, _) = of(all, 1_501, &[]);
    assert_eq!((ranked.len(), ranked[0]), (50, (7, false)));

    // A small pool is tried as often as its breakers allow.
    assert_eq!(of(pool(3, 4), 10, &[]).0.len(), 3);
    assert_eq!(of(pool(5, 4), 10, &[]).0.len(), 5);
    assert_eq!(of(pool(10, 2), 10, &[]).0.len(), 10);
    assert_eq!(of(pool(10, 3), 10, &[]).0.len(), 0);
}

#[test]
fn fault_u49_a_provider_that_cannot_be_reached_speaks_against_all_that_go_its_usual_way() {
    let doubt = Doubt { share: 1_000, last: Timestamp(500), again: Timestamp(1_500) };
    let unreached = Open(Some((ProviderId(1), doubt)));
    let key = key(&[]);
    let of = |providers: Vec<Provider>, now: i64| {
        let snapshot = snapshot(providers);
        let demand = Demand { now: Timestamp(now), gate: &unreached, ..demand(&key, &[], 1) };
        select(&snapshot, demand).ranked.iter().map(|pick| pick.credential.id.0).collect::<Vec<_>>()
    };
    let dead = || {
        let others = (2..=20).map(|id| credential(id, |_| ()));
        [failed(1, 1)].into_iter().chain(others).collect::<Vec<_>>()
    };
    // Where nobody is in doubt himself, for instance after a reset by hand, all are asked.
    let all = (1..=20).map(|id| credential(id, |_| ())).collect();
    assert_eq!(of(vec![provider(1, all, |_| ())], 1_000).len(), 20);
    assert_eq!(of(vec![provider(1, dead(), |_| ())], 1_000), [0; 0]);
    assert_eq!(of(vec![provider(1, dead(), |_| ())], 1_500), [1]);
    let ranked =
        of(vec![provider(1, dead(), |_| ()), provider(2, vec![credential(30, |_| ())], |_| ())], 1_000);
    assert_eq!((ranked.len(), ranked[0]), (21, 30), "who can be reached is first");
    let other = Credential {
        proxy: Proxy::Own(Secret::new("http://p".into())),
        ..Arc::into_inner(credential(21, |_| ())).unwrap()
    };
    let all = dead().into_iter().chain([Arc::new(other)]).collect();
    assert_eq!(of(vec![provider(1, all, |_| ())], 1_000)[0], 21, "another way may be open");
}
