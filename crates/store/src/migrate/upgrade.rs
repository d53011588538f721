//! Tests of the way from the released schema 1, filled, to the newest: nothing is lost, and what is new has its
//! documented start.

mod credentials;

use types::books::ReconcileFilter;
use types::check::{CheckResult, CheckStanding};
use types::credential::{CredentialAuth, CredentialMark, CredentialState};
use types::limits::Limits;
use types::price::{PriceFilter, PriceState};
use types::request::RequestFilter;
use types::routing::ProviderRouting;
use types::usage::{UsageBy, UsageFilter, UsageTotals};
use types::{ApiKeyId, CredentialId, Factor, Money, ProviderId, Timestamp, UserId};

use super::MIGRATIONS;
use crate::fixture::{NOW, change, marked, package_spec};
use crate::sql::{Args, args};
use crate::testing::{self, TestStore};
use crate::{KeyStats, SpendFrom, Store};

async fn old_stores() -> Vec<TestStore> {
    let mut stores = vec![testing::sqlite_empty().await];
    stores.extend(testing::postgres_empty().await);
    for store in &stores {
        store.migrate_with(&MIGRATIONS[..1]).await.unwrap();
    }
    stores
}

async fn put(store: &Store, sql: &'static str, args: Args) {
    assert_eq!(store.pool.execute(sql, args).await.unwrap(), 1, "{sql}");
}

async fn request(store: &Store, n: i64, user: Option<i64>, provider: Option<i64>, outcome: &str) {
    let dialect = provider.map(|_| "anthropic");
    let at = NOW.plus_ms(n * 60_000);
    put(
        store,
        "INSERT INTO requests (id, client_request_id, created_at, user_id, key_id, provider_id, credential_id,
            session_id, endpoint, dialect, upstream_dialect, model, upstream_model, streaming, status_code, outcome,
            is_error, error_code, error_message, input_tokens, output_tokens, cache_read_tokens,
            cache_write_tokens, cache_write_1h_tokens, reasoning_tokens, estimated, duration_ms, first_byte_ms,
            request_bytes, response_bytes, client_ip, user_agent, idempotency_key, attempts)
         VALUES ($1, 'mine', $2, $3, $3, $4, $4, 'talk', 'messages', 'anthropic', $5, $6, $6, $7, 200, $8, $9,
            NULL, NULL, 10, 20, 30, 40, 5, 6, $9, 900, 300, 100, 200, '192.0.2.1', 'cli', 'a:b', '[]')",
        args![
            format!("01940000-0000-7000-8000-{n:012x}"),
            at,
            user,
            provider,
            dialect,
            user.map(|_| "claude-sonnet-4-5"),
            true,
            outcome,
            false,
        ],
    )
    .await;
}

// `count` requests of the hour that `n` minutes after NOW is in.
async fn hour(store: &Store, n: i64, user: i64, provider: i64, model: &str, count: i64) {
    let sql =
        "INSERT INTO usage_hour (bucket, user_id, key_id, provider_id, model, requests, errors, refused,
            input_tokens, output_tokens, cache_read_tokens, cache_write_tokens)
         VALUES ($1, $2, $2, $3, $4, $5, 0, $6, $5 * 10, $5 * 20, $5 * 30, $5 * 40)";
    let refused = if provider == 0 { count } else { 0 };
    let bucket = NOW.plus_ms(n * 60_000).hour_start();
    put(store, sql, args![bucket, user, provider, model, count, refused]).await;
}

