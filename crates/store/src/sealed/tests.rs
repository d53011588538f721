//! Sealing anew in every column, and that no column can be forgotten.

use types::oauth::{FlowWay, VendorSpec};
use types::{CredentialId, Patch};

use super::*;
use crate::fixture::{NOW, change, credential, credential_spec, provider};
use crate::testing::each_backend;
use crate::{BoxError, NewFlow, SealedProxy, SealedSecret};

/// Columns of bytes that hold no secret: hashes, from which nothing can be had back.
const HASHES: [(&str, &str); 4] = [
    ("api_keys", "hash"),
    ("dashboard_sessions", "id_hash"),
    ("oauth_flows", "session_hash"),
    ("oauth_flows", "state_hash"),
];

#[tokio::test]
async fn cr_04_every_column_of_bytes_is_sealed_anew_or_known_to_hold_no_secret() {
    each_backend(|store| async move {
        let sql = if store.is_shared() {
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c FROM information_schema.columns
             WHERE table_schema = current_schema() AND data_type = 'bytea'"
        } else {
            "SELECT m.name AS t, p.name AS c FROM sqlite_master m, pragma_table_info(m.name) p
             WHERE m.type = 'table' AND upper(p.type) = 'BLOB'"
        };
        let rows = store.pool.rows(sql, args![]).await.unwrap();
        let found: Vec<_> = rows.iter().map(|row| (row.text("t").unwrap(), row.text("c").unwrap())).collect();
        let known: Vec<_> =
            SealedPlace::ALL.iter().map(|place| place.table_and_column()).chain(HASHES).collect();
        for (table, column) in &found {
            assert!(
                known.contains(&(table, column)),
                "{table}.{column} is no SealedPlace and not known as a hash: a rotation would leave it behind"
            );
        }
        for (table, column) in known {
            assert!(found.iter().any(|(t, c)| t == table && c == column), "{table}.{column} is not there");
        }
    })
    .await;
}

/// A row in every column, so that nothing is tested against an empty table.
async fn fill(store: &Store) {
    let sealed = |text: &str| SealedProxy { sealed: text.as_bytes().to_vec(), hint: "http://p".to_owned() };
    let owner = provider(store, "one").await;
    let proxied = Patch::Set(sealed("v1-provider-proxy"));
    store.provider_update(owner.id, owner.version, &owner.spec, proxied, change("p")).await.unwrap();
    credential(store, owner.id, "key 1").await.unwrap();
    let seal = |_: CredentialId| {
        let secret = SealedSecret { sealed: b"v1-secret".to_vec(), hint: "sk-…".to_owned() };
        Ok::<_, BoxError>((secret, Some(sealed("v1-credential-proxy"))))
    };
    let made = store.credential_insert(owner.id, &credential_spec("key 2"), seal, change("c")).await.unwrap();
    store.credential_delete(made.id, change("d")).await.unwrap();
    let secret = |_: i64| {
        let secret = SealedSecret { sealed: b"v1-client".to_vec(), hint: String::new() };
        Ok::<_, BoxError>(Some(Some(secret)))
    };
    store.oauth_vendor_put("one", 0, &VendorSpec::default(), "c", secret, change("v")).await.unwrap();
    let flow = NewFlow {
        state_hash: vec![1],
        session_hash: vec![2],
        vendor: "one".to_owned(),
        provider_id: owner.id,
        credential_id: None,
        way: FlowWay::Callback,
        body: "{}".to_owned(),
        at: NOW,
        expires_at: NOW,
    };
    store.oauth_flow_insert(&flow, |_| Ok::<_, BoxError>(b"v1-verifier".to_vec())).await.unwrap();
}

#[tokio::test]
async fn cr_04_values_are_read_in_pieces_and_replaced_unless_they_changed() {
    each_backend(|store| async move {
        fill(&store).await;
        let revision = store.config_revision().await.unwrap();
        for place in SealedPlace::ALL {
            let all = store.sealed_batch(place, 0, 100).await.unwrap();
            assert!(!all.is_empty(), "{place:?}");
            let first = store.sealed_batch(place, 0, 1).await.unwrap().remove(0);
            assert_eq!(first, all[0], "{place:?}");
            assert_eq!(store.sealed_batch(place, first.row, 100).await.unwrap(), all[1..], "{place:?}");
            let stale = Resealed { row: first.row, old: b"other".to_vec(), new: b"v2-late".to_vec() };
            let good = Resealed { row: first.row, old: first.sealed.clone(), new: b"v2-new".to_vec() };
            assert_eq!(store.sealed_replace(place, &[stale, good]).await.unwrap(), 1, "{place:?}");
            let again = store.sealed_batch(place, 0, 100).await.unwrap();
            assert_eq!(again[0].sealed, b"v2-new", "{place:?}");
            assert_eq!(again[1..], all[1..], "{place:?}: others stay");
            let counts = store.sealed_counts(place, 2).await.unwrap();
            let of = |head: &[u8]| counts.iter().find(|count| count.head == head).map_or(0, |c| c.values);
            assert_eq!(of(b"v2"), 1, "{place:?}: {counts:?}");
            let sum: u64 = counts.iter().map(|count| count.values).sum();
            assert_eq!(sum, u64::try_from(all.len()).unwrap(), "{place:?}");
        }
        assert_eq!(store.config_revision().await.unwrap(), revision, "what requests use is the same");
    })
    .await;
}

#[tokio::test]
async fn cr_04_a_sign_in_that_has_ended_is_no_sealed_value_any_more() {
    each_backend(|store| async move {
        fill(&store).await;
        let id = store.oauth_flow_list(1).await.unwrap()[0].id;
        let end = crate::FlowEnd {
            phase: types::oauth::FlowPhase::Cancelled,
            credential_id: None,
            error_code: None,
            error: None,
            request_id: None,
        };
        assert!(store.oauth_flow_end(id, &end, NOW).await.unwrap());
        assert!(store.sealed_batch(SealedPlace::FlowSecret, 0, 100).await.unwrap().is_empty());
        assert!(store.sealed_counts(SealedPlace::FlowSecret, 2).await.unwrap().is_empty());
    })
    .await;
}
