//! Tests of past decisions.

use ledger::{Batch, Position};
use types::request::RequestRecord;

use super::*;
use crate::fixture::{NOW, record, refused};
use crate::testing::each_backend;

fn minutes(n: i64) -> Timestamp {
    NOW.plus_ms(n * 60_000)
}

#[tokio::test]
async fn decisions_come_newest_first_with_what_became_of_them() {
    each_backend(|store| async move {
        let untried = RequestRecord { attempts: vec![], ..record(3) };
        let undecided = RequestRecord { decision: None, ..record(4) };
        let rows = vec![record(1), record(2), untried, undecided, refused(5, 429, "limit"), record(6)];
        store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();

        let samples = store.decision_samples(minutes(0), minutes(10), 100).await.unwrap();
        let arrived: Vec<_> = samples.iter().map(|sample| sample.at).collect();
        assert_eq!(arrived, [minutes(6), minutes(2), minutes(1)]);
        let whole = record(6);
        let expected = DecisionSample {
            at: whole.created_at,
            decision: whole.decision.unwrap(),
            attempts: whole.attempts,
            base_cost: whole.base_cost_usd,
            provider_cost: whole.provider_cost_usd,
            first_byte_ms: Some(300),
        };
        assert_eq!(samples[0], expected);

        let some = store.decision_samples(minutes(1), minutes(6), 1).await.unwrap();
        assert_eq!((some.len(), some[0].at), (1, minutes(2)));
        assert_eq!(store.decision_samples(minutes(7), minutes(10), 100).await.unwrap(), []);
    })
    .await;
}
