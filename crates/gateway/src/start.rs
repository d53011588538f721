//! How the engine begins: the books are brought up to date before anything is served or runs beside it.

use std::sync::Arc;

use ledger::{Ledger, Recovery};
use store::Store;

use crate::clock::Clock;
use crate::config::Config;
use crate::core::{Core, StartError};
use crate::{accounts, admin, environment, house, tasks};

/// Opens the services, closes what an earlier process left open, and starts the background tasks.
pub(crate) async fn start(
    config: Config,
    store: Store,
    ledger: Ledger,
    recovery: Recovery,
    clock: Clock,
) -> Result<Arc<Core>, StartError> {
    let core = Core::open(config, store, ledger, clock).await?;
    close_what_was_open(&core, recovery)?;
    accounts::catch_up(&core).await?;
    accounts::share::begin(&core).await?;
    core.reload_spend().await?;
    core.used_keys.restore(&core.store, core.clock.now()).await?;
    tasks::start(&core);
    admin::rotate_at_start(&core);
    // What cannot be set up is told of, and the rest serves (TP-09).
    environment::sync(&core).await;
    Ok(core)
}

/// Requests without an end were interrupted: each is priced by what is known of it and gets its end in the journal.
fn close_what_was_open(core: &Core, recovery: Recovery) -> Result<(), StartError> {
    if !recovery.open.is_empty() || recovery.truncated_bytes > 0 {
        tracing::warn!(
            interrupted = recovery.open.len(),
            torn_bytes = recovery.truncated_bytes,
            "the process did not stop cleanly before; open requests were closed as interrupted"
        );
    }
    let interrupted: Vec<_> = recovery.open.into_iter().map(|open| house::interrupted(core, open)).collect();
    core.ledger.conclude(&interrupted)?;
    Ok(())
}
