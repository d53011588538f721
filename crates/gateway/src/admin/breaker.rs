//! Circuit breakers: how they stand, what they did, and setting them back.

use routing::health::BreakerLine;
use types::breaker::{BreakerEvent, BreakerState, BreakerView};
use types::cached::Cleared;
use types::{CredentialId, Page, Problem, ProviderId};

use super::Admin;
use crate::events;
use crate::identity::problem::{not_found, store_problem};

const OBJECT: &str = "breaker";
/// Events on a page.
const PAGE: u32 = 100;

impl Admin {
    /// Every breaker that is not closed or that ever failed, the open ones first.
    #[expect(clippy::unused_async, reason = "all calls of the handle are awaited alike")]
    pub async fn breaker_list(&self) -> Result<Vec<BreakerView>, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let mut views = Vec::new();
        for provider in &snapshot.providers {
            for credential in &provider.credentials {
                let lines = credential.gauge.health().breakers(now);
                views.extend(lines.into_iter().map(|line| view(provider.id, credential.id, line)));
            }
        }
        let rank = |state| match state {
            BreakerState::Open => 0,
            BreakerState::HalfOpen => 1,
            BreakerState::Closed => 2,
        };
        views.sort_by_key(|view| (rank(view.state), std::cmp::Reverse(view.failures), view.credential_id));
        Ok(views)
    }

    /// What breakers did, the latest first.
    pub async fn breaker_events(
        &self,
        provider: Option<ProviderId>,
        cursor: Option<String>,
    ) -> Result<Page<BreakerEvent>, Problem> {
        // What happened just now may still be on its way.
        events::flush(&self.core).await.map_err(|error| store_problem(error, OBJECT))?;
        let page = self.core.store.breaker_event_list(provider, PAGE, cursor).await;
        page.map_err(|error| store_problem(error, OBJECT))
    }

    /// Closes the breakers of one provider, or all.
    pub async fn breaker_reset(&self, provider: Option<ProviderId>) -> Result<Cleared, Problem> {
        let (snapshot, now) = (self.core.snapshot(), self.core.clock.now());
        let wanted: Vec<_> =
            snapshot.providers.iter().filter(|other| provider.is_none_or(|id| other.id == id)).collect();
        let name = match (provider, wanted.first()) {
            (None, _) => "all".to_owned(),
            (Some(_), Some(provider)) => provider.spec.name.clone(),
            (Some(_), None) => return Err(not_found("provider")),
        };
        let mut cleared = 0_u64;
        for provider in wanted {
            for credential in &provider.credentials {
                let changes = credential.gauge.mend(now, |health| health.reset_breakers(now));
                cleared += u64::try_from(changes.len()).unwrap_or(u64::MAX);
                events::breakers(&self.core, provider.id, credential, changes, now);
            }
        }
        self.note("reset", OBJECT, &name, Some(serde_json::json!({ "closed": cleared }))).await?;
        Ok(Cleared { cleared })
    }
}

fn view(provider_id: ProviderId, credential_id: CredentialId, line: BreakerLine) -> BreakerView {
    let BreakerLine { model, state, failures, successes, openings, changed_at, probe_at, last_error } = line;
    BreakerView {
        provider_id,
        credential_id,
        model,
        state,
        failures,
        successes,
        openings,
        changed_at,
        probe_at,
        last_error,
    }
}
