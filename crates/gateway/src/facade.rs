//! [`Gateway`]: the whole engine behind one cheaply cloned handle. Each method is a door, none decides anything.

mod doors;
mod inside;

use std::sync::Arc;
use std::time::Duration;

use ledger::{Ledger, Recovery};
use store::Store;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::credential::CredentialState;
use types::dialect::Dialect;
use types::setting::Settings;
use types::system::{Health, HealthCheck};

use crate::clock::Clock;
use crate::config::{Config, Site};
use crate::core::{Core, StartError};
use crate::error::Refusal;
use crate::metrics::Readings;
use crate::serve::{self, Caller, Ingress, KeyedCall, ModelsCall, Reply, Socket};

/// The engine.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub(crate) core: Arc<Core>,
}

impl Gateway {
    /// Opens the vault, loads the configuration, replays the journal and starts the background tasks.
    pub async fn start(
        config: Config,
        store: Store,
        ledger: Ledger,
        recovery: Recovery,
        clock: Clock,
    ) -> Result<Self, StartError> {
        Ok(Self { core: crate::start::start(config, store, ledger, recovery, clock).await? })
    }

    /// Serves a request of a forwarded endpoint.
    pub async fn serve(&self, ingress: Ingress) -> Reply {
        serve::serve(&self.core, ingress, None).await
    }

    /// Serves a request whose caller was [found](Self::check_caller) already.
    pub async fn serve_known(&self, caller: Caller, ingress: Ingress) -> Reply {
        serve::serve(&self.core, ingress, Some(caller)).await
    }

    /// Whether the caller is known; to be asked with the head alone, before the body is read.
    pub fn check_caller(&self, ingress: &Ingress) -> Result<Caller, Refusal> {
        serve::check_caller(&self.core, ingress)
    }

    /// Opens a WebSocket for the sender of a handshake on `/v1/responses`; `most` is how many may be open.
    pub fn open_socket(&self, handshake: &Ingress, most: usize) -> Result<Socket, Refusal> {
        serve::open_socket(&self.core, handshake, most)
    }

    /// Serves a model list or one model.
    pub async fn models(&self, call: ModelsCall) -> Reply {
        serve::models(&self.core, call).await
    }

    /// Serves `GET /v1/usage`.
    pub async fn usage(&self, call: KeyedCall) -> Reply {
        serve::usage(&self.core, call).await
    }

    /// Serves `GET /v1/requests/{id}/explain`.
    pub async fn explain(&self, call: KeyedCall, id: &str) -> Reply {
        serve::explain(&self.core, call, id).await
    }

    /// Answers a forwarded endpoint with a refusal of the edge (too large, too slow) and books it.
    pub fn refuse(&self, ingress: &Ingress, refusal: &Refusal) -> Reply {
        serve::refuse_at_edge(&self.core, ingress, refusal)
    }

    /// Renders a refusal in a dialect; for paths that are no forwarded endpoint, so nothing is booked.
    /// `shown_id` is the id that the caller knows the request by.
    pub fn refusal(&self, dialect: Dialect, refusal: &Refusal, shown_id: &str) -> Reply {
        serve::render(dialect, refusal, shown_id)
    }

    /// What the dashboard must know of its own address.
    pub fn site(&self) -> &Site {
        &self.core.config.site
    }

    /// The settings in force.
    pub fn settings(&self) -> Settings {
        self.core.snapshot().settings.clone()
    }

    /// Looks at the settings in force without copying them.
    pub fn with_settings<T>(&self, look: impl FnOnce(&Settings) -> T) -> T {
        look(&self.core.snapshot().settings)
    }

    /// The clock.
    pub fn clock(&self) -> &Clock {
        &self.core.clock
    }

    /// Loads the configuration from the database anew (SIGHUP, "refresh").
    pub async fn reload(&self) -> Result<(), store::StoreError> {
        self.core.reload().await
    }

    /// The health report.
    pub async fn health(&self) -> Health {
        crate::health::report(&self.core).await
    }

    /// One check of the health report by name; `None` for an unknown name.
    pub async fn health_of(&self, name: &str) -> Option<HealthCheck> {
        crate::health::report(&self.core).await.checks.remove(name)
    }

    /// Whether requests can be served: the database answered lately and the process is not draining.
    pub async fn is_ready(&self) -> bool {
        !self.is_draining() && crate::health::database(&self.core).await.status != "failed"
    }

    /// Prometheus text.
    pub fn metrics(&self) -> String {
        let pool = self.core.pool_counters.counts();
        self.core.metrics.render(Readings {
            backlog: self.core.ledger.backlog(),
            waiting: self.core.quotas.waiting(),
            accounts_lost: self.accounts_lost(),
            switches: pool.switches,
            exhausted: pool.exhausted,
        })
    }

    fn accounts_lost(&self) -> usize {
        let snapshot = self.core.snapshot();
        let credentials = snapshot.providers.iter().flat_map(|provider| &provider.credentials);
        credentials.filter(|c| c.spec.enabled && c.mark.state == CredentialState::NeedsReauth).count()
    }

    /// Whether the process is about to stop.
    pub fn is_draining(&self) -> bool {
        self.core.leaving.is_cancelled()
    }

    /// Says that the process is about to stop: it is not ready any more, but what still comes is served.
    pub fn announce_stop(&self) {
        self.core.leaving.cancel();
    }

    /// Cancelled when draining begins; long-lived answers of the edge (event streams) end with it.
    pub fn draining(&self) -> CancellationToken {
        self.core.draining.clone()
    }

    /// Where work is spawned that a shutdown waits for.
    pub fn tracker(&self) -> &TaskTracker {
        &self.core.tracker
    }

    /// Refuses new requests from now on.
    pub fn begin_drain(&self) {
        self.core.leaving.cancel();
        self.core.draining.cancel();
        self.core.loopback.close();
    }

    /// Waits until no request is in flight, at most so long; then cuts what is left with the dialect's error event.
    pub async fn drain(&self, deadline: Duration) {
        self.begin_drain();
        let quiet = async {
            while self.core.metrics.open_now() != (0, 0) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(deadline, quiet).await.is_err() {
            let (requests, streams) = self.core.metrics.open_now();
            tracing::warn!(requests, streams, "the deadline of the drain has passed; what is left is cut");
        }
    }

    /// Cuts running streams, writes the books and closes the database. The handle is of no use afterwards.
    pub async fn stop(&self) {
        self.begin_drain();
        self.core.cut.cancel();
        // Streams need a moment to send their last event and to settle.
        for _ in 0..100 {
            if self.core.metrics.open_now() == (0, 0) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.core.tracker.close();
        if tokio::time::timeout(Duration::from_secs(10), self.core.tracker.wait()).await.is_err() {
            tracing::warn!("a background task did not end in time");
        }
        crate::accounts::finish(&self.core).await;
        self.core.store.close().await;
    }
}