// Rows in every table of schema 1. Of the hour before NOW the requests were pruned, and of NOW's two.
async fn fill(store: &Store) {
    put(
        store,
        "INSERT INTO providers (name, kind, base_url, enabled, group_tags, priority, weight, models,
            model_redirects, timeouts, proxy_sealed, proxy_hint, created_at, updated_at, version)
         VALUES ('up', 'anthropic', 'https://api.example.com', $1, '[\"a\"]', 1, 2, '[]', '{}', '{}', $2, 'hint',
            7, 8, 3)",
        args![true, vec![1_u8, 2]],
    )
    .await;
    put(
        store,
        "INSERT INTO credentials (provider_id, name, tier, priority, weight, max_concurrency, enabled, sealed, hint,
            created_at, updated_at, version)
         VALUES (1, 'one', 'shared', 0, 1, 4, $1, $2, 'sk-…', 7, 8, 2)",
        args![true, vec![3_u8]],
    )
    .await;
    put(
        store,
        "INSERT INTO users (name, group_tags, enabled, expires_at, password_hash, created_at, updated_at, version)
         VALUES ('ada', '[]', $1, 99, 'phc', 7, 8, 4)",
        args![true],
    )
    .await;
    put(
        store,
        "INSERT INTO api_keys (user_id, name, group_tags, models, clients, ip_allow, enabled, expires_at, prefix,
            hash, pepper_id, created_at, updated_at, version)
         VALUES (1, 'laptop', '[]', '[]', '[]', '[]', $1, NULL, 'sk-tg-ab', $2, 'p1', 7, 8, 5)",
        args![true, vec![9_u8; 32]],
    )
    .await;
    for sql in [
        "INSERT INTO key_usage (key_id, request_count, last_used_at) VALUES (1, 10, 44)",
        "INSERT INTO settings (name, value, updated_at, updated_by) VALUES ('log_level', 'debug', 7, 'admin')",
        "INSERT INTO audit_log (at, actor, action, object, object_id, object_name)
         VALUES (7, 'admin', 'user.create', 'user', '1', 'ada')",
        "INSERT INTO meta (name, value) VALUES ('installation', 'x')",
        "INSERT INTO leases (name, holder, expires_at) VALUES ('prune', 'node', 9)",
        "INSERT INTO latency_hour (bucket, provider_id, bin, requests) VALUES (3600000, 1, 4, 5)",
        "INSERT INTO ledger_position (node, segment, byte_offset) VALUES ('node', 3, 77)",
    ] {
        put(store, sql, args![]).await;
    }
    let session =
        "INSERT INTO dashboard_sessions (id_hash, user_id, body, expires_at) VALUES ($1, 1, '{}', 9)";
    put(store, session, args![vec![5_u8]]).await;
    for n in 0..3 {
        request(store, n, Some(1), Some(1), "ok").await;
    }
    request(store, 60, Some(1), Some(1), "client_gone").await;
    request(store, 61, None, None, "refused").await;
    let decision = "INSERT INTO request_decision (id, body)
         VALUES ('01940000-0000-7000-8000-000000000001', '{\"candidates\":[],\"removed\":[],\"config_revision\":1}')";
    put(store, decision, args![]).await;
    hour(store, -60, 1, 1, "claude-sonnet-4-5", 4).await;
    hour(store, 0, 1, 1, "claude-sonnet-4-5", 5).await;
    hour(store, 60, 1, 1, "claude-sonnet-4-5", 1).await;
    hour(store, 60, 0, 0, "", 1).await;
}

const ALL: UsageFilter = UsageFilter {
    by: Some(UsageBy::Credential),
    since: None,
    until: None,
    user_id: None,
    key_id: None,
    provider_id: None,
    model: None,
    limit: None,
};

#[tokio::test]
async fn st_07_a_filled_database_of_schema_1_keeps_everything_and_gets_money() {
    for store in old_stores().await {
        fill(&store).await;
        let report = store.migrate().await.unwrap();
        assert_eq!(report.applied[0], "0002_money");

        let config = store.config_load().await.unwrap();
        let (provider, credential) = (&config.providers[0], &config.credentials[0]);
        assert_eq!((provider.spec.cost_multiplier, &provider.spec.limits), (Factor::ONE, &Limits::default()));
        assert_eq!((provider.id, provider.version, provider.usage_reset_at), (ProviderId(1), 3, None));
        assert_eq!(
            (provider.proxy_sealed.as_deref(), &provider.spec.groups),
            (Some(&[1, 2][..]), &vec!["a".to_owned()])
        );
        assert_eq!(
            (credential.id, &credential.spec.limits, credential.version),
            (CredentialId(1), &Limits::default(), 2)
        );
        let (user, key) = (&config.users[0], &config.keys[0]);
        assert_eq!(
            (user.spec.price_rate, &user.spec.limits, user.version),
            (Factor::ONE, &Limits::default(), 4)
        );
        assert_eq!((&key.spec.limits, key.spec.grant_id, key.version), (&Limits::default(), None, 5));
        assert_eq!((config.settings.len(), config.prices.len(), config.groups.len()), (1, 0, 0));

        let rows = store.request_list(&RequestFilter::default()).await.unwrap().items;
        let states: Vec<_> = rows.iter().map(|row| row.record.price_state).collect();
        let unpriced = PriceState::Unpriced;
        assert_eq!(states, [PriceState::None, unpriced, unpriced, unpriced, unpriced]);
        assert!(rows.iter().all(|row| row.record.cost_usd.is_zero() && row.record.group.is_none()));
        let second = store.request_fetch("01940000-0000-7000-8000-000000000001").await.unwrap().unwrap();
        assert!(second.record.decision.is_some() && second.record.bill.is_none());
        assert_eq!(store.unpriced_models(Timestamp(0), 5).await.unwrap()[0].requests, 4);

        let totals = store.usage_totals(Timestamp(0), Timestamp(i64::MAX), None).await.unwrap();
        let expected = UsageTotals {
            requests: 11,
            refused: 1,
            input_tokens: 110,
            output_tokens: 220,
            cache_read_tokens: 330,
            cache_write_tokens: 440,
            unpriced: 4,
            ..UsageTotals::default()
        };
        assert_eq!(totals, expected);
        let lines = store.usage_by(&ALL).await.unwrap();
        let requests: Vec<_> = lines.iter().map(|line| (line.key.as_str(), line.totals.requests)).collect();
        // Six were pruned before credentials were summed, one was refused.
        assert_eq!(requests, [("0", 7), ("1", 4)]);
        let found = store.reconcile(&ReconcileFilter::default()).await.unwrap();
        assert_eq!((found.since, found.rows), (NOW.hour_start().plus_ms(Timestamp::HOUR_MS), 2));
        assert!(found.differences.iter().all(|difference| difference.subject == "counter"), "{found:?}");
        let counter = store.key_stats(&[ApiKeyId(1)]).await.unwrap();
        let kept = KeyStats { request_count: 10, last_used_at: Some(Timestamp(44)), cost_usd: Money::ZERO };
        assert_eq!(counter.get(&ApiKeyId(1)), Some(&kept));
        assert_eq!(store.ledger_position("node").await.unwrap().offset, 77);
        assert_eq!(store.latency_bins(Timestamp(0), Timestamp(i64::MAX)).await.unwrap()[4], 5);
        assert_eq!(store.meta_get("installation").await.unwrap().as_deref(), Some("x"));

        // And it works on.
        let from = SpendFrom { minutes_since: NOW, week: NOW, month: NOW };
        assert_eq!(store.spend_load(from).await.unwrap(), []);
        assert_eq!(store.price_list(&PriceFilter::default()).await.unwrap().items, []);
        store
            .grant_insert(UserId(1), None, &package_spec("pro"), NOW, None, change("grant.create"))
            .await
            .unwrap();
        assert!(store.migrate().await.unwrap().applied.is_empty());
    }
}

