//! Writes a `generateContent` request. Model and streaming are said by the path, not here.

use serde_json::{Map, Value, json};

use super::super::{Names, Target, text};
use super::model::Line;
use super::{write_config, write_tools, write_turns};
use crate::Dialect;
use crate::neutral::{Format, Losses, Part, Request, Role};

/// Writes a request.
pub(in super::super) fn write_request(
    request: &Request,
    target: Target<'_>,
    names: &mut Names,
    losses: &mut Losses,
) -> Value {
    let line = Line::of(target.model);
    let mut body = Map::new();
    let mut turns = write_turns::Turns::new(request, line, names, losses);
    let leading = request.turns.iter().take_while(|turn| is_instruction(turn.role)).count();
    let (head, tail) = request.turns.split_at(leading);
    // The vendor wants something to answer to.
    if tail.is_empty() {
        for turn in head {
            turns.losses.meaning(turn.at.as_str(), "is sent as a user turn: there is no other");
            turns.user(turn);
        }
    }
    let mut system: Vec<Value> = Vec::new();
    if !tail.is_empty() {
        for turn in head {
            system.extend(turns.instruction(turn));
        }
    }
    for turn in tail {
        turns.turn(turn);
    }
    let contents = turns.finish();
    let tools = write_tools::tools(request, line, names, losses);
    let functions = tools.iter().any(|tool| tool.get("functionDeclarations").is_some());
    let mut config = write_config::config(request, line, losses);
    if let Some(format) = &request.format {
        if functions && !line.third {
            losses
                .meaning(field(request, Field::Format), "cannot be enforced beside functions on this model");
            system.push(json!({"text": form_in_words(format)}));
        } else {
            form(format, &mut config);
        }
    }
    if !system.is_empty() {
        body.insert("systemInstruction".into(), json!({"parts": system}));
    }
    body.insert("contents".into(), Value::Array(contents));
    if !tools.is_empty() {
        body.insert("tools".into(), Value::Array(tools));
    }
    if let Some(choice) = write_tools::choice(request, line, functions, names, losses) {
        body.insert("toolConfig".into(), choice);
    }
    if !config.is_empty() {
        body.insert("generationConfig".into(), Value::Object(config));
    }
    match request.service_tier.as_deref() {
        Some(tier @ ("flex" | "priority")) => {
            body.insert("serviceTier".into(), tier.into());
        }
        Some("auto" | "default" | "standard") | None => {}
        Some(_) => losses.hint("service_tier", "is not known to this dialect"),
    }
    unsaid(request, losses);
    Value::Object(body)
}

/// Whether a turn is the operator's.
pub(super) fn is_instruction(role: Role) -> bool {
    matches!(role, Role::System | Role::Developer)
}

/// A field that each dialect names differently.
#[derive(Clone, Copy, Debug)]
pub(super) enum Field {
    Format,
    N,
    Reasoning,
    Seed,
    Stop,
    User,
    Parallel,
}

/// A field's name in the caller's spelling.
pub(super) fn field(request: &Request, field: Field) -> &'static str {
    let by = |anthropic, chat, responses, gemini| match request.dialect {
        Dialect::Anthropic => anthropic,
        Dialect::OpenAiChat => chat,
        Dialect::OpenAiResponses => responses,
        Dialect::Gemini => gemini,
    };
    match field {
        Field::Format => {
            by("output_config.format", "response_format", "text.format", "generationConfig.responseSchema")
        }
        Field::N => by("n", "n", "n", "generationConfig.candidateCount"),
        Field::Reasoning => {
            by("thinking", "reasoning_effort", "reasoning", "generationConfig.thinkingConfig")
        }
        Field::Seed => by("seed", "seed", "seed", "generationConfig.seed"),
        Field::Stop => by("stop_sequences", "stop", "stop", "generationConfig.stopSequences"),
        Field::User => by("metadata.user_id", "user", "user", "user"),
        Field::Parallel => by(
            "tool_choice.disable_parallel_tool_use",
            "parallel_tool_calls",
            "parallel_tool_calls",
            "parallel_tool_calls",
        ),
    }
}

fn form(format: &Format, config: &mut Map<String, Value>) {
    config.insert("responseMimeType".into(), "application/json".into());
    if let Format::JsonSchema { schema, .. } = format {
        config.insert("responseJsonSchema".into(), schema.clone());
    }
}

fn form_in_words(format: &Format) -> String {
    match format {
        Format::JsonObject => "Write your final answer as a JSON object and nothing else.".to_owned(),
        Format::JsonSchema { schema, .. } => {
            let schema = text::json_text(schema);
            format!("Write your final answer as JSON by this JSON Schema and nothing else: {schema}")
        }
    }
}

/// What has no place in this dialect.
fn unsaid(request: &Request, losses: &mut Losses) {
    const WHAT: &str = "is not known to this dialect";
    if request.verbosity.is_some() {
        losses.meaning("verbosity", WHAT);
    }
    if request.previous.is_some() {
        losses.meaning("previous_response_id", WHAT);
    }
    if request.parallel_tools == Some(false) && !request.tools.is_empty() {
        losses.meaning(field(request, Field::Parallel), "cannot be switched off in this dialect");
    }
    if request.user.is_some() {
        losses.hint(field(request, Field::User), WHAT);
    }
    if request.metadata.is_some() {
        losses.hint("metadata", WHAT);
    }
    if request.cache_key.is_some() {
        losses.hint("prompt_cache_key", WHAT);
    }
}

/// Notes the cache breakpoints of parts; the vendor caches by itself.
pub(super) fn note_cache(part: &Part, at: impl Fn() -> String, losses: &mut Losses) {
    let cache = match part {
        Part::Text { cache, .. } | Part::ToolCall { cache, .. } | Part::ToolResult { cache, .. } => cache,
        Part::Media(media) => &media.cache,
        Part::Thinking { .. } | Part::Refusal { .. } | Part::Native { .. } => &None,
    };
    if cache.is_some() {
        losses.hint(format!("{}.cache_control", at()), "is left to the vendor, which caches by itself");
    }
}
