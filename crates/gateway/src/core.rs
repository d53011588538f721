//! What the top floor stands on: one value that owns every service of the engine.
//!
//! It is built once, complete, and holds no decisions of its own but how a changed configuration takes effect.

use std::sync::Arc;

use arc_swap::ArcSwap;
use ledger::Ledger;
use ledger::budget::{Loaded, Scope};
use routing::retry::{HedgeBudget, RetryBudget};
use store::{SpendFrom, Store, StoreError};
use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use types::Timestamp;

use crate::affinity::Affinity;
use crate::authenticate::TokenSlots;
use crate::clock::Clock;
use crate::config::Config;
use crate::continuation::Continuations;
use crate::credential::Gauges;
use crate::identity::admin_token::AdminToken;
use crate::identity::api_key::KeyHasher;
use crate::identity::throttle::Throttle;
use crate::keepers::Keepers;
use crate::live::LiveFeed;
use crate::loopback::Loopback;
use crate::metrics::Metrics;
use crate::model_lists::ModelLists;
use crate::outbox::Outbox;
use crate::pool::{PoolCounters, PoolFaults};
use crate::queue::Queue;
use crate::quota::Quotas;
use crate::quota::share::Shares;
use crate::reach::Reach;
use crate::rounds::Rounds;
use crate::snapshot::{Builder, Snapshot};
use crate::task_board::TaskBoard;
use crate::upstream::Upstreams;
use crate::used_keys::UsedKeys;
use crate::vault::rotation::Board;
use crate::vault::{Vault, VaultError};

/// Why the engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The encryption secret is not the one that sealed what is stored (CR-01).
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database did not answer.
    #[error("the configuration could not be read from the database: {0}")]
    Store(#[from] StoreError),
    /// The journal could not be replayed.
    #[error("the journal could not be replayed: {0}")]
    Journal(#[from] ledger::JournalError),
    /// The outbound HTTP client could not be made.
    #[error("the outbound client could not be set up: {0}")]
    Outbound(String),
}

/// Every service of the engine.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) vault: Vault,
    /// How far sealing everything anew has come.
    pub(crate) rotation: Board,
    pub(crate) clock: Clock,
    pub(crate) keys: KeyHasher,
    pub(crate) admin_token: AdminToken,
    pub(crate) throttle: Throttle,
    pub(crate) gauges: Gauges,
    pub(crate) affinity: Affinity,
    pub(crate) continuations: Arc<Continuations>,
    pub(crate) keepers: Arc<Keepers>,
    pub(crate) queue: Queue,
    pub(crate) retries: RetryBudget,
    pub(crate) hedges: HedgeBudget,
    pub(crate) reach: Reach,
    pub(crate) pool_counters: PoolCounters,
    /// What the environment's lists of credentials could not set up.
    pub(crate) pool_faults: PoolFaults,
    /// What the last checks of credentials say about the network.
    pub(crate) rounds: Rounds,
    /// Changes of breakers on their way to the database.
    pub(crate) outbox: Outbox,
    pub(crate) live: LiveFeed,
    pub(crate) metrics: Metrics,
    pub(crate) quotas: Quotas,
    /// This instance's shares of budgets; `None` where no other instance can be (SQLite).
    pub(crate) shares: Option<Shares>,
    /// Held while a share grows.
    pub(crate) sharing: Mutex<()>,
    pub(crate) upstreams: Upstreams,
    pub(crate) model_lists: ModelLists,
    pub(crate) used_keys: UsedKeys,
    /// Places for requests whose tokens are counted here: command-line clients ask in bursts of dozens, and each takes a
    /// core.
    pub(crate) counting: Arc<Semaphore>,
    pub(crate) tasks: TaskBoard,
    /// Vendors' fixed ports while sign-ins wait there.
    pub(crate) loopback: Loopback,
    pub(crate) tracker: TaskTracker,
    /// Cancelled when a stop is announced: load balancers are told, requests are still served.
    pub(crate) leaving: CancellationToken,
    /// Cancelled when no new request is taken any more.
    pub(crate) draining: CancellationToken,
    /// Cancelled when running streams must end now.
    pub(crate) cut: CancellationToken,
    pub(crate) started_at: Timestamp,
    /// Held while the database's books change or are read as a whole, so that nothing is counted twice or not at all.
    pub(crate) books: Mutex<()>,
    snapshot: ArcSwap<Snapshot>,
    builder: Builder,
    reloading: Mutex<()>,
}