// Costs at odd instants over two days, with losses; schema 2 has no sums by minute.
async fn spend_without_minutes(store: &Store) {
    for n in 0..120_i64 {
        request(store, -n * 23, Some(1 + n % 2), Some(1 + n % 3), "ok").await;
    }
    for sql in [
        "UPDATE requests SET created_at = created_at + input_tokens * 777, cost_nano = 1000 + created_at % 977,
            provider_cost_nano = 500 + created_at % 101, price_state = 'priced'",
        "UPDATE requests SET group_name = 'team-a' WHERE user_id = 1",
        "UPDATE requests SET grant_id = 1 WHERE user_id = 2",
        "UPDATE requests SET user_id = NULL, key_id = NULL WHERE provider_id = 3",
        "INSERT INTO request_loss (request_id, attempt, created_at, provider_id, credential_id, provider_cost_nano)
            SELECT id, 0, created_at, 7, 8, 55 FROM requests WHERE provider_id = 2",
    ] {
        assert!(store.pool.execute(sql, args![]).await.unwrap() > 0, "{sql}");
    }
}

#[tokio::test]
async fn st_07_minutes_of_the_last_day_are_there_after_an_upgrade() {
    for store in old_stores().await {
        store.migrate_with(&MIGRATIONS[..2]).await.unwrap();
        spend_without_minutes(&store).await;
        store.migrate().await.unwrap();
        crate::fixture::group(&store, "team-a").await;
        let kept = store.pool.row("SELECT COUNT(*) AS n FROM spend_minute", args![]).await.unwrap();
        assert!(kept.int("n").unwrap() > 100);
        for hours in [0, 3, 25, 40, 60] {
            let minutes_since = NOW.plus_ms(-hours * Timestamp::HOUR_MS);
            let from = SpendFrom { minutes_since, week: NOW, month: NOW };
            let loaded = store.spend_load(from).await.unwrap();
            assert_eq!(loaded, crate::spend::tests::load_from_rows(&store, from).await, "{hours} hours");
        }
    }
}

