//! Sample rows for tests of this crate. Nothing here is random, so a failure repeats.

use std::collections::BTreeMap;

use types::api_key::ApiKeySpec;
use types::base_url::BaseUrl;
use types::breaker::BreakerConfig;
use types::check::{CheckLine, CheckResult};
use types::credential::{CredentialEvent, CredentialMark, CredentialSpec, CredentialState, Tier};
use types::dialect::{Dialect, Endpoint};
use types::limits::Limits;
use types::package::{PackageKind, PackageSpec};
use types::price::{Bill, BillLine, CostClass, PriceSource, PriceState};
use types::provider::{ProviderKind, ProviderSpec, Timeouts};
use types::request::{Attempt, AttemptOutcome, Decision, Outcome, RequestRecord};
use types::routing::ProviderRouting;
use types::user::UserSpec;
use types::{ApiKeyId, CredentialId, Factor, Money, ProviderId, Timestamp, UserId};

use crate::error::BoxError;
use crate::{
    ApiKeyRow, Change, CheckNote, Counting, CredentialRow, ProviderRow, SealedSecret, Store, StoreError,
    UserRow,
};

/// A Saturday, 08:30 UTC.
pub(crate) const NOW: Timestamp = Timestamp(1_795_249_800_000);

pub(crate) fn change(action: &str) -> Change {
    Change {
        at: NOW,
        actor: "admin".to_owned(),
        client_ip: Some("192.0.2.1".to_owned()),
        action: action.to_owned(),
        object: action.split('.').next().unwrap_or_default().to_owned(),
        object_id: String::new(),
        object_name: "sample".to_owned(),
        before: None,
        after: Some(serde_json::json!({"name": "sample"})),
    }
}

pub(crate) fn limits() -> Limits {
    Limits { limit_5h_usd: Some(usd("2.5")), rpm_limit: Some(60), ..Limits::default() }
}

pub(crate) fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

pub(crate) fn provider_spec(name: &str) -> ProviderSpec {
    ProviderSpec {
        name: name.to_owned(),
        kind: ProviderKind::Anthropic,
        base_url: BaseUrl::parse("https://api.example.com").unwrap(),
        enabled: true,
        groups: vec!["team-a".to_owned()],
        priority: -3,
        weight: 7,
        models: vec!["claude-*".to_owned()],
        model_redirects: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        timeouts: Timeouts { connect_ms: Some(500), ..Timeouts::default() },
        cost_multiplier: "0.8".parse().unwrap(),
        limits: limits(),
        routing: ProviderRouting {
            breaker: BreakerConfig { failure_threshold: Some(4), ..BreakerConfig::default() },
            clients: vec!["!curl*".to_owned()],
            sticky: false,
            queue_ms: Some(250),
            ..ProviderRouting::default()
        },
    }
}

pub(crate) async fn provider(store: &Store, name: &str) -> ProviderRow {
    let none = |_| Ok::<_, BoxError>(None);
    store.provider_insert(&provider_spec(name), none, change("provider.create")).await.unwrap()
}

pub(crate) fn credential_spec(name: &str) -> CredentialSpec {
    CredentialSpec {
        name: name.to_owned(),
        tier: Tier::Personal,
        priority: 2,
        weight: 5,
        max_concurrency: Some(4),
        enabled: true,
        limits: limits(),
    }
}

pub(crate) async fn credential(
    store: &Store,
    provider_id: ProviderId,
    name: &str,
) -> Result<CredentialRow, StoreError> {
    let seal = |id: CredentialId| {
        let secret =
            SealedSecret { sealed: format!("sealed for {id}").into_bytes(), hint: "sk-…mnop".to_owned() };
        Ok::<_, BoxError>((secret, None))
    };
    let change = change("credential.create");
    store.credential_insert(provider_id, &credential_spec(name), seal, change).await
}

/// A change of a credential's state as the upstream causes it.
pub(crate) fn marked(
    credential_id: CredentialId,
    from: CredentialState,
    to: CredentialState,
    at: Timestamp,
) -> (CredentialMark, CredentialEvent) {
    let reason = (to != CredentialState::Valid).then(|| format!("{to} at {at}"));
    let mark =
        CredentialMark { state: to, reason: reason.clone(), since: Some(at), ..CredentialMark::default() };
    let cause = "upstream".to_owned();
    let request_id = Some(record(1).request_id);
    (mark, CredentialEvent { credential_id, at, from, to, until: None, reason, cause, request_id })
}

/// A check that found something, with what that usually does to the count.
pub(crate) fn note(credential_id: CredentialId, seen_version: i64, result: CheckResult) -> CheckNote {
    let counting = match result {
        CheckResult::Healthy => Counting::Anew,
        CheckResult::Failed => Counting::More,
        _ => Counting::Keep,
    };
    let message = (result != CheckResult::Healthy).then(|| "it said so".to_owned());
    let probe = "models".to_owned();
    let remedy = message.is_some().then(|| "do something".to_owned());
    let line = CheckLine { at: NOW, probe, result, status: Some(401), latency_ms: 12, message, remedy };
    CheckNote { credential_id, seen_version, line, counting }
}

pub(crate) fn user_spec(name: &str) -> UserSpec {
    UserSpec {
        name: name.to_owned(),
        groups: vec!["team-a".to_owned()],
        enabled: true,
        expires_at: None,
        price_rate: "1.25".parse().unwrap(),
        limits: limits(),
    }
}

pub(crate) async fn user(store: &Store, name: &str) -> UserRow {
    store.user_insert(&user_spec(name), None, change("user.create")).await.unwrap()
}

