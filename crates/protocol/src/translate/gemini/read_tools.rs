//! Reads tools and the choice among them.

use serde_json::{Value, json};

use super::super::Fault;
use super::super::fields::Fields;
use super::read_request::leave;
use super::{schema, spelling};
use crate::Dialect;
use crate::neutral::{Request, Rest, Tool, ToolChoice, ToolKind, WebSearch, Weight};

/// Takes `tools`. Each object may hold several kinds of tools.
pub(super) fn tools(body: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    for (number, value) in spelling::list(body, "tools")?.unwrap_or_default().into_iter().enumerate() {
        let mut fields = spelling::fields(format!("tools[{number}]"), value)?;
        let at = fields.path("functionDeclarations");
        for (n, value) in
            spelling::list(&mut fields, "functionDeclarations")?.unwrap_or_default().into_iter().enumerate()
        {
            let declared = function(spelling::fields(format!("{at}[{n}]"), value)?, &mut request.rest)?;
            request.tools.push(declared);
        }
        for name in ["googleSearch", "googleSearchRetrieval"] {
            if let Some(search) = spelling::object(&mut fields, name)? {
                request.tools.push(Tool::WebSearch(web_search(search, name, &mut request.rest)?));
            }
        }
        for tool in fields.rest(|_| Weight::Meaning) {
            let kind = tool.field.rsplit('.').next().unwrap_or_default().to_owned();
            let value = json!({ kind.as_str(): tool.value });
            request.tools.push(Tool::Native { dialect: Dialect::Gemini, kind, value });
        }
    }
    Ok(())
}

fn function(mut fields: Fields, rest: &mut Vec<Rest>) -> Result<Tool, Fault> {
    let name = fields.required("name")?;
    let description = fields.string("description")?.filter(|text| !text.is_empty());
    let own = object(&mut fields, "parameters")?.map(schema::to_json_schema);
    let schema = object(&mut fields, "parametersJsonSchema")?.or(own);
    if matches!(fields.string("behavior")?.as_deref(), Some("NON_BLOCKING")) {
        let (field, value) = (fields.path("behavior"), "NON_BLOCKING".into());
        rest.push(Rest { field, value, weight: Weight::Meaning });
    }
    leave(fields, Weight::Meaning, rest);
    Ok(Tool::Caller {
        name,
        namespace: None,
        description,
        schema,
        kind: ToolKind::Function,
        strict: None,
        cache: None,
    })
}

fn object(fields: &mut Fields, name: &str) -> Result<Option<Value>, Fault> {
    match fields.take(name) {
        Some(Value::Object(map)) => Ok(Some(Value::Object(map))),
        None => Ok(None),
        Some(_) => Err(fields.wrong(name, "must be an object")),
    }
}

fn web_search(mut fields: Fields, spelled: &str, rest: &mut Vec<Rest>) -> Result<WebSearch, Fault> {
    let blocked_domains = fields.texts("excludeDomains")?;
    // When to search is the other vendors' own decision.
    let retrieval = fields.take("dynamicRetrievalConfig");
    if let Some(value) = retrieval {
        rest.push(Rest { field: fields.path("dynamicRetrievalConfig"), value, weight: Weight::Hint });
    }
    leave(fields, Weight::Meaning, rest);
    Ok(WebSearch { blocked_domains, spelled: spelled.to_owned(), ..WebSearch::default() })
}

/// Takes `toolConfig`.
pub(super) fn choice(body: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let Some(mut config) = spelling::object(body, "toolConfig")? else { return Ok(()) };
    if let Some(mut calling) = spelling::object(&mut config, "functionCallingConfig")? {
        let names = calling.texts("allowedFunctionNames")?;
        let mode = spelling::word(&mut calling, "mode", "MODE_")?;
        request.tool_choice = match mode.as_deref() {
            None | Some("UNSPECIFIED") if names.is_empty() => None,
            Some("NONE") => Some(ToolChoice::None),
            Some("ANY") => Some(required(names)),
            Some(mode @ ("AUTO" | "VALIDATED" | "UNSPECIFIED")) => {
                if mode == "VALIDATED" {
                    validate(request);
                }
                Some(allowed(names))
            }
            None => Some(allowed(names)),
            Some(_) => {
                return Err(calling.wrong("mode", "must be 'AUTO', 'ANY', 'NONE' or 'VALIDATED'"));
            }
        };
        leave(calling, Weight::Hint, &mut request.rest);
    }
    let rest = config.rest(|name| match name {
        "includeServerSideToolInvocations" => Weight::Hint,
        _ => Weight::Meaning,
    });
    request.rest.extend(rest);
    Ok(())
}

fn required(mut names: Vec<String>) -> ToolChoice {
    match names.pop() {
        None => ToolChoice::Required,
        Some(name) if names.is_empty() => ToolChoice::Tool(name),
        Some(name) => {
            names.push(name);
            ToolChoice::Allowed { names, required: true }
        }
    }
}

fn allowed(names: Vec<String>) -> ToolChoice {
    if names.is_empty() { ToolChoice::Auto } else { ToolChoice::Allowed { names, required: false } }
}

/// Calls have to follow their schemas: what others call strict. Their strictness also narrows what a schema may
/// say, so it is reported rather than demanded.
fn validate(request: &mut Request) {
    request.rest.push(Rest {
        field: "toolConfig.functionCallingConfig.mode".to_owned(),
        value: "VALIDATED".into(),
        weight: Weight::Hint,
    });
}
