//! A new secret is tried before it is stored, where that was asked for or is usual (OA-07). It stores nothing.

use store::{Account, CredentialRow, ProviderRow};
use types::credential::Material;
use types::{Patch, Problem, Secret};

use super::Admin;
use crate::checks::{self, Trial};
use crate::snapshot::{Provider, Proxy};
use crate::vault::Purpose;

/// A secret that is about to be stored.
#[derive(Debug)]
pub(super) struct NewSecret<'a> {
    /// Of the credential.
    pub(super) name: &'a str,
    /// Whose it would be; it may not exist yet.
    pub(super) provider: &'a Provider,
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
        let hint = oauth::key_hint(new.provider.spec.kind, key, new.usual);
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
        let account = Account::of(new.material.auth);
        let trial = Trial { account: &account, secret: &new.material.text, proxy: new.proxy };
        let tried = checks::tried(&self.core, new.provider, trial).await;
        tracing::info!(
            credential.name = new.name,
            probe = tried.probe,
            result = tried.result.as_str(),
            status = tried.status,
            latency_ms = tried.latency_ms,
            said = tried.said,
            hint,
            saved = tried.passed(),
            "a new secret was tried before it is stored"
        );
        if tried.passed() {
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

    /// A stored provider as a new secret of it would meet it.
    pub(super) fn home(&self, row: ProviderRow) -> Provider {
        let proxy = self.proxy(Purpose::ProviderProxy, row.id.0, row.proxy_sealed.as_deref());
        Provider::new(row.id, row.spec, proxy, Vec::new())
    }

    /// The way out that a credential would have after a change of its proxy.
    pub(super) fn proxy_after(&self, row: &CredentialRow, change: &Patch<Secret<String>>) -> Proxy {
        match change {
            Patch::Set(address) => Proxy::Own(address.clone()),
            Patch::Keep => self.proxy(Purpose::CredentialProxy, row.id.0, row.proxy_sealed.as_deref()),
            Patch::Clear => Proxy::Default,
        }
    }

    fn proxy(&self, purpose: Purpose, row: i64, sealed: Option<&[u8]>) -> Proxy {
        sealed.map_or(Proxy::Default, |sealed| {
            self.core.vault.open(purpose, row, sealed).map_or(Proxy::Unreadable, Proxy::Own)
        })
    }
}
