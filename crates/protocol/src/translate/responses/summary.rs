//! A summary instead of an answer: what the model says is collected and goes out as one `compaction` item.

use serde_json::{Value, json};

use super::super::Back;
use super::said::{Said, Voice};
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
    /// The caller was told that the item has begun.
    told: bool,
}

impl Summary {
    /// Listens to an event of the model's. Thoughts and calls are no part of a summary; the caller learns of them, as of
    /// everything, only that the model is at work.
    pub(super) fn hear(&mut self, event: Event, back: &Back, voice: &mut Voice, out: &mut Vec<u8>) {
        if matches!(event, Event::Delta { choice: 0, delta: Delta::Text(_), .. }) {
            self.begin(back, voice, out);
            let kind = "response.compaction.compacting";
            let id = id(back);
            voice.say(&Said { kind, item_id: Some(&id), output_index: Some(0), ..Said::default() }, out);
        }
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

    fn begin(&mut self, back: &Back, voice: &mut Voice, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let item = json!({"type": "compaction", "id": id(back), "encrypted_content": ""});
        let kind = "response.output_item.added";
        voice.say(&Said { kind, output_index: Some(0), item: Some(&item), ..Said::default() }, out);
    }

    /// Ends it with its item; `None` if the model said nothing, or if nothing can be sealed.
    pub(super) fn end(&mut self, back: &Back, voice: &mut Voice, out: &mut Vec<u8>) -> Option<Value> {
        let item = self.item(back)?;
        self.begin(back, voice, out);
        let kind = "response.output_item.done";
        voice.say(&Said { kind, output_index: Some(0), item: Some(&item), ..Said::default() }, out);
        Some(item)
    }

    fn item(&self, back: &Back) -> Option<Value> {
        let text = self.text.trim();
        if text.is_empty() {
            return None;
        }
        let text = if self.cut { format!("{text}{CUT}") } else { text.to_owned() };
        let sealed = back.sealer.as_ref()?.seal(&text)?;
        Some(json!({"type": "compaction", "id": id(back), "encrypted_content": sealed}))
    }
}

fn id(back: &Back) -> String {
    format!("cmp_{}", back.ids)
}
