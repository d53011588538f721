//! A caller's request.

use serde_json::Value;

use super::super::Fault;
use super::super::fields::Fields;
use super::message::Messages;
use super::{model, tools};
use crate::Dialect;
use crate::neutral::{Format, Reasoning, Request, Rest, Tool, ToolChoice, Weight};

/// Reads a request.
pub(in super::super) fn read_request(body: Value) -> Result<Request, Fault> {
    let mut fields = Fields::of("", body)?;
    let model = fields.required("model")?;
    let stream = fields.flag("stream")?.unwrap_or(false);
    let mut request = Request::new(Dialect::OpenAiChat, model, stream);

    let mut messages = Messages::default();
    let list = fields.list("messages")?.ok_or_else(|| fields.wrong("messages", "is missing"))?;
    if list.is_empty() {
        return Err(fields.wrong("messages", "must hold at least one message"));
    }
    for value in list {
        messages.read(value)?;
    }
    request.turns = messages.turns;
    request.rest = messages.rest;

    offered(&mut fields, &mut request)?;
    sampling(&mut fields, &mut request)?;
    request.reasoning = reasoning(&mut fields, &mut request.rest)?;
    request.format = format(&mut fields)?;
    request.verbosity = fields.string("verbosity")?;
    labels(&mut fields, &mut request)?;

    if let Some(mut options) = fields.object("stream_options")? {
        request.include_usage = options.flag("include_usage")?.unwrap_or(false);
        request.rest.extend(options.rest(|_| Weight::Hint));
    }
    request.modalities = fields.texts("modalities")?.iter().map(|word| word.to_ascii_lowercase()).collect();
    request.rest.extend(fields.rest(weight).into_iter().filter(says_something));
    Ok(request)
}

fn offered(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let list = fields.list("tools")?.unwrap_or_default();
    request.tools = tools::read(list, &mut request.rest)?;
    if let Some(list) = fields.list("functions")? {
        request.legacy_functions = true;
        request.tools.extend(tools::read_functions(list, &mut request.rest)?);
    }
    if let Some(wishes) = fields.object("web_search_options")? {
        let search = tools::search(wishes, "web_search_options", &mut request.rest)?;
        request.tools.push(Tool::WebSearch(search));
    }
    request.tool_choice = fields.take("tool_choice").map(tools::choice).transpose()?;
    if let Some(value) = fields.take("function_call") {
        request.tool_choice = Some(tools::legacy_choice(value)?);
    }
    if let Some(ToolChoice::Tool(name)) = &request.tool_choice
        && !request.tools.iter().any(|tool| matches!(tool, Tool::Caller { name: own, .. } if own == name))
    {
        return Err(Fault::field("tool_choice", "must name one of the tools that are offered"));
    }
    request.parallel_tools = fields.flag("parallel_tool_calls")?;
    Ok(())
}

fn sampling(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let older = fields.count("max_tokens")?;
    request.max_tokens = fields.count("max_completion_tokens")?.or(older);
    let sampling = &mut request.sampling;
    sampling.temperature = fields.number("temperature")?;
    sampling.top_p = fields.number("top_p")?;
    sampling.top_k = fields.count("top_k")?;
    sampling.seed = match fields.take_any(&["seed", "random_seed"]) {
        None => None,
        Some(value) => Some(value.as_i64().ok_or_else(|| fields.wrong("seed", "must be a whole number"))?),
    };
    sampling.presence_penalty = fields.number("presence_penalty")?;
    sampling.frequency_penalty = fields.number("frequency_penalty")?;
    sampling.stop = fields.texts("stop")?;
    sampling.n = fields.count("n")?.filter(|n| *n != 1);
    sampling.logprobs = fields.flag("logprobs")?.filter(|wanted| *wanted);
    sampling.top_logprobs = fields.count("top_logprobs")?.filter(|_| sampling.logprobs.is_some());
    Ok(())
}

