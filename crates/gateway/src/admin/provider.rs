//! Providers: list, add, change, delete, restore, and ask whether they answer.

use std::collections::HashMap;
use std::sync::Arc;

use store::{CredentialRow, ProviderRow, SealedProxy};
use types::credential::{CreateCredential, CredentialState, MaterialInput};
use types::limits::LimitsInput;
use types::problem::FieldErrors;
use types::provider::{
    CreateProvider, ProviderSpec, ProviderTest, ProviderView, TestProvider, UpdateProvider,
};
use types::{CredentialId, Patch, Problem, ProviderId, Secret};

use super::proxy::{check_patch, check_proxy};
use super::trial::NewSecret;
use super::{Admin, Subject, trail};
use crate::environment;
use crate::identity::problem::{not_found, store_problem};
use crate::snapshot::{Credential, Provider, Proxy, Snapshot};
use crate::vault::{Purpose, VaultError};

const OBJECT: &str = "provider";

impl Admin {
    /// All providers by id.
    pub async fn provider_list(&self, include_deleted: bool) -> Result<Vec<ProviderView>, Problem> {
        let rows =
            self.core.store.provider_list(include_deleted).await.map_err(|e| store_problem(e, OBJECT))?;
        let counts = self.credential_counts().await?;
        Ok(rows.into_iter().map(|row| view(row, &counts)).collect())
    }

    /// One provider, deleted ones too.
    pub async fn provider_fetch(&self, id: ProviderId) -> Result<ProviderView, Problem> {
        let row = self.core.store.provider_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        self.provider_view(row).await
    }

    /// Adds a provider, with its first credential if a key is given.
    pub async fn provider_create(&self, input: CreateProvider) -> Result<ProviderView, Problem> {
        let spec = input.parse().and_then(check_patterns);
        let hint = input.proxy_url.as_ref().map(check_proxy).transpose();
        let first = first_credential(&input);
        let first_spec = first.as_ref().map(|first| first.parse("key 1")).transpose();
        let (spec, hint, first_spec) = all_or_faults(spec, hint, first_spec)?;
        let first = first.and_then(|first| first.secret()).zip(first_spec);
        if let Some((material, first_spec)) = &first {
            let proxy = input.proxy_url.clone().map_or(Proxy::Default, Proxy::Own);
            self.try_first(NewSecret {
                name: &first_spec.name,
                provider: &Provider::new(ProviderId(0), spec.clone(), proxy, Vec::new()),
                material,
                proxy: Proxy::Default,
                probe: input.probe,
                usual: false,
            })
            .await?;
        }

        let subject = Subject { object: OBJECT, id: String::new(), name: &spec.name };
        let change = self.change("create", &subject, None, Some(trail::provider(&spec, hint.as_deref())));
        let seal = |id: ProviderId| -> Result<Option<SealedProxy>, VaultError> {
            let (Some(address), Some(hint)) = (&input.proxy_url, hint) else { return Ok(None) };
            let sealed = self.core.vault.seal(Purpose::ProviderProxy, id.0, address)?;
            Ok(Some(SealedProxy { sealed, hint }))
        };
        let row = self
            .core
            .store
            .provider_insert(&spec, seal, change)
            .await
            .map_err(|error| store_problem(error, OBJECT))?;
        if let Some((material, first_spec)) = first
            && let Err(problem) = self.credential_insert(row.id, &first_spec, &material, None).await
        {
            // Half a provider would only be in the way of the next try, which meets its name.
            let subject = Subject { object: OBJECT, id: row.id.to_string(), name: &spec.name };
            let undo = self.change("delete", &subject, None, None);
            if let Err(error) = self.core.store.provider_delete(row.id, undo).await {
                tracing::error!(%error, provider.id = row.id.0, "a provider without its credential was left behind");
            }
            return Err(problem);
        }
        self.take_effect().await?;
        environment::sync_if_named(&self.core).await;
        self.provider_view(row).await
    }

