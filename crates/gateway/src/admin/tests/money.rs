//! Prices, groups, packages, quotas and the books through the handle, on a real database.

mod books;
mod packages;
mod prices;
mod quotas;

use serde_json::json;
use types::dialect::Endpoint;
use types::price::PriceState;
use types::request::{Attempt, AttemptOutcome, Outcome, RequestRecord};
use types::{ApiKeyId, CredentialId, Money, ProviderId, RequestId, UserId};

use super::*;

fn usd(text: &str) -> Money {
    text.parse().unwrap()
}

/// A provider with a credential and the group `eu`, a user and his key.
struct Cast {
    provider: ProviderId,
    credential: CredentialId,
    user: UserId,
    key: ApiKeyId,
}

impl House {
    async fn cast(&self) -> Cast {
        let admin = self.admin();
        let provider = json!({
            "name": "vendor", "kind": "openai", "base_url": "http://127.0.0.1:9", "api_key": "sk-upstream-0123456789",
            "groups": ["eu"],
        });
        let provider = admin.provider_create(input(provider)).await.unwrap().id;
        let user = admin.user_create(input(json!({"name": "maria"}))).await.unwrap().id;
        let key = admin.key_create(user, input(json!({"name": "laptop"}))).await.unwrap().id;
        let credential = admin.credential_list(Some(provider)).await.unwrap()[0].id;
        Cast { provider, credential, user, key }
    }

    /// Books a request that was answered and brings it into the database and into the budgets.
    async fn book(&self, cast: &Cast, change: impl FnOnce(&mut RequestRecord)) -> RequestId {
        let id = RequestId(uuid::Uuid::now_v7());
        let mut record = RequestRecord::blank(id, Endpoint::ChatCompletions, self.clock.now());
        record.user_id = Some(cast.user);
        record.key_id = Some(cast.key);
        record.provider_id = Some(cast.provider);
        record.credential_id = Some(cast.credential);
        record.upstream_dialect = Some(record.dialect);
        record.model = Some("house-model".to_owned());
        record.upstream_model = Some("house-model".to_owned());
        record.group = Some("eu".to_owned());
        record.attempts.push(attempt(cast));
        let core = &self.gateway.core;
        let mut reservation = core.ledger.admit(record).unwrap();
        reservation.mark_sent().unwrap();
        let record = reservation.record_mut();
        record.outcome = Outcome::Ok;
        record.status_code = 200;
        record.input_tokens = 1_000_000;
        record.output_tokens = 500_000;
        record.price_state = PriceState::Unpriced;
        change(record);
        reservation.settle().unwrap();
        crate::accounts::catch_up(core).await.unwrap();
        core.reload_spend().await.unwrap();
        id
    }

    /// The same at a cost, without a price behind it.
    async fn spend(&self, cast: &Cast, dollars: &str) -> RequestId {
        self.book(cast, |record| {
            record.price_state = PriceState::Priced;
            record.cost_usd = usd(dollars);
            record.base_cost_usd = usd(dollars);
            record.provider_cost_usd = usd(dollars);
        })
        .await
    }
}

fn attempt(cast: &Cast) -> Attempt {
    Attempt {
        provider_id: cast.provider,
        provider_name: "vendor".to_owned(),
        credential_id: cast.credential,
        credential_name: "key 1".to_owned(),
        status_code: Some(200),
        outcome: AttemptOutcome::Done,
        reason: None,
        started_ms: 0,
        duration_ms: 1,
        first_byte_ms: None,
        provider_cost_usd: Money::ZERO,
        class: None,
        commit: None,
        model: None,
        head_ms: None,
        pause_ms: 0,
        hedge: false,
        rectified: Vec::new(),
        translation: None,
    }
}