#[tokio::test]
async fn st_07_a_credential_that_was_refused_still_is_after_an_upgrade() {
    for store in old_stores().await {
        fill(&store).await;
        store.migrate_with(&MIGRATIONS[..3]).await.unwrap();
        put(
            &store,
            "INSERT INTO credentials (provider_id, name, tier, priority, weight, max_concurrency, enabled, sealed,
                hint, rejected_at, rejected_reason, created_at, updated_at, version)
             VALUES (1, 'two', 'shared', 0, 1, 4, $1, $2, 'sk-…', 55, '401: invalid x-api-key', 7, 8, 2)",
            args![true, vec![3_u8]],
        )
        .await;
        let group = "INSERT INTO provider_groups (name, price_rate, limits, updated_at, version)
             VALUES ('a', 1500000, '{}', 7, 3)";
        put(&store, group, args![]).await;
        assert_eq!(store.migrate().await.unwrap().applied[0], "0004_routing");

        let config = store.config_load().await.unwrap();
        let refused = CredentialMark {
            state: CredentialState::Invalid,
            until: None,
            reason: Some("401: invalid x-api-key".to_owned()),
            since: Some(Timestamp(55)),
            version: 0,
        };
        let marks: Vec<_> = config.credentials.iter().map(|row| row.mark.clone()).collect();
        assert_eq!(marks, [CredentialMark::default(), refused]);
        assert_eq!(config.credentials[1].version, 2);
        assert_eq!(config.providers[0].spec.routing, ProviderRouting::default());
        assert_eq!((config.groups[0].spec.strategy, config.groups[0].version), (None, 3));
        assert!(config.aliases.is_empty() && config.error_rules.is_empty());
        let samples = store.decision_samples(Timestamp(0), Timestamp(i64::MAX), 9).await.unwrap();
        // Requests of that time tell of no attempt.
        assert_eq!(samples, []);

        // And it works on.
        let (to, event) = marked(CredentialId(2), CredentialState::Invalid, CredentialState::Valid, NOW);
        assert!(store.credential_mark(CredentialId(2), 0, &to, &event).await.unwrap());
    }
}

#[tokio::test]
async fn st_07_a_credential_of_before_has_no_proxy_of_its_own_and_can_get_one() {
    for store in old_stores().await {
        fill(&store).await;
        store.migrate_with(&MIGRATIONS[..5]).await.unwrap();
        let report = store.migrate().await.unwrap();
        assert_eq!(report.applied[0], "0006_credential_proxy");
        let row = store.credential_fetch(CredentialId(1)).await.unwrap();
        assert_eq!((&row.proxy_sealed, &row.proxy_hint, row.version), (&None, &None, 2));
        let proxy = crate::SealedProxy { sealed: vec![7], hint: "http://p".to_owned() };
        let change = change("credential.update");
        let row = store
            .credential_update(row.id, 2, &row.spec, None, types::Patch::Set(proxy), change)
            .await
            .unwrap();
        assert_eq!((row.proxy_sealed, row.sealed), (Some(vec![7]), vec![3]));
    }
}

#[tokio::test]
async fn st_07_a_credential_of_before_is_an_api_key_and_can_become_an_account() {
    for store in old_stores().await {
        fill(&store).await;
        store.migrate_with(&MIGRATIONS[..6]).await.unwrap();
        assert_eq!(store.migrate().await.unwrap().applied[0], "0007_oauth");
        let row = store.credential_fetch(CredentialId(1)).await.unwrap();
        assert_eq!((row.auth, row.token.version, row.version), (CredentialAuth::ApiKey, 0, 2));
        let secret = crate::SealedSecret { sealed: vec![8], hint: "account".to_owned() };
        let account = crate::Account::of(CredentialAuth::Oauth);
        let change = change("credential.sign_in");
        let row = store.credential_sign_in(row.id, secret, &account, change).await.unwrap();
        assert_eq!((row.auth, row.token.version, row.sealed), (CredentialAuth::Oauth, 1, vec![8]));
        assert!(store.oauth_vendor_list().await.unwrap().is_empty());
        assert!(store.oauth_flow_list(5).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_database_from_which_nothing_was_pruned_can_be_compared_from_its_beginning() {
    for store in old_stores().await {
        request(&store, 0, Some(1), Some(1), "ok").await;
        hour(&store, 0, 1, 1, "claude-sonnet-4-5", 1).await;
        put(&store, "INSERT INTO key_usage (key_id, request_count, last_used_at) VALUES (1, 1, 4)", args![])
            .await;
        store.migrate().await.unwrap();
        let found = store.reconcile(&ReconcileFilter::default()).await.unwrap();
        assert_eq!((found.since, found.rows, found.differences.as_slice()), (Timestamp(0), 1, [].as_slice()));
    }
}

#[tokio::test]
async fn st_07_keys_of_before_may_be_translated() {
    for store in old_stores().await {
        fill(&store).await;
        store.migrate_with(&MIGRATIONS[..4]).await.unwrap();
        store.migrate().await.unwrap();
        let config = store.config_load().await.unwrap();
        assert!(!config.keys.is_empty());
        for key in config.keys {
            assert_eq!(key.spec.translation, types::translation::TranslationMode::Allow);
        }
    }
}
