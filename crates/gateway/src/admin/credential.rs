//! Credentials: what authenticates to a provider. Their secrets come in here and are sealed; none goes out.

use store::{Account, CredentialRow, SealedProxy, SealedSecret};
use types::credential::{
    CreateCredential, CredentialAuth, CredentialSpec, CredentialState, CredentialView, Material,
    UpdateCredential,
};
use types::{CredentialId, Patch, Problem, ProviderId, Secret};

use super::condition::{Condition, Stored};
use super::provider::all_or_faults;
use super::proxy::{check_patch, check_proxy};
use super::trial::NewSecret;
use super::{Admin, Subject, account, material, trail};
use crate::identity::problem::{not_found, store_problem};
use crate::snapshot::{Provider, Proxy};
use crate::vault::{Purpose, VaultError};

const OBJECT: &str = "credential";

impl Admin {
    /// The credentials of one provider, or of all, that are not deleted.
    pub async fn credential_list(
        &self,
        provider: Option<ProviderId>,
    ) -> Result<Vec<CredentialView>, Problem> {
        let rows = self.core.store.credential_list(true).await.map_err(|e| store_problem(e, OBJECT))?;
        let wanted = |row: &CredentialRow| {
            row.deleted_at.is_none() && provider.is_none_or(|provider| row.provider_id == provider)
        };
        Ok(rows.into_iter().filter(wanted).map(|row| self.credential_view(row)).collect())
    }

    /// One credential, deleted ones too.
    pub async fn credential_fetch(&self, id: CredentialId) -> Result<CredentialView, Problem> {
        let row = self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        Ok(self.credential_view(row))
    }

    /// Adds a credential.
    pub async fn credential_create(&self, input: CreateCredential) -> Result<CredentialView, Problem> {
        let provider = input.provider_id;
        let home = self
            .provider_live(provider)
            .await
            .map_err(|_| Problem::field("provider_id", "there is no such provider"))?;
        let rows = self.core.store.credential_list(true).await.map_err(|e| store_problem(e, OBJECT))?;
        let taken: Vec<_> =
            rows.iter().filter(|row| row.provider_id == provider).map(|row| row.spec.name.as_str()).collect();
        let default_name = (1..=taken.len() + 1)
            .map(|n| format!("key {n}"))
            .find(|name| !taken.contains(&name.as_str()))
            .unwrap_or_default();
        let hint = input.proxy_url.as_ref().map(check_proxy).transpose();
        let (spec, hint, ()) = all_or_faults(input.parse(&default_name), hint, Ok(()))?;
        let proxy = input.proxy_url.as_ref().zip(hint);
        let Some(material) = input.secret() else {
            return Err(Problem::field("api_key", "must not be empty"));
        };
        material::check(&home.spec, &material)?;
        self.try_first(NewSecret {
            name: &spec.name,
            provider: &self.home(home),
            material: &material,
            proxy: input.proxy_url.clone().map_or(Proxy::Default, Proxy::Own),
            probe: input.probe,
            usual: false,
        })
        .await?;
        let row = self.credential_insert(provider, &spec, &material, proxy).await?;
        self.take_effect().await?;
        Ok(self.credential_view(row))
    }

