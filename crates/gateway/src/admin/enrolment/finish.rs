//! The end of a sign-in: the vendor's answer is held against the one that waits for it, exchanged, stored, in use.

use oauth::{Failure, Granted, Returned};
use serde_json::json;
use store::{Account, FlowEnd, FlowRow, SealedSecret};
use types::credential::{CredentialAuth, CredentialSpec, CredentialView};
use types::oauth::{FinishFlow, FlowPhase, FlowView};
use types::{CredentialId, OauthFlowId, Problem};

use super::begin::refused;
use super::{OBJECT, body_of, digest};
use crate::admin::{Admin, Subject};
use crate::identity::problem::{not_found, store_problem};
use crate::refresh::{Way, registered};
use crate::vault::{Purpose, VaultError};

/// Names that are tried for a new credential.
const NAMES: usize = 50;

impl Admin {
    /// Finishes a sign-in by what a person pasted (OA-03).
    pub async fn flow_finish(&self, id: OauthFlowId, input: FinishFlow) -> Result<FlowView, Problem> {
        let pasted =
            input.pasted.ok_or_else(|| Problem::field("pasted", oauth::BadPaste::Empty.to_string()))?;
        let row = self.flow_row(id).await?;
        let returned =
            oauth::parse_pasted(&pasted).map_err(|error| Problem::field("pasted", error.to_string()))?;
        let state = returned.state.as_ref().map(|state| digest(state.expose()));
        let own = self.core.store.oauth_flow_by_state(&state.unwrap_or_default()).await;
        let own = own.map_err(|e| store_problem(e, OBJECT))?;
        if own.as_ref().map(|row| row.id) != Some(row.id) {
            return Err(Problem::field(
                "pasted",
                "this belongs to another sign-in; paste what came of this one",
            ));
        }
        self.conclude(row, returned).await
    }

    /// Finishes a sign-in by the query of the redirect.
    pub async fn flow_return(&self, query: &str) -> Result<FlowView, Problem> {
        let returned = oauth::parse_query(query);
        let unknown = || {
            Problem::new(
                "oauth_state_unknown",
                "no sign-in waits for this answer; begin a new one on the vendor's page",
            )
        };
        let state = returned.state.as_ref().ok_or_else(unknown)?;
        let row = self.core.store.oauth_flow_by_state(&digest(state.expose())).await;
        let row = row.map_err(|e| store_problem(e, OBJECT))?.filter(Self::is_code).ok_or_else(unknown)?;
        if returned.code.is_none() && returned.error.is_none() {
            self.check_open(&row)?;
            let why = "the vendor sent the browser back with neither a code nor an error";
            return self.fail(row, &Failure::new(oauth::Class::Client, why)).await;
        }
        self.conclude(row, returned).await
    }

    /// The sign-in that a redirect belongs to, whatever became of it.
    pub async fn flow_named(&self, query: &str) -> Option<OauthFlowId> {
        let state = oauth::parse_query(query).state?;
        let row = self.core.store.oauth_flow_by_state(&digest(state.expose())).await.ok()??;
        Some(row.id)
    }

    async fn conclude(&self, row: FlowRow, returned: Returned) -> Result<FlowView, Problem> {
        self.check_open(&row)?;
        if let Some(error) = &returned.error {
            let failure = Failure::of_redirect(error, returned.error_description.as_deref());
            return self.fail(row, &failure).await;
        }
        let Some(code) = &returned.code else {
            return Err(Problem::field("pasted", oauth::BadPaste::NoCode.to_string()));
        };
        let hidden = self.hidden(&row);
        if !self.take(&row).await? {
            return Err(Problem::new("oauth_flow_over", "this sign-in is being finished already"));
        }
        let redirect = body_of(&row).redirect_uri.unwrap_or_default();
        let verifier = hidden.as_ref().and_then(|hidden| hidden.verifier.as_ref());
        let asked = async {
            let vendor = registered(&self.core, &row.vendor).await?;
            let snapshot = self.core.snapshot();
            let way = Way::of(&self.core, &snapshot, row.provider_id, row.credential_id).ok_or_else(gone)?;
            let (state, now) = (returned.state.as_ref(), self.core.clock.now());
            oauth::exchange(&vendor, code, state, verifier, &redirect, &way, now).await
        };
        let granted = Box::pin(asked).await;
        match granted {
            Ok(granted) => self.complete(row, granted).await,
            Err(failure) => self.fail(row, &failure).await,
        }
    }

