//! The items of `input`, joined to turns.
//!
//! Responses lists what a speaker did item by item: thoughts, a message, each call. The neutral form has turns, and
//! other vendors want all of one turn together.

use serde_json::Value;

use super::super::Fault;
use super::super::fields::Fields;
use super::content::{kind_of, read_all, weigh};
use super::parts::{join_seals, thinking};
use super::tools;
use crate::Dialect;
use crate::neutral::{Part, Request, Rest, Role, ToolKind, Turn, Weight};

const OWN: Dialect = Dialect::OpenAiResponses;
/// The type of the item that asks for a summary instead of an answer.
pub(super) const TRIGGER: &str = "compaction_trigger";

/// Reads `input` behind the turns that are there.
pub(super) fn read(input: Value, request: &mut Request) -> Result<(), Fault> {
    let items = match input {
        Value::String(text) => {
            let at = "input".to_owned();
            request.turns.push(Turn {
                role: Role::User,
                name: None,
                parts: vec![Part::text(text)],
                at,
                places: Vec::new(),
            });
            return Ok(());
        }
        Value::Array(items) => items,
        _ => return Err(Fault::field("input", "must be a string or an array of items")),
    };
    let (mut told, end) = (false, items.len().saturating_sub(1));
    for (n, item) in items.into_iter().enumerate() {
        let at = format!("input[{n}]");
        let kind = kind_of(&at, &item)?;
        match kind.as_deref() {
            Some("message") => message(at, item, request)?,
            None if item.get("role").is_some() => message(at, item, request)?,
            None if item.get("id").is_none() => {
                return Err(Fault::field(format!("{at}.type"), "is missing"));
            }
            None | Some("item_reference") => {
                return Err(Fault::field(
                    at,
                    "refers to an item by its id; the model's provider keeps none: send the item itself",
                ));
            }
            Some("reasoning") => assistant(at, reasoning, item, request)?,
            Some("function_call" | "custom_tool_call") => assistant(at, call, item, request)?,
            Some("function_call_output" | "custom_tool_call_output") => {
                let part = output(&at, item, &mut request.rest)?;
                result(at, part, request);
            }
            Some(TRIGGER) if n < end => {
                return Err(Fault::field(at, "must be the last item"));
            }
            Some(TRIGGER) => {
                request.compact = Some(at);
                continue;
            }
            Some("additional_tools") => {
                let mut fields = Fields::of(at, item)?;
                let list = fields.list("tools")?.unwrap_or_default();
                tools::read_all(&fields.path("tools"), list, request)?;
                // Who adds them makes no difference anywhere else.
                let _ = (fields.take("type"), fields.take("role"), fields.take("id"));
                request.rest.extend(fields.rest(weigh));
            }
            Some(kind) => {
                let by_caller = is_callers(kind, &item);
                let part = Part::Native { dialect: OWN, value: item };
                if by_caller {
                    result(at, part, request);
                } else {
                    add(open_assistant(at.clone(), &mut request.turns), part, at);
                }
            }
        }
        told = true;
    }
    if !told && request.turns.is_empty() && request.previous.is_none() {
        return Err(Fault::field("input", "must not be empty"));
    }
    for turn in request.turns.iter_mut().filter(|turn| turn.role == Role::Assistant) {
        join_seals(&mut turn.parts, &mut turn.places);
    }
    Ok(())
}

/// Whether an item of a type that only this dialect knows comes from the caller rather than the model.
fn is_callers(kind: &str, item: &Value) -> bool {
    match kind {
        "computer_call_output"
        | "local_shell_call_output"
        | "shell_call_output"
        | "apply_patch_call_output"
        | "mcp_approval_response" => true,
        "tool_search_output" => item.get("execution").and_then(Value::as_str) == Some("client"),
        _ => false,
    }
}

fn message(at: String, item: Value, request: &mut Request) -> Result<(), Fault> {
    let mut fields = Fields::of(at, item)?;
    let _ = (fields.take("type"), fields.take("id"), fields.take("status"));
    let role = match fields.required("role")?.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" => Role::System,
        "developer" => Role::Developer,
        _ => {
            return Err(fields.wrong("role", "must be 'user', 'assistant', 'system' or 'developer'"));
        }
    };
    let content = fields.take("content");
    let parts = read_all(&fields.path("content"), content, &mut request.rest)?;
    let places = (0..parts.len()).map(|n| fields.path(&format!("content[{n}]"))).collect::<Vec<_>>();
    let at = fields.at().to_owned();
    request.rest.extend(fields.rest(weigh));
    if role == Role::Assistant && follows_on(request.turns.last()) {
        let turn = open_assistant(at, &mut request.turns);
        turn.parts.extend(parts);
        turn.places.extend(places);
    } else {
        request.turns.push(Turn { role, name: None, parts, at, places });
    }
    Ok(())
}

