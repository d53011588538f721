//! Tests of stored tokens.

use types::credential::{CredentialAuth, CredentialState};
use types::oauth::{CredentialToken, TokenFault};
use types::{CredentialId, Timestamp};

use crate::error::BoxError;
use crate::fixture::{NOW, change, credential_spec, marked, provider};
use crate::testing::each_backend;
use crate::{Account, CredentialRow, FailedRefresh, FreshToken, LeftOver, SealedSecret, Store, StoreError};

const HOUR_MS: i64 = 3_600_000;

async fn connected(store: &Store) -> CredentialRow {
    let owner = provider(store, "one").await;
    let account = Account {
        auth: CredentialAuth::Oauth,
        vendor: Some("claude".to_owned()),
        account: Some("ops@example.com".to_owned()),
        scopes: Some("inference".to_owned()),
        expires_at: Some(NOW.plus_ms(3_600_000)),
        refreshed_at: Some(NOW),
    };
    let seal = |_| Ok::<_, BoxError>((SealedSecret { sealed: vec![1], hint: "account".to_owned() }, None));
    store
        .credential_insert_as(owner.id, &credential_spec("a"), &account, seal, change("credential.create"))
        .await
        .unwrap()
}

fn busy(cut_off: Option<Timestamp>) -> FailedRefresh<'static> {
    FailedRefresh { at: NOW, fault: TokenFault::Transient, error: "503", cut_off }
}

fn fresh(byte: u8) -> FreshToken {
    FreshToken {
        sealed: vec![byte],
        expires_at: Some(NOW.plus_ms(7_200_000)),
        refreshed_at: NOW.plus_ms(1),
        scopes: None,
        account: None,
    }
}

#[tokio::test]
async fn rf_06_a_fresh_token_replaces_only_the_one_that_the_refresh_started_from() {
    each_backend(|store| async move {
        let row = connected(&store).await;
        assert_eq!((row.auth, row.token.version), (CredentialAuth::Oauth, 1));
        let revision = store.config_revision().await.unwrap();
        assert!(store.credential_token_store(row.id, 1, &fresh(2)).await.unwrap());
        assert!(!store.credential_token_store(row.id, 1, &fresh(3)).await.unwrap());
        let row = store.credential_fetch(row.id).await.unwrap();
        assert_eq!((row.sealed, row.token.version, row.version), (vec![2], 2, 1));
        assert_eq!(row.token.account.as_deref(), Some("ops@example.com"));
        assert_eq!(row.token.expires_at, Some(NOW.plus_ms(7_200_000)));
        assert_eq!(store.config_revision().await.unwrap(), revision + 1);
    })
    .await;
}

#[tokio::test]
async fn rf_03_a_failure_is_noted_and_a_fresh_token_forgets_it() {
    each_backend(|store| async move {
        let row = connected(&store).await;
        let fail = |version, error: &'static str| {
            let fault = TokenFault::NeedsSignIn;
            let failed = FailedRefresh { at: NOW, fault, error, cut_off: None };
            store.credential_token_fail(row.id, version, failed)
        };
        assert!(fail(1, "invalid_grant").await.unwrap());
        assert!(fail(1, "invalid_grant again").await.unwrap());
        assert!(!fail(7, "of another token").await.unwrap());
        let token = store.credential_fetch(row.id).await.unwrap().token;
        assert_eq!((token.failures, token.fault), (2, Some(TokenFault::NeedsSignIn)));
        assert_eq!((token.error.as_deref(), token.error_at), (Some("invalid_grant again"), Some(NOW)));
        assert!(store.credential_token_store(row.id, 1, &fresh(2)).await.unwrap());
        let token = store.credential_fetch(row.id).await.unwrap().token;
        assert_eq!((token.failures, token.fault, token.error), (0, None, None));
    })
    .await;
}

