//! Tools and the choice among them, for Anthropic.

use serde_json::{Map, Value, json};

use super::output_schema;
use super::spelling::Field;
use super::write_request::Writing;
use super::write_turns::Message;
use crate::Dialect;
use crate::neutral::{Tool, ToolChoice, ToolKind, WebSearch};
use crate::translate::restore;

/// Most strict tools of one request; with more the vendor refuses all.
const MAX_STRICT: usize = 20;

/// Writes `tools` and `tool_choice`.
pub(super) fn write(writing: &mut Writing<'_>, body: &mut Map<String, Value>) {
    let request = writing.request;
    let strict = request.tools.iter().filter(|tool| is_strict(tool)).count();
    let enforce = writing.model.structured() && strict <= MAX_STRICT;
    let mut spaces: Vec<&str> = Vec::new();
    let mut tools: Vec<Value> = Vec::new();
    for (index, tool) in request.tools.iter().enumerate() {
        let at = format!("tools[{index}]");
        // A shorter list says "one of these" to a vendor that has no word for it.
        if let (Some(ToolChoice::Allowed { names, .. }), Tool::Caller { name, .. }) =
            (&request.tool_choice, tool)
            && !names.contains(name)
        {
            continue;
        }
        if is_strict(tool) && !enforce {
            writing.losses.meaning(format!("{at}.strict"), "is not enforced for this model");
        }
        tools.extend(self::tool(writing, &at, tool, enforce, &mut spaces));
    }
    if tools.is_empty() {
        if !matches!(request.tool_choice, None | Some(ToolChoice::Auto | ToolChoice::None)) {
            writing.loses(Field::ToolChoice, "has no tool to choose");
        }
        return;
    }
    body.insert("tools".into(), tools.into());
    if let Some(choice) = choice(writing) {
        body.insert("tool_choice".into(), choice);
    }
}

fn is_strict(tool: &Tool) -> bool {
    matches!(tool, Tool::Caller { strict: Some(true), .. })
}

fn tool<'a>(
    writing: &mut Writing<'_>,
    at: &str,
    tool: &'a Tool,
    enforce: bool,
    spaces: &mut Vec<&'a str>,
) -> Option<Value> {
    match tool {
        Tool::Caller { name, namespace, description, schema, kind, cache, .. } => {
            let sent = writing.names.send(namespace.as_ref().map(|(space, _)| space.as_str()), name, *kind);
            let mut words: Vec<String> = Vec::new();
            // A namespace's description goes with its first tool: there is no other place for it.
            if let Some((space, Some(about))) = namespace
                && !spaces.contains(&space.as_str())
            {
                spaces.push(space);
                words.push(format!("({space}: {about})"));
            }
            words.extend(description.clone());
            let schema = match kind {
                ToolKind::Custom => {
                    if let Some(format) = schema {
                        writing
                            .losses
                            .meaning(format!("{at}.format"), "is told to the model but not enforced");
                        words.extend(grammar(format));
                    }
                    restore::input_schema()
                }
                ToolKind::Function => {
                    let (schema, changed) = output_schema::of_tool(schema.as_ref());
                    if changed {
                        writing.losses.meaning(
                            format!("{at}.parameters"),
                            "has alternatives at its top that were merged",
                        );
                    }
                    schema
                }
            };
            let mut value = Map::new();
            value.insert("name".into(), sent.into());
            if !words.is_empty() {
                value.insert("description".into(), words.join("\n\n").into());
            }
            value.insert("input_schema".into(), schema);
            if enforce && is_strict(tool) {
                value.insert("strict".into(), true.into());
            }
            let mut value = Value::Object(value);
            writing.cache(&mut value, cache.as_ref());
            Some(value)
        }
        Tool::WebSearch(search) => Some(web_search(writing, at, search)),
        Tool::Native { dialect: Dialect::Anthropic, value, .. } => Some(value.clone()),
        Tool::Native { .. } => {
            writing.losses.meaning(at, "is a tool of another vendor's");
            None
        }
    }
}

/// A custom tool's grammar in words.
fn grammar(format: &Value) -> Option<String> {
    let inner = format.get("grammar").unwrap_or(format);
    let definition = inner.get("definition")?.as_str()?;
    let syntax = inner.get("syntax").and_then(Value::as_str).unwrap_or("the following");
    Some(format!("The input must follow this grammar ({syntax}):\n{definition}"))
}

