//! Thoughts and proofs in this dialect's spelling.
//!
//! Proofs of Gemini's on calls and texts have no place here; they travel as a reasoning item without text: that
//! of a call right before it, that of a text (it is known last) right behind it with a mark of its own.

use serde_json::Value;

use crate::Dialect;
use crate::neutral::{Part, Sealed};

const OWN: Dialect = Dialect::OpenAiResponses;
/// Marks the proof of the text before it. No vendor's proof has a colon: they are base64.
const OF_TEXT: &str = "text:";

/// A thought from the lists of a reasoning item. The summary is what may be shown; vendors without one give the
/// thought itself.
pub(super) fn thinking(summary: &[Value], content: &[Value], sealed: Option<&str>) -> Part {
    let shown = if summary.is_empty() { content } else { summary };
    let texts: Vec<&str> = shown.iter().filter_map(|entry| entry.get("text")?.as_str()).collect();
    let seal = sealed.filter(|sealed| !sealed.is_empty()).map(|sealed| Sealed::read(OWN, sealed));
    Part::Thinking { text: texts.join(PARAGRAPH), seal }
}

/// Stands between the parts of a summary.
pub(super) const PARAGRAPH: &str = "\n\n";

/// What a reasoning item without text is.
#[derive(Debug)]
pub(super) enum Carried {
    /// The proof of the call right behind it.
    OfCall(Sealed),
    /// The proof of the text before it.
    OfText(Sealed),
    /// A thought of its own.
    Thought(Sealed),
}

/// Tells what a proof without text is.
pub(super) fn carried(seal: Sealed) -> Carried {
    if seal.dialect != Dialect::Gemini {
        return Carried::Thought(seal);
    }
    match seal.data.strip_prefix(OF_TEXT) {
        Some(data) => Carried::OfText(Sealed { dialect: seal.dialect, data: data.to_owned() }),
        None => Carried::OfCall(seal),
    }
}

/// How the proof of a text is written behind it.
pub(super) fn mark_text(seal: &Sealed) -> Sealed {
    Sealed { dialect: seal.dialect, data: format!("{OF_TEXT}{}", seal.data) }
}

/// Puts proofs that travelled as items of their own back on the texts and calls that they belong to. `places` are
/// where the parts stood, or empty.
pub(super) fn join_seals(parts: &mut Vec<Part>, places: &mut Vec<String>) {
    let carries = |part: &Part| matches!(part, Part::Thinking { text, seal: Some(_) } if text.is_empty());
    if !parts.iter().any(carries) {
        return;
    }
    let known = !places.is_empty();
    let mut place = places.drain(..).chain(std::iter::repeat(String::new()));
    let bare = |seal| Part::Thinking { text: String::new(), seal: Some(seal) };
    let mut waiting: Option<(Sealed, String)> = None;
    let mut joined: Vec<(Part, String)> = Vec::with_capacity(parts.len());
    for mut part in parts.drain(..) {
        let at = place.next().unwrap_or_default();
        if let Some((seal, before)) = waiting.take() {
            match &mut part {
                Part::ToolCall { seal: own @ None, .. } => *own = Some(seal),
                _ => joined.push((bare(seal), before)),
            }
        }
        match part {
            Part::Thinking { text, seal: Some(seal) } if text.is_empty() => match carried(seal) {
                Carried::OfCall(seal) => waiting = Some((seal, at)),
                Carried::OfText(proof) => {
                    let text = joined.iter_mut().rev().find_map(|(part, _)| match part {
                        Part::Text { seal: own @ None, .. } => Some(own),
                        _ => None,
                    });
                    if let Some(own) = text {
                        *own = Some(proof);
                    }
                }
                Carried::Thought(seal) => joined.push((Part::Thinking { text, seal: Some(seal) }, at)),
            },
            part => joined.push((part, at)),
        }
    }
    joined.extend(waiting.map(|(seal, at)| (bare(seal), at)));
    drop(place);
    let (kept, at): (Vec<Part>, Vec<String>) = joined.into_iter().unzip();
    *parts = kept;
    if known {
        *places = at;
    }
}
