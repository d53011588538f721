//! Tools that are offered, in both directions.

use serde_json::{Map, Value, json};

use super::super::fields::Fields;
use super::super::{Fault, Names};
use super::content::{kind_of, weigh};
use crate::Dialect;
use crate::neutral::{Losses, Request, Rest, Tool, ToolKind, WebSearch};

const OWN: Dialect = Dialect::OpenAiResponses;

/// Reads a list of tools behind those that are there.
pub(super) fn read_all(at: &str, list: Vec<Value>, request: &mut Request) -> Result<(), Fault> {
    for (n, tool) in list.into_iter().enumerate() {
        read(format!("{at}[{n}]"), tool, None, request)?;
    }
    Ok(())
}

fn read(
    at: String,
    value: Value,
    space: Option<&(String, Option<String>)>,
    request: &mut Request,
) -> Result<(), Fault> {
    let Some(kind) = kind_of(&at, &value)? else {
        return Err(Fault::field(format!("{at}.type"), "is missing"));
    };
    let tool = match kind.as_str() {
        "function" | "custom" => callers(at, value, kind == "custom", space, &mut request.rest)?,
        "namespace" if space.is_none() => {
            let mut fields = Fields::of(at, value)?;
            fields.take("type");
            let space = (name(&mut fields)?, fields.string("description")?);
            let list = fields.list("tools")?.unwrap_or_default();
            for (n, tool) in list.into_iter().enumerate() {
                read(fields.path(&format!("tools[{n}]")), tool, Some(&space), request)?;
            }
            request.rest.extend(fields.rest(weigh));
            return Ok(());
        }
        kind if kind.starts_with("web_search") => {
            Tool::WebSearch(search(at, value, kind, &mut request.rest)?)
        }
        _ => Tool::Native { dialect: OWN, kind, value },
    };
    request.tools.push(tool);
    Ok(())
}

fn name(fields: &mut Fields) -> Result<String, Fault> {
    let name = fields.required("name")?;
    if name.is_empty() { Err(fields.wrong("name", "must not be empty")) } else { Ok(name) }
}

fn callers(
    at: String,
    value: Value,
    custom: bool,
    space: Option<&(String, Option<String>)>,
    rest: &mut Vec<Rest>,
) -> Result<Tool, Fault> {
    let mut fields = Fields::of(at, value)?;
    fields.take("type");
    let schema = if custom { "format" } else { "parameters" };
    let tool = Tool::Caller {
        name: name(&mut fields)?,
        namespace: space.cloned(),
        description: fields.string("description")?,
        schema: match fields.take(schema) {
            Some(schema @ Value::Object(_)) => Some(schema),
            None => None,
            Some(_) => return Err(fields.wrong(schema, "must be an object")),
        },
        kind: if custom { ToolKind::Custom } else { ToolKind::Function },
        strict: fields.flag("strict")?,
        cache: None,
    };
    // What is not deferred says nothing.
    let deferred = fields.flag("defer_loading")?;
    if deferred == Some(true) {
        rest.push(Rest {
            field: fields.path("defer_loading"),
            value: true.into(),
            weight: weigh("defer_loading"),
        });
    }
    rest.extend(fields.rest(weigh));
    Ok(tool)
}

fn search(at: String, value: Value, kind: &str, rest: &mut Vec<Rest>) -> Result<WebSearch, Fault> {
    let mut fields = Fields::of(at, value)?;
    fields.take("type");
    let mut search = WebSearch {
        context_size: fields.string("search_context_size")?,
        location: fields.take("user_location"),
        spelled: kind.to_owned(),
        ..WebSearch::default()
    };
    if let Some(mut filters) = fields.object("filters")? {
        search.allowed_domains = filters.texts("allowed_domains")?;
        search.blocked_domains = filters.texts("blocked_domains")?;
        rest.extend(filters.rest(weigh));
    }
    // Live access is what every other vendor does anyway.
    if fields.flag("external_web_access")? == Some(false) {
        let field = fields.path("external_web_access");
        rest.push(Rest { field, value: false.into(), weight: weigh("external_web_access") });
    }
    rest.extend(fields.rest(weigh));
    Ok(search)
}

