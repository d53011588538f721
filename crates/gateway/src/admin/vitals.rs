//! Whether a provider itself is up (RF-07): its last success, its last failure, how quick it is, and whether others
//! answer. It asks nobody; the provider's test does that.

use types::provider::ProviderVitals;
use types::usage::latency_percentile;
use types::{Problem, ProviderId, Timestamp};

use super::Admin;
use crate::identity::problem::store_problem;

impl Admin {
    /// How a provider did lately.
    pub async fn provider_vitals(&self, id: ProviderId) -> Result<ProviderVitals, Problem> {
        self.provider_live(id).await?;
        let core = &self.core;
        let now = core.clock.now();
        let bins =
            core.store.provider_latency_bins(id, now.plus_ms(-Timestamp::DAY_MS), now.plus_ms(1)).await;
        let bins = bins.map_err(|error| store_problem(error, "usage"))?;
        let snapshot = core.snapshot();
        let own = snapshot.providers.iter().filter(|provider| provider.id == id);
        let (mut success, mut failure) = (None, None);
        for credential in own.flat_map(|provider| &provider.credentials) {
            let lately = credential.gauge.lately();
            success = success.max(lately.success_at());
            failure = failure.into_iter().chain(lately.failure()).max_by_key(|failure| failure.at);
        }
        Ok(ProviderVitals {
            last_success_at: success,
            last_failure_at: failure.as_ref().map(|failure| failure.at),
            last_failure_class: failure.as_ref().map(|failure| failure.class),
            last_failure: failure.map(|failure| failure.what),
            first_byte_p95_ms: latency_percentile(&bins, 95),
            others_answer: core.reach.others_answer(id, now),
            started_at: core.started_at,
        })
    }
}
