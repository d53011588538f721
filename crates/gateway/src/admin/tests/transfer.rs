//! Other gateways' files taken over, and exports opened on another installation.

use types::credential::CredentialAuth;
use types::import::{CredentialImport, ExportCredentials, ImportAction, ImportCredentials};
use types::provider::CreateProvider;
use types::{Problem, Secret};

use super::House;
use crate::admin::Admin;

const LITELLM: &str = include_str!("../../../../import/fixtures/litellm.yaml");
const NEW_API: &str = include_str!("../../../../import/fixtures/new-api.json");
const RELAY: &str = include_str!("../../../../import/fixtures/relay-sync.json");
const HUB: &str = include_str!("../../../../import/fixtures/hub.json");
const PASSPHRASE: &str = "correct horse battery";

fn file(content: &str) -> ImportCredentials {
    ImportCredentials {
        content: Secret::new(content.to_owned()),
        passphrase: None,
        from: None,
        origin: Some("a file".to_owned()),
        on_conflict: None,
        dry_run: false,
        probe: false,
        leave_out: Vec::new(),
        preview: None,
    }
}

async fn import(admin: &Admin, input: ImportCredentials) -> Result<CredentialImport, Problem> {
    let found = Box::pin(admin.credential_import(input)).await;
    assert!(!format!("{found:?}").contains("canary"), "{found:?}");
    found
}

fn counts(found: &CredentialImport) -> [u64; 4] {
    [found.new_providers, found.new_credentials, found.existing, found.skipped]
}

/// Every secret as it would be sent, in order.
async fn secrets(house: &House) -> Vec<String> {
    let snapshot = house.admin().core.snapshot();
    let vault = &house.admin().core.vault;
    let rows = house.store.credential_list(false).await.unwrap();
    assert_eq!(rows.len(), snapshot.credentials);
    let open = |row: &store::CredentialRow| {
        vault.open(crate::vault::Purpose::CredentialSecret, row.id.0, &row.sealed).unwrap().expose().clone()
    };
    rows.iter().map(open).collect()
}

#[tokio::test]
async fn an_import_does_what_its_dry_run_said_and_is_in_force_at_once() {
    let house = House::new().await;
    let admin = house.admin();
    let seen = import(&admin, ImportCredentials { dry_run: true, ..file(LITELLM) }).await.unwrap();
    assert_eq!((counts(&seen), seen.applied), ([5, 4, 0, 0], false));
    assert!(house.store.provider_list(true).await.unwrap().is_empty());
    assert!(house.audit("credential.import").await.is_empty());

    let other = ImportCredentials { preview: Some(seen.preview.clone()), ..file(NEW_API) };
    assert_eq!(import(&admin, other).await.unwrap_err().code, "stale_version");
    let input = ImportCredentials { preview: Some(seen.preview.clone()), ..file(LITELLM) };
    let did = import(&admin, input).await.unwrap();
    assert_eq!((did.providers, did.applied), (seen.providers, true));
    let expected = [
        "sk-canary-litellm-openai-0001",
        "sk-canary-litellm-openai-0002",
        "0123456789012345678901234567",
        "canary-litellm-azure-0003",
    ];
    assert_eq!(secrets(&house).await, expected);
    assert_eq!(house.audit("provider.create").await.len(), 5);
    assert_eq!(house.audit("credential.create").await.len(), 4);
    let whole = house.audit("credential.import").await;
    assert_eq!((whole.len(), whole[0].object_name.as_str()), (1, "a file"));
    assert!(!format!("{:?}", house.audit("credential.create").await).contains("canary"));
}

#[tokio::test]
async fn repeating_an_import_adds_nothing_and_writes_nothing() {
    let house = House::new().await;
    let admin = house.admin();
    for content in [LITELLM, NEW_API, HUB] {
        import(&admin, file(content)).await.unwrap();
        let revision = house.store.config_revision().await.unwrap();
        let again = import(&admin, file(content)).await.unwrap();
        assert_eq!(counts(&again)[..2], [0, 0], "{again:?}");
        assert!(again.providers.iter().all(|provider| provider.action != ImportAction::Add));
        assert_eq!(house.store.config_revision().await.unwrap(), revision);
    }
    assert_eq!(house.audit("credential.import").await.len(), 3);
}

