//! A change of the encryption secret, end to end.

use serde_json::json;

use super::*;
use crate::admin::rotate_at_start;
use crate::authenticate::Auth;
use crate::snapshot::Proxy;
use crate::vault::Vault;
use crate::vault::rotation::Rotated;

const NEW: &str = "the-new-encryption-secret-of-tests";

#[tokio::test]
async fn cr_04_after_a_rotation_the_new_secret_alone_opens_everything_and_keys_still_work() {
    let house = House::new().await;
    let admin = house.admin();
    let create = json!({
        "name": "p", "kind": "anthropic", "base_url": "http://127.0.0.1:9", "api_key": "sk-upstream-0123456789",
        "proxy_url": "http://u:pw@h:1080",
    });
    let provider = admin.provider_create(input(create)).await.unwrap();
    let credential = admin.credential_list(Some(provider.id)).await.unwrap().remove(0);
    let proxied = json!({"proxy_url": "socks5://u:other-pw@h:1080"});
    admin.credential_update(credential.id, input(proxied)).await.unwrap();
    let user = admin.user_create(input(json!({"name": "maria"}))).await.unwrap();
    let key = admin.key_create(user.id, input(json!({"name": "laptop"}))).await.unwrap().key;
    house.gateway.stop().await;

    let store = house.reopened().await;
    let rotating = House::on(store, NEW, &[ENCRYPTION]).await;
    let done = rotating.admin().secrets_rotate().await.unwrap();
    // Credential, both proxies, pepper and canary, unless the start has done it already.
    assert!(done == Rotated { resealed: 5, unreadable: 0 } || done == Rotated::default(), "{done:?}");
    rotate_at_start(&rotating.gateway.core).await.unwrap();
    assert_eq!(rotating.audit("secrets.rotate").await.len(), 1, "a second run finds nothing to do");
    rotating.gateway.stop().await;

    let store = house.reopened().await;
    assert!(Vault::open_with_canary(&secret(ENCRYPTION), &[], &store).await.is_err());
    let after = House::on(store, NEW, &[]).await;
    let core = &after.gateway.core;
    let snapshot = core.snapshot();
    let auth = &snapshot.providers[0].credentials[0].auth;
    assert!(matches!(auth, Auth::Key(key) if key.expose() == "sk-upstream-0123456789"));
    let proxy = &snapshot.providers[0].credentials[0].proxy;
    assert!(
        matches!(proxy, Proxy::Own(address) if address.expose() == "socks5://u:other-pw@h:1080"),
        "{proxy:?}"
    );
    assert!(snapshot.keys.contains_key(&core.keys.hash(&key)), "issued keys outlive the encryption secret");
}
