//! Fresh tokens by hand: one account, or all that expire soon (RF-05).

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;
use tokio::time::Instant;
use types::credential::CredentialState;
use types::oauth::{RefreshResult, RefreshSummary};
use types::{CredentialId, Problem};

use super::Admin;
use crate::authenticate::{Auth, Flown, TokenSlot};
use crate::identity::problem::not_found;
use crate::refresh::{self, Trigger};
use crate::snapshot::Credential;

const OBJECT: &str = "credential";
/// Longest wait for one.
const LONGEST: Duration = Duration::from_mins(1);
/// Refreshes at once.
const AT_ONCE: usize = 8;
/// What is due within so many milliseconds counts as expiring.
const SOON_MS: i64 = 5 * 60_000;

type Asked = (CredentialId, String, Arc<TokenSlot>);

impl Admin {
    /// Fetches a fresh token for one account, whatever the state of the one it has.
    pub async fn credential_refresh(&self, id: CredentialId) -> Result<RefreshResult, Problem> {
        let asked = {
            let snapshot = self.core.snapshot();
            let (_, credential) = refresh::find(&snapshot, id).ok_or_else(|| not_found(OBJECT))?;
            match &credential.auth {
                Auth::Token(slot) => (id, credential.spec.name.clone(), slot.clone()),
                _ => {
                    return Err(Problem::field("id", "this credential has no token that could be refreshed"));
                }
            }
        };
        let result = self.refreshed_now(asked).await;
        let after = json!({ "refreshed": result.refreshed, "reason": result.reason });
        self.note("refresh", OBJECT, &id.to_string(), Some(after)).await?;
        self.take_effect().await?;
        Ok(result)
    }

    /// Fetches fresh tokens for all accounts whose token is over or will soon be.
    pub async fn credential_refresh_expiring(&self) -> Result<RefreshSummary, Problem> {
        let soon = self.core.clock.now().plus_ms(SOON_MS);
        let asked: Vec<Asked> = {
            let snapshot = self.core.snapshot();
            let credentials = snapshot.providers.iter().flat_map(|provider| &provider.credentials);
            let expiring = credentials.filter(|credential| is_tried(credential)).filter_map(|credential| {
                let Auth::Token(slot) = &credential.auth else { return None };
                let due = slot.get().is_none_or(|token| token.due_at.is_some_and(|at| at <= soon));
                (due && slot.can_refresh())
                    .then(|| (credential.id, credential.spec.name.clone(), slot.clone()))
            });
            expiring.collect()
        };
        let items: Vec<RefreshResult> =
            stream::iter(asked.into_iter().map(|asked| self.refreshed_now(asked)))
                .buffered(AT_ONCE)
                .collect()
                .await;
        let refreshed = items.iter().filter(|item| item.refreshed).count();
        let after = json!({ "refreshed": refreshed, "failed": items.len() - refreshed });
        self.note("refresh", OBJECT, "expiring", Some(after)).await?;
        self.take_effect().await?;
        Ok(RefreshSummary { items })
    }

    /// Fetches a fresh token for an account if its vendor gives one; its state says what became of it.
    pub(super) async fn ask_for_a_token(&self, id: CredentialId) {
        let asked = {
            let snapshot = self.core.snapshot();
            refresh::find(&snapshot, id).and_then(|(_, credential)| match &credential.auth {
                Auth::Token(slot) => Some((id, credential.spec.name.clone(), slot.clone())),
                _ => None,
            })
        };
        if let Some(asked) = asked {
            self.refreshed_now(asked).await;
        }
    }

    async fn refreshed_now(&self, (id, name, slot): Asked) -> RefreshResult {
        let started = std::time::Instant::now();
        let deadline = Instant::now() + LONGEST;
        let flown =
            refresh::refreshed(&self.core, (id, &slot), slot.round(), Trigger::Manual, deadline).await;
        let reason = match flown {
            Flown::Fresh => None,
            Flown::Failed(_, why) => Some(why.to_string()),
        };
        let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        RefreshResult { credential_id: id, name, refreshed: reason.is_none(), reason, duration_ms }
    }
}

/// Whether a refresh can help: nothing but somebody who signs in again mends a lost account (RF-03).
fn is_tried(credential: &Credential) -> bool {
    credential.spec.enabled && credential.mark.state != CredentialState::NeedsReauth
}
