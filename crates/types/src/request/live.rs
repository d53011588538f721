//! The live tail: requests as they begin and end.

use serde::{Deserialize, Serialize};

use super::RequestRow;
use crate::dialect::Endpoint;
use crate::{RequestId, Timestamp};

/// What the live tail carries.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A request was admitted.
    Started {
        /// Its identity.
        request_id: RequestId,
        /// Arrival.
        created_at: Timestamp,
        /// Who asks.
        user_name: Option<String>,
        /// The model asked for.
        model: Option<String>,
        /// Which path.
        endpoint: Endpoint,
        /// Whether a stream was asked for.
        streaming: bool,
    },
    /// A request ended (admitted or refused).
    Finished {
        /// Its row, without the decision.
        row: Box<RequestRow>,
    },
    /// The reader was too slow and missed so many events.
    Missed {
        /// How many.
        count: u64,
    },
}