    /// Changes a credential. A new secret also clears what the upstream said about the old one.
    pub async fn credential_update(
        &self,
        id: CredentialId,
        input: UpdateCredential,
    ) -> Result<CredentialView, Problem> {
        let row = self.credential_live(id).await?;
        self.expect_version(OBJECT, id.0, input.version, row.version).await?;
        if input.api_key.is_some() && row.auth == CredentialAuth::Oauth {
            return Err(Problem::field(
                "api_key",
                "this is an account; sign in again instead of replacing its secret",
            ));
        }
        let hint = check_patch(&input.proxy_url);
        let (spec, hint, ()) = all_or_faults(input.apply(row.spec.clone()), hint, Ok(()))?;
        let switched_only = CredentialSpec { enabled: row.spec.enabled, ..spec.clone() } == row.spec
            && input.secret().is_none()
            && matches!(input.proxy_url, Patch::Keep);
        if !switched_only {
            not_managed(&row)?;
        }
        let mut after = trail::credential(&spec, hint.clone().apply(row.proxy_hint.clone()).as_deref());
        let proxy = match (&input.proxy_url, hint) {
            (Patch::Set(address), Patch::Set(hint)) => {
                // The hint may be the same while the password is another.
                trail::mark_changed(&mut after, "proxy_password");
                Patch::Set(SealedProxy { sealed: self.seal(Purpose::CredentialProxy, id.0, address)?, hint })
            }
            (Patch::Clear, _) => Patch::Clear,
            _ => Patch::Keep,
        };
        let secret = match input.secret() {
            Some(new) => {
                let home = self.home_of(&row, &new).await?;
                let was = self.core.vault.open(Purpose::CredentialSecret, id.0, &row.sealed).ok();
                let is_session = |key: &Secret<String>| oauth::is_session_key(home.spec.kind, key.expose());
                let tried = self.try_first(NewSecret {
                    name: &spec.name,
                    provider: &home,
                    material: &new,
                    proxy: self.proxy_after(&row, &input.proxy_url),
                    probe: input.probe,
                    usual: was.as_ref().is_some_and(is_session) || is_session(&new.text),
                });
                if let Some(word) = tried.await? {
                    trail::put(&mut after, "probe", word);
                }
                trail::mark_changed(&mut after, new.field);
                let sealed = self.seal(Purpose::CredentialSecret, id.0, &new.text)?;
                Some(SealedSecret { sealed, hint: new.hint })
            }
            None => None,
        };
        let Some((before, after)) = trail::changed(&told(&row), &after) else {
            return Ok(self.credential_view(row));
        };
        let replaced = secret.is_some();
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &spec.name };
        let change = self.change("update", &subject, Some(before), Some(after));
        let row = match self.core.store.credential_update(id, row.version, &spec, secret, proxy, change).await
        {
            Ok(row) => row,
            Err(error) => return Err(self.change_problem(error, OBJECT, id.0).await),
        };
        if replaced {
            self.forget_failures(id);
        }
        self.take_effect().await?;
        if !row.spec.enabled {
            self.unbind(|binding| binding.credential == id);
        }
        Ok(self.credential_view(row))
    }

    /// Deletes a credential; it can be restored.
    pub async fn credential_delete(&self, id: CredentialId) -> Result<(), Problem> {
        let row = self.credential_live(id).await?;
        not_managed(&row)?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("delete", &subject, Some(told(&row)), None);
        self.core.store.credential_delete(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.unbind(|binding| binding.credential == id);
        Ok(())
    }

    /// Brings a deleted credential back.
    pub async fn credential_restore(&self, id: CredentialId) -> Result<CredentialView, Problem> {
        let row = self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        not_managed(&row)?;
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("restore", &subject, None, Some(told(&row)));
        let row =
            self.core.store.credential_restore(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        Ok(self.credential_view(row))
    }

    /// Stores a checked credential, with its proxy's address and what views show of that; the caller puts it in force.
    pub(super) async fn credential_insert(
        &self,
        provider: ProviderId,
        spec: &CredentialSpec,
        material: &Material,
        proxy: Option<(&Secret<String>, String)>,
    ) -> Result<CredentialRow, Problem> {
        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let mut after = trail::credential(spec, proxy.as_ref().map(|(_, hint)| hint.as_str()));
        trail::mark_changed(&mut after, material.field);
        let change = self.change("create", &subject, None, Some(after));
        let vault = &self.core.vault;
        let shown = (material.auth == CredentialAuth::ServiceAccount).then(|| material.hint.clone());
        let account = Account { account: shown, ..Account::of(material.auth) };
        let seal = |id: CredentialId| -> Result<_, VaultError> {
            let sealed = vault.seal(Purpose::CredentialSecret, id.0, &material.text)?;
            let proxy = proxy
                .map(|(address, hint)| {
                    vault
                        .seal(Purpose::CredentialProxy, id.0, address)
                        .map(|sealed| SealedProxy { sealed, hint })
                })
                .transpose()?;
            Ok((SealedSecret { sealed, hint: material.hint.clone() }, proxy))
        };
        self.core
            .store
            .credential_insert_as(provider, spec, &account, seal, change)
            .await
            .map_err(|error| store_problem(error, OBJECT))
    }

    /// The provider of a credential; refuses a secret that this credential could not have.
    async fn home_of(&self, row: &CredentialRow, new: &Material) -> Result<Provider, Problem> {
        if new.auth != row.auth {
            let what = format!("this credential is of another kind ({}); add a new one", row.auth);
            return Err(Problem::field(new.field, what));
        }
        let home = self.provider_live(row.provider_id).await?;
        material::check(&home.spec, new)?;
        Ok(self.home(home))
    }

    pub(super) async fn credential_live(&self, id: CredentialId) -> Result<CredentialRow, Problem> {
        let row = self.core.store.credential_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.deleted_at.is_some() { Err(not_found(OBJECT)) } else { Ok(row) }
    }

    fn is_session_key(&self, provider: ProviderId, key: &Secret<String>) -> bool {
        let snapshot = self.core.snapshot();
        let home = snapshot.providers.iter().find(|known| known.id == provider);
        home.is_some_and(|home| oauth::is_session_key(home.spec.kind, key.expose()))
    }

    pub(super) fn credential_view(&self, row: CredentialRow) -> CredentialView {
        let CredentialRow {
            id,
            provider_id,
            spec,
            sealed,
            hint,
            proxy_sealed: _,
            proxy_hint,
            auth,
            token,
            mark,
            check,
            allowance: _,
            created_at,
            updated_at,
            deleted_at,
            usage_reset_at: _,
            managed_by,
            version,
        } = row;
        let CredentialSpec { name, tier, priority, weight, max_concurrency, enabled, limits } = spec;
        let secret = self.core.vault.open(Purpose::CredentialSecret, id.0, &sealed).ok();
        let can_refresh = secret.as_ref().is_some_and(account::can_refresh);
        let stored = Stored { id, readable: secret.is_some(), enabled, mark: &mark, check: &check };
        let now = self.core.clock.now();
        let condition = Condition::of(&self.core, stored, now);
        let gauge = self.core.gauges.credential(id);
        let marked = mark.state != CredentialState::Valid;
        CredentialView {
            id,
            provider_id,
            name,
            secret_hint: hint,
            auth,
            session_key: auth == CredentialAuth::ApiKey
                && secret.as_ref().is_some_and(|key| self.is_session_key(provider_id, key)),
            token: account::view(auth, &token, condition.state, can_refresh, now),
            tier,
            priority,
            weight,
            max_concurrency,
            enabled,
            limits,
            proxy_url: proxy_hint,
            cooldowns: condition.cooldowns(),
            state: condition.state,
            state_reason: condition.reason,
            cooldown_until: condition.until,
            breaker: condition.worst,
            latency_ms: condition.latency_ms.map(u64::from),
            answered: condition.answered,
            failed: condition.failed,
            consecutive_errors: gauge.consecutive_errors,
            next_check_at: self.next_check(id),
            allowance: self.core.gauges.gauge(id).allowance().map(|told| (*told).clone()),
            check,
            last_error: gauge.last_error.or(mark.reason.filter(|_| marked)),
            last_error_at: gauge.last_error_at.or(mark.since.filter(|_| marked)),
            last_used_at: gauge.last_used_at,
            in_flight: gauge.in_flight,
            managed_by,
            created_at,
            updated_at,
            deleted_at,
            version,
        }
    }
}

/// A stored credential as the audit log tells it.
fn told(row: &CredentialRow) -> serde_json::Value {
    trail::credential(&row.spec, row.proxy_hint.as_deref())
}

/// Refuses to change what the next start would set back.
fn not_managed(row: &CredentialRow) -> Result<(), Problem> {
    let Some(variable) = &row.managed_by else { return Ok(()) };
    Err(Problem::new(
        "managed_by_environment",
        format!(
            "this credential is named by {variable}; change that variable and restart, or switch it off here"
        ),
    ))
}
