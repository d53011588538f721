//! What holds after any events in any order.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Wait(i64),
    Succeed(u8),
    Fail { model: u8, class: C, rest_ms: Option<i64>, whole: bool, confirmed: bool },
    Begin(u8),
    End(u8),
    ResetBreakers,
    ClearRests,
}

fn step() -> impl Strategy<Value = Step> {
    // Mostly a few models, sometimes any of more than it can hold.
    let model = || prop_oneof![4 => 0_u8..3, 1 => 0_u8..200];
    prop_oneof![
        3 => (0_i64..20_000).prop_map(Step::Wait),
        1 => (-100_000_i64..1_000_000).prop_map(Step::Wait),
        4 => model().prop_map(Step::Succeed),
        8 => (model(), prop::sample::select(C::ALL), prop::option::of(1_000_i64..60_000), any::<bool>(), any::<bool>())
            .prop_map(|(model, class, rest_ms, whole, confirmed)| Step::Fail { model, class, rest_ms, whole, confirmed }),
        4 => model().prop_map(Step::Begin),
        3 => model().prop_map(Step::End),
        1 => prop::bool::weighted(0.2).prop_map(|yes| if yes { Step::ResetBreakers } else { Step::Wait(0) }),
        1 => prop::bool::weighted(0.2).prop_map(|yes| if yes { Step::ClearRests } else { Step::Wait(0) }),
    ]
}

fn name(model: u8) -> Option<String> {
    (model > 0).then(|| format!("model-{model}"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn looks_probes_and_bounds_agree_and_success_brings_quiet(steps in prop::collection::vec(step(), 1..400)) {
        let (mut health, mut now) = (Health::default(), START);
        for step in steps {
            match step {
                Step::Wait(ms) => now += ms,
                Step::Succeed(model) => drop(health.succeeded(name(model).as_deref(), Timestamp(now), &CONFIG)),
                Step::Fail { model, class, rest_ms, whole, confirmed } => {
                    let rest = rest_ms.map(|ms| Rest {
                        until: Timestamp(now + ms),
                        state: CredentialState::RateLimited,
                        whole,
                        told: confirmed,
                    });
                    let model = name(model);
                    let failed = Failed { confirmed, ..failure(model.as_deref(), class, rest) };
                    health.failed(failed, Timestamp(now), &CONFIG);
                }
                Step::Begin(model) => {
                    let model = name(model);
                    let looked = health.look(model.as_deref(), Timestamp(now));
                    let begins = health.begin_probe(model.as_deref(), Timestamp(now));
                    match looked {
                        Look::Probe => prop_assert!(begins),
                        Look::Resting { .. } | Look::Open { .. } => prop_assert!(!begins),
                        Look::Free | Look::Demoted { .. } => {}
                    }
                    prop_assert!(!health.begin_probe(model.as_deref(), Timestamp(now)), "one at a time");
                }
                Step::End(model) => health.end_probe(name(model).as_deref()),
                Step::ResetBreakers => {
                    health.reset_breakers(Timestamp(now));
                    prop_assert_eq!(health.worst(Timestamp(now)), BreakerState::Closed);
                }
                Step::ClearRests => {
                    health.clear_rests();
                    prop_assert_eq!(health.rests(Timestamp(now)), []);
                }
            }
            prop_assert!(health.models.len() <= MODELS);
            let all_free = (0..200).all(|n| health.look(name(n).as_deref(), Timestamp(now)) == Look::Free);
            prop_assert!(!health.is_quiet(Timestamp(now)) || all_free, "quiet, but not free");
        }
        // Later, when all is well again, the first success of each model suffices (one success closes here).
        now += 86_400_000;
        for n in 0..200 {
            let model = name(n);
            if health.look(model.as_deref(), Timestamp(now)) == Look::Probe {
                prop_assert!(health.begin_probe(model.as_deref(), Timestamp(now)));
            }
            health.succeeded(model.as_deref(), Timestamp(now), &CONFIG);
            health.end_probe(model.as_deref());
            prop_assert_eq!(health.look(model.as_deref(), Timestamp(now)), Look::Free);
        }
        prop_assert!(health.is_quiet(Timestamp(now)));
        prop_assert!(!health.troubled);
    }
}
