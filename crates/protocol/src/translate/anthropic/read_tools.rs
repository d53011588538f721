//! Tools and the choice among them.

use serde_json::Value;

use super::read_parts::filled;
use crate::Dialect;
use crate::neutral::{Request, Rest, Tool, ToolChoice, ToolKind, WebSearch, Weight};
use crate::translate::Fault;
use crate::translate::fields::Fields;

/// Reads `tools` and `tool_choice`.
pub(super) fn tools(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    for (index, tool) in fields.list("tools")?.unwrap_or_default().into_iter().enumerate() {
        let tool = self::tool(&format!("tools[{index}]"), tool, &mut request.rest)?;
        request.tools.push(tool);
    }
    if let Some(mut choice) = fields.object("tool_choice")? {
        request.tool_choice = Some(match choice.required("type")?.as_str() {
            "auto" => ToolChoice::Auto,
            "any" => ToolChoice::Required,
            "none" => ToolChoice::None,
            "tool" => ToolChoice::Tool(filled(&mut choice, "name")?),
            _ => return Err(choice.wrong("type", "must be 'auto', 'any', 'tool' or 'none'")),
        });
        request.parallel_tools = choice.flag("disable_parallel_tool_use")?.map(|disabled| !disabled);
        request.rest.extend(choice.rest(|_| Weight::Meaning));
    }
    Ok(())
}

fn tool(at: &str, value: Value, rest: &mut Vec<Rest>) -> Result<Tool, Fault> {
    let kind = match value.get("type") {
        None | Some(Value::Null) => "custom".to_owned(),
        Some(Value::String(kind)) => kind.clone(),
        Some(_) => return Err(Fault::field(format!("{at}.type"), "must be a string")),
    };
    if kind != "custom" && !kind.starts_with("web_search_") && value.is_object() {
        return Ok(Tool::Native { dialect: Dialect::Anthropic, kind, value });
    }
    let mut fields = Fields::of(at, value)?;
    fields.take("type");
    let tool = if kind == "custom" { custom(&mut fields)? } else { web_search(&mut fields, kind)? };
    let left = fields.rest(|name| match name {
        // When and how a definition is loaded or its input streamed; the tool is offered all the same.
        "defer_loading" | "eager_input_streaming" | "cache_control" => Weight::Hint,
        _ => Weight::Meaning,
    });
    rest.extend(left.into_iter().filter(says_something));
    Ok(tool)
}

/// Calls by the model itself are what every dialect does, and nothing is deferred by default.
fn says_something(rest: &Rest) -> bool {
    match rest.field.rsplit('.').next() {
        Some("allowed_callers") => rest.value != serde_json::json!(["direct"]),
        Some("defer_loading" | "eager_input_streaming") => rest.value != Value::Bool(false),
        _ => true,
    }
}

fn custom(fields: &mut Fields) -> Result<Tool, Fault> {
    let name = filled(fields, "name")?;
    let schema = match fields.take("input_schema") {
        Some(schema) if !schema.is_object() => return Err(fields.wrong("input_schema", "must be an object")),
        schema => schema,
    };
    Ok(Tool::Caller {
        name,
        namespace: None,
        description: fields.string("description")?,
        schema,
        kind: ToolKind::Function,
        strict: fields.flag("strict")?,
        cache: fields.take("cache_control"),
    })
}

fn web_search(fields: &mut Fields, spelled: String) -> Result<Tool, Fault> {
    fields.take("name");
    Ok(Tool::WebSearch(WebSearch {
        allowed_domains: fields.texts("allowed_domains")?,
        blocked_domains: fields.texts("blocked_domains")?,
        max_uses: fields.count("max_uses")?,
        context_size: None,
        location: fields.take("user_location"),
        spelled,
    }))
}
