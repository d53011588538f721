//! The secrets of a file tried before they are taken over (OA-07): a few beside each other, all within one bound of time.
//! What was asked about is kept by nobody; an import that asks again may hear something else.

use std::time::Duration;

use futures_util::StreamExt;
use tokio::time::Instant;
use types::check::CheckResult;
use types::import::{CredentialImport, ImportTrial};

use super::compare::{Fresh, Step, Where, leave_out};
use crate::admin::Admin;
use crate::checks::{self, Trial, Tried};
use crate::core::Core;
use crate::snapshot::{Provider, Proxy};

/// How long all of a file's secrets together may take.
const PATIENCE: Duration = Duration::from_secs(45);
const LATE: &str = "there was no time left to ask; import fewer at a time";
const ABSENT: &str = "its provider is not in force yet; try again in a moment";

impl Admin {
    /// Asks about each credential that would be added, says in its line what came of it, and leaves out what its
    /// vendor does not take.
    pub(super) async fn try_each(&self, found: &mut CredentialImport, steps: &mut Vec<Step>) {
        let snapshot = self.core.snapshot();
        let beside = usize::try_from(snapshot.settings.account_health_check_parallelism).unwrap_or(1).max(1);
        let until = Instant::now() + PATIENCE;
        let fresh: Vec<Option<Provider>> = steps.iter().map(made).collect();
        let mut asked = Vec::new();
        for (step, made) in steps.iter().zip(&fresh) {
            let stored = match &step.place {
                Where::Existing(id) => snapshot.providers.iter().find(|known| known.id == *id),
                Where::New { .. } => None,
            };
            for credential in &step.credentials {
                let place = (step.at, credential.at);
                asked.push(Box::pin(one(&self.core, made.as_ref().or(stored), credential, (until, place))));
            }
        }
        let tried: Vec<_> = futures_util::stream::iter(asked).buffer_unordered(beside).collect().await;
        let passed = tried.iter().filter(|(_, tried)| tried.passed()).count();
        tracing::info!(
            tried = tried.len(),
            passed,
            "the secrets of a file were tried before they are taken over"
        );
        for ((provider, credential), tried) in tried {
            let shown = found.providers.get_mut(provider);
            if let Some(line) = shown.and_then(|provider| provider.credentials.get_mut(credential)) {
                let Tried { probe, result, status, latency_ms, said } = tried;
                line.trial = Some(ImportTrial { result, probe, status, latency_ms, said });
            }
        }
        leave_out(found, steps, |line| {
            let trial = line.trial.as_ref().filter(|_| line.was_refused())?;
            Some(format!("was tried and not taken: {}", trial.said))
        });
    }
}

/// A provider that is not stored yet.
fn made(step: &Step) -> Option<Provider> {
    let Where::New { spec, proxy } = &step.place else { return None };
    let proxy = proxy.as_ref().map_or(Proxy::Default, |(address, _)| Proxy::Own(address.clone()));
    Some(Provider::new(types::ProviderId(0), (**spec).clone(), proxy, Vec::new()))
}

/// Tries one, and answers where its line is.
async fn one(
    core: &Core,
    provider: Option<&Provider>,
    fresh: &Fresh,
    (until, place): (Instant, (usize, usize)),
) -> ((usize, usize), Tried) {
    let Some(provider) = provider else {
        return (place, Tried::unasked(CheckResult::NotProbed, ABSENT));
    };
    let proxy = fresh.proxy.as_ref().map_or(Proxy::Default, |(address, _)| Proxy::Own(address.clone()));
    let trial = Trial { account: &fresh.account, secret: &fresh.secret, proxy };
    let tried = tokio::time::timeout_at(until, checks::tried(core, provider, trial)).await;
    (place, tried.unwrap_or_else(|_| Tried::unasked(CheckResult::Inconclusive, LATE)))
}
