//! The three shapes of the model list.
//!
//! It does not know which models exist or who may use them.

use serde_json::{Value, json};
use types::Timestamp;

use crate::error::to_bytes;

/// Whose list the caller expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `{"data":[{"type":"model",…}],"has_more":…}`
    Anthropic,
    /// `{"object":"list","data":[…]}`
    OpenAi,
    /// `{"models":[{"name":"models/…"}]}`
    Gemini,
}

/// Chooses the shape. A `Bearer` key says nothing: Anthropic's own SDKs send one.
pub fn shape(path: &str, has_anthropic_version: bool, has_google_key: bool, has_query_key: bool) -> Shape {
    if path == "/v1beta" || path.starts_with("/v1beta/") {
        Shape::Gemini
    } else if has_anthropic_version {
        Shape::Anthropic
    } else if has_google_key || has_query_key {
        Shape::Gemini
    } else {
        Shape::OpenAi
    }
}

/// One model as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name that callers ask for.
    pub id: String,
    /// Since when it is offered.
    pub created_at: Timestamp,
    /// Who offers it.
    pub owned_by: String,
}

/// The answer of `GET …/models`: everything on one page.
pub fn render_list(shape: Shape, entries: &[Entry]) -> Vec<u8> {
    let items: Vec<Value> = entries.iter().map(|entry| item(shape, entry)).collect();
    to_bytes(&match shape {
        Shape::Anthropic => json!({
            "data": items,
            "has_more": false,
            "first_id": entries.first().map(|e| &e.id),
            "last_id": entries.last().map(|e| &e.id),
        }),
        Shape::OpenAi => json!({ "object": "list", "data": items }),
        Shape::Gemini => json!({ "models": items }),
    })
}

/// The answer of `GET …/models/{id}`.
pub fn render_one(shape: Shape, entry: &Entry) -> Vec<u8> {
    to_bytes(&item(shape, entry))
}

fn item(shape: Shape, entry: &Entry) -> Value {
    match shape {
        Shape::Anthropic => json!({
            "type": "model",
            "id": entry.id,
            "display_name": entry.id,
            "created_at": entry.created_at,
        }),
        Shape::OpenAi => json!({
            "id": entry.id,
            "object": "model",
            "created": entry.created_at.0.div_euclid(1_000),
            "owned_by": entry.owned_by,
        }),
        Shape::Gemini => json!({
            "name": format!("models/{}", entry.id),
            "displayName": entry.id,
            "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        ["claude-opus-5-5", "gpt-5.2"]
            .map(|id| Entry {
                id: id.into(),
                created_at: Timestamp(1_700_000_000_999),
                owned_by: "house".into(),
            })
            .to_vec()
    }

    fn parse(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).unwrap()
    }

    #[test]
    fn wire_03_the_model_list_has_three_shapes_chosen_by_headers_and_path() {
        assert_eq!(shape("/v1/models", false, false, false), Shape::OpenAi);
        assert_eq!(shape("/v1/models", true, false, false), Shape::Anthropic);
        assert_eq!(shape("/v1/models", false, true, false), Shape::Gemini);
        assert_eq!(shape("/v1/models", false, false, true), Shape::Gemini);
        assert_eq!(shape("/v1beta/models/x", true, false, false), Shape::Gemini);
        assert_eq!(shape("/v1betamax", false, false, false), Shape::OpenAi);
    }

    #[test]
    fn wire_03_each_shape_carries_what_its_sdk_reads() {
        let list = parse(&render_list(Shape::Anthropic, &entries()));
        assert_eq!(list["data"][0]["type"], "model");
        assert_eq!(list["data"][0]["created_at"], "2023-11-14T22:13:20.999Z");
        assert_eq!((&list["first_id"], &list["last_id"]), (&json!("claude-opus-5-5"), &json!("gpt-5.2")));
        assert_eq!(list["has_more"], false);

        let list = parse(&render_list(Shape::OpenAi, &entries()));
        assert_eq!(list["object"], "list");
        assert_eq!(list["data"][1]["created"], 1_700_000_000);
        assert_eq!(list["data"][1]["object"], "model");

        let list = parse(&render_list(Shape::Gemini, &entries()));
        assert_eq!(list["models"][1]["name"], "models/gpt-5.2");
    }

    #[test]
    fn an_empty_list_is_still_a_list() {
        let list = parse(&render_list(Shape::Anthropic, &[]));
        assert_eq!(list, json!({ "data": [], "has_more": false, "first_id": null, "last_id": null }));
        assert_eq!(parse(&render_list(Shape::Gemini, &[])), json!({ "models": [] }));
    }

    #[test]
    fn one_model_is_the_bare_item() {
        let one = parse(&render_one(Shape::OpenAi, &entries()[0]));
        assert_eq!(one["id"], "claude-opus-5-5");
        assert_eq!(parse(&render_one(Shape::Gemini, &entries()[0]))["name"], "models/claude-opus-5-5");
    }
}
