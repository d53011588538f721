//! Strict decoding of paths, query strings and JSON bodies.
//!
//! Nothing unknown is ignored, and a fault is reported by the name of its field. Values are never repeated
//! back: one of them may be a secret in the wrong place.

use axum::body::Body;
use axum::extract::Query;
use http::Uri;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http_body_util::{BodyExt, Limited};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;
use types::{
    ApiKeyId, CredentialId, ErrorRuleId, GrantId, OauthFlowId, PackageId, Problem, ProviderId, UserId,
};
use url::form_urlencoded;

use super::error::ApiError;
use crate::middleware::body_limit::{LARGE_BODY, SMALL_BODY};

/// The one parameter of a path, or none.
pub(crate) trait PathPart: Sized + Send + 'static {
    /// Its JSON type.
    const KIND: Option<&'static str>;
    /// Nothing if the text cannot name an object of the kind.
    fn read(text: Option<&str>) -> Option<Self>;
}

impl PathPart for () {
    const KIND: Option<&'static str> = None;
    fn read(_: Option<&str>) -> Option<Self> {
        Some(())
    }
}

impl PathPart for String {
    const KIND: Option<&'static str> = Some("string");
    fn read(text: Option<&str>) -> Option<Self> {
        text.map(Self::from)
    }
}

macro_rules! id_in_path {
    ($($name:ident),+) => {$(
        impl PathPart for $name {
            const KIND: Option<&'static str> = Some("integer");
            fn read(text: Option<&str>) -> Option<Self> {
                text?.parse().ok()
            }
        }
    )+};
}
id_in_path!(ProviderId, CredentialId, UserId, ApiKeyId, PackageId, GrantId, ErrorRuleId, OauthFlowId);

/// A call without query parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoQuery {}

/// Decodes a query string. A parameter without a value counts as absent, as HTML forms send it.
pub(super) fn query<Q: DeserializeOwned>(text: &str) -> Result<Q, ApiError> {
    let given: Vec<_> =
        form_urlencoded::parse(text.as_bytes()).filter(|(_, value)| !value.is_empty()).collect();
    let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
    let uri: Uri = format!("/?{text}")
        .parse()
        .map_err(|_malformed| bad_request("the query string could not be read"))?;
    match Query::<Q>::try_from_uri(&uri) {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(refused(&rejection.body_text(), "")),
    }
}

/// What a call takes as its body.
pub(crate) trait BodyPart: Sized + Send + 'static {
    /// Whether it may be left out.
    const REQUIRED: bool;
    /// How the document learns of it.
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema>;
    /// Reads and decodes it.
    fn read(parts: &Parts, body: Body) -> impl Future<Output = Result<Self, ApiError>> + Send;
}

/// No body; one that is sent all the same is not read.
#[derive(Debug)]
pub(crate) struct NoBody;

impl BodyPart for NoBody {
    const REQUIRED: bool = false;
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        None
    }
    async fn read(_: &Parts, _: Body) -> Result<Self, ApiError> {
        Ok(Self)
    }
}

/// A JSON body.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> BodyPart for Json<T> {
    const REQUIRED: bool = true;
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        Some(SchemaGenerator::subschema_for::<T>)
    }
    async fn read(parts: &Parts, body: Body) -> Result<Self, ApiError> {
        expect_json(parts)?;
        decode(&collect(body, SMALL_BODY).await?).map(Self)
    }
}

/// A JSON body that carries a whole file. Its paths have the larger cap in `middleware::body_limit` too.
#[derive(Debug)]
pub(crate) struct LargeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> BodyPart for LargeJson<T> {
    const REQUIRED: bool = true;
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        Some(SchemaGenerator::subschema_for::<T>)
    }
    async fn read(parts: &Parts, body: Body) -> Result<Self, ApiError> {
        expect_json(parts)?;
        decode(&collect(body, LARGE_BODY).await?).map(Self)
    }
}

/// A JSON body that may be left out.
#[derive(Debug)]
pub(crate) struct MaybeJson<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + Default + Send + 'static> BodyPart for MaybeJson<T> {
    const REQUIRED: bool = false;
    fn schema() -> Option<fn(&mut SchemaGenerator) -> Schema> {
        Some(SchemaGenerator::subschema_for::<T>)
    }
    async fn read(parts: &Parts, body: Body) -> Result<Self, ApiError> {
        let bytes = collect(body, SMALL_BODY).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        expect_json(parts)?;
        decode(&bytes).map(Self)
    }
}

fn expect_json(parts: &Parts) -> Result<(), ApiError> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if kind.eq_ignore_ascii_case("application/json") {
        Ok(())
    } else {
        Err(ApiError::unsupported_media_type("application/json"))
    }
}

async fn collect(body: Body, most: usize) -> Result<bytes::Bytes, ApiError> {
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) => Err(ApiError::from_body_error(error.as_ref(), most)),
    }
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        explain(error.inner(), &path)
    })?;
    reader.end().map_err(|error| explain(&error, ""))?;
    Ok(value)
}

fn explain(error: &serde_json::Error, path: &str) -> ApiError {
    match error.classify() {
        Category::Data => refused(&error.to_string(), path),
        Category::Syntax | Category::Eof | Category::Io => {
            bad_request(&format!("the body is no JSON: {error}"))
        }
    }
}

fn bad_request(message: &str) -> ApiError {
    ApiError::from(Problem::new("bad_request", message))
}

/// Turns serde's sentence into a field and what is wrong with it.
fn refused(sentence: &str, path: &str) -> ApiError {
    let quoted = |start: &str| {
        let (_, tail) = sentence.split_once(start)?;
        tail.split('`').next().map(str::to_owned)
    };
    let (name, fault) = if let Some(name) = quoted("unknown field `") {
        (Some(name), "unknown field".to_owned())
    } else if let Some(name) = quoted("missing field `") {
        (Some(name), "is required".to_owned())
    } else if let Some(name) = quoted("duplicate field `") {
        (Some(name), "is given twice".to_owned())
    } else {
        (None, expectation(sentence))
    };
    let path = if path == "." { "" } else { path };
    let field = match (path, name) {
        ("", None) => "body".to_owned(),
        ("", Some(name)) => name,
        (path, None) => path.to_owned(),
        (path, Some(name)) if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        (path, Some(name)) => format!("{path}.{name}"),
    };
    ApiError::from(Problem::field(&field, fault))
}

// The sentence begins with the offending value; only what was expected is safe to repeat.
fn expectation(sentence: &str) -> String {
    match sentence.rsplit_once("expected ") {
        Some((_, expected)) => {
            let expected = expected.split(" at line ").next().unwrap_or(expected);
            format!("expected {}", plain(expected))
        }
        None => "has a value that cannot be used".to_owned(),
    }
}

/// The program's own word for a kind of value in those of whoever wrote it.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number, 0 or more",
        "i32" | "i64" => "a whole number",
        "f32" | "f64" => "a number",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        other => other,
    }
}

#[cfg(test)]
mod tests;
