//! Requests that the dashboard makes for somebody, through the same door and at the same price as everybody's.
//!
//! The key is his; nothing here lends one.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use types::RequestId;

use super::Gateway;
use crate::serve::{Received, Reply};

/// How often the books are looked at.
const LOOK: Duration = Duration::from_millis(40);

impl Gateway {
    /// The id and the arrival of a request that begins now.
    pub fn begin(&self) -> (RequestId, Received) {
        let at = self.core.clock.now();
        let millis = u64::try_from(at.0).unwrap_or_default();
        let id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random::<[u8; 10]>()).into_uuid();
        (RequestId(id), Received { at, started: Instant::now() })
    }

    /// Waits until a request that has ended is in the books, but no longer than that.
    pub async fn await_booking(&self, id: RequestId, within: Duration) {
        let (id, until) = (id.to_string(), Instant::now() + within);
        while Instant::now() < until {
            if !matches!(self.core.store.request_fetch(&id).await, Ok(None)) {
                return;
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Reply {
    /// Reads the body to its end, or until so many bytes have come; whatever breaks it off ends it.
    pub async fn read(self, most: usize, mut hear: impl FnMut(&[u8])) {
        let (mut body, mut seen) = (self.body, 0_usize);
        while seen < most {
            let Some(Ok(frame)) = body.frame().await else { return };
            if let Some(piece) = frame.data_ref() {
                seen = seen.saturating_add(piece.len());
                hear(piece);
            }
        }
    }
}