/// The tools as this dialect spells them, those of a namespace together. `names` is told of every tool that has
/// no namespace; those that have one are sent as they are.
pub(super) fn write(request: &Request, names: &mut Names, losses: &mut Losses) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::with_capacity(request.tools.len());
    for (n, tool) in request.tools.iter().enumerate() {
        match tool {
            Tool::Caller { name, namespace, description, schema, kind, strict, cache } => {
                if cache.is_some() && request.dialect != OWN {
                    losses.hint(
                        format!("tools[{n}].cache_control"),
                        "is not needed: this vendor caches by itself",
                    );
                }
                let sent = match namespace {
                    Some(_) => name.clone(),
                    None => names.send(None, name, *kind),
                };
                // Without a word Responses enforces schemas, which no other dialect does.
                let strict = strict.or((request.dialect != OWN).then_some(false));
                let tool = caller(sent, description.as_deref(), schema.as_ref(), *kind, strict);
                match namespace {
                    Some((space, about)) => nest(&mut out, space, about.as_deref(), tool),
                    None => out.push(tool),
                }
            }
            Tool::WebSearch(search) => {
                if search.max_uses.is_some() {
                    losses.meaning(format!("tools[{n}].max_uses"), "is not known to this dialect");
                }
                if !search.blocked_domains.is_empty() && request.dialect != OWN {
                    losses.meaning(format!("tools[{n}].blocked_domains"), "is not known to this dialect");
                }
                out.push(web_search(search, request.dialect));
            }
            Tool::Native { dialect: OWN, value, .. } => out.push(value.clone()),
            Tool::Native { .. } => {
                losses.meaning(format!("tools[{n}]"), "is a tool of another vendor's own and was left out");
            }
        }
    }
    out
}

fn caller(
    name: String,
    description: Option<&str>,
    schema: Option<&Value>,
    kind: ToolKind,
    strict: Option<bool>,
) -> Value {
    let mut tool = Map::new();
    let custom = kind == ToolKind::Custom;
    tool.insert("type".into(), if custom { "custom" } else { "function" }.into());
    tool.insert("name".into(), name.into());
    if let Some(description) = description {
        tool.insert("description".into(), description.into());
    }
    if custom {
        if let Some(format) = schema {
            tool.insert("format".into(), format.clone());
        }
        return Value::Object(tool);
    }
    // The vendor demands a schema with properties even of tools that take nothing.
    let mut schema = schema.cloned().unwrap_or_else(|| json!({"type": "object", "properties": {}}));
    if let Some(map) = schema.as_object_mut() {
        if !map.contains_key("type") {
            map.insert("type".into(), "object".into());
        }
        if map.get("type").is_some_and(|kind| kind == "object") && !map.contains_key("properties") {
            map.insert("properties".into(), json!({}));
        }
    }
    tool.insert("parameters".into(), schema);
    if let Some(strict) = strict {
        tool.insert("strict".into(), strict.into());
    }
    Value::Object(tool)
}

/// Puts a tool into the namespace, which is made if it is not the last one.
fn nest(out: &mut Vec<Value>, space: &str, about: Option<&str>, tool: Value) {
    let open = out.iter_mut().find(|tool| {
        tool.get("type").is_some_and(|kind| kind == "namespace")
            && tool.get("name").is_some_and(|n| n == space)
    });
    if let Some(list) = open.and_then(|space| space.get_mut("tools")?.as_array_mut()) {
        list.push(tool);
    } else {
        let about = about.unwrap_or_default();
        out.push(json!({"type": "namespace", "name": space, "description": about, "tools": [tool]}));
    }
}

fn web_search(search: &WebSearch, from: Dialect) -> Value {
    let own = from == OWN && !search.spelled.is_empty();
    let mut tool = Map::new();
    tool.insert("type".into(), if own { search.spelled.as_str() } else { "web_search" }.into());
    let mut filters = Map::new();
    if !search.allowed_domains.is_empty() {
        filters.insert("allowed_domains".into(), search.allowed_domains.clone().into());
    }
    if own && !search.blocked_domains.is_empty() {
        filters.insert("blocked_domains".into(), search.blocked_domains.clone().into());
    }
    if !filters.is_empty() {
        tool.insert("filters".into(), Value::Object(filters));
    }
    if let Some(size) = &search.context_size {
        tool.insert("search_context_size".into(), size.clone().into());
    }
    if let Some(location) = &search.location {
        tool.insert("user_location".into(), location.clone());
    }
    Value::Object(tool)
}
