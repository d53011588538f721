//! What becomes of the credentials of an older schema.

use super::*;

#[tokio::test]
async fn st_07_credentials_of_before_were_never_checked_and_can_be() {
    for store in old_stores().await {
        fill(&store).await;
        let before = MIGRATIONS.iter().position(|script| script.version == 8).unwrap();
        store.migrate_with(&MIGRATIONS[..before]).await.unwrap();
        assert_eq!(store.migrate().await.unwrap().applied[0], "0008_checks");
        let row = store.credential_fetch(CredentialId(1)).await.unwrap();
        assert_eq!((row.check, row.version), (CheckStanding::default(), 2));
        let note = crate::fixture::note(CredentialId(1), 0, CheckResult::Failed);
        assert_eq!(store.credential_check_append(&[note]).await.unwrap(), [Some(1)]);
    }
}

#[tokio::test]
async fn st_07_credentials_of_before_are_named_by_no_variable() {
    for store in old_stores().await {
        fill(&store).await;
        let before = MIGRATIONS.iter().position(|script| script.version == 9).unwrap();
        store.migrate_with(&MIGRATIONS[..before]).await.unwrap();
        assert_eq!(store.migrate().await.unwrap().applied[0], "0009_managed");
        let row = store.credential_fetch(CredentialId(1)).await.unwrap();
        assert_eq!((&row.managed_by, row.version), (&None, 2));
        let change = change("credential.update");
        let row = store.credential_managed_put(row.id, row.spec.tier, "POOL_KEY_A", change).await.unwrap();
        assert_eq!((row.managed_by.as_deref(), row.version), (Some("POOL_KEY_A"), 3));
    }
}

#[tokio::test]
async fn st_07_checks_of_before_say_nothing_of_what_to_do_and_later_ones_do() {
    for store in old_stores().await {
        fill(&store).await;
        let before = MIGRATIONS.iter().position(|script| script.version == 10).unwrap();
        store.migrate_with(&MIGRATIONS[..before]).await.unwrap();
        let sql =
            "INSERT INTO credential_checks (credential_id, at, probe, result, status, latency_ms, message)
             VALUES (1, 7, 'models', 'failed', 401, 3, 'no')";
        put(&store, sql, args![]).await;
        assert_eq!(store.migrate().await.unwrap().applied[0], "0010_check_remedy");
        let id = CredentialId(1);
        let note = crate::fixture::note(id, 0, CheckResult::Failed);
        store.credential_check_append(&[note]).await.unwrap();
        let lines = store.credential_check_list(id, 9).await.unwrap();
        let remedies: Vec<_> = lines.iter().map(|line| line.remedy.as_deref()).collect();
        assert_eq!(remedies, [Some("do something"), None]);
        assert_eq!(store.credential_fetch(id).await.unwrap().check.remedy.as_deref(), Some("do something"));
    }
}
