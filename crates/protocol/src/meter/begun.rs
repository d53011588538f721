//! What a Responses stream said of itself when it began, so that an event of ours can go on where it broke off.
//!
//! SDKs hold all events of a stream against its first one and refuse an end that names another response.

use crate::json;
use crate::json::text::decode;

/// Longer names are not kept.
const LONGEST: usize = 256;

/// A Responses stream that has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Begun {
    /// Id of the response.
    pub id: String,
    /// The model as the stream names it; empty if it does not.
    pub model: String,
    /// Unix seconds; 0 if it does not say.
    pub created_at: i64,
    /// `sequence_number` of the event that would come next.
    pub next: u64,
}

impl Begun {
    /// Reads the response object of a first event; `None` if it has no id.
    pub(super) fn read(response: &[u8]) -> Option<Self> {
        let short = |name: &str| {
            let text = decode(json::field(response, name).filter(|raw| raw.len() <= LONGEST)?)?;
            (!text.is_empty()).then_some(text)
        };
        Some(Self {
            id: short("id")?,
            model: short("model").unwrap_or_default(),
            created_at: json::field(response, "created_at").and_then(number).unwrap_or_default(),
            next: 0,
        })
    }

    /// Hears an event's `sequence_number`.
    pub(super) fn hear(&mut self, sequence_number: &[u8]) {
        if let Some(number) = number::<u64>(sequence_number) {
            self.next = number.saturating_add(1);
        }
    }
}

fn number<T: std::str::FromStr>(raw: &[u8]) -> Option<T> {
    std::str::from_utf8(raw).ok()?.parse().ok()
}
