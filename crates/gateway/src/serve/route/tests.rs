mod outage;

use std::collections::BTreeMap;

use routing::rule::Rules;
use types::api_key::ApiKeySpec;
use types::base_url::BaseUrl;
use types::breaker::BreakerState;
use types::credential::{CredentialMark, CredentialSpec};
use types::limits::Limits;
use types::provider::{ProviderKind, ProviderSpec, Timeouts};
use types::routing::Schedule;
use types::setting::Settings;
use types::user::UserSpec;
use types::{ApiKeyId, ProviderId, Secret, Timestamp, UserId};

use super::*;
use crate::authenticate::Auth;
use crate::snapshot::{Names, Proxy, User};

/// Lets everybody through; may have something against one provider's usual way.
#[derive(Debug)]
struct Open(Option<(ProviderId, Doubt)>);

impl Gate for Open {
    fn provider(&self, _provider: &Provider, _model: Option<&str>) -> Option<&'static str> {
        None
    }

    fn credential(
        &self,
        _provider: &Provider,
        _credential: &Credential,
        _model: Option<&str>,
    ) -> Option<&'static str> {
        None
    }

    fn doubt(&self, provider: &Provider) -> Option<Doubt> {
        self.0.filter(|(id, _)| *id == provider.id).map(|(_, doubt)| doubt)
    }
}

fn credential(id: i64, change: impl FnOnce(&mut CredentialSpec)) -> Arc<Credential> {
    let mut spec = CredentialSpec::named(format!("credential {id}"));
    change(&mut spec);
    Arc::new(Credential {
        id: CredentialId(id),
        spec,
        auth: Auth::Key(Secret::new("s".into())),
        proxy: Proxy::Default,
        mark: CredentialMark::default(),
        vendor: None,
        check: types::check::CheckStanding::default(),
        gauge: Arc::default(),
    })
}

fn provider(id: i64, credentials: Vec<Arc<Credential>>, change: impl FnOnce(&mut ProviderSpec)) -> Provider {
    let mut spec = ProviderSpec {
        name: format!("provider {id}"),
        kind: ProviderKind::Anthropic,
        base_url: BaseUrl::parse("http://u").unwrap(),
        enabled: true,
        groups: Vec::new(),
        priority: 0,
        weight: 1,
        models: Vec::new(),
        model_redirects: BTreeMap::new(),
        timeouts: Timeouts::default(),
        cost_multiplier: types::Factor::ONE,
        limits: Limits::default(),
        routing: types::routing::ProviderRouting::default(),
    };
    change(&mut spec);
    Provider::new(ProviderId(id), spec, Proxy::Default, credentials)
}

fn snapshot(providers: Vec<Provider>) -> Snapshot {
    Snapshot {
        vendors: BTreeMap::new(),
        revision: 7,
        loaded_at: Timestamp(0),
        aliases: Vec::new(),
        rules: Rules::new(Vec::new()),
        credentials: 0,
        has_hours: false,
        settings: Settings::default(),
        providers,
        users: std::collections::HashMap::new(),
        keys: std::collections::HashMap::new(),
        names: Names::default(),
        prices: crate::price::PriceBook::new([]),
        groups: std::collections::HashMap::new(),
        global: Limits::default(),
        resets: std::collections::HashMap::new(),
        guesses: false,
    }
}

fn key(groups: &[&str]) -> ApiKey {
    let user = UserSpec {
        name: "ada".into(),
        groups: Vec::new(),
        enabled: true,
        expires_at: None::<Timestamp>,
        price_rate: types::Factor::ONE,
        limits: Limits::default(),
    };
    ApiKey {
        id: ApiKeyId(1),
        spec: ApiKeySpec {
            name: "k".into(),
            groups: groups.iter().map(|g| (*g).to_owned()).collect(),
            models: Vec::new(),
            clients: Vec::new(),
            ip_allow: Vec::new(),
            enabled: true,
            expires_at: None,
            limits: Limits::default(),
            grant_id: None,
            translation: TranslationMode::Allow,
        },
        user: Arc::new(User { id: UserId(1), spec: user, grants: Vec::new() }),
    }
}

fn demand<'a>(key: &'a ApiKey, tried: &'a [CredentialId], seed: u64) -> Demand<'a> {
    Demand {
        endpoint: Endpoint::Messages,
        model: Some("claude-x"),
        key,
        user_agent: Some("claude-cli/2.1"),
        tried,
        gate: &Open(None),
        conversation: None,
        continued: None,
        translation: TranslationMode::Allow,
        now: Timestamp(1_000),
        minute: 600,
        seed,
    }
}

fn ids(snapshot: &Snapshot, key: &ApiKey, tried: &[CredentialId], seed: u64) -> Vec<i64> {
    select(snapshot, demand(key, tried, seed)).ranked.iter().map(|pick| pick.credential.id.0).collect()
}

