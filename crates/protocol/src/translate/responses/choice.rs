//! Which tool must be used, in both directions.

use serde_json::{Value, json};

use super::super::fields::Fields;
use super::super::{Fault, Names};
use super::content::kind_of;
use crate::Dialect;
use crate::neutral::{Losses, Request, Rest, Tool, ToolChoice, ToolKind, Weight};

const AT: &str = "tool_choice";
const FORMS: &str = "must be 'auto', 'none', 'required' or an object with a known 'type'";

/// Reads `tool_choice`. Forms that only this dialect has are left over.
pub(super) fn read(value: Value, rest: &mut Vec<Rest>) -> Result<Option<ToolChoice>, Fault> {
    if let Some(word) = value.as_str() {
        return match word {
            "auto" => Ok(Some(ToolChoice::Auto)),
            "none" => Ok(Some(ToolChoice::None)),
            "required" => Ok(Some(ToolChoice::Required)),
            _ => Err(Fault::field(AT, FORMS)),
        };
    }
    let Some(kind) = kind_of(AT, &value).map_err(|_| Fault::field(AT, FORMS))? else {
        return Err(Fault::field("tool_choice.type", "is missing"));
    };
    match kind.as_str() {
        "function" | "custom" => {
            let mut fields = Fields::of(AT, value)?;
            Ok(Some(ToolChoice::Tool(fields.required("name")?)))
        }
        "allowed_tools" => allowed(value, rest).map(Some),
        _ => {
            rest.push(Rest { field: AT.into(), value, weight: Weight::Meaning });
            Ok(None)
        }
    }
}

fn allowed(value: Value, rest: &mut Vec<Rest>) -> Result<ToolChoice, Fault> {
    let mut fields = Fields::of(AT, value)?;
    let required = match fields.string("mode")?.as_deref() {
        None | Some("auto") => false,
        Some("required") => true,
        Some(_) => return Err(fields.wrong("mode", "must be 'auto' or 'required'")),
    };
    let mut names = Vec::new();
    for (n, tool) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        let has_name = matches!(tool.get("type").and_then(Value::as_str), Some("function" | "custom"));
        match tool.get("name").and_then(Value::as_str) {
            Some(name) if has_name => names.push(name.to_owned()),
            _ if has_name => return Err(fields.wrong(&format!("tools[{n}].name"), "is missing")),
            _ => rest.push(Rest {
                field: fields.path(&format!("tools[{n}]")),
                value: tool,
                weight: Weight::Meaning,
            }),
        }
    }
    Ok(ToolChoice::Allowed { names, required })
}

/// Writes `tool_choice`. Tools that are not offered are noted, because the vendor would refuse the whole request.
pub(super) fn write(request: &Request, names: &mut Names, losses: &mut Losses) -> Option<Value> {
    Some(match request.tool_choice.as_ref()? {
        ToolChoice::Auto => "auto".into(),
        ToolChoice::None => "none".into(),
        ToolChoice::Required => "required".into(),
        ToolChoice::Tool(name) => match offered(request, name, names) {
            Some((sent, kind)) => json!({"type": kind, "name": sent}),
            None if searches(request, name) => json!({"type": "web_search"}),
            None => {
                losses.meaning(AT, "names a tool that is not offered");
                return None;
            }
        },
        ToolChoice::Allowed { names: wanted, required } => {
            let tools: Vec<Value> = wanted
                .iter()
                .filter_map(|name| offered(request, name, names))
                .map(|(sent, kind)| json!({"type": kind, "name": sent}))
                .collect();
            if tools.len() < wanted.len() {
                losses.meaning(AT, "names a tool that is not offered");
            }
            if tools.is_empty() {
                return None;
            }
            json!({"type": "allowed_tools", "mode": if *required { "required" } else { "auto" }, "tools": tools})
        }
    })
}

/// The name that an offered tool is sent by, and its type.
fn offered(request: &Request, wanted: &str, names: &mut Names) -> Option<(String, &'static str)> {
    request.tools.iter().find_map(|tool| match tool {
        Tool::Caller { name, namespace, kind, .. } if name == wanted => {
            let sent = if namespace.is_some() { name.clone() } else { names.send(None, name, *kind) };
            Some((sent, if *kind == ToolKind::Custom { "custom" } else { "function" }))
        }
        _ => None,
    })
}

/// Whether that is how another dialect names its web search (Anthropic's is a tool with a name).
fn searches(request: &Request, name: &str) -> bool {
    request.dialect != Dialect::OpenAiResponses
        && name == "web_search"
        && request.tools.iter().any(|tool| matches!(tool, Tool::WebSearch(_)))
}