pub(crate) async fn group(store: &Store, name: &str) {
    let spec = types::group::GroupSpec::default();
    store.group_put(name, &spec, Some(0), change("group.update")).await.unwrap();
}

pub(crate) fn package_spec(name: &str) -> PackageSpec {
    PackageSpec {
        name: name.to_owned(),
        kind: PackageKind::Subscription,
        daily_usd: None,
        weekly_usd: Some(usd("5")),
        monthly_usd: Some(usd("20")),
        total_usd: None,
        duration_days: Some(30),
        models: vec!["claude-*".to_owned()],
    }
}

pub(crate) fn key_spec(name: &str) -> ApiKeySpec {
    ApiKeySpec {
        name: name.to_owned(),
        groups: vec![],
        models: vec!["gpt-*".to_owned()],
        clients: vec!["codex".to_owned()],
        ip_allow: vec!["10.0.0.0/8".parse().unwrap()],
        enabled: true,
        expires_at: Some(NOW.plus_ms(1)),
        limits: limits(),
        grant_id: None,
        translation: types::translation::TranslationMode::Strict,
    }
}

pub(crate) async fn key(store: &Store, user_id: UserId, name: &str) -> ApiKeyRow {
    let hash = format!("{name:*>32}").into_bytes();
    let change = change("key.create");
    store.key_insert(user_id, &key_spec(name), "sk-tg-ab", &hash, "p1", change).await.unwrap()
}

pub(crate) fn bill() -> Bill {
    Bill {
        price_model: "claude-sonnet-4-5".to_owned(),
        price_source: PriceSource::Default,
        service_tier: None,
        long_context_above: None,
        lines: vec![BillLine {
            class: CostClass::Output,
            quantity: 20,
            rate_usd: usd("15"),
            amount_usd: usd("0.0003"),
        }],
        cost_multiplier: Factor::ONE,
        group_rate: Factor::ONE,
        user_rate: "1.25".parse().unwrap(),
    }
}

/// The request number `n`; it arrives `n` minutes after [`NOW`].
pub(crate) fn record(n: u64) -> RequestRecord {
    let minutes = i64::try_from(n).unwrap();
    RequestRecord {
        request_id: format!("01940000-0000-7000-8000-{n:012x}").parse().unwrap(),
        client_request_id: None,
        created_at: NOW.plus_ms(minutes * 60_000),
        user_id: Some(UserId(1)),
        key_id: Some(ApiKeyId(2)),
        provider_id: Some(ProviderId(3)),
        credential_id: Some(CredentialId(4)),
        session_id: Some("conversation".to_owned()),
        endpoint: Endpoint::Messages,
        dialect: Dialect::Anthropic,
        upstream_dialect: Some(Dialect::Anthropic),
        model: Some("claude-sonnet-4-5".to_owned()),
        upstream_model: Some("claude-sonnet-4-5".to_owned()),
        streaming: true,
        status_code: 200,
        outcome: Outcome::Ok,
        error_code: None,
        error_message: None,
        input_tokens: 10 + n,
        output_tokens: 20,
        cache_read_tokens: 30,
        cache_write_tokens: 40,
        cache_write_1h_tokens: 5,
        reasoning_tokens: 6,
        audio_input_tokens: 1,
        audio_output_tokens: 2,
        image_input_tokens: 3,
        image_output_tokens: 4,
        images: 5,
        web_searches: 6,
        estimated: false,
        service_tier: Some("priority".to_owned()),
        cost_usd: Money::from_nano(1_000 + minutes).unwrap(),
        base_cost_usd: Money::from_nano(900).unwrap(),
        provider_cost_usd: Money::from_nano(800).unwrap(),
        held_usd: Money::from_nano(5_000).unwrap(),
        price_state: PriceState::Priced,
        group: Some("team-a".to_owned()),
        grant_id: None,
        bill: Some(Box::new(bill())),
        duration_ms: 1_500,
        first_byte_ms: Some(300),
        request_bytes: 1_000,
        response_bytes: 2_000,
        client_ip: Some("192.0.2.7".to_owned()),
        user_agent: Some("claude-cli/2.1".to_owned()),
        idempotency_key: None,
        attempts: vec![Attempt {
            provider_id: ProviderId(3),
            provider_name: "upstream".to_owned(),
            credential_id: CredentialId(4),
            credential_name: "key 1".to_owned(),
            status_code: Some(200),
            outcome: AttemptOutcome::Done,
            reason: None,
            started_ms: 3,
            duration_ms: 1_400,
            first_byte_ms: Some(290),
            provider_cost_usd: Money::from_nano(800).unwrap(),
            class: None,
            commit: None,
            model: None,
            head_ms: None,
            pause_ms: 0,
            hedge: false,
            rectified: Vec::new(),
            translation: None,
        }],
        decision: Some(Decision { config_revision: 9, ..Decision::default() }),
    }
}

/// The request number `n`, refused by Tollgate.
pub(crate) fn refused(n: u64, status_code: u16, code: &str) -> RequestRecord {
    RequestRecord {
        status_code,
        outcome: Outcome::Refused,
        error_code: Some(code.to_owned()),
        upstream_dialect: None,
        provider_id: None,
        credential_id: None,
        attempts: vec![],
        decision: None,
        cost_usd: Money::ZERO,
        base_cost_usd: Money::ZERO,
        provider_cost_usd: Money::ZERO,
        held_usd: Money::ZERO,
        price_state: PriceState::None,
        group: None,
        bill: None,
        ..record(n)
    }
}