#[tokio::test]
async fn fault_u31_of_two_instances_one_may_refresh_until_it_is_done_or_its_lease_ends() {
    each_backend(|store| async move {
        let row = connected(&store).await;
        let lease = |version, holder: &'static str, lasts_ms: i64| {
            store.credential_token_lease(row.id, version, holder, lasts_ms)
        };
        assert!(lease(1, "one", HOUR_MS).await.unwrap());
        assert!(!lease(1, "two", HOUR_MS).await.unwrap());
        assert!(lease(1, "one", 0).await.unwrap());
        assert!(lease(1, "two", HOUR_MS).await.unwrap());
        assert!(store.credential_token_fail(row.id, 1, busy(None)).await.unwrap());
        assert!(lease(1, "one", HOUR_MS).await.unwrap());
        assert!(store.credential_token_store(row.id, 1, &fresh(2)).await.unwrap());
        // Who has not seen the new token must not spend the old one.
        assert!(!lease(1, "two", HOUR_MS).await.unwrap());
        assert!(lease(2, "two", HOUR_MS).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn rf_06_a_lease_is_left_to_its_holder_and_to_everybody_once_it_is_over() {
    each_backend(|store| async move {
        let row = connected(&store).await;
        let left = LeftOver { id: row.id, version: 1 };
        let of = |holder: &'static str| store.credential_token_leases_left(holder);
        assert_eq!(of("one").await.unwrap(), []);
        assert!(store.credential_token_lease(row.id, 1, "one", HOUR_MS).await.unwrap());
        assert_eq!(of("one").await.unwrap(), [left]);
        assert_eq!(of("two").await.unwrap(), [], "its holder may still be at it");
        assert!(store.credential_token_lease(row.id, 1, "one", 0).await.unwrap());
        assert_eq!(of("two").await.unwrap(), [left]);
        // A vendor who cannot be asked says nothing of what became of it.
        let until = store.credential_fetch(row.id).await.unwrap().token.leased_until;
        assert!(store.credential_token_lease(row.id, 1, "two", HOUR_MS).await.unwrap());
        assert!(store.credential_token_fail(row.id, 1, busy(until)).await.unwrap());
        assert_eq!(of("one").await.unwrap(), [left]);
        assert_eq!(store.credential_fetch(row.id).await.unwrap().token.leased_until, until);
        let lost = FailedRefresh { fault: TokenFault::Revoked, ..busy(until) };
        assert!(store.credential_token_fail(row.id, 1, lost).await.unwrap());
        assert_eq!(of("two").await.unwrap(), [], "it is known");
        assert!(store.credential_token_store(row.id, 1, &fresh(2)).await.unwrap());
        assert_eq!(store.credential_fetch(row.id).await.unwrap().token.leased_until, None);
    })
    .await;
}

#[tokio::test]
async fn oa_06_a_new_sign_in_keeps_the_row_and_makes_it_good_again() {
    each_backend(|store| async move {
        let row = connected(&store).await;
        let (to, event) = marked(row.id, CredentialState::Valid, CredentialState::NeedsReauth, NOW);
        assert!(store.credential_mark(row.id, 0, &to, &event).await.unwrap());
        let account = Account {
            account: Some("other@example.com".to_owned()),
            vendor: Some("claude".to_owned()),
            ..Account::of(CredentialAuth::Oauth)
        };
        let secret = || SealedSecret { sealed: vec![9], hint: "account".to_owned() };
        let change = || change("credential.sign_in");
        let again = store.credential_sign_in(row.id, secret(), &account, change()).await.unwrap();
        assert_eq!((again.id, &again.spec, again.sealed), (row.id, &row.spec, vec![9]));
        assert_eq!((again.mark.state, again.token.version, again.version), (CredentialState::Valid, 2, 2));
        assert_eq!(again.token.account.as_deref(), Some("other@example.com"));
        assert_eq!(store.credential_count_by_vendor().await.unwrap(), [("claude".to_owned(), 1)]);
        let none = store.credential_sign_in(CredentialId(99), secret(), &account, change()).await;
        assert!(matches!(none, Err(StoreError::NotFound)));
    })
    .await;
}

#[tokio::test]
async fn what_has_an_api_key_has_no_token() {
    each_backend(|store| async move {
        let owner = provider(&store, "one").await;
        let row = crate::fixture::credential(&store, owner.id, "key 1").await.unwrap();
        assert_eq!((row.auth, row.token), (CredentialAuth::ApiKey, CredentialToken::default()));
    })
    .await;
}
