//! Writes `generationConfig`.

use serde_json::{Map, Value, json};

use super::model::Line;
use super::write_request::{Field, field};
use crate::Dialect;
use crate::neutral::{Effort, Losses, Reasoning, Request};

/// Most stop texts that the vendor takes.
const MAX_STOPS: usize = 5;
/// Most answers that the vendor gives at once.
const MAX_ANSWERS: u64 = 8;
/// Most alternatives of a token that the vendor tells.
const MAX_ALTERNATIVES: u64 = 20;

/// The settings of a request, without the form of the answer.
pub(super) fn config(request: &Request, line: Line, losses: &mut Losses) -> Map<String, Value> {
    let mut config = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            config.insert(name.to_owned(), value);
        }
    };
    let sampling = &request.sampling;
    // A limit of nothing is not a limit but a fault there.
    put("maxOutputTokens", request.max_tokens.filter(|n| *n > 0).map(Value::from));
    put("temperature", sampling.temperature.map(Value::from));
    put("topP", sampling.top_p.map(Value::from));
    put("topK", sampling.top_k.map(Value::from));
    put("seed", sampling.seed.map(|seed| seed_in_range(seed, request, losses)));
    put("presencePenalty", sampling.presence_penalty.map(Value::from));
    put("frequencyPenalty", sampling.frequency_penalty.map(Value::from));
    if !sampling.stop.is_empty() {
        if sampling.stop.len() > MAX_STOPS {
            losses.meaning(field(request, Field::Stop), "was cut to the first 5");
        }
        put("stopSequences", Some(sampling.stop.iter().take(MAX_STOPS).map(String::as_str).collect()));
    }
    if let Some(n) = sampling.n.filter(|n| *n > 1) {
        if n > MAX_ANSWERS {
            losses.meaning(field(request, Field::N), "was cut to 8");
        }
        put("candidateCount", Some(n.min(MAX_ANSWERS).into()));
    }
    if sampling.logprobs == Some(true) || sampling.top_logprobs.is_some_and(|n| n > 0) {
        put("responseLogprobs", Some(true.into()));
        put("logprobs", sampling.top_logprobs.filter(|n| *n > 0).map(|n| n.min(MAX_ALTERNATIVES).into()));
    }
    if request.modalities.iter().any(|word| word != "text") {
        let words = request.modalities.iter().map(|word| word.to_ascii_uppercase());
        put("responseModalities", Some(words.collect()));
    }
    put("thinkingConfig", request.reasoning.as_ref().and_then(|r| thinking(r, request, line, losses)));
    config
}

/// The vendor counts seeds in 32 bits.
fn seed_in_range(seed: i64, request: &Request, losses: &mut Losses) -> Value {
    if i32::try_from(seed).is_ok() {
        return seed.into();
    }
    losses.hint(field(request, Field::Seed), "was folded into 31 bits");
    seed.rem_euclid(i64::from(i32::MAX)).into()
}

fn thinking(reasoning: &Reasoning, request: &Request, line: Line, losses: &mut Losses) -> Option<Value> {
    let mut config = Map::new();
    let off = reasoning.off || reasoning.effort == Some(Effort::None);
    if line.third {
        // Level and budget in one request are refused.
        if let Some(level) = level(reasoning, off, line) {
            config.insert("thinkingLevel".into(), level.into());
        }
        if off {
            losses.hint(field(request, Field::Reasoning), "was set to the least: this model always thinks");
        }
    } else if let Some(budget) = budget(reasoning, off, line) {
        config.insert("thinkingBudget".into(), budget);
        if off && line.pro {
            losses.hint(field(request, Field::Reasoning), "was set to the least: this model always thinks");
        }
    }
    // Whoever wants thinking sees it in most dialects; only Responses asks for it apart.
    let shown = reasoning.shown.unwrap_or(request.dialect != Dialect::OpenAiResponses) && !off;
    if shown || reasoning.shown.is_some() {
        config.insert("includeThoughts".into(), shown.into());
    }
    (!config.is_empty()).then_some(Value::Object(config))
}

/// The level of thinking for the third line; `None` leaves it to the model.
fn level(reasoning: &Reasoning, off: bool, line: Line) -> Option<&'static str> {
    let least = if line.pro { "low" } else { "minimal" };
    if off {
        return Some(least);
    }
    let effort = reasoning.effort.or_else(|| reasoning.budget.map(Effort::of_budget))?;
    Some(match effort {
        Effort::None | Effort::Minimal => least,
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::XHigh | Effort::Max => "high",
    })
}

/// The budget of thinking for the second line; `None` leaves it to the model.
fn budget(reasoning: &Reasoning, off: bool, line: Line) -> Option<Value> {
    let (least, most) = line.budgets();
    if off {
        return Some(if line.pro { json!(least) } else { json!(0) });
    }
    let wanted = reasoning.budget.or_else(|| reasoning.effort.map(Effort::budget));
    match wanted {
        Some(budget) => Some(budget.clamp(least, most).into()),
        None => reasoning.adaptive.then(|| json!(-1)),
    }
}
