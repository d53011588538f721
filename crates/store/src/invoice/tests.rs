//! Tests of what providers charged.

use ledger::{Batch, Position};
use types::CredentialId;
use types::request::{Attempt, RequestRecord};

use super::*;
use crate::fixture::{NOW, record, refused};
use crate::testing::each_backend;

#[tokio::test]
async fn what_providers_charged_is_summed_by_day_and_model_with_failed_attempts() {
    each_backend(|store| async move {
        let mut failed_over = record(1);
        let lost = Attempt {
            provider_id: ProviderId(9),
            credential_id: CredentialId(9),
            provider_cost_usd: Money::from_nano(70).unwrap(),
            ..failed_over.attempts[0].clone()
        };
        failed_over.attempts.insert(0, lost);
        let renamed = RequestRecord { upstream_model: Some("claude-opus".to_owned()), ..record(2) };
        let tomorrow = RequestRecord { created_at: NOW.plus_ms(Timestamp::DAY_MS), ..record(3) };
        let rows = vec![failed_over, renamed, tomorrow, refused(4, 401, "no_key")];
        store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();
        let read = async |provider| {
            let until = NOW.plus_ms(2 * Timestamp::DAY_MS);
            let days = store.provider_cost_by_day_model(provider, NOW, until).await.unwrap();
            let line = |day: ProviderDay| (day.day, day.model, day.requests, day.cost_usd.nano());
            days.into_iter().map(line).collect::<Vec<_>>()
        };
        let (today, next) = (NOW.day_start(), NOW.day_start().plus_ms(Timestamp::DAY_MS));
        let line = |day, model: &str, requests, cost| (day, model.to_owned(), requests, cost);
        let sonnet = "claude-sonnet-4-5";
        let opus = line(today, "claude-opus", 1, 800);
        assert_eq!(read(None).await, [opus.clone(), line(today, sonnet, 1, 870), line(next, sonnet, 1, 800)]);
        assert_eq!(read(Some(ProviderId(9))).await, [line(today, sonnet, 0, 70)]);
        assert_eq!(read(Some(ProviderId(3))).await.first(), Some(&opus));
    })
    .await;
}
