//! Sign-ins under way: found by the hash of their state, used once, over by themselves (OA-05). What must not be
//! known (verifier, device code) comes sealed.

use types::oauth::{FlowPhase, FlowWay};
use types::{CredentialId, OauthFlowId, ProviderId, Timestamp};

use crate::error::BoxError;
use crate::sql::{Row, args};
use crate::{Store, StoreError};

/// What a sign-in begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFlow {
    /// Hash of its state.
    pub state_hash: Vec<u8>,
    /// Hash of the session that it is bound to.
    pub session_hash: Vec<u8>,
    /// The vendor's name.
    pub vendor: String,
    /// The provider that the account is for.
    pub provider_id: ProviderId,
    /// The credential to sign in again.
    pub credential_id: Option<CredentialId>,
    /// How the answer comes back.
    pub way: FlowWay,
    /// What may be shown of it, as JSON.
    pub body: String,
    /// When it begins.
    pub at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// A sign-in as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowRow {
    /// Identity; what its secret is sealed for.
    pub id: OauthFlowId,
    /// Hash of the session that it is bound to.
    pub session_hash: Vec<u8>,
    /// The vendor's name.
    pub vendor: String,
    /// The provider that the account is for.
    pub provider_id: ProviderId,
    /// The credential that is signed in again, or that came of it.
    pub credential_id: Option<CredentialId>,
    /// How the answer comes back.
    pub way: FlowWay,
    /// How far it is, as stored: one that is over by time still says that it waits.
    pub phase: FlowPhase,
    /// What may be shown of it, as JSON.
    pub body: String,
    /// Verifier or device code, sealed.
    pub sealed: Vec<u8>,
    /// Code of the failure.
    pub error_code: Option<String>,
    /// The failure.
    pub error: Option<String>,
    /// The request in which it failed.
    pub request_id: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it is over.
    pub expires_at: Timestamp,
}

/// How a sign-in ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowEnd {
    /// `completed`, `error` or `cancelled`.
    pub phase: FlowPhase,
    /// What came of it.
    pub credential_id: Option<CredentialId>,
    /// Code of the failure.
    pub error_code: Option<String>,
    /// The failure.
    pub error: Option<String>,
    /// The request in which it failed.
    pub request_id: Option<String>,
}

