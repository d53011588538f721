//! The stored state of a credential: changed only by whoever saw its newest version, and written down each time
//! (AC-13). Which state follows from what is decided elsewhere.

use types::check::DisabledBy;
use types::credential::{CredentialEvent, CredentialMark, CredentialState};
use types::{CredentialId, Timestamp};

use crate::event::credential_event_in_txn;
use crate::pool::Txn;
use crate::revision::bump_in_txn;
use crate::sql::{Row, args};
use crate::{Store, StoreError};

impl Store {
    /// Puts a credential into another state, unless somebody else did so since `seen_version`, or it is deleted:
    /// then nothing changes and the answer is false. The new version is `seen_version` + 1, whatever `to` says.
    ///
    /// Writes the event and raises the revision in the same transaction, but no audit row.
    pub async fn credential_mark(
        &self,
        id: CredentialId,
        seen_version: i64,
        to: &CredentialMark,
        event: &CredentialEvent,
    ) -> Result<bool, StoreError> {
        let CredentialMark { state, until, reason, since, version: _ } = to;
        let mut txn = self.pool.begin_write().await?;
        let touched = txn
            .execute(
                "UPDATE credentials SET state = $3, state_until = $4, state_reason = $5, state_since = $6,
                    state_version = state_version + 1
                 WHERE id = $1 AND state_version = $2 AND deleted_at IS NULL",
                args![id, seen_version, state.as_str(), *until, reason.clone(), *since],
            )
            .await?;
        if touched == 0 {
            return Ok(false);
        }
        credential_event_in_txn(&mut txn, event).await?;
        bump_in_txn(&mut txn).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Takes a credential for good again. Its version grows even if it was that: what was seen before, and is still on
    /// its way to be written down, counts no more.
    pub async fn credential_mark_clear(&self, id: CredentialId, at: Timestamp) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let found = "SELECT state FROM credentials WHERE id = $1 AND deleted_at IS NULL";
        let Some(row) = txn.row_opt(found, args![id]).await? else { return Ok(()) };
        let from: CredentialState = row.named("state")?;
        txn.execute(
            "UPDATE credentials SET state_since = CASE WHEN state = 'valid' THEN state_since ELSE $2 END,
                state = 'valid', state_until = NULL, state_reason = NULL, state_version = state_version + 1
             WHERE id = $1",
            args![id, at],
        )
        .await?;
        if from != CredentialState::Valid {
            let event = CredentialEvent {
                credential_id: id,
                at,
                from,
                to: CredentialState::Valid,
                until: None,
                reason: None,
                cause: "admin".to_owned(),
                request_id: None,
            };
            credential_event_in_txn(&mut txn, &event).await?;
        }
        bump_in_txn(&mut txn).await?;
        txn.commit().await
    }

    /// The same for all that are good: nothing but their versions grows.
    pub async fn credential_marks_settle(&self) -> Result<(), StoreError> {
        let mut txn = self.pool.begin_write().await?;
        let sql = "UPDATE credentials SET state_version = state_version + 1
             WHERE state = 'valid' AND deleted_at IS NULL";
        txn.execute(sql, args![]).await?;
        bump_in_txn(&mut txn).await?;
        txn.commit().await
    }
}

/// Forgets the state that an old secret had, the failures that checks counted, and that the checker switched it off.
/// Its version grows even if that was valid: an answer to the old secret that is still on its way says nothing about
/// the new one.
pub(super) async fn forget_in_txn(
    txn: &mut Txn,
    id: CredentialId,
    at: Timestamp,
    was: CredentialState,
) -> Result<(), StoreError> {
    txn.execute(
        "UPDATE credentials SET state = 'valid', state_until = NULL, state_reason = NULL, state_since = $2,
            state_version = state_version + 1, check_failures = 0, check_result = NULL, check_message = NULL,
            check_remedy = NULL
         WHERE id = $1",
        args![id, at],
    )
    .await?;
    txn.execute(
        "UPDATE credentials SET enabled = $2, disabled_by = NULL, disabled_at = NULL, disabled_reason = NULL
         WHERE id = $1 AND disabled_by = $3",
        args![id, true, DisabledBy::HealthCheck.as_str()],
    )
    .await?;
    if was == CredentialState::Valid {
        return Ok(());
    }
    let event = CredentialEvent {
        credential_id: id,
        at,
        from: was,
        to: CredentialState::Valid,
        until: None,
        reason: Some("a new secret was stored".to_owned()),
        cause: "admin".to_owned(),
        request_id: None,
    };
    credential_event_in_txn(txn, &event).await
}

/// Reads the columns of the state.
pub(super) fn mark(row: &Row) -> Result<CredentialMark, StoreError> {
    Ok(CredentialMark {
        state: row.named("state")?,
        until: row.time_opt("state_until")?,
        reason: row.text_opt("state_reason")?,
        since: row.time_opt("state_since")?,
        version: row.int("state_version")?,
    })
}

#[cfg(test)]
mod tests;
