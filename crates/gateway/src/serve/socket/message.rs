//! Messages on a WebSocket: what a client's says, and an error as one of ours.

use std::fmt;

use bytes::Bytes;
use http::HeaderMap;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::error::Refusal;

/// Longest name of a stream.
const LONGEST_STREAM_ID: usize = 256;
/// Fields of a message that a request's body does not have, or that follow from the socket.
const OWN_FIELDS: [&str; 5] = ["type", "stream", "stream_id", "generate", "background"];
/// Headers of an answer that a client of the socket may want with an error.
const SHOWN: [&str; 6] = [
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-should-retry",
    "x-request-id",
];

/// A request that came as a message.
#[derive(Clone, Debug)]
pub struct Create {
    /// The body of the same request as a POST.
    pub body: Bytes,
    /// What the client calls the lane of this answer; each of its events says it again.
    pub stream_id: Option<String>,
    /// Whether a model is to answer; if not, the request is only made ready.
    pub generate: bool,
    /// Whether the answer may be stored by whoever makes it (the default).
    pub(super) stored: bool,
    /// The answer that is continued, while its items are not in the body.
    pub(super) previous: Option<String>,
}

impl Create {
    pub(super) fn refused(self, refusal: Refusal) -> NotUnderstood {
        NotUnderstood { refusal: Box::new(refusal), stream_id: self.stream_id }
    }
}

/// A message that is no request, and the lane that it named.
#[derive(Clone, Debug, PartialEq)]
pub struct NotUnderstood {
    /// Why.
    pub refusal: Box<Refusal>,
    /// The lane, if it was valid.
    pub stream_id: Option<String>,
}

/// The fields of an object, their values as they were written.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        input.deserialize_map(Object)
    }
}

impl Fields<'_> {
    /// The value of a field that is there and not null, if it is of this type.
    fn get<T: for<'v> Deserialize<'v>>(&self, expected: &str, name: &str) -> Result<Option<T>, Refusal> {
        let Some((_, raw)) = self.0.iter().find(|(known, _)| known == name) else { return Ok(None) };
        serde_json::from_str(raw.get())
            .map_err(|_| Refusal::bad_request(format!("{name}: {expected}")).with("field", name))
    }
}

/// Takes a message apart.
pub(super) fn read(text: &[u8]) -> Result<Create, NotUnderstood> {
    let bare = |refusal| NotUnderstood { refusal: Box::new(refusal), stream_id: None };
    let fields: Fields<'_> = serde_json::from_slice(text)
        .map_err(|error| bare(Refusal::bad_request(format!("the message is no JSON object: {error}"))))?;
    let stream_id = stream_id(&fields).map_err(bare)?;
    create(&fields, stream_id.clone())
        .map_err(|refusal| NotUnderstood { refusal: Box::new(refusal), stream_id })
}

fn stream_id(fields: &Fields<'_>) -> Result<Option<String>, Refusal> {
    let said = || {
        Refusal::new(
            400,
            "invalid_stream_id",
            "stream_id: must be 1 to 256 letters, digits, underscores, hyphens and periods",
        )
        .with("field", "stream_id")
    };
    let Some(id) = fields.get::<String>("must be a string", "stream_id").map_err(|_| said())? else {
        return Ok(None);
    };
    let named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let valid = (1..=LONGEST_STREAM_ID).contains(&id.len()) && id.bytes().all(named);
    if valid { Ok(Some(id)) } else { Err(said()) }
}

fn create(fields: &Fields<'_>, stream_id: Option<String>) -> Result<Create, Refusal> {
    let kind: Option<String> = fields.get("must be a string", "type")?;
    if kind.as_deref() != Some("response.create") {
        let shown: String = kind.unwrap_or_default().chars().take(80).collect();
        return Err(Refusal::new(
            400,
            "unknown_event_type",
            format!("type: this socket takes 'response.create', not '{shown}'"),
        )
        .with("field", "type"));
    }
    if fields.get::<bool>("must be true or false", "background")? == Some(true) {
        return Err(
            Refusal::bad_request("background: is not served on a WebSocket").with("field", "background")
        );
    }
    let generate = fields.get("must be true or false", "generate")?.unwrap_or(true);
    // Another type is refused by whoever reads the request next, in the words of a POST.
    let stored = fields.get("", "store").ok().flatten().unwrap_or(true);
    let previous = fields.get("", "previous_response_id").ok().flatten();
    let mut body = String::from("{\"stream\":true");
    for (name, value) in fields.0.iter().filter(|(name, _)| !OWN_FIELDS.contains(&name.as_str())) {
        body.push(',');
        body.push_str(&Value::String(name.clone()).to_string());
        body.push(':');
        body.push_str(value.get());
    }
    body.push('}');
    Ok(Create { body: body.into(), stream_id, generate, stored, previous })
}

/// An answer that is no stream of events, as a message: its status, its error and the headers that tell when to come
/// back.
pub fn error_message(status: u16, headers: &HeaderMap, body: &[u8], stream_id: Option<&str>) -> String {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = said.get("error").filter(|error| error.is_object()).cloned().unwrap_or_else(|| {
        let text: String = String::from_utf8_lossy(body).chars().take(500).collect();
        json!({"type": "api_error", "code": "upstream_error", "message": text, "param": null})
    });
    let mut message = json!({"type": "error", "status": status});
    if let (Some(id), Some(message)) = (stream_id, message.as_object_mut()) {
        message.insert("stream_id".to_owned(), id.into());
    }
    let shown: Map<String, Value> = SHOWN
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), headers.get(*name)?.to_str().ok()?.into())))
        .collect();
    if let Some(message) = message.as_object_mut() {
        message.insert("error".to_owned(), error);
        message.insert("headers".to_owned(), Value::Object(shown));
    }
    message.to_string()
}

/// An event of an answer as a message: the same bytes, with the lane's name in front where there is one.
pub fn with_stream_id(event: &str, stream_id: Option<&str>) -> String {
    let (Some(id), Some(rest)) = (stream_id, event.trim_start().strip_prefix('{')) else {
        return event.to_owned();
    };
    let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
    format!("{{\"stream_id\":\"{id}\"{comma}{rest}")
}

#[cfg(test)]
mod tests;
