//! Compares the requests of the last days with everything that is summed from them, once a night.

use types::Timestamp;
use types::books::ReconcileFilter;

use crate::core::Core;

/// How far back: a week's nights overlap, so that a night that was missed is made up for.
const SPAN_MS: i64 = 7 * Timestamp::DAY_MS;

pub(super) async fn run(core: &Core) -> Result<String, String> {
    let since = core.clock.now().plus_ms(-SPAN_MS);
    let filter = ReconcileFilter { since: Some(since), ..ReconcileFilter::default() };
    let found = core.store.reconcile(&filter).await.map_err(|error| error.to_string())?;
    let told =
        format!("{} requests, {} sums, {} differ", found.rows, found.compared, found.differences.len());
    if found.differences.is_empty() { Ok(told) } else { Err(told) }
}
