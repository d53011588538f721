//! Tools that a request offers, and which of them the model must use.

use serde_json::{Map, Value, json};

use super::super::Fault;
use super::super::fields::Fields;
use crate::Dialect;
use crate::neutral::{Rest, Tool, ToolChoice, ToolKind, WebSearch, Weight};

/// Reads `tools`.
pub(super) fn read(list: Vec<Value>, rest: &mut Vec<Rest>) -> Result<Vec<Tool>, Fault> {
    (0_usize..).zip(list).map(|(number, value)| tool(value, format!("tools[{number}]"), rest)).collect()
}

/// Reads the older `functions`.
pub(super) fn read_functions(list: Vec<Value>, rest: &mut Vec<Rest>) -> Result<Vec<Tool>, Fault> {
    (0_usize..)
        .zip(list)
        .map(|(number, value)| function(Fields::of(format!("functions[{number}]"), value)?, None, rest))
        .collect()
}

fn tool(value: Value, at: String, rest: &mut Vec<Rest>) -> Result<Tool, Fault> {
    let kind = value.get("type").and_then(Value::as_str).unwrap_or("function");
    if !matches!(kind, "function" | "custom") && !is_search(kind) {
        let kind = kind.to_owned();
        return Ok(Tool::Native { dialect: Dialect::OpenAiChat, kind, value });
    }
    let mut fields = Fields::of(at, value)?;
    let kind = fields.string("type")?;
    let cache = fields.take("cache_control");
    let tool = match kind.as_deref() {
        None | Some("function") => {
            let inner = fields.object("function")?;
            function(inner.ok_or_else(|| fields.wrong("function", "is missing"))?, cache, rest)?
        }
        Some("custom") => {
            let inner = fields.object("custom")?;
            custom(inner.ok_or_else(|| fields.wrong("custom", "is missing"))?, cache, rest)?
        }
        Some(kind) => {
            let wishes = fields.object("parameters")?;
            return Ok(Tool::WebSearch(search(wishes.unwrap_or(fields), kind, rest)?));
        }
    };
    rest.extend(fields.rest(|_| Weight::Hint));
    Ok(tool)
}

fn is_search(kind: &str) -> bool {
    kind.starts_with("web_search") || kind == "openrouter:web_search"
}

fn function(mut fields: Fields, cache: Option<Value>, rest: &mut Vec<Rest>) -> Result<Tool, Fault> {
    let tool = Tool::Caller {
        name: fields.required("name")?,
        namespace: None,
        description: fields.string("description")?,
        schema: schema(&mut fields)?,
        kind: ToolKind::Function,
        strict: fields.flag("strict")?,
        cache,
    };
    rest.extend(fields.rest(|_| Weight::Hint));
    Ok(tool)
}

fn schema(fields: &mut Fields) -> Result<Option<Value>, Fault> {
    match fields.take("parameters") {
        None => Ok(None),
        Some(schema @ Value::Object(_)) => Ok(Some(schema)),
        Some(_) => Err(fields.wrong("parameters", "must be an object")),
    }
}

/// The format of a custom tool is kept as Responses spells it: `{type, syntax, definition}`.
fn custom(mut fields: Fields, cache: Option<Value>, rest: &mut Vec<Rest>) -> Result<Tool, Fault> {
    let format = match fields.take("format") {
        None => None,
        Some(Value::Object(format)) => Some(Value::Object(flat(format))),
        Some(_) => return Err(fields.wrong("format", "must be an object")),
    };
    let tool = Tool::Caller {
        name: fields.required("name")?,
        namespace: None,
        description: fields.string("description")?,
        schema: format,
        kind: ToolKind::Custom,
        strict: None,
        cache,
    };
    rest.extend(fields.rest(|_| Weight::Hint));
    Ok(tool)
}

fn flat(mut format: Map<String, Value>) -> Map<String, Value> {
    if let Some(Value::Object(grammar)) = format.shift_remove("grammar") {
        format.extend(grammar);
    }
    format
}