impl Store {
    /// Begins a sign-in; `seal` seals its secret for the id of the row.
    pub async fn oauth_flow_insert<F, E>(&self, flow: &NewFlow, seal: F) -> Result<FlowRow, StoreError>
    where
        F: FnOnce(OauthFlowId) -> Result<Vec<u8>, E> + Send,
        E: Into<BoxError>,
    {
        let NewFlow {
            state_hash,
            session_hash,
            vendor,
            provider_id,
            credential_id,
            way,
            body,
            at,
            expires_at,
        } = flow;
        let phase =
            if *way == FlowWay::Device { FlowPhase::WaitingDevice } else { FlowPhase::WaitingCallback };
        let mut txn = self.pool.begin_write().await?;
        let id = txn
            .row(
                "INSERT INTO oauth_flows (state_hash, session_hash, vendor, provider_id, credential_id, way, phase,
                    body, sealed, created_at, updated_at, expires_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11) RETURNING id",
                args![
                    state_hash.clone(),
                    session_hash.clone(),
                    vendor.as_str(),
                    *provider_id,
                    *credential_id,
                    way.as_str(),
                    phase.as_str(),
                    body.as_str(),
                    Vec::<u8>::new(),
                    *at,
                    *expires_at,
                ],
            )
            .await?
            .int("id")?;
        let sealed = seal(OauthFlowId(id)).map_err(|error| StoreError::Seal(error.into()))?;
        let sql = "UPDATE oauth_flows SET sealed = $2 WHERE id = $1 RETURNING *";
        let row = txn.row(sql, args![id, sealed]).await?;
        txn.commit().await?;
        flow_row(&row)
    }

    /// One sign-in.
    pub async fn oauth_flow_fetch(&self, id: OauthFlowId) -> Result<FlowRow, StoreError> {
        flow_row(&self.pool.row("SELECT * FROM oauth_flows WHERE id = $1", args![id]).await?)
    }

    /// The one with this state, whatever became of it.
    pub async fn oauth_flow_by_state(&self, state_hash: &[u8]) -> Result<Option<FlowRow>, StoreError> {
        let sql = "SELECT * FROM oauth_flows WHERE state_hash = $1";
        self.pool.row_opt(sql, args![state_hash]).await?.as_ref().map(flow_row).transpose()
    }

    /// The latest sign-ins, newest first.
    pub async fn oauth_flow_list(&self, limit: u32) -> Result<Vec<FlowRow>, StoreError> {
        let rows =
            self.pool.rows("SELECT * FROM oauth_flows ORDER BY id DESC LIMIT $1", args![limit]).await?;
        rows.iter().map(flow_row).collect()
    }

    /// Takes a waiting sign-in to turn its code into tokens: only the first of all who try gets true, and nobody
    /// once it is over.
    pub async fn oauth_flow_take(&self, id: OauthFlowId, now: Timestamp) -> Result<bool, StoreError> {
        let touched = self
            .pool
            .execute(
                "UPDATE oauth_flows SET phase = 'exchanging', updated_at = $2
                 WHERE id = $1 AND expires_at > $2 AND phase IN ('waiting_callback', 'waiting_device')",
                args![id, now],
            )
            .await?;
        Ok(touched == 1)
    }

    /// Changes what may be shown of a sign-in that still waits (a longer pause between questions); false if somebody
    /// else changed it since it was `before`.
    pub async fn oauth_flow_body(
        &self,
        id: OauthFlowId,
        (before, body): (&str, &str),
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let touched = self
            .pool
            .execute(
                "UPDATE oauth_flows SET body = $2, updated_at = $3
                 WHERE id = $1 AND expires_at > $3 AND phase = 'waiting_device' AND body = $4",
                args![id, body, now, before],
            )
            .await?;
        Ok(touched == 1)
    }

    /// Ends a sign-in that has not ended; false if it has. Its secret is forgotten.
    pub async fn oauth_flow_end(
        &self,
        id: OauthFlowId,
        end: &FlowEnd,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let FlowEnd { phase, credential_id, error_code, error, request_id } = end;
        let touched = self
            .pool
            .execute(
                "UPDATE oauth_flows SET phase = $2, credential_id = COALESCE($3, credential_id), error_code = $4,
                    error = $5, request_id = $6, updated_at = $7, sealed = $8
                 WHERE id = $1 AND phase IN ('waiting_callback', 'waiting_device', 'exchanging')",
                args![
                    id,
                    phase.as_str(),
                    *credential_id,
                    error_code.clone(),
                    error.clone(),
                    request_id.clone(),
                    now,
                    Vec::<u8>::new(),
                ],
            )
            .await?;
        Ok(touched == 1)
    }

    /// Deletes sign-ins that were over before a moment; answers how many.
    pub async fn oauth_flow_prune(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.pool.execute("DELETE FROM oauth_flows WHERE expires_at < $1", args![before]).await
    }
}

fn flow_row(row: &Row) -> Result<FlowRow, StoreError> {
    Ok(FlowRow {
        id: OauthFlowId(row.int("id")?),
        session_hash: row.bytes("session_hash")?,
        vendor: row.text("vendor")?,
        provider_id: ProviderId(row.int("provider_id")?),
        credential_id: row.int_opt("credential_id")?.map(CredentialId),
        way: row.named("way")?,
        phase: row.named("phase")?,
        body: row.text("body")?,
        sealed: row.bytes("sealed")?,
        error_code: row.text_opt("error_code")?,
        error: row.text_opt("error")?,
        request_id: row.text_opt("request_id")?,
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

#[cfg(test)]
mod tests;
