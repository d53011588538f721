//! Tools and the choice among them, towards a vendor.

use serde_json::{Map, Value, json};

use super::super::{Names, restore};
use super::model::Model;
use super::tools::nested_format;
use crate::neutral::{Losses, Request, Tool, ToolChoice, ToolKind, WebSearch};

/// Writes the tools and everything about them.
pub(super) fn write(
    request: &Request,
    model: Model,
    names: &mut Names,
    losses: &mut Losses,
    body: &mut Map<String, Value>,
) {
    // Servers that do not know `allowed_tools` are offered nothing but those.
    let only: Option<&[String]> = match &request.tool_choice {
        Some(ToolChoice::Allowed { names, .. }) if !model.openai => Some(names),
        _ => None,
    };
    let mut list = Vec::new();
    for (number, tool) in (0_usize..).zip(&request.tools) {
        let at = format!("tools[{number}]");
        match tool {
            Tool::Caller { name, .. } if only.is_some_and(|only| !only.contains(name)) => {}
            Tool::Caller { .. } => list.extend(caller(tool, model, &at, names, losses)),
            Tool::WebSearch(wishes) => search(wishes, model, &at, losses, body),
            Tool::Native { .. } => losses.meaning(at, "is a tool that only its own vendor runs"),
        }
    }
    if list.is_empty() {
        if matches!(request.tool_choice, Some(ToolChoice::Tool(_) | ToolChoice::Required)) {
            losses.meaning("tool_choice", "asks for a tool that was left out");
        }
        return;
    }
    if let Some(choice) =
        request.tool_choice.as_ref().and_then(|choice| pick(choice, request, model, names, losses))
    {
        body.insert("tool_choice".to_owned(), choice);
    }
    match request.parallel_tools {
        Some(false) if model.parallel_choice() => {
            body.insert("parallel_tool_calls".to_owned(), json!(false));
        }
        Some(false) => losses.meaning("parallel_tool_calls", "is not known to this model"),
        // The default everywhere.
        _ => {}
    }
    body.insert("tools".to_owned(), Value::Array(list));
}

fn caller(tool: &Tool, model: Model, at: &str, names: &mut Names, losses: &mut Losses) -> Option<Value> {
    let Tool::Caller { name, namespace, description, schema, kind, strict, cache } = tool else {
        return None;
    };
    if cache.is_some() {
        losses.hint(format!("{at}.cache_control"), "is not known to this dialect");
    }
    let space = namespace.as_ref().map(|(name, _)| name.as_str());
    let mut inner = Map::new();
    inner.insert("name".to_owned(), json!(names.send(space, name, *kind)));
    if let Some(text) = description {
        inner.insert("description".to_owned(), json!(text));
    }
    if *kind == ToolKind::Custom {
        if model.is_new() {
            if let Some(format) = schema {
                inner.insert("format".to_owned(), nested_format(format));
            }
            return Some(json!({"type": "custom", "custom": inner}));
        }
        if schema.as_ref().is_some_and(|format| format.get("type") != Some(&json!("text"))) {
            losses.meaning(format!("{at}.format"), "is not enforced by this model");
        }
        inner.insert("parameters".to_owned(), restore::input_schema());
        return Some(json!({"type": "function", "function": inner}));
    }
    // OpenAI takes no schema for one without arguments, others insist on one.
    let empty = || json!({"type": "object", "properties": {}});
    inner.insert("parameters".to_owned(), schema.clone().unwrap_or_else(empty));
    if let Some(strict) = strict {
        inner.insert("strict".to_owned(), json!(strict));
    }
    Some(json!({"type": "function", "function": inner}))
}

/// Only models made for it search: others refuse the field, or bill a search for every request.
fn search(wishes: &WebSearch, model: Model, at: &str, losses: &mut Losses, body: &mut Map<String, Value>) {
    if !model.searches {
        losses.meaning(at, "is a web search, which this model does not run");
        return;
    }
    let mut options = Map::new();
    if let Some(size) = &wishes.context_size {
        options.insert("search_context_size".to_owned(), json!(size));
    }
    if let Some(Value::Object(place)) = &wishes.location {
        let mut place = place.clone();
        place.shift_remove("type");
        options.insert("user_location".to_owned(), json!({"type": "approximate", "approximate": place}));
    }
    if !wishes.allowed_domains.is_empty() || !wishes.blocked_domains.is_empty() {
        losses.meaning(format!("{at}.allowed_domains"), "is not known to this dialect");
    }
    if wishes.max_uses.is_some() {
        losses.hint(format!("{at}.max_uses"), "is not known to this dialect");
    }
    body.insert("web_search_options".to_owned(), Value::Object(options));
}

fn pick(
    choice: &ToolChoice,
    request: &Request,
    model: Model,
    names: &mut Names,
    losses: &mut Losses,
) -> Option<Value> {
    let mut spelled = |name: &str| {
        let (space, kind) = request.tools.iter().find_map(|tool| match tool {
            Tool::Caller { name: own, namespace, kind, .. } if own == name => {
                Some((namespace.as_ref().map(|(space, _)| space.as_str()), *kind))
            }
            _ => None,
        })?;
        let holder = if kind == ToolKind::Custom && model.is_new() { "custom" } else { "function" };
        Some(json!({"type": holder, holder: {"name": names.send(space, name, kind)}}))
    };
    match choice {
        ToolChoice::Auto => Some(json!("auto")),
        ToolChoice::None => Some(json!("none")),
        ToolChoice::Required => Some(json!("required")),
        ToolChoice::Tool(name) => {
            let picked = spelled(name);
            if picked.is_none() {
                losses.meaning("tool_choice", "asks for a tool that was left out");
            }
            picked
        }
        ToolChoice::Allowed { required, .. } if !model.openai => {
            Some(json!(if *required { "required" } else { "auto" }))
        }
        ToolChoice::Allowed { names: allowed, required } => {
            let tools: Vec<Value> = allowed.iter().filter_map(|name| spelled(name)).collect();
            let mode = if *required { "required" } else { "auto" };
            Some(json!({"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}))
        }
    }
}