/// Reads `web_search_options`, or the parameters of a search tool.
pub(super) fn search(mut fields: Fields, spelled: &str, rest: &mut Vec<Rest>) -> Result<WebSearch, Fault> {
    let location = match fields.take("user_location") {
        Some(Value::Object(mut place)) => {
            // Chat nests what the others write flat.
            if let Some(Value::Object(inner)) = place.shift_remove("approximate") {
                place.extend(inner);
            }
            Some(Value::Object(place))
        }
        None => None,
        Some(_) => return Err(fields.wrong("user_location", "must be an object")),
    };
    let mut allowed = fields.texts("allowed_domains")?;
    if let Some(mut filters) = fields.object("filters")? {
        allowed.extend(filters.texts("allowed_domains")?);
    }
    let search = WebSearch {
        allowed_domains: allowed,
        blocked_domains: fields.texts("excluded_domains")?,
        max_uses: fields.count("max_uses")?,
        context_size: fields.string("search_context_size")?,
        location,
        spelled: spelled.to_owned(),
    };
    rest.extend(fields.rest(|_| Weight::Hint));
    Ok(search)
}

/// Reads `tool_choice`.
pub(super) fn choice(value: Value) -> Result<ToolChoice, Fault> {
    const KNOWN: &str = "must be auto, none, required or an object that names a tool";
    if let Value::String(word) = &value {
        return match word.as_str() {
            "auto" => Ok(ToolChoice::Auto),
            "none" => Ok(ToolChoice::None),
            "required" | "any" => Ok(ToolChoice::Required),
            _ => Err(Fault::field("tool_choice", KNOWN)),
        };
    }
    if !value.is_object() {
        return Err(Fault::field("tool_choice", KNOWN));
    }
    let mut fields = Fields::of("tool_choice", value)?;
    let kind = fields.string("type")?;
    match kind.as_deref().unwrap_or("function") {
        holder @ ("function" | "custom") => {
            let inner = fields.object(holder)?;
            let mut inner = inner.ok_or_else(|| fields.wrong(holder, "is missing"))?;
            Ok(ToolChoice::Tool(inner.required("name")?))
        }
        "allowed_tools" => {
            let inner = fields.object("allowed_tools")?;
            let mut inner = inner.ok_or_else(|| fields.wrong("allowed_tools", "is missing"))?;
            let required = match inner.string("mode")?.as_deref() {
                None | Some("auto") => false,
                Some("required") => true,
                Some(_) => return Err(inner.wrong("mode", "must be 'auto' or 'required'")),
            };
            let mut names = Vec::new();
            for (number, value) in (0_usize..).zip(inner.list("tools")?.unwrap_or_default()) {
                let mut tool = Fields::of(inner.path(&format!("tools[{number}]")), value)?;
                let holder =
                    if tool.string("type")?.as_deref() == Some("custom") { "custom" } else { "function" };
                let inner = tool.object(holder)?;
                names.push(inner.ok_or_else(|| tool.wrong(holder, "is missing"))?.required("name")?);
            }
            Ok(ToolChoice::Allowed { names, required })
        }
        _ => Err(fields.wrong("type", "must be 'function', 'custom' or 'allowed_tools'")),
    }
}

/// Reads the older `function_call` of a request.
pub(super) fn legacy_choice(value: Value) -> Result<ToolChoice, Fault> {
    match value {
        Value::String(word) if word == "auto" => Ok(ToolChoice::Auto),
        Value::String(word) if word == "none" => Ok(ToolChoice::None),
        Value::Object(_) => Ok(ToolChoice::Tool(Fields::of("function_call", value)?.required("name")?)),
        _ => Err(Fault::field("function_call", "must be auto, none or an object with a 'name'")),
    }
}

/// The format of a custom tool as Chat spells it.
pub(super) fn nested_format(format: &Value) -> Value {
    match (format.get("type").and_then(Value::as_str), format.get("grammar")) {
        (Some("grammar"), None) => json!({
            "type": "grammar",
            "grammar": {"syntax": format.get("syntax"), "definition": format.get("definition")},
        }),
        _ => format.clone(),
    }
}
