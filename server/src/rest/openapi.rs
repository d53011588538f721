//! The `OpenAPI` 3.1 document, written from the endpoint table.
//!
//! It holds no example and no secret; what it says of a type comes from the type itself.

use std::sync::OnceLock;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use types::principal::Principal;

use super::endpoint::{Endpoint, bearer};
use super::{PREFIX, table};
use crate::state::AppState;

/// Where the document is.
pub(crate) const PATH: &str = "/api/admin/openapi.json";

/// `GET /api/admin/openapi.json`: open to the bearer and to a signed-in administrator.
pub(super) async fn document(State(state): State<AppState>, request: Request) -> Response {
    let signed_in = request.extensions().get::<Principal>() == Some(&Principal::Admin);
    if !signed_in || request.headers().contains_key(AUTHORIZATION) {
        let (parts, _) = request.into_parts();
        if let Err(error) = bearer(&state, &parts).await {
            return error.into_response();
        }
    }
    ([(CONTENT_TYPE, "application/json")], value().to_string()).into_response()
}

/// The document; made once.
pub(crate) fn value() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(build)
}

fn build() -> Value {
    let settings =
        || SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    // Answers are named components. Inputs are written out in place: the same type has other required fields
    // when it is read than when it is written.
    let mut answers = settings().for_serialize().into_generator();
    let mut inputs = settings().with(|s| s.inline_subschemas = true).for_deserialize().into_generator();
    let mut paths = Map::new();
    for endpoint in table() {
        let path = paths.entry(format!("{PREFIX}{}", endpoint.path)).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            let method = endpoint.method.as_str().to_ascii_lowercase();
            path.insert(method, operation(&endpoint, &mut answers, &mut inputs));
        }
    }
    paths.insert(PATH.to_owned(), own_operation());
    let mut schemas = answers.take_definitions(true);
    schemas.insert("Error".to_owned(), error_schema());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tollgate admin API",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Bearer ADMIN_TOKEN. JSON in and out, times in RFC 3339 UTC, unknown fields refused by name. Lists answer {items, next}."
        },
        "security": [{ "bearer": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer" } },
            "responses": { "Error": {
                "description": "Refused or failed.",
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } }
            } }
        }
    })
}

fn operation(endpoint: &Endpoint, answers: &mut SchemaGenerator, inputs: &mut SchemaGenerator) -> Value {
    let shape = &endpoint.shape;
    let mut success = json!({ "description": "Done." });
    if let (Some(answer), Some(success)) = (shape.answer, success.as_object_mut()) {
        let mut content = Map::new();
        content.insert(shape.content_type.to_owned(), json!({ "schema": answer(answers) }));
        success.insert("content".to_owned(), Value::Object(content));
    }
    let mut responses = Map::new();
    responses.insert(endpoint.status.as_str().to_owned(), success);
    responses.insert("default".to_owned(), json!({ "$ref": "#/components/responses/Error" }));
    let mut operation = json!({
        "summary": endpoint.summary,
        "operationId": operation_id(endpoint),
        "tags": [endpoint.path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters(endpoint, inputs),
        "responses": responses,
    });
    if let (Some(body), Some(operation)) = (shape.body, operation.as_object_mut()) {
        operation.insert(
            "requestBody".to_owned(),
            json!({
                "required": shape.body_required,
                "content": { "application/json": { "schema": body(inputs) } }
            }),
        );
    }
    operation
}

fn parameters(endpoint: &Endpoint, inputs: &mut SchemaGenerator) -> Vec<Value> {
    let mut parameters = Vec::new();
    let named = endpoint.path.split_once('{').and_then(|(_, tail)| tail.split_once('}'));
    if let (Some(kind), Some((name, _))) = (endpoint.shape.path, named) {
        parameters.push(json!({ "name": name, "in": "path", "required": true, "schema": { "type": kind } }));
    }
    let query: Schema = (endpoint.shape.query)(inputs);
    let required: Vec<&str> = list(query.get("required")).iter().filter_map(Value::as_str).collect();
    if let Some(Value::Object(properties)) = query.get("properties") {
        for (name, schema) in properties {
            parameters.push(json!({
                "name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": schema
            }));
        }
    }
    parameters
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// `post_providers_id_test`: unique, because method and path are.
fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.replace(['{', '}'], "").replace('/', "_");
    format!("{}{path}", endpoint.method.as_str().to_ascii_lowercase())
}

fn own_operation() -> Value {
    json!({ "get": {
        "summary": "This document",
        "operationId": "get_openapi_json",
        "tags": ["openapi.json"],
        "parameters": [],
        "responses": {
            "200": { "description": "Done.", "content": { "application/json": { "schema": { "type": "object" } } } },
            "default": { "$ref": "#/components/responses/Error" }
        }
    } })
}

fn error_schema() -> Value {
    json!({
        "type": "object",
        "required": ["error"],
        "properties": { "error": {
            "type": "object",
            "required": ["code", "message", "request_id"],
            "properties": {
                "code": { "type": "string", "description": "Stable; see the handbook's table." },
                "message": { "type": "string", "description": "One sentence with the way out." },
                "fields": { "type": "object", "additionalProperties": { "type": "string" } },
                "request_id": { "type": "string" }
            }
        } }
    })
}