    /// Changes a provider.
    pub async fn provider_update(
        &self,
        id: ProviderId,
        input: UpdateProvider,
    ) -> Result<ProviderView, Problem> {
        let row = self.provider_live(id).await?;
        self.expect_version(OBJECT, id.0, input.version, row.version).await?;
        let spec = input.apply(row.spec.clone()).and_then(check_patterns);
        let (spec, hint, ()) = all_or_faults(spec, check_patch(&input.proxy_url), Ok(()))?;
        let before = trail::provider(&row.spec, row.proxy_hint.as_deref());
        let mut after = trail::provider(&spec, hint.clone().apply(row.proxy_hint.clone()).as_deref());
        let proxy = match (&input.proxy_url, hint) {
            (Patch::Set(address), Patch::Set(hint)) => {
                // The hint may be the same while the password is another.
                trail::mark_changed(&mut after, "proxy_password");
                Patch::Set(SealedProxy { sealed: self.seal(Purpose::ProviderProxy, id.0, address)?, hint })
            }
            (Patch::Clear, _) => Patch::Clear,
            _ => Patch::Keep,
        };
        let Some((before, after)) = trail::changed(&before, &after) else {
            return self.provider_view(row).await;
        };
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &spec.name };
        let change = self.change("update", &subject, Some(before), Some(after));
        let row = match self.core.store.provider_update(id, row.version, &spec, proxy, change).await {
            Ok(row) => row,
            Err(error) => return Err(self.change_problem(error, OBJECT, id.0).await),
        };
        self.take_effect().await?;
        if !row.spec.enabled || !row.spec.routing.sticky {
            self.unbind(|binding| binding.provider == id);
        }
        environment::sync_if_named(&self.core).await;
        self.provider_view(row).await
    }

    /// Deletes a provider; it can be restored. Requests that run on it end as they would have.
    pub async fn provider_delete(&self, id: ProviderId) -> Result<(), Problem> {
        let row = self.provider_live(id).await?;
        let before = trail::provider(&row.spec, row.proxy_hint.as_deref());
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("delete", &subject, Some(before), None);
        self.core.store.provider_delete(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        self.unbind(|binding| binding.provider == id);
        Ok(())
    }

    /// Brings a deleted provider back, with its credentials.
    pub async fn provider_restore(&self, id: ProviderId) -> Result<ProviderView, Problem> {
        let row = self.core.store.provider_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        let after = trail::provider(&row.spec, row.proxy_hint.as_deref());
        let subject = Subject { object: OBJECT, id: id.to_string(), name: &row.spec.name };
        let change = self.change("restore", &subject, None, Some(after));
        let row = self.core.store.provider_restore(id, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await?;
        environment::sync_if_named(&self.core).await;
        self.provider_view(row).await
    }

    /// Asks the upstream for one token, or for its model list.
    pub async fn provider_test(&self, id: ProviderId, input: TestProvider) -> Result<ProviderTest, Problem> {
        let snapshot = self.core.snapshot();
        let (provider, credential) = usable(&snapshot, id, input.credential_id)?;
        let model = input.model.map(|model| model.trim().to_owned()).filter(|model| !model.is_empty());
        Ok(Box::pin(self.ask(provider, credential, model)).await)
    }

    /// The models that the upstream lists.
    pub async fn provider_models(&self, id: ProviderId) -> Result<Vec<String>, Problem> {
        let snapshot = self.core.snapshot();
        let (provider, credential) = usable(&snapshot, id, None)?;
        let timeout_ms = self.core.config.api_test_timeout_ms;
        Box::pin(crate::upstream::list_models(
            &self.core.upstreams,
            self.core.clock.now(),
            timeout_ms,
            provider,
            credential,
        ))
        .await
        .map_err(|message| Problem::new("upstream_failed", message))
    }

    pub(super) async fn ask(
        &self,
        provider: &Provider,
        credential: &Arc<Credential>,
        model: Option<String>,
    ) -> ProviderTest {
        let core = &self.core;
        let timeout_ms = core.config.api_test_timeout_ms;
        if let crate::authenticate::Auth::Token(slot) = &credential.auth
            && !slot.is_ready(core.clock.now())
        {
            use crate::refresh::{Trigger, refreshed};
            let deadline = tokio::time::Instant::now() + std::time::Duration::from_millis(timeout_ms);
            // What failed is said by the test itself.
            refreshed(core, (credential.id, slot), slot.round(), Trigger::Request, deadline).await;
        }
        let books = crate::upstream::Books {
            ledger: &core.ledger,
            now: core.clock.now(),
            price: &|record| crate::house::settle(core, provider, record),
        };
        crate::upstream::test_provider(&core.upstreams, books, timeout_ms, provider, credential, model).await
    }

    pub(super) async fn provider_live(&self, id: ProviderId) -> Result<ProviderRow, Problem> {
        let row = self.core.store.provider_fetch(id).await.map_err(|e| store_problem(e, OBJECT))?;
        if row.deleted_at.is_some() { Err(not_found(OBJECT)) } else { Ok(row) }
    }

    pub(super) fn seal(
        &self,
        purpose: Purpose,
        row: i64,
        secret: &Secret<String>,
    ) -> Result<Vec<u8>, Problem> {
        self.core.vault.seal(purpose, row, secret).map_err(|e| Problem::new("internal", e.to_string()))
    }

    async fn provider_view(&self, row: ProviderRow) -> Result<ProviderView, Problem> {
        Ok(view(row, &self.credential_counts().await?))
    }

    async fn credential_counts(&self) -> Result<HashMap<ProviderId, u32>, Problem> {
        let rows = self.core.store.credential_list(true).await.map_err(|e| store_problem(e, "credential"))?;
        let mut counts = HashMap::new();
        for CredentialRow { provider_id, .. } in rows.into_iter().filter(|row| row.deleted_at.is_none()) {
            *counts.entry(provider_id).or_default() += 1;
        }
        Ok(counts)
    }
}

/// The provider and the asked, else the best, of its credentials. Disabled ones can be tested too: that is
/// how one finds out whether they can be switched on again.
pub(super) fn usable(
    snapshot: &Snapshot,
    id: ProviderId,
    wanted: Option<CredentialId>,
) -> Result<(&Provider, &Arc<Credential>), Problem> {
    let provider = snapshot.providers.iter().find(|p| p.id == id).ok_or_else(|| not_found(OBJECT))?;
    let credential = match wanted {
        Some(wanted) => provider.credentials.iter().find(|c| c.id == wanted),
        None => provider
            .credentials
            .iter()
            .min_by_key(|c| (!c.spec.enabled, !c.auth.is_readable(), c.mark.state != CredentialState::Valid)),
    };
    let credential = credential.ok_or_else(|| {
        Problem::field("credential_id", "this provider has no such credential; add an API key first")
    })?;
    Ok((provider, credential))
}

/// Refuses model patterns that could never match.
pub(super) fn check_patterns(spec: ProviderSpec) -> Result<ProviderSpec, Problem> {
    let mut errors = FieldErrors::default();
    let models = spec.models.iter().map(|pattern| ("models", pattern));
    for (field, pattern) in models.chain(spec.model_redirects.keys().map(|from| ("model_redirects", from))) {
        if let Err(fault) = routing::pattern::check(pattern) {
            errors.add(field, format!("'{pattern}': {fault}"));
        }
    }
    errors.finish(spec)
}

fn first_credential(input: &CreateProvider) -> Option<CreateCredential> {
    input.api_key.as_ref().map(|api_key| CreateCredential {
        provider_id: ProviderId(0),
        name: None,
        api_key: api_key.clone(),
        material: MaterialInput::default(),
        tier: input.tier.clone(),
        priority: None,
        weight: None,
        max_concurrency: None,
        enabled: None,
        limits: LimitsInput::default(),
        proxy_url: None,
        probe: None,
    })
}

/// All three, or everything that is wrong with any of them.
pub(super) fn all_or_faults<A, B, C>(
    a: Result<A, Problem>,
    b: Result<B, Problem>,
    c: Result<C, Problem>,
) -> Result<(A, B, C), Problem> {
    let faults: Vec<Problem> =
        [a.as_ref().err(), b.as_ref().err(), c.as_ref().err()].into_iter().flatten().cloned().collect();
    if let (Ok(a), Ok(b), Ok(c)) = (a, b, c) {
        return Ok((a, b, c));
    }
    let mut errors = FieldErrors::default();
    for (field, message) in faults.into_iter().flat_map(|problem| problem.fields) {
        errors.add(&field, message);
    }
    match errors.finish(()) {
        Err(problem) => Err(problem),
        Ok(()) => Err(Problem::new("invalid_input", "the input was refused")),
    }
}

fn view(row: ProviderRow, counts: &HashMap<ProviderId, u32>) -> ProviderView {
    let ProviderRow {
        id,
        spec,
        proxy_sealed: _,
        proxy_hint,
        created_at,
        updated_at,
        deleted_at,
        usage_reset_at: _,
        version,
    } = row;
    let ProviderSpec {
        name,
        kind,
        base_url,
        enabled,
        groups,
        priority,
        weight,
        models,
        model_redirects,
        timeouts,
        cost_multiplier,
        limits,
        routing,
    } = spec;
    ProviderView {
        id,
        name,
        kind,
        base_url: base_url.to_string(),
        enabled,
        groups,
        priority,
        weight,
        models,
        model_redirects,
        timeouts,
        cost_multiplier,
        limits,
        routing,
        proxy_url: proxy_hint,
        credential_count: counts.get(&id).copied().unwrap_or(0),
        created_at,
        updated_at,
        deleted_at,
        version,
    }
}
