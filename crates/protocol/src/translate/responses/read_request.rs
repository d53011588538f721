//! A caller's request.

use serde_json::Value;

use super::super::Fault;
use super::super::fields::Fields;
use super::{choice, input, settings, tools};
use crate::Dialect;
use crate::neutral::{Part, Request, Rest, Role, Turn, Weight};

/// Reads a request.
pub(in crate::translate) fn read_request(body: Value) -> Result<Request, Fault> {
    let mut fields = Fields::of("", body)?;
    let model = fields.required("model")?;
    let stream = fields.flag("stream")?.unwrap_or(false);
    let mut request = Request::new(Dialect::OpenAiResponses, model, stream);
    request.previous = fields.string("previous_response_id")?;
    // Before the conversation, whose items may add more: tools are named by their number.
    if let Some(list) = fields.list("tools")? {
        tools::read_all("tools", list, &mut request)?;
    }
    conversation(&mut fields, &mut request)?;
    if let Some(wanted) = fields.take("tool_choice") {
        request.tool_choice = choice::read(wanted, &mut request.rest)?;
    }
    request.parallel_tools = fields.flag("parallel_tool_calls")?;
    request.max_tokens = fields.count("max_output_tokens")?;
    if let Some(wish) = fields.object("reasoning")? {
        request.reasoning = settings::read_reasoning(wish, &mut request.rest)?;
    }
    if let Some(text) = fields.object("text")? {
        settings::read_text(text, &mut request)?;
    }
    sampling(&mut fields, &mut request)?;
    include(&mut fields, &mut request)?;
    labels(&mut fields, &mut request)?;
    silent(&mut fields)?;
    request.rest.extend(fields.rest(weigh));
    Ok(request)
}

fn conversation(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    if let Some(text) = fields.string("instructions")?
        && !text.is_empty()
    {
        let at = "instructions".to_owned();
        request.turns.push(Turn {
            role: Role::System,
            name: None,
            parts: vec![Part::text(text)],
            at,
            places: Vec::new(),
        });
    }
    if let Some(told) = fields.take("input") {
        return input::read(told, request);
    }
    // Everything may stand in what is continued.
    let elsewhere = ["prompt", "conversation"].map(|name| {
        let found = fields.take(name);
        let there = found.is_some();
        if let Some(value) = found {
            request.rest.push(Rest { field: name.to_owned(), value, weight: Weight::Meaning });
        }
        there
    });
    if request.previous.is_none() && !elsewhere.contains(&true) {
        return Err(fields.wrong("input", "is missing"));
    }
    Ok(())
}

fn sampling(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    let sampling = &mut request.sampling;
    sampling.temperature = fields.number("temperature")?;
    sampling.top_p = fields.number("top_p")?;
    sampling.presence_penalty = fields.number("presence_penalty")?.filter(|by| *by != 0.0);
    sampling.frequency_penalty = fields.number("frequency_penalty")?.filter(|by| *by != 0.0);
    sampling.top_logprobs = fields.count("top_logprobs")?.filter(|count| *count > 0);
    Ok(())
}

fn include(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    for (n, wanted) in fields.list("include")?.unwrap_or_default().into_iter().enumerate() {
        match wanted.as_str() {
            Some("reasoning.encrypted_content") => request.include_sealed = true,
            Some("message.output_text.logprobs") => request.sampling.logprobs = Some(true),
            // What was sent is not sent back.
            Some("message.input_image.image_url" | "computer_call_output.output.image_url") => {}
            Some(_) => {
                let field = format!("include[{n}]");
                request.rest.push(Rest { field, value: wanted, weight: Weight::Meaning });
            }
            None => return Err(fields.wrong(&format!("include[{n}]"), "must be a string")),
        }
    }
    Ok(())
}

fn labels(fields: &mut Fields, request: &mut Request) -> Result<(), Fault> {
    request.user = fields.string("safety_identifier")?;
    if request.user.is_none() {
        request.user = fields.string("user")?;
    }
    request.metadata = match fields.take("metadata") {
        Some(Value::Object(map)) if map.is_empty() => None,
        Some(map @ Value::Object(_)) => Some(map),
        None => None,
        Some(_) => return Err(fields.wrong("metadata", "must be an object")),
    };
    request.service_tier = fields.string("service_tier")?;
    request.cache_key = fields.string("prompt_cache_key")?;
    Ok(())
}

/// Takes fields whose values say nothing that is not so anyway.
fn silent(fields: &mut Fields) -> Result<(), Fault> {
    for (name, usual) in [("background", false), ("store", false)] {
        if let Some(said) = fields.flag(name)?
            && said != usual
        {
            fields.put(name, said.into());
        }
    }
    if let Some(said) = fields.string("truncation")?
        && said != "disabled"
    {
        fields.put("truncation", said.into());
    }
    Ok(())
}

/// How much a field matters that has no place in the neutral form.
fn weigh(name: &str) -> Weight {
    match name {
        "store"
        | "user"
        | "client_metadata"
        | "stream_options"
        | "prompt_cache_retention"
        | "prompt_cache_options"
        | "background_options"
        | "safety_identifier" => Weight::Hint,
        _ => Weight::Meaning,
    }
}
