//! Reads the parts of a content. Calls without an id get one, and results find their calls.

use serde_json::{Map, Value};

use super::super::fields::Fields;
use super::super::{Fault, text};
use super::read_request::{is_empty, leave};
use super::{media, spelling};
use crate::Dialect;
use crate::neutral::{Part, Rest, Role, Sealed, ToolKind, Weight};

/// Names under which something stands that only Gemini knows.
const NATIVE: [&str; 4] = ["executableCode", "codeExecutionResult", "toolCall", "toolResponse"];

/// Names of which one must stand in every other part.
const KNOWN: [&str; 6] =
    ["text", "thoughtSignature", "functionCall", "functionResponse", "inlineData", "fileData"];

/// What is remembered from content to content.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Fields that have no place.
    pub(super) rest: Vec<Rest>,
    calls: Vec<Called>,
    made: usize,
    /// How many times the model has begun to speak.
    speech: usize,
    model_speaks: bool,
}

/// A call that waits for its result.
#[derive(Debug)]
struct Called {
    id: String,
    name: String,
    /// The id was made up: the result cannot name it.
    made: bool,
    speech: usize,
}

impl Content {
    /// Reads a list of parts; `at` is the list's path.
    pub(super) fn parts(&mut self, at: &str, list: Vec<Value>, role: Role) -> Result<Vec<Part>, Fault> {
        let model = role == Role::Assistant;
        if model && !self.model_speaks {
            self.speech += 1;
        }
        self.model_speaks = model;
        let mut parts = Vec::with_capacity(list.len());
        for (number, value) in list.into_iter().enumerate() {
            self.part(format!("{at}[{number}]"), value, &mut parts)?;
        }
        Ok(parts)
    }

    fn part(&mut self, at: String, value: Value, out: &mut Vec<Part>) -> Result<(), Fault> {
        let value = spelling::camel_keys(value);
        let has = |name: &&str| value.get(name).is_some_and(|value| !value.is_null());
        let is_object = value.as_object().is_some_and(|map| !map.is_empty());
        if is_object && (NATIVE.iter().any(has) || !KNOWN.iter().any(has)) {
            out.push(Part::Native { dialect: Dialect::Gemini, value });
            return Ok(());
        }
        let mut fields = Fields::of(at, value)?;
        let thought = fields.flag("thought")?.unwrap_or(false);
        let seal = seal(&mut fields)?;
        let text = fields.string("text")?;
        if let Some(call) = spelling::object(&mut fields, "functionCall")? {
            self.call(call, seal, out)?;
        } else if let Some(result) = spelling::object(&mut fields, "functionResponse")? {
            out.push(self.result(result)?);
        } else if let Some(mut medium) = media::read(&mut fields, &mut self.rest)? {
            medium.seal = seal;
            out.push(Part::Media(medium));
        } else if thought {
            out.push(Part::Thinking { text: text.unwrap_or_default(), seal });
        } else if text.is_some() || seal.is_some() {
            let text = text.unwrap_or_default();
            out.push(Part::Text { text, citations: Vec::new(), seal, cache: None });
        } else {
            let what = "must hold text, inlineData, fileData, functionCall or functionResponse";
            return Err(Fault::field(fields.at(), what));
        }
        let rest = fields.rest(|name| if name == "partMetadata" { Weight::Hint } else { Weight::Meaning });
        self.rest.extend(rest.into_iter().filter(|rest| !is_empty(&rest.value)));
        Ok(())
    }

    fn call(&mut self, mut fields: Fields, seal: Option<Sealed>, out: &mut Vec<Part>) -> Result<(), Fault> {
        let name = fields.required("name")?;
        let arguments = arguments(&mut fields)?;
        let given = fields.string("id")?.filter(|id| !id.is_empty());
        let made = given.is_none();
        let id = given.unwrap_or_else(|| self.make_id());
        self.calls.push(Called { id: id.clone(), name: name.clone(), made, speech: self.speech });
        leave(fields, Weight::Hint, &mut self.rest);
        // The proof of another vendor's thinking travels on the call that follows it: many clients keep
        // signatures of calls only.
        let (own, foreign) = match seal {
            Some(seal) if seal.dialect != Dialect::Gemini => (None, Some(seal)),
            own => (own, None),
        };
        if foreign.is_some() {
            let said = out.iter().any(|part| matches!(part, Part::Thinking { seal, .. } if *seal == foreign));
            if !said {
                out.push(Part::Thinking { text: String::new(), seal: foreign });
            }
        }
        out.push(Part::ToolCall {
            id,
            name,
            namespace: None,
            arguments,
            kind: ToolKind::Function,
            seal: own,
            cache: None,
        });
        Ok(())
    }

