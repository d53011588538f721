//! A summary instead of an answer: what the model says is collected and goes out as one `compaction` item.

use serde_json::{Value, json};

use super::super::Back;
use crate::neutral::{Delta, Event, Opening, Stop};

/// Longest summary that is collected, in bytes: a model that says more has not summarised.
const LONGEST: usize = 1024 * 1024;
/// What an item of a summary adds that was cut.
const CUT: &str = "\n\n(The summary breaks off here: its length limit was met.)";

/// What was heard of a summary so far.
#[derive(Debug, Default)]
pub(super) struct Summary {
    text: String,
    /// The part that is told now is text.
    hears: bool,
    cut: bool,
}

impl Summary {
    /// Listens to an event of the model's. Thoughts and calls are no part of a summary.
    pub(super) fn hear(&mut self, event: Event) {
        match event {
            Event::Open { choice: 0, opening, .. } => {
                self.hears = opening == Opening::Text;
                if self.hears && !self.text.is_empty() {
                    self.add("\n");
                }
            }
            Event::Delta { choice: 0, delta: Delta::Text(words), .. } if self.hears => self.add(&words),
            Event::Stop { choice: 0, stop } => {
                self.cut |= matches!(stop, Stop::MaxTokens | Stop::ContextFull);
                if stop == Stop::Refusal {
                    self.text.clear();
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, words: &str) {
        if self.cut || self.text.len().saturating_add(words.len()) > LONGEST {
            self.cut = true;
        } else {
            self.text.push_str(words);
        }
    }

    /// The item; `None` if the model said nothing, or if nothing can be sealed.
    pub(super) fn item(&self, back: &Back) -> Option<Value> {
        let text = self.text.trim();
        if text.is_empty() {
            return None;
        }
        let text = if self.cut { format!("{text}{CUT}") } else { text.to_owned() };
        let sealed = back.sealer.as_ref()?.seal(&text)?;
        Some(json!({"type": "compaction", "id": format!("cmp_{}", back.ids), "encrypted_content": sealed}))
    }
}