/// Whether a message of the model belongs to the turn before it. Two messages in a row stay two, unless calls
/// stand before them: nothing may come between calls and their results.
fn follows_on(turn: Option<&Turn>) -> bool {
    turn.is_some_and(|turn| {
        turn.role == Role::Assistant
            && (turn.parts.iter().any(|part| matches!(part, Part::ToolCall { .. }))
                || !matches!(
                    turn.parts.last(),
                    Some(Part::Text { .. } | Part::Refusal { .. } | Part::Media(_))
                ))
    })
}

/// The model's turn that is being told.
fn open_assistant(at: String, turns: &mut Vec<Turn>) -> &mut Turn {
    open(at, Role::Assistant, |turn| turn.role == Role::Assistant, turns)
}

/// A result joins the results before it.
fn result(at: String, part: Part, request: &mut Request) {
    let joins = |turn: &Turn| {
        turn.role == Role::User
            && turn.parts.iter().all(|part| matches!(part, Part::ToolResult { .. } | Part::Native { .. }))
    };
    add(open(at.clone(), Role::User, joins, &mut request.turns), part, at);
}

fn open(at: String, role: Role, joins: impl Fn(&Turn) -> bool, turns: &mut Vec<Turn>) -> &mut Turn {
    if !turns.last().is_some_and(joins) {
        turns.push(Turn { role, name: None, parts: Vec::new(), at, places: Vec::new() });
    }
    let last = turns.len().saturating_sub(1);
    // One was found or put there just now.
    #[expect(clippy::indexing_slicing, reason = "the list is not empty")]
    &mut turns[last]
}

/// A part that is an item of its own.
fn add(turn: &mut Turn, part: Part, at: String) {
    turn.parts.push(part);
    turn.places.push(at);
}

fn assistant(
    at: String,
    read: impl Fn(&str, Value, &mut Vec<Rest>) -> Result<Part, Fault>,
    item: Value,
    request: &mut Request,
) -> Result<(), Fault> {
    let part = read(&at, item, &mut request.rest)?;
    add(open_assistant(at.clone(), &mut request.turns), part, at);
    Ok(())
}

fn reasoning(at: &str, item: Value, rest: &mut Vec<Rest>) -> Result<Part, Fault> {
    let mut fields = Fields::of(at, item)?;
    let _ = (fields.take("type"), fields.take("id"), fields.take("status"));
    let mut texts = |name: &str| -> Result<Vec<Value>, Fault> {
        let list = fields.list(name)?.unwrap_or_default();
        match list.iter().position(|entry| entry.get("text").and_then(Value::as_str).is_none()) {
            Some(n) => Err(fields.wrong(&format!("{name}[{n}].text"), "must be a string")),
            None => Ok(list),
        }
    };
    let (summary, content) = (texts("summary")?, texts("content")?);
    if !summary.is_empty() && !content.is_empty() {
        let value = Value::Array(content.clone());
        rest.push(Rest { field: fields.path("content"), value, weight: Weight::Hint });
    }
    let part = thinking(&summary, &content, fields.string("encrypted_content")?.as_deref());
    rest.extend(fields.rest(weigh));
    Ok(part)
}

fn call(at: &str, item: Value, rest: &mut Vec<Rest>) -> Result<Part, Fault> {
    let mut fields = Fields::of(at, item)?;
    let custom = fields.take("type").is_some_and(|kind| kind == "custom_tool_call");
    let _ = (fields.take("id"), fields.take("status"));
    let (kind, arguments) =
        if custom { (ToolKind::Custom, "input") } else { (ToolKind::Function, "arguments") };
    let part = Part::ToolCall {
        id: named(&mut fields, "call_id")?,
        name: named(&mut fields, "name")?,
        namespace: fields.string("namespace")?,
        arguments: fields.string(arguments)?.unwrap_or_default(),
        kind,
        seal: None,
        cache: None,
    };
    rest.extend(fields.rest(weigh));
    Ok(part)
}

fn output(at: &str, item: Value, rest: &mut Vec<Rest>) -> Result<Part, Fault> {
    let mut fields = Fields::of(at, item)?;
    let custom = fields.take("type").is_some_and(|kind| kind == "custom_tool_call_output");
    let _ = (fields.take("id"), fields.take("status"));
    let id = named(&mut fields, "call_id")?;
    let Some(told) = fields.take("output") else { return Err(fields.wrong("output", "is missing")) };
    let parts = read_all(&fields.path("output"), Some(told), rest)?;
    let name = fields.string("name")?;
    rest.extend(fields.rest(weigh));
    let kind = if custom { ToolKind::Custom } else { ToolKind::Function };
    Ok(Part::ToolResult { id, name, parts, is_error: false, kind, cache: None })
}

/// A text that must be there and must not be empty.
fn named(fields: &mut Fields, name: &str) -> Result<String, Fault> {
    let text = fields.required(name)?;
    if text.is_empty() { Err(fields.wrong(name, "must not be empty")) } else { Ok(text) }
}
