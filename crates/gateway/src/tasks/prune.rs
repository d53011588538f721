//! Deletes what is older than its retention setting.

use types::Timestamp;

use crate::core::Core;

/// Rows per statement, so that a long backlog never holds the writer for long.
const CHUNK: u32 = 5_000;

pub(super) async fn run(core: &Core) -> Result<String, String> {
    let settings = core.snapshot().settings.clone();
    let now = core.clock.now();
    let before = |days: u32| now.plus_ms(-i64::from(days) * Timestamp::DAY_MS);
    let mut requests = 0;
    loop {
        let gone = core
            .store
            .request_prune(before(settings.retention_request_days), CHUNK)
            .await
            .map_err(|error| error.to_string())?;
        requests += gone;
        if gone < u64::from(CHUNK) {
            break;
        }
    }
    let audit = core
        .store
        .audit_prune(before(settings.retention_audit_days))
        .await
        .map_err(|error| error.to_string())?;
    let events = core
        .store
        .event_prune(before(settings.retention_request_days))
        .await
        .map_err(|error| error.to_string())?;
    let checks = core
        .store
        .credential_check_prune(before(settings.retention_request_days))
        .await
        .map_err(|error| error.to_string())?;
    core.store.oauth_flow_prune(before(1)).await.map_err(|error| error.to_string())?;
    let sessions = core.store.session_prune(now).await.map_err(|error| error.to_string())?;
    Ok(format!(
        "removed {requests} requests, {audit} audit rows, {events} events, {checks} checks, {sessions} sessions"
    ))
}