    pub(super) async fn take(&self, row: &FlowRow) -> Result<bool, Problem> {
        let now = self.core.clock.now();
        self.core.store.oauth_flow_take(row.id, now).await.map_err(|e| store_problem(e, OBJECT))
    }

    /// Stores what was granted, and puts it in use.
    pub(super) async fn complete(&self, row: FlowRow, granted: Granted) -> Result<FlowView, Problem> {
        if let Some(failure) = self.misshapen(&row, &granted) {
            return self.fail(row, &failure).await;
        }
        if let Some(failure) = self.of_somebody_else(&row, &granted).await? {
            return self.fail(row, &failure).await;
        }
        let stored = match row.credential_id {
            Some(id) => self.signed_in_again(id, &row, &granted).await,
            None => self.connected(&row, &granted).await,
        };
        let view = match stored {
            Ok(view) => view,
            Err(problem) => {
                let failure = Failure::new(oauth::Class::Transient, problem.message.clone());
                self.fail(row, &failure).await?;
                return Err(problem);
            }
        };
        let end = FlowEnd {
            phase: FlowPhase::Completed,
            credential_id: Some(view.id),
            error_code: None,
            error: None,
            request_id: None,
        };
        let now = self.core.clock.now();
        self.core.store.oauth_flow_end(row.id, &end, now).await.map_err(|e| store_problem(e, OBJECT))?;
        self.core.loopback.done(row.id);
        self.forget_failures(view.id);
        self.take_effect().await?;
        self.look_at_once(view.id);
        Ok(self.flow_view(self.flow_row(row.id).await?))
    }

    /// Why what was granted is no token of that vendor's (HC-08); nothing of it is stored then.
    fn misshapen(&self, row: &FlowRow, granted: &Granted) -> Option<Failure> {
        let snapshot = self.core.snapshot();
        let probe = snapshot.vendors.get(&row.vendor)?.probe.as_ref().filter(|probe| probe.token_is_jwt)?;
        let is_jwt = oauth::is_jwt(granted.set.access_token.expose());
        let what = || format!("the vendor gave an access token that is no JWT: {}", probe.remedy);
        (!is_jwt).then(|| Failure::new(oauth::Class::NeedsSignIn, what()))
    }

