//! The live feed: request events from memory, for tails. Slow readers miss events, they never hold anybody up.

use std::sync::Arc;

use tokio::sync::broadcast;
use types::request::LiveEvent;

/// How many events a slow reader may lag behind before it misses some.
const BACKLOG: usize = 512;

/// Fans request events out to whoever watches.
#[derive(Clone, Debug)]
pub(crate) struct LiveFeed(broadcast::Sender<Arc<LiveEvent>>);

impl LiveFeed {
    pub(crate) fn new() -> Self {
        Self(broadcast::Sender::new(BACKLOG))
    }

    /// Whether anybody watches; saves making events for nobody.
    pub(crate) fn is_watched(&self) -> bool {
        self.0.receiver_count() > 0
    }

    pub(crate) fn publish(&self, event: LiveEvent) {
        // An error only says that nobody watches.
        let _ = self.0.send(Arc::new(event));
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<LiveEvent>> {
        self.0.subscribe()
    }
}
