//! Writes whole answers, and what they have in common with streams.

use serde_json::{Map, Value, json};
use types::request::TokenUsage;

use super::super::Back;
use super::cite::Grounding;
use super::write_turns::{object_of, signed};
use super::{logprobs, media, stop};
use crate::Dialect;
use crate::neutral::{Answer, Choice, Part, Sealed};

/// Writes a whole answer.
pub(in super::super) fn write_answer(answer: &Answer, back: &Back) -> Value {
    let candidates: Vec<Value> =
        answer.choices.iter().enumerate().map(|(index, choice)| candidate(index, choice, back)).collect();
    let mut body = Map::new();
    body.insert("candidates".into(), Value::Array(candidates));
    if let Some(usage) = &answer.usage {
        body.insert("usageMetadata".into(), usage_metadata(usage, answer.service_tier.as_deref()));
    }
    body.insert("modelVersion".into(), back.request.model.as_str().into());
    body.insert("responseId".into(), response_id(&answer.id, back).into());
    Value::Object(body)
}

/// The vendor's id, or one that is made up.
pub(super) fn response_id<'a>(id: &'a str, back: &'a Back) -> &'a str {
    if id.is_empty() { &back.ids } else { id }
}

fn candidate(index: usize, choice: &Choice, back: &Back) -> Value {
    let mut parts = Vec::new();
    let mut grounding = Grounding::default();
    let mut proof = None;
    for part in &choice.parts {
        if let Part::Text { text, citations, .. } = part {
            for (_, citation) in citations {
                grounding.add(citation, text, 0, Some(parts.len()));
            }
        }
        parts.extend(self::part(part, shows_thoughts(back), &mut proof));
    }
    let mut candidate = Map::new();
    candidate.insert("content".into(), json!({"parts": parts, "role": "model"}));
    // Callers take an answer without a reason for a broken one.
    let reason = choice.stop.as_ref().map_or("STOP", stop::write);
    candidate.insert("finishReason".into(), reason.into());
    candidate.insert("index".into(), index.into());
    if let Some(grounding) = grounding.take() {
        candidate.insert("groundingMetadata".into(), grounding);
    }
    if let Some(logprobs) = choice.logprobs.as_ref().and_then(logprobs::write) {
        candidate.insert("logprobsResult".into(), logprobs);
    }
    Value::Object(candidate)
}

/// Whether the caller asked for thoughts. Without asking nobody expects them among the texts.
pub(super) fn shows_thoughts(back: &Back) -> bool {
    back.request.reasoning.as_ref().is_some_and(|reasoning| reasoning.shown == Some(true))
}

/// A part for a caller. `proof` carries another vendor's proof of a thought to the call that follows it: many clients
/// keep signatures of calls only.
pub(super) fn part(part: &Part, show: bool, proof: &mut Option<Sealed>) -> Option<Value> {
    let sealed = |seal: &Option<Sealed>| seal.as_ref().map(|seal| seal.write(Dialect::Gemini));
    Some(match part {
        Part::Text { text, seal, .. } => {
            if text.is_empty() && seal.is_none() {
                return None;
            }
            signed(json!({"text": text}), sealed(seal).as_deref())
        }
        Part::Refusal { text } => json!({"text": text}),
        Part::Thinking { text, seal } => {
            if seal.as_ref().is_some_and(|seal| seal.dialect != Dialect::Gemini) {
                proof.clone_from(seal);
            }
            let text = if show { text.as_str() } else { "" };
            if text.is_empty() && seal.is_none() {
                return None;
            }
            signed(json!({"text": text, "thought": true}), sealed(seal).as_deref())
        }
        Part::Media(medium) => signed(Value::Object(media::write(medium)?), sealed(&medium.seal).as_deref()),
        Part::ToolCall { id, name, arguments, seal, .. } => {
            let args = object_of(arguments).unwrap_or_else(|| json!({"_raw": arguments}));
            let seal = seal.clone().or_else(|| proof.take());
            let call = json!({"functionCall": {"id": id, "name": name, "args": args}});
            signed(call, sealed(&seal).as_deref())
        }
        Part::Native { dialect: Dialect::Gemini, value } => value.clone(),
        // Other vendors' own tools have run already; their results are in the text.
        Part::Native { .. } => return None,
        Part::ToolResult { parts, .. } => {
            let text: String = parts.iter().filter_map(Part::as_text).collect();
            json!({"text": text})
        }
    })
}

/// The counts in this dialect: the prompt with what was cached, thinking apart from the answer.
pub(super) fn usage_metadata(usage: &TokenUsage, tier: Option<&str>) -> Value {
    let prompt = usage.input.saturating_add(usage.cache_read).saturating_add(usage.cache_write);
    let mut counts = Map::new();
    counts.insert("promptTokenCount".into(), prompt.into());
    counts.insert("candidatesTokenCount".into(), usage.output.saturating_sub(usage.reasoning).into());
    counts.insert("totalTokenCount".into(), usage.total().into());
    if usage.cache_read > 0 {
        counts.insert("cachedContentTokenCount".into(), usage.cache_read.into());
    }
    if usage.reasoning > 0 {
        counts.insert("thoughtsTokenCount".into(), usage.reasoning.into());
    }
    for (name, total, audio, image) in [
        ("promptTokensDetails", prompt, usage.audio_input, usage.image_input),
        (
            "candidatesTokensDetails",
            usage.output - usage.reasoning.min(usage.output),
            usage.audio_output,
            usage.image_output,
        ),
    ] {
        if audio + image > 0 {
            let text = total.saturating_sub(audio).saturating_sub(image);
            let entries = [("TEXT", text), ("AUDIO", audio), ("IMAGE", image)];
            let entries = entries.into_iter().filter(|(_, count)| *count > 0);
            let entries = entries.map(|(kind, count)| json!({"modality": kind, "tokenCount": count}));
            counts.insert(name.into(), entries.collect());
        }
    }
    if let Some(tier) = tier {
        counts.insert("serviceTier".into(), tier.into());
    }
    Value::Object(counts)
}