    /// Why this is not the account that was to be signed in again (OA-06): a browser may still be signed in as somebody
    /// else. The credential's name, limits and statistics are those of its own account.
    async fn of_somebody_else(&self, row: &FlowRow, granted: &Granted) -> Result<Option<Failure>, Problem> {
        let (Some(id), Some(now)) = (row.credential_id, granted.account.as_deref()) else { return Ok(None) };
        let before =
            self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, "credential"))?;
        let other = before.token.account.filter(|before| !before.eq_ignore_ascii_case(now));
        Ok(other.map(|before| {
            let what = format!(
                "the vendor signed in {now}, but this credential is the account {before}: sign out at the vendor and begin again as {before}, or connect {now} as an account of its own"
            );
            Failure::new(oauth::Class::Client, what)
        }))
    }

    /// Whether the new account really works is shown by a check right away (OA-06).
    fn look_at_once(&self, id: CredentialId) {
        let admin = self.clone();
        self.core.tracker.spawn(async move {
            match admin.credential_check(id).await {
                Ok(test) => {
                    tracing::info!(credential.id = id.0, ok = test.ok, "a connected account was checked");
                }
                Err(problem) => {
                    tracing::warn!(credential.id = id.0, %problem, "a connected account was not checked");
                }
            }
        });
    }

    pub(super) async fn fail(&self, row: FlowRow, failure: &Failure) -> Result<FlowView, Problem> {
        // The vendor's clock may be the first to say so (RFC 8628 section 3.5, `expired_token`).
        let over = failure.class == oauth::Class::CodeExpired;
        let end = FlowEnd {
            phase: if over { FlowPhase::Expired } else { FlowPhase::Error },
            credential_id: None,
            error_code: Some("oauth_refused".to_owned()),
            error: Some(failure.message.clone()),
            request_id: Some(self.actor.request_id.clone()),
        };
        tracing::warn!(
            flow = row.id.0,
            vendor = row.vendor,
            reason = failure.message,
            request.id = self.actor.request_id,
            "a sign-in with a vendor failed"
        );
        let now = self.core.clock.now();
        self.core.store.oauth_flow_end(row.id, &end, now).await.map_err(|e| store_problem(e, OBJECT))?;
        self.core.loopback.done(row.id);
        Err(refused(failure))
    }

    async fn connected(&self, row: &FlowRow, granted: &Granted) -> Result<CredentialView, Problem> {
        let wanted =
            body_of(row).name.or_else(|| granted.account.clone()).unwrap_or_else(|| row.vendor.clone());
        let wanted: String = wanted.chars().take(80).collect();
        for n in 1..=NAMES {
            let name = if n == 1 { wanted.clone() } else { format!("{wanted} {n}") };
            let spec = CredentialSpec::named(name);
            let subject = Subject { object: "credential", id: String::new(), name: &spec.name };
            let change = self.change("create", &subject, None, Some(self.told(row, granted)));
            let vault = &self.core.vault;
            let text = granted.set.to_text();
            let seal = |id: CredentialId| -> Result<_, VaultError> {
                let sealed = vault.seal(Purpose::CredentialSecret, id.0, &text)?;
                Ok((SealedSecret { sealed, hint: hint(granted) }, None))
            };
            let made = self
                .core
                .store
                .credential_insert_as(row.provider_id, &spec, &self.account(row, granted), seal, change)
                .await;
            match made {
                Ok(made) => return Ok(self.credential_view(made)),
                Err(store::StoreError::Conflict { field }) if field == "name" => {}
                Err(error) => return Err(store_problem(error, "credential")),
            }
        }
        Err(Problem::field("name", "too many accounts have this name already"))
    }

    async fn signed_in_again(
        &self,
        id: CredentialId,
        row: &FlowRow,
        granted: &Granted,
    ) -> Result<CredentialView, Problem> {
        let before =
            self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, "credential"))?;
        let sealed = self.seal(Purpose::CredentialSecret, id.0, &granted.set.to_text())?;
        let subject = Subject { object: "credential", id: id.to_string(), name: &before.spec.name };
        let change = self.change("sign_in", &subject, None, Some(self.told(row, granted)));
        let secret = SealedSecret { sealed, hint: hint(granted) };
        let made = self.core.store.credential_sign_in(id, secret, &self.account(row, granted), change).await;
        made.map(|row| self.credential_view(row)).map_err(|e| store_problem(e, "credential"))
    }

    fn account(&self, row: &FlowRow, granted: &Granted) -> Account {
        Account {
            auth: CredentialAuth::Oauth,
            vendor: Some(row.vendor.clone()),
            account: granted.account.clone(),
            scopes: granted.scopes.clone(),
            expires_at: granted.expires_at,
            refreshed_at: Some(self.core.clock.now()),
        }
    }

    #[expect(clippy::unused_self, reason = "reads like its neighbours")]
    fn told(&self, row: &FlowRow, granted: &Granted) -> serde_json::Value {
        json!({
            "vendor": row.vendor, "account": granted.account, "scopes": granted.scopes,
            "expires_at": granted.expires_at, "tokens": "[changed]",
        })
    }
}

fn hint(granted: &Granted) -> String {
    granted.account.clone().unwrap_or_else(|| "account".to_owned())
}

fn gone() -> Failure {
    Failure::new(oauth::Class::Transient, not_found("provider").message)
}