impl Core {
    /// Opens the vault and loads the configuration. Nothing runs yet: that is `start`'s business.
    pub(crate) async fn open(
        config: Config,
        store: Store,
        ledger: Ledger,
        clock: Clock,
    ) -> Result<Arc<Self>, StartError> {
        let vault =
            Vault::open_with_canary(&config.encryption_secret, &config.encryption_previous, &store).await?;
        let keys = KeyHasher::load(&vault, &store, &config.encryption_secret).await?;
        let gauges = Gauges::default();
        let builder = Builder { vault: vault.clone(), gauges: gauges.clone(), slots: TokenSlots::default() };
        let snapshot = builder.build(store.config_load().await?, clock.now());
        let upstreams = Upstreams::new(&config).map_err(StartError::Outbound)?;
        let core = Arc::new(Self {
            keys,
            admin_token: AdminToken::new(&config.admin_token),
            throttle: Throttle::default(),
            live: LiveFeed::new(),
            metrics: Metrics::new(),
            quotas: Quotas::new(config.enforce_limits),
            shares: store.is_shared().then(Shares::default),
            sharing: Mutex::new(()),
            model_lists: ModelLists::default(),
            used_keys: UsedKeys::default(),
            counting: Arc::new(Semaphore::new(half_the_cores())),
            tasks: TaskBoard::default(),
            loopback: Loopback::default(),
            tracker: TaskTracker::new(),
            leaving: CancellationToken::new(),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            affinity: Affinity::default(),
            continuations: Arc::default(),
            keepers: Arc::default(),
            queue: Queue::new(gauges.freed()),
            retries: RetryBudget::default(),
            hedges: HedgeBudget::default(),
            reach: Reach::default(),
            pool_counters: PoolCounters::default(),
            pool_faults: PoolFaults::default(),
            rounds: Rounds::default(),
            rotation: Board::default(),
            outbox: Outbox::default(),
            started_at: clock.now(),
            snapshot: ArcSwap::from_pointee(snapshot),
            books: Mutex::new(()),
            reloading: Mutex::new(()),
            config,
            store,
            ledger,
            vault,
            clock,
            gauges,
            upstreams,
            builder,
        });
        core.end_sessions_of_another_token().await?;
        core.apply_settings();
        Ok(core)
    }

    /// The configuration that a request which starts now uses throughout.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Loads the configuration anew. When it returns, the next request uses what is stored now (AC-02).
    pub(crate) async fn reload(&self) -> Result<(), StoreError> {
        let _one_at_a_time = self.reloading.lock().await;
        let rows = self.store.config_load().await?;
        let revision = rows.revision;
        let snapshot = self.builder.build(rows, self.clock.now());
        self.snapshot.store(Arc::new(snapshot));
        self.apply_settings();
        tracing::debug!(config.revision = revision, "configuration reloaded");
        Ok(())
    }

    /// Reads anew what every budget has spent: at the start, and after a correction of the books, a change of the
    /// billing time zone or a new group.
    pub(crate) async fn reload_spend(&self) -> Result<(), StoreError> {
        /// The longest day there is: 25 hours, where clocks go back.
        const LONGEST_DAY_MS: i64 = 25 * Timestamp::HOUR_MS;
        let _nothing_is_applied = self.books.lock().await;
        let moment = self.quotas.moment(self.clock.now());
        let from = SpendFrom {
            minutes_since: moment.at.plus_ms(-LONGEST_DAY_MS),
            week: moment.week,
            month: moment.month,
        };
        let rows = self.store.spend_load(from).await?;
        let loaded = rows.into_iter().map(|row| Loaded {
            scope: Scope { kind: row.scope, id: row.id },
            minutes: row.minutes,
            week: row.week,
            month: row.month,
            total: row.total,
            five_hours_since: row.five_hours_since,
            reset_at: row.reset_at,
        });
        self.quotas.budgets.load(loaded.collect(), moment);
        Ok(())
    }

    /// A changed admin token ends what was opened with the one before: that is why it was changed.
    async fn end_sessions_of_another_token(&self) -> Result<(), StoreError> {
        const META: &str = "admin_token_fingerprint";
        let now = self.admin_token.fingerprint();
        let before = self.store.meta_put_if_absent(META, now).await?;
        if before != now {
            let ended = self.store.session_delete_for_admin().await?;
            self.store.meta_replace(META, &before, now).await?;
            tracing::warn!(
                sessions = ended,
                "the admin token is another one than before; its sessions were ended"
            );
        }
        Ok(())
    }

    /// Hands settings to the parts that hold a copy of their own.
    fn apply_settings(&self) {
        let snapshot = self.snapshot.load();
        self.ledger.set_strict(snapshot.settings.journal_strict);
        if !self.quotas.set_zone(&snapshot.settings.billing_time_zone) {
            tracing::error!(
                zone = snapshot.settings.billing_time_zone,
                "there is no such time zone; the one before stays"
            );
        }
        self.affinity.set_ttl(snapshot.settings.affinity_ttl_minutes);
        (self.config.set_log_level)(&snapshot.settings.log_level);
    }
}

fn half_the_cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get).div_ceil(2)
}
