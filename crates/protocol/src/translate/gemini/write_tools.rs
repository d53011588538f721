//! Writes tools and the choice among them.

use serde_json::{Map, Value, json};

use super::super::{Names, restore};
use super::model::Line;
use crate::Dialect;
use crate::neutral::{Losses, Request, Tool, ToolChoice, ToolKind, WebSearch};

/// The list of tools: one object with all functions, one for each of the vendor's own.
pub(super) fn tools(request: &Request, line: Line, names: &mut Names, losses: &mut Losses) -> Vec<Value> {
    let mut functions = Vec::new();
    let mut others = Vec::new();
    for (number, tool) in request.tools.iter().enumerate() {
        let at = format!("tools[{number}]");
        match tool {
            Tool::Caller { cache, strict, .. } => {
                functions.extend(function(tool, &at, names, losses));
                if *strict == Some(true) {
                    losses.hint(format!("{at}.strict"), "holds for all functions together in this dialect");
                }
                if cache.is_some() {
                    losses
                        .hint(format!("{at}.cache_control"), "is left to the vendor, which caches by itself");
                }
            }
            Tool::WebSearch(search) => {
                unsaid(search, &at, losses);
                others.push((at, json!({"googleSearch": {}})));
            }
            Tool::Native { dialect: Dialect::Gemini, value, .. } => others.push((at, value.clone())),
            Tool::Native { .. } => losses.meaning(at, "is a tool that only another vendor runs"),
        }
    }
    let mut tools = Vec::new();
    if !functions.is_empty() {
        tools.push(json!({"functionDeclarations": functions}));
    }
    for (at, tool) in others {
        if line.third || tools.is_empty() || request.dialect == Dialect::Gemini {
            tools.push(tool);
        } else {
            losses.meaning(at, "cannot be offered beside functions on this model");
        }
    }
    tools
}

fn function(tool: &Tool, at: &str, names: &mut Names, losses: &mut Losses) -> Option<Value> {
    let Tool::Caller { name, namespace, description, schema, kind, .. } = tool else { return None };
    let space = namespace.as_ref().map(|(space, _)| space.as_str());
    let mut declared = Map::new();
    declared.insert("name".into(), names.send(space, name, *kind).into());
    if let Some(description) = description {
        declared.insert("description".into(), description.as_str().into());
    }
    let schema = match kind {
        ToolKind::Function => schema.clone(),
        ToolKind::Custom => {
            if schema.as_ref().is_some_and(|format| format.get("type").is_none_or(|kind| kind != "text")) {
                losses.meaning(format!("{at}.format"), "is not known to this dialect: any text may come");
            }
            Some(restore::input_schema())
        }
    };
    // A schema of nothing is no schema, and the vendor wants objects.
    if let Some(schema) = schema.filter(|schema| schema.as_object().is_some_and(|map| !map.is_empty())) {
        declared.insert("parametersJsonSchema".into(), schema);
    }
    Some(Value::Object(declared))
}

fn unsaid(search: &WebSearch, at: &str, losses: &mut Losses) {
    const WHAT: &str = "is not known to this dialect's search";
    let mut note = |name: &str, said: bool| {
        if said {
            losses.meaning(format!("{at}.{name}"), WHAT);
        }
    };
    note("allowed_domains", !search.allowed_domains.is_empty());
    note("blocked_domains", !search.blocked_domains.is_empty());
    note("max_uses", search.max_uses.is_some());
    note("user_location", search.location.is_some());
    if search.context_size.is_some() {
        losses.hint(format!("{at}.search_context_size"), WHAT);
    }
}

/// `toolConfig`. `functions` tells whether any function is offered: without one the vendor refuses a choice.
pub(super) fn choice(
    request: &Request,
    line: Line,
    functions: bool,
    names: &mut Names,
    losses: &mut Losses,
) -> Option<Value> {
    let mut config = Map::new();
    if functions && let Some(calling) = calling(request, names, losses) {
        config.insert("functionCallingConfig".into(), calling);
    }
    let own = |tool: &Tool| match tool {
        Tool::WebSearch(_) => true,
        Tool::Native { dialect, .. } => *dialect == Dialect::Gemini,
        Tool::Caller { .. } => false,
    };
    if functions && line.third && request.tools.iter().any(own) {
        // Only so may functions stand beside the vendor's own tools.
        config.insert("includeServerSideToolInvocations".into(), true.into());
    }
    (!config.is_empty()).then_some(Value::Object(config))
}

fn calling(request: &Request, names: &mut Names, losses: &mut Losses) -> Option<Value> {
    let strict = request.tools.iter().any(|tool| matches!(tool, Tool::Caller { strict: Some(true), .. }));
    let free = if strict { "VALIDATED" } else { "AUTO" };
    let mut sent = |wanted: &[String]| -> Vec<String> {
        wanted.iter().filter_map(|name| send(request, name, names)).collect()
    };
    Some(match request.tool_choice.as_ref() {
        None if strict => json!({"mode": free}),
        None => return None,
        Some(ToolChoice::Auto) => json!({"mode": free}),
        Some(ToolChoice::None) => json!({"mode": "NONE"}),
        Some(ToolChoice::Required) => json!({"mode": "ANY"}),
        Some(ToolChoice::Tool(name)) => {
            let allowed = sent(std::slice::from_ref(name));
            if allowed.is_empty() {
                losses.meaning("tool_choice", "names a tool that this model cannot be told to use");
                return None;
            }
            json!({"mode": "ANY", "allowedFunctionNames": allowed})
        }
        Some(ToolChoice::Allowed { names: wanted, required }) => {
            let allowed = sent(wanted);
            if allowed.len() < wanted.len() {
                losses.meaning("tool_choice", "names a tool that this model cannot be told to use");
            }
            match (required, allowed.is_empty()) {
                (true, true) => json!({"mode": "ANY"}),
                (false, true) => json!({"mode": free}),
                (true, false) => json!({"mode": "ANY", "allowedFunctionNames": allowed}),
                // Names may stand beside this mode, not beside AUTO.
                (false, false) => json!({"mode": "VALIDATED", "allowedFunctionNames": allowed}),
            }
        }
    })
}

/// The name that an offered function was sent by.
fn send(request: &Request, wanted: &str, names: &mut Names) -> Option<String> {
    request.tools.iter().find_map(|tool| match tool {
        Tool::Caller { name, namespace, kind, .. } if name == wanted => {
            Some(names.send(namespace.as_ref().map(|(space, _)| space.as_str()), name, *kind))
        }
        _ => None,
    })
}
