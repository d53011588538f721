//! Refreshes the tokens whose time has come, those that a request missed, those whose refresh was cut off, and those
//! whose fresh one waits for the database; a few at a time.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use crate::authenticate::Flown;
use crate::core::Core;
use crate::refresh::{self, Trigger};

/// Refreshes at once.
const AT_ONCE: usize = 8;
/// Longest wait for one.
const LONGEST: Duration = Duration::from_secs(150);

pub(super) async fn run(core: &Arc<Core>) -> String {
    refresh::remind(core).await;
    let due = refresh::due(&core.snapshot(), core.clock.now());
    let refreshes = due.into_iter().map(|(id, slot)| async move {
        let deadline = Instant::now() + LONGEST;
        refresh::refreshed(core, (id, &slot), slot.round(), Trigger::Due, deadline).await
    });
    let ended: Vec<Flown> = stream::iter(refreshes).buffer_unordered(AT_ONCE).collect().await;
    let fresh = ended.iter().filter(|flown| **flown == Flown::Fresh).count();
    format!("{fresh} tokens refreshed, {} not", ended.len() - fresh)
}
