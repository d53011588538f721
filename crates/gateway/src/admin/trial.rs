//! A new secret is tried before it is stored, where that was asked for or is usual (OA-07). It stores nothing.

use store::CredentialRow;
use types::check::CheckResult;
use types::credential::Material;
use types::provider::ProviderKind;
use types::{Patch, Problem, ProviderId, Secret};

use super::Admin;
use crate::checks;
use crate::snapshot::Proxy;
use crate::vault::Purpose;

/// A secret that is about to be stored.
#[derive(Debug)]
pub(super) struct NewSecret<'a> {
    /// Of the credential.
    pub(super) name: &'a str,
    pub(super) provider: ProviderId,
    pub(super) kind: ProviderKind,
    pub(super) material: &'a Material,
    /// What its requests would go through.
    pub(super) proxy: Proxy,
    /// Whether to ask; `None` leaves it to what is usual.
    pub(super) probe: Option<bool>,
    /// Whether it is usual to ask: a session key is involved.
    pub(super) usual: bool,
}

impl Admin {
    /// Asks the vendor, and refuses what it does not take. Answers what the audit log says of it.
    pub(super) async fn try_first(&self, new: NewSecret<'_>) -> Result<Option<&'static str>, Problem> {
        let key = new.material.text.expose();
        let hint = oauth::key_hint(new.kind, key, new.usual);
        if !new.probe.unwrap_or(new.usual) {
            if new.usual {
                tracing::warn!(
                    credential.name = new.name,
                    hint,
                    "a session key is replaced without asking the vendor"
                );
            }
            return Ok(new.usual.then_some("skipped"));
        }
        let tried = checks::tried(&self.core, new.provider, new.material, new.proxy).await;
        let passed = tried.result == CheckResult::Healthy;
        tracing::info!(
            credential.name = new.name,
            probe = tried.probe,
            result = tried.result.as_str(),
            status = tried.status,
            latency_ms = tried.latency_ms,
            said = tried.said,
            hint,
            saved = passed,
            "a new secret was tried before it is stored"
        );
        if passed {
            return Ok(Some("passed"));
        }
        let hint = hint.map(|hint| format!(" Hint: {hint}.")).unwrap_or_default();
        Err(Problem::new(
            "probe_failed",
            format!(
                "nothing was saved: {}.{hint} To save it all the same, repeat the change with probe=false",
                tried.said.trim_end_matches('.')
            ),
        ))
    }

    /// The way out that a credential would have after a change of its proxy.
    pub(super) fn proxy_after(&self, row: &CredentialRow, change: &Patch<Secret<String>>) -> Proxy {
        match (change, &row.proxy_sealed) {
            (Patch::Set(address), _) => Proxy::Own(address.clone()),
            (Patch::Keep, Some(sealed)) => {
                let opened = self.core.vault.open(Purpose::CredentialProxy, row.id.0, sealed);
                opened.map_or(Proxy::Unreadable, Proxy::Own)
            }
            (Patch::Keep, None) | (Patch::Clear, _) => Proxy::Default,
        }
    }
}
