//! Which `Idempotency-Key`s have been used, for a start of the engine. While it runs, the engine keeps them itself.

use types::request::Outcome;
use types::{ApiKeyId, RequestId, Timestamp};

use crate::sql::{Row, args};
use crate::{Store, StoreError};

/// A request that was answered and whose caller had sent an `Idempotency-Key`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedKey {
    /// The caller's API key.
    pub key_id: ApiKeyId,
    /// As in the record: two digests with a colon between them.
    pub idempotency_key: String,
    /// The request.
    pub request_id: RequestId,
    /// Its arrival.
    pub created_at: Timestamp,
}

impl Store {
    /// The newest `max_rows` requests since the given time that were answered and had an `Idempotency-Key`, newest
    /// first.
    pub async fn idempotency_recent(
        &self,
        since: Timestamp,
        max_rows: u32,
    ) -> Result<Vec<UsedKey>, StoreError> {
        // The second condition is written as in the partial index, so that the table is not searched through.
        let rows = self
            .pool
            .rows(
                "SELECT id, key_id, idempotency_key, created_at FROM requests
                  WHERE created_at >= $1 AND idempotency_key IS NOT NULL AND key_id IS NOT NULL AND outcome = $2
                  ORDER BY created_at DESC, id DESC LIMIT $3",
                args![since, Outcome::Ok.as_str(), max_rows],
            )
            .await?;
        rows.iter().map(used_key).collect()
    }
}

fn used_key(row: &Row) -> Result<UsedKey, StoreError> {
    Ok(UsedKey {
        key_id: ApiKeyId(row.int("key_id")?),
        idempotency_key: row.text("idempotency_key")?,
        request_id: row.request_id("id")?,
        created_at: row.time("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use ledger::{Batch, Position};
    use types::request::RequestRecord;

    use super::*;
    use crate::fixture::{NOW, record};
    use crate::testing::each_backend;

    #[tokio::test]
    async fn only_answered_requests_with_a_key_since_then_are_found_newest_first() {
        each_backend(|store| async move {
            let keyed = |n: u64, outcome| RequestRecord {
                idempotency_key: Some(format!("digest-{n}:body")),
                outcome,
                ..record(n)
            };
            let mut rows = vec![record(1), keyed(2, Outcome::Ok)];
            rows.extend(Outcome::ALL.iter().zip(3..).map(|(outcome, n)| keyed(n, *outcome)));
            let nobody = RequestRecord { key_id: None, ..keyed(20, Outcome::Ok) };
            rows.extend([nobody, keyed(21, Outcome::Ok)]);
            store.ledger_apply("node", &Batch::new(rows, Position::default())).await.unwrap();

            let found = store.idempotency_recent(NOW, 10).await.unwrap();
            let names: Vec<_> = found.iter().map(|used| used.idempotency_key.as_str()).collect();
            let ok = Outcome::ALL.iter().position(|outcome| *outcome == Outcome::Ok).unwrap() + 3;
            assert_eq!(names, ["digest-21:body", &format!("digest-{ok}:body"), "digest-2:body"]);
            let newest = UsedKey {
                key_id: ApiKeyId(2),
                idempotency_key: "digest-21:body".to_owned(),
                request_id: record(21).request_id,
                created_at: record(21).created_at,
            };
            assert_eq!(found.first(), Some(&newest));

            assert_eq!(store.idempotency_recent(NOW, 1).await.unwrap(), std::slice::from_ref(&newest));
            let late = newest.created_at;
            assert_eq!(store.idempotency_recent(late, 10).await.unwrap(), [newest]);
            assert_eq!(store.idempotency_recent(late.plus_ms(1), 10).await.unwrap(), []);
        })
        .await;
    }
}