fn web_search(writing: &mut Writing<'_>, at: &str, search: &WebSearch) -> Value {
    let spelled = search.spelled.as_str();
    let dated =
        spelled.strip_prefix("web_search_2").is_some() && writing.request.dialect == Dialect::Anthropic;
    let mut value = Map::new();
    value.insert("type".into(), if dated { spelled } else { "web_search_20250305" }.into());
    value.insert("name".into(), "web_search".into());
    if let Some(uses) = search.max_uses {
        value.insert("max_uses".into(), uses.into());
    }
    if !search.allowed_domains.is_empty() {
        value.insert("allowed_domains".into(), search.allowed_domains.clone().into());
        if !search.blocked_domains.is_empty() {
            writing.losses.meaning(format!("{at}.blocked_domains"), "cannot stand beside allowed domains");
        }
    } else if !search.blocked_domains.is_empty() {
        value.insert("blocked_domains".into(), search.blocked_domains.clone().into());
    }
    if let Some(location) = &search.location {
        let mut place = location.get("approximate").unwrap_or(location).clone();
        if let Some(map) = place.as_object_mut() {
            map.retain(|_, value| !value.is_null());
            map.insert("type".into(), "approximate".into());
            value.insert("user_location".into(), place);
        }
    }
    if search.context_size.as_deref().is_some_and(|size| size != "medium") {
        writing
            .losses
            .meaning(format!("{at}.search_context_size"), "has no counterpart in the model's dialect");
    }
    Value::Object(value)
}

fn choice(writing: &mut Writing<'_>) -> Option<Value> {
    let request = writing.request;
    let mut choice = match &request.tool_choice {
        None => None,
        Some(ToolChoice::Auto | ToolChoice::Allowed { required: false, .. }) => {
            Some(json!({ "type": "auto" }))
        }
        Some(ToolChoice::None) => return Some(json!({ "type": "none" })),
        Some(ToolChoice::Required | ToolChoice::Allowed { required: true, .. }) => {
            Some(json!({ "type": "any" }))
        }
        Some(ToolChoice::Tool(name)) => Some(json!({ "type": "tool", "name": name_of(writing, name) })),
    };
    if !writing.model.can_be_forced() && forces(choice.as_ref()) {
        writing.loses(Field::ToolChoice, "cannot be forced on this model and was left to it");
        choice = Some(json!({ "type": "auto" }));
    }
    if request.parallel_tools == Some(false) {
        let choice = choice.get_or_insert_with(|| json!({ "type": "auto" }));
        if let Some(map) = choice.as_object_mut() {
            map.insert("disable_parallel_tool_use".into(), true.into());
        }
    }
    choice
}

/// Whether a `tool_choice` demands a call.
pub(super) fn forces(choice: Option<&Value>) -> bool {
    let kind = choice.and_then(|choice| choice.get("type")?.as_str());
    matches!(kind, Some("any" | "tool"))
}

/// The name that an offered tool was sent under.
fn name_of(writing: &mut Writing<'_>, wanted: &str) -> String {
    let request = writing.request;
    for tool in &request.tools {
        match tool {
            Tool::Caller { name, namespace, kind, .. } if name == wanted => {
                return writing.names.send(namespace.as_ref().map(|(space, _)| space.as_str()), name, *kind);
            }
            Tool::WebSearch(_) if wanted.starts_with("web_search") => return "web_search".to_owned(),
            _ => {}
        }
    }
    writing.names.send(None, wanted, ToolKind::Function)
}

/// Declares the tools of a history that calls some while none is offered any more: the vendor refuses calls
/// of tools that it does not know.
pub(super) fn declare_called(messages: &[Message], body: &mut Map<String, Value>) {
    if body.contains_key("tools") {
        return;
    }
    let mut tools: Vec<Value> = Vec::new();
    for block in messages.iter().flat_map(|message| &message.blocks) {
        let Some(name) = block.get("name").filter(|_| block.get("type") == Some(&"tool_use".into())) else {
            continue;
        };
        if !tools.iter().any(|tool| tool.get("name") == Some(name)) {
            tools.push(json!({ "name": name, "input_schema": { "type": "object" } }));
        }
    }
    if !tools.is_empty() {
        body.insert("tools".into(), tools.into());
        body.insert("tool_choice".into(), json!({ "type": "none" }));
    }
}