#[tokio::test]
async fn an_export_is_the_same_installation_again_elsewhere() {
    let (house, other) = (House::new().await, House::new().await);
    let admin = house.admin();
    import(&admin, file(HUB)).await.unwrap();
    import(&admin, file(NEW_API)).await.unwrap();
    let export = |passphrase: &str| {
        admin.credential_export(ExportCredentials {
            passphrase: Secret::new(passphrase.to_owned()),
            provider_ids: Vec::new(),
            credential_ids: Vec::new(),
        })
    };
    assert!(export("too short").await.unwrap_err().fields.contains_key("passphrase"));
    let sealed = export(PASSPHRASE).await.unwrap();
    assert!(!sealed.content.contains("canary") && sealed.unreadable == 0);
    assert_eq!(house.audit("credential.export").await.len(), 1);

    let target = other.admin();
    for wrong in [None, Some("correct horse batterz")] {
        let passphrase = wrong.map(|text| Secret::new(text.to_owned()));
        let input = ImportCredentials { passphrase, ..file(&sealed.content) };
        let problem = import(&target, input).await.unwrap_err();
        assert!(problem.fields.contains_key("passphrase"), "{problem:?}");
    }
    let input = || ImportCredentials {
        passphrase: Some(Secret::new(PASSPHRASE.to_owned())),
        ..file(&sealed.content)
    };
    let did = import(&target, input()).await.unwrap();
    assert_eq!(counts(&did), [sealed.providers, sealed.credentials, 0, 0], "{did:?}");
    assert_eq!(secrets(&other).await, secrets(&house).await);
    let specs = async |house: &House| {
        let rows = house.store.provider_list(false).await.unwrap();
        rows.into_iter().map(|row| (row.spec, row.proxy_hint)).collect::<Vec<_>>()
    };
    assert_eq!(specs(&other).await, specs(&house).await);
    assert_eq!(counts(&import(&target, input()).await.unwrap()), [0, 0, sealed.credentials, 0]);
}

#[tokio::test]
async fn nothing_is_stored_if_the_configuration_changes_while_it_is_compared() {
    let house = House::new().await;
    let admin = house.admin();
    let seen = import(&admin, ImportCredentials { dry_run: true, ..file(NEW_API) }).await.unwrap();
    let here = CreateProvider::new("DeepSeek", "anthropic", "https://api.anthropic.com");
    admin.provider_create(here).await.unwrap();
    let input = ImportCredentials { preview: Some(seen.preview), ..file(NEW_API) };
    assert_eq!(import(&admin, input).await.unwrap_err().code, "stale_version");
    assert_eq!(house.store.provider_list(true).await.unwrap().len(), 1);
    let did = import(&admin, file(NEW_API)).await.unwrap();
    assert!(did.providers.iter().any(|provider| provider.name == "DeepSeek (2)"), "{did:?}");
}

#[tokio::test]
async fn accounts_come_with_tokens_owner_and_expiry_and_go_on_sealed() {
    let (house, other) = (House::new().await, House::new().await);
    let admin = house.admin();
    let did = import(&admin, file(RELAY)).await.unwrap();
    let line = &did.providers[2].credentials[0];
    assert_eq!((line.auth.as_str(), line.secret_hint.as_str()), ("oauth", "…"));
    let row = house.store.credential_list(false).await.unwrap().pop().unwrap();
    assert_eq!((row.auth, row.hint.as_str()), (CredentialAuth::Oauth, "…"));
    assert_eq!(row.token.vendor.as_deref(), Some("claude"));
    assert_eq!(row.token.scopes.as_deref(), Some("user:profile user:inference"));
    assert_eq!(row.token.expires_at, Some("2026-12-01T10:00:00Z".parse().unwrap()));
    let kept = secrets(&house).await.pop().unwrap();
    let expected = r#"{"access_token":"sk-ant-oat-canary-0001","refresh_token":"sk-ant-ort-canary-0001","token_type":"Bearer"}"#;
    assert_eq!(kept, expected);
    // A renewed access token is still the same account.
    let renewed = RELAY.replace("sk-ant-oat-canary-0001", "sk-ant-oat-canary-9999");
    assert_eq!(counts(&import(&admin, file(&renewed)).await.unwrap())[..2], [0, 0]);

    let passphrase = || Secret::new(PASSPHRASE.to_owned());
    let everything =
        ExportCredentials { passphrase: passphrase(), provider_ids: Vec::new(), credential_ids: Vec::new() };
    let sealed = admin.credential_export(everything).await.unwrap();
    let input = ImportCredentials { passphrase: Some(passphrase()), ..file(&sealed.content) };
    import(&other.admin(), input).await.unwrap();
    let came = other.store.credential_list(false).await.unwrap().pop().unwrap();
    assert_eq!(
        (came.auth, &came.token.vendor, came.token.expires_at),
        (row.auth, &row.token.vendor, row.token.expires_at)
    );
    assert_eq!(secrets(&other).await.pop().unwrap(), expected);
}