    fn result(&mut self, mut fields: Fields) -> Result<Part, Fault> {
        let given = fields.string("id")?.filter(|id| !id.is_empty());
        let name = fields.string("name")?.filter(|name| !name.is_empty());
        let called = self.answered(given.as_deref(), name.as_deref());
        let name = match (name, &called) {
            (Some(name), _) => name,
            (None, Some(called)) => called.name.clone(),
            (None, None) => return Err(fields.wrong("name", "is missing")),
        };
        let id = called.map(|called| called.id).or(given).unwrap_or_else(|| self.make_id());
        let response = match fields.take("response") {
            None => Map::new(),
            Some(Value::Object(map)) => map,
            Some(_) => return Err(fields.wrong("response", "must be an object")),
        };
        let silent = response.is_empty();
        let (words, is_error) = words(response);
        let mut parts = Vec::new();
        let at = fields.path("parts");
        for (number, value) in
            spelling::list(&mut fields, "parts")?.unwrap_or_default().into_iter().enumerate()
        {
            let mut medium = spelling::fields(format!("{at}[{number}]"), value)?;
            match media::read(&mut medium, &mut self.rest)? {
                Some(read) => parts.push(Part::Media(read)),
                None => return Err(Fault::field(medium.at(), "must hold inlineData or fileData")),
            }
            leave(medium, Weight::Meaning, &mut self.rest);
        }
        if parts.is_empty() || !silent {
            parts.insert(0, Part::text(words));
        }
        leave(fields, Weight::Hint, &mut self.rest);
        Ok(Part::ToolResult { id, name: Some(name), parts, is_error, kind: ToolKind::Function, cache: None })
    }

    /// The call that a result belongs to: by its id, else the first of that name in the model's latest speech that
    /// has no result yet.
    fn answered(&mut self, id: Option<&str>, name: Option<&str>) -> Option<Called> {
        let by_id = id.and_then(|id| self.calls.iter().position(|call| call.id == id));
        let place = by_id.or_else(|| {
            let fits =
                |call: &&Called| (call.made || id.is_none()) && name.is_none_or(|name| call.name == name);
            let latest = self.calls.iter().filter(fits).map(|call| call.speech).max()?;
            self.calls.iter().position(|call| fits(&call) && call.speech == latest)
        })?;
        Some(self.calls.remove(place))
    }

    fn make_id(&mut self) -> String {
        self.made += 1;
        format!("gemini_call_{}", self.made)
    }
}

/// A part's proof.
pub(super) fn seal(fields: &mut Fields) -> Result<Option<Sealed>, Fault> {
    let text = fields.string("thoughtSignature")?.filter(|text| !text.is_empty());
    Ok(text.map(|text| Sealed::read(Dialect::Gemini, &text)))
}

/// A call's arguments as JSON text.
pub(super) fn arguments(fields: &mut Fields) -> Result<String, Fault> {
    match fields.take("args") {
        None => Ok("{}".to_owned()),
        Some(args @ Value::Object(_)) => Ok(text::json_text(&args)),
        Some(_) => Err(fields.wrong("args", "must be an object")),
    }
}

/// What a tool said, and whether it failed. The documented keys are taken off; anything else stays JSON.
fn words(mut response: Map<String, Value>) -> (String, bool) {
    if response.len() == 1 {
        for (name, is_error) in [("output", false), ("result", false), ("content", false), ("error", true)] {
            if let Some(value) = response.swap_remove(name) {
                return match value {
                    Value::String(words) => (words, is_error),
                    value => (text::json_text(&value), is_error),
                };
            }
        }
    }
    (text::json_text(&Value::Object(response)), false)
}
