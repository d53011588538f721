//! One event of a stream as it is written.

use serde::Serialize;
use serde_json::Value;

use super::super::text;

/// An event's fields; those that are absent are not written.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Said<'a> {
    /// Also its name.
    #[serde(rename = "type")]
    pub(super) kind: &'a str,
    /// Rises by one with every event.
    pub(super) sequence_number: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) content_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) summary_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation_index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) delta: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) arguments: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<&'a str>,
    /// Always none, but the official types want the list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) logprobs: Option<[(); 0]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) annotation: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) part: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) item: Option<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) response: Option<&'a Value>,
}

/// Writes events and counts them.
#[derive(Debug, Default)]
pub(super) struct Voice {
    said: u64,
    /// Nobody listens: a whole answer is made of the same items without its events.
    pub(super) mute: bool,
}

impl Voice {
    /// How many events were said: the number of the next one.
    pub(super) fn said(&self) -> u64 {
        self.said
    }

    /// Writes an event behind `out`.
    pub(super) fn say(&mut self, said: &Said<'_>, out: &mut Vec<u8>) {
        if self.mute {
            return;
        }
        let said = Said { sequence_number: self.said, ..*said };
        self.said = self.said.saturating_add(1);
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(said.kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        text::write(&said, out);
        out.extend_from_slice(b"\n\n");
    }
}