#[test]
fn another_dialect_serves_only_models_that_it_names_and_after_those_that_need_no_translation() {
    let openai = |id, models: &[&str]| {
        provider(id, vec![credential(id, |_| ())], |spec| {
            spec.kind = ProviderKind::OpenAi;
            spec.models = models.iter().map(|&model| model.to_owned()).collect();
        })
    };
    let own = |id| provider(id, vec![credential(id, |_| ())], |_| ());
    let snapshot = snapshot(vec![openai(1, &["claude-*"]), openai(2, &[]), openai(3, &["gpt-*"]), own(4)]);
    let key = key(&[]);
    for seed in 0..20 {
        assert_eq!(ids(&snapshot, &key, &[], seed), [4, 1]);
    }
    let picks = select(&snapshot, demand(&key, &[], 1));
    let kept = picks.decision();
    assert_eq!(kept.candidates[1].translated, Some(Dialect::OpenAiResponses));
    let removed: Vec<_> = kept.removed.iter().map(|r| (r.filter.as_str(), r.count)).collect();
    assert_eq!(removed, [("dialect", 1), ("model", 1)]);
    let off = Demand { translation: TranslationMode::Off, ..demand(&key, &[], 1) };
    let left: Vec<_> = select(&snapshot, off).ranked.iter().map(|pick| pick.credential.id.0).collect();
    assert_eq!(left, [4]);
}

#[test]
fn ac_06_each_filter_removes_its_own_and_is_counted() {
    let busy = credential(7, |spec| spec.max_concurrency = Some(1));
    let _taken = busy.gauge.lease(Some(1), Timestamp(0)).unwrap();
    let unreadable =
        Arc::new(Credential { auth: Auth::Unreadable, ..Arc::into_inner(credential(8, |_| ())).unwrap() });
    let snapshot = snapshot(vec![
        provider(1, vec![credential(1, |_| ())], |spec| spec.enabled = false),
        provider(2, vec![credential(2, |_| ())], |spec| {
            spec.kind = ProviderKind::Gemini;
            spec.routing.translate = false;
        }),
        provider(3, vec![credential(3, |_| ())], |spec| spec.groups = vec!["red".into()]),
        provider(4, vec![credential(4, |_| ())], |spec| {
            spec.groups = vec!["blue".into()];
            spec.models = vec!["gpt-*".into()];
        }),
        provider(5, vec![], |spec| spec.groups = vec!["blue".into()]),
        provider(
            6,
            vec![
                credential(6, |spec| spec.enabled = false),
                busy,
                unreadable,
                credential(9, |_| ()),
                credential(10, |_| ()),
            ],
            |spec| {
                spec.groups = vec!["blue".into(), "green".into()];
            },
        ),
    ]);
    let key = key(&["blue"]);
    let tried = [CredentialId(9)];
    assert_eq!(ids(&snapshot, &key, &tried, 1), [10]);
    let demand = demand(&key, &tried, 1);
    let decision = select(&snapshot, demand).decision();
    let removed: Vec<_> = decision.removed.iter().map(|r| (r.filter.as_str(), r.count)).collect();
    assert_eq!(
        removed,
        [
            ("concurrency", 1),
            ("disabled", 2),
            ("endpoint", 1),
            ("group", 1),
            ("model", 1),
            ("no_credential", 1),
            ("tried", 1),
            ("unreadable", 1)
        ]
    );
    assert_eq!(decision.config_revision, 7);
}

#[test]
fn order_is_tier_then_priorities() {
    let snapshot = snapshot(vec![
        provider(1, vec![credential(2, |spec| spec.tier = Tier::Fallback)], |spec| spec.priority = -5),
        provider(2, vec![credential(3, |spec| spec.priority = 1), credential(4, |_| ())], |spec| {
            spec.priority = 1;
        }),
        provider(3, vec![credential(5, |spec| spec.tier = Tier::Personal)], |spec| spec.priority = 9),
        provider(4, vec![credential(6, |_| ())], |_| ()),
    ]);
    for seed in 0..20 {
        assert_eq!(ids(&snapshot, &key(&[]), &[], seed), [5, 6, 4, 3, 2], "seed {seed}");
    }
}