fn reasoning(fields: &mut Fields, rest: &mut Vec<Rest>) -> Result<Option<Reasoning>, Fault> {
    const EFFORTS: &str = "must be one of none, minimal, low, medium, high, xhigh, max";
    let mut wishes = Reasoning::default();
    if let Some(word) = fields.string("reasoning_effort")? {
        let effort = model::effort_of(&word).ok_or_else(|| fields.wrong("reasoning_effort", EFFORTS))?;
        wishes.effort = Some(effort);
    }
    // OpenRouter.
    if let Some(mut inner) = fields.object("reasoning")? {
        if let Some(word) = inner.string("effort")? {
            wishes.effort = Some(model::effort_of(&word).ok_or_else(|| inner.wrong("effort", EFFORTS))?);
        }
        wishes.budget = inner.count("max_tokens")?;
        wishes.shown = inner.flag("exclude")?.map(|hidden| !hidden);
        wishes.summary = inner.string("summary")?;
        switch(&mut wishes, inner.flag("enabled")?);
        rest.extend(inner.rest(|_| Weight::Hint));
    }
    // DeepSeek, z.ai, Kimi.
    if let Some(mut inner) = fields.object("thinking")? {
        let on = match inner.string("type")?.as_deref() {
            None => None,
            Some("enabled" | "adaptive" | "auto") => Some(true),
            Some("disabled") => Some(false),
            Some(_) => return Err(inner.wrong("type", "must be 'enabled', 'disabled' or 'adaptive'")),
        };
        switch(&mut wishes, on);
        wishes.budget = inner.count("budget_tokens")?.or(wishes.budget);
        rest.extend(inner.rest(|_| Weight::Hint).into_iter().filter(says_something));
    }
    // Qwen.
    switch(&mut wishes, fields.flag("enable_thinking")?);
    wishes.budget = fields.count("thinking_budget")?.or(wishes.budget);
    if let Some(shown) = fields.flag("include_reasoning")? {
        wishes.shown = Some(shown);
    }
    // Groq.
    match fields.string("reasoning_format")?.as_deref() {
        Some("hidden") => wishes.shown = Some(false),
        Some("parsed" | "raw") => wishes.shown = Some(true),
        _ => {}
    }
    wishes.adaptive &= wishes.effort.is_none() && wishes.budget.is_none();
    Ok((wishes != Reasoning::default()).then_some(wishes))
}

/// Thinking that is switched on without saying how much is the model's to measure.
fn switch(wishes: &mut Reasoning, on: Option<bool>) {
    match on {
        Some(false) => wishes.off = true,
        Some(true) => wishes.adaptive = true,
        None => {}
    }
}

fn format(fields: &mut Fields) -> Result<Option<Format>, Fault> {
    let Some(mut format) = fields.object("response_format")? else { return Ok(None) };
    match format.required("type")?.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(Format::JsonObject)),
        "json_schema" => {
            let inner = format.object("json_schema")?;
            let mut inner = inner.ok_or_else(|| format.wrong("json_schema", "is missing"))?;
            let schema = match inner.take("schema") {
                None => Value::Object(serde_json::Map::new()),
                Some(schema @ Value::Object(_)) => schema,
                Some(_) => return Err(inner.wrong("schema", "must be an object")),
            };
            Ok(Some(Format::JsonSchema {
                name: inner.string("name")?,
                description: inner.string("description")?,
                schema,
                strict: inner.flag("strict")?,
            }))
        }
        _ => Err(format.wrong("type", "must be 'text', 'json_object' or 'json_schema'")),
    }
}

fn labels(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let user = fields.string("user")?;
    request.user = fields.string("safety_identifier")?.or(user);
    request.metadata = match fields.take("metadata") {
        None => None,
        Some(Value::Object(map)) if map.is_empty() => None,
        Some(map @ Value::Object(_)) => Some(map),
        Some(_) => return Err(fields.wrong("metadata", "must be an object")),
    };
    request.service_tier = fields.string("service_tier")?;
    request.cache_key = fields.string("prompt_cache_key")?;
    Ok(())
}

fn weight(name: &str) -> Weight {
    match name {
        // Caching, storage, labels, speed, and which of a router's vendors is asked.
        "prompt_cache_retention"
        | "store"
        | "prediction"
        | "provider"
        | "models"
        | "route"
        | "transforms"
        | "usage"
        | "session_id"
        | "trace"
        | "extra_headers"
        | "stream_options" => Weight::Hint,
        _ => Weight::Meaning,
    }
}

/// Whether a field that was left over is more than a default.
fn says_something(rest: &Rest) -> bool {
    match &rest.value {
        Value::Bool(said) => *said,
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    }
}
