//! Connecting an account: a sign-in begins, the vendor's answer comes back, tokens are exchanged, stored, and in use.
//!
//! A sign-in is used once, is over after ten minutes, and belongs to the session that began it (OA-05). The protocol
//! is crate `oauth`'s business.

mod begin;
mod device;
mod finish;
mod view;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::FlowRow;
use types::oauth::{FlowPhase, FlowView, FlowWay};
use types::{OauthFlowId, Problem, Secret};

use super::Admin;
use crate::identity::problem::{not_found, store_problem};
use crate::vault::Purpose;

const OBJECT: &str = "sign_in";
/// How long a sign-in may take, in milliseconds.
const TEN_MINUTES_MS: i64 = 600_000;
/// Sign-ins that are listed.
const LISTED: u32 = 50;

/// What may be shown of a sign-in to every administrator.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Body {
    /// Name of the credential to be.
    name: Option<String>,
    redirect_uri: Option<String>,
    user_code: Option<String>,
    verification_url: Option<String>,
    verification_url_complete: Option<String>,
    interval_s: Option<u64>,
    /// When the vendor was asked last.
    asked_at: i64,
    warnings: Vec<String>,
    port: Option<u16>,
    port_fault: Option<String>,
    /// Whether the operator wants no port listened on.
    port_off: bool,
}

/// What only its own session may use.
#[derive(Debug, Default, Deserialize)]
struct Hidden {
    #[serde(default)]
    authorize_url: Option<Secret<String>>,
    #[serde(default)]
    verifier: Option<Secret<String>>,
    #[serde(default)]
    device_code: Option<Secret<String>>,
}

impl Hidden {
    fn to_text(&self) -> Secret<String> {
        let open = |secret: &Option<Secret<String>>| secret.as_ref().map(|secret| secret.expose().clone());
        let text = serde_json::json!({
            "authorize_url": open(&self.authorize_url),
            "verifier": open(&self.verifier),
            "device_code": open(&self.device_code),
        });
        Secret::new(text.to_string())
    }
}

fn digest(text: &str) -> Vec<u8> {
    Sha256::digest(text.as_bytes()).to_vec()
}

fn body_of(row: &FlowRow) -> Body {
    serde_json::from_str(&row.body).unwrap_or_default()
}

impl Admin {
    /// The latest sign-ins.
    pub async fn flow_list(&self) -> Result<Vec<FlowView>, Problem> {
        let rows = self.core.store.oauth_flow_list(LISTED).await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(rows.into_iter().map(|row| self.flow_view(row)).collect())
    }

    /// One sign-in. A device code that is due is asked for on the way.
    pub async fn flow_fetch(&self, id: OauthFlowId) -> Result<FlowView, Problem> {
        let row = self.flow_row(id).await?;
        if row.phase == FlowPhase::WaitingDevice && self.is_own(&row) {
            return self.device_asked(row).await;
        }
        Ok(self.flow_view(row))
    }

    /// Gives a sign-in up.
    pub async fn flow_cancel(&self, id: OauthFlowId) -> Result<FlowView, Problem> {
        let row = self.flow_row(id).await?;
        let end = store::FlowEnd {
            phase: FlowPhase::Cancelled,
            credential_id: None,
            error_code: None,
            error: None,
            request_id: None,
        };
        let now = self.core.clock.now();
        self.core.store.oauth_flow_end(id, &end, now).await.map_err(|e| store_problem(e, OBJECT))?;
        self.core.loopback.done(row.id);
        self.note("cancel", OBJECT, &id.to_string(), None).await?;
        Ok(self.flow_view(self.flow_row(id).await?))
    }

    async fn flow_row(&self, id: OauthFlowId) -> Result<FlowRow, Problem> {
        self.core.store.oauth_flow_fetch(id).await.map_err(|error| match error {
            store::StoreError::NotFound => not_found("sign-in"),
            other => store_problem(other, OBJECT),
        })
    }

    /// The session that a sign-in is bound to; scripts share one.
    fn session_hash(&self) -> Vec<u8> {
        digest(self.actor.session.as_deref().unwrap_or("admin-api"))
    }

    fn is_own(&self, row: &FlowRow) -> bool {
        use subtle::ConstantTimeEq as _;
        self.session_hash().ct_eq(&row.session_hash).into()
    }

    fn hidden(&self, row: &FlowRow) -> Option<Hidden> {
        let text = self.core.vault.open(Purpose::FlowSecret, row.id.0, &row.sealed).ok()?;
        serde_json::from_str(text.expose()).ok()
    }

    /// Whether a sign-in can still be finished, and by whom.
    fn check_open(&self, row: &FlowRow) -> Result<(), Problem> {
        if !self.is_own(row) {
            return Err(Problem::new(
                "oauth_other_session",
                "this sign-in was begun in another session; begin a new one in this browser",
            ));
        }
        let over =
            |why: &str| Err(Problem::new("oauth_flow_over", format!("this sign-in {why}; begin a new one")));
        match row.phase {
            FlowPhase::WaitingCallback | FlowPhase::WaitingDevice
                if row.expires_at > self.core.clock.now() =>
            {
                Ok(())
            }
            FlowPhase::WaitingCallback | FlowPhase::WaitingDevice | FlowPhase::Expired => {
                over("is older than ten minutes")
            }
            FlowPhase::Exchanging => over("is being finished already"),
            FlowPhase::Completed => over("was finished before: a code is used once"),
            FlowPhase::Error => over("has failed"),
            FlowPhase::Cancelled => over("was cancelled"),
        }
    }

    fn is_code(row: &FlowRow) -> bool {
        row.way != FlowWay::Device
    }
}

#[cfg(test)]
mod tests;