#[test]
fn ac_06_stored_states_hours_and_clients_remove_until_their_time_is_over() {
    let marked = |id, state, until: Option<i64>| {
        let mark = CredentialMark { state, until: until.map(Timestamp), ..CredentialMark::default() };
        Arc::new(Credential { mark, ..Arc::into_inner(credential(id, |_| ())).unwrap() })
    };
    let hours =
        |start: &str, end: &str| Some(Schedule { start: start.parse().unwrap(), end: end.parse().unwrap() });
    let snapshot = snapshot(vec![
        provider(
            1,
            vec![
                marked(1, CredentialState::Invalid, Some(2_000)),
                marked(2, CredentialState::Banned, None),
                marked(3, CredentialState::RateLimited, Some(1_001)),
                marked(4, CredentialState::Invalid, Some(1_000)),
                marked(5, CredentialState::RateLimited, Some(999)),
                credential(6, |spec| spec.priority = 9),
            ],
            |_| (),
        ),
        provider(2, vec![credential(7, |_| ())], |spec| spec.routing.schedule = hours("10:01", "22:00")),
        provider(3, vec![credential(8, |_| ())], |spec| spec.routing.clients = vec!["codex*".into()]),
    ]);
    let key = key(&[]);
    let selection = select(&snapshot, demand(&key, &[], 1));
    let decision = selection.decision();
    let removed: Vec<_> = decision.removed.iter().map(|r| (r.filter.as_str(), r.count)).collect();
    assert_eq!(removed, [("client", 1), ("cooldown", 1), ("schedule", 1), ("state", 2)]);
    let ranked: Vec<_> = selection.ranked.iter().map(|pick| (pick.credential.id.0, pick.probes)).collect();
    assert_eq!(ranked.last(), Some(&(6, false)), "one that must be looked at again keeps its place");
    assert_eq!(ranked.len(), 3);
    assert!(ranked.contains(&(4, true)) && ranked.contains(&(5, true)));
    let probed = |candidate: &&types::request::Candidate| candidate.breaker == Some(BreakerState::HalfOpen);
    assert_eq!(decision.candidates.iter().filter(probed).count(), 2, "and the record says so");
}

#[test]
fn ac_01_the_earliest_recovery_is_the_retry_after() {
    let until = |id, until| {
        let mark = CredentialMark {
            state: CredentialState::RateLimited,
            until: Some(Timestamp(until)),
            ..CredentialMark::default()
        };
        Arc::new(Credential { mark, ..Arc::into_inner(credential(id, |_| ())).unwrap() })
    };
    let snapshot = snapshot(vec![provider(1, vec![until(1, 61_000), until(2, 8_500)], |_| ())]);
    let key = key(&[]);
    let refusal = select(&snapshot, demand(&key, &[], 1)).nobody(demand(&key, &[], 1));
    assert_eq!(refusal.retry_after_s, Some(8));
    assert!(refusal.message.contains("cooldown 2"), "{}", refusal.message);
    assert_eq!((refusal.status, refusal.code), (429, "pool_exhausted"), "quotas alone are in the way");
    assert!(refusal.message.contains("all credentials exhausted"), "{}", refusal.message);
    assert!(refusal.details.contains_key("resets_at"));
}

#[test]
fn anything_but_a_quota_in_the_way_is_no_used_up_pool() {
    let marked = |id, state| {
        let mark = CredentialMark { state, until: Some(Timestamp(9_000)), ..CredentialMark::default() };
        Arc::new(Credential { mark, ..Arc::into_inner(credential(id, |_| ())).unwrap() })
    };
    let key = key(&[]);
    let code = |others: Vec<Arc<Credential>>| {
        let mut all =
            vec![marked(1, CredentialState::RateLimited), credential(9, |spec| spec.enabled = false)];
        all.extend(others);
        let snapshot = snapshot(vec![provider(1, all, |_| ())]);
        select(&snapshot, demand(&key, &[], 1)).nobody(demand(&key, &[], 1)).code
    };
    assert_eq!(code(vec![]), "pool_exhausted", "who is switched off does not count");
    for state in [CredentialState::Overloaded, CredentialState::Invalid, CredentialState::Banned] {
        assert_eq!(code(vec![marked(2, state)]), "no_available_account", "{state:?}");
    }
}

#[test]
fn tp_10_equals_share_by_weight_and_the_same_seed_draws_the_same() {
    let snapshot = snapshot(vec![provider(
        1,
        vec![credential(1, |spec| spec.weight = 3), credential(2, |_| ())],
        |_| (),
    )]);
    let key = key(&[]);
    let first = (0..4_000).filter(|seed| ids(&snapshot, &key, &[], *seed).first() == Some(&1)).count();
    // 3 of 4 shares; six standard deviations of a fair draw are about 165.
    assert!((2_835..=3_165).contains(&first), "{first}");
    assert_eq!(ids(&snapshot, &key, &[], 5), ids(&snapshot, &key, &[], 5));
}

#[test]
fn ac_01_nobody_left_counts_reasons_and_names_nobody() {
    let snapshot = snapshot(vec![provider(1, vec![credential(1, |_| ())], |spec| spec.enabled = false)]);
    let key = key(&[]);
    let demand = demand(&key, &[], 0);
    let refusal = select(&snapshot, demand).nobody(demand);
    assert_eq!((refusal.status, refusal.code), (503, "no_available_account"));
    for phrase in
        ["No available provider found", "no available account", "account not available", "disabled 1"]
    {
        assert!(refusal.message.contains(phrase), "{}", refusal.message);
    }
    assert!(!refusal.message.contains("provider 1"));
}
