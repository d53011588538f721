//! One endpoint: its handler and its description, made from the same types.
//!
//! It proves the bearer, decodes strictly and encodes; what a call does stands in the noun's module.

use std::any::TypeId;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::RequestPartsExt;
use axum::extract::{RawPathParams, Request};
use axum::response::{IntoResponse, Response};
use gateway::Admin;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use types::Problem;

use super::error::ApiError;
use super::input::{self, BodyPart, PathPart};
use crate::auth;
use crate::state::AppState;

type Served = Pin<Box<dyn Future<Output = Response> + Send>>;

/// One row of the table.
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// Below [`super::PREFIX`]; `{id}` and the like as in axum and in `OpenAPI`.
    pub(crate) path: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) status: StatusCode,
    pub(crate) shape: Shape,
    pub(crate) serve: Arc<dyn Fn(AppState, Request) -> Served + Send + Sync>,
}

/// How the document learns of the types; each takes the generator that fits its direction.
pub(crate) struct Shape {
    /// Type of the path parameter, if there is one.
    pub(crate) path: Option<&'static str>,
    pub(crate) query: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(crate) body_required: bool,
    pub(crate) answer: Option<fn(&mut SchemaGenerator) -> Schema>,
    /// `application/json`, a file's type, or `text/event-stream` whose events have the answer's schema.
    pub(crate) content_type: &'static str,
}

/// The decoded parts of a call.
pub(crate) struct Call<P, Q, B> {
    pub(crate) path: P,
    pub(crate) query: Q,
    pub(crate) body: B,
}

/// An endpoint that answers JSON, or nothing (204) if its type is `()`.
pub(super) fn endpoint<P, Q, B, T, F, Fut>(
    method: Method,
    path: &'static str,
    summary: &'static str,
    run: F,
) -> Endpoint
where
    P: PathPart,
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    B: BodyPart,
    T: Serialize + JsonSchema + 'static,
    F: Fn(Admin, Call<P, Q, B>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<T, Problem>> + Send + 'static,
{
    let empty = TypeId::of::<T>() == TypeId::of::<()>();
    let status = if empty { StatusCode::NO_CONTENT } else { StatusCode::OK };
    let shape = Shape {
        path: P::KIND,
        query: |generator| generator.subschema_for::<Q>(),
        body: B::schema(),
        body_required: B::REQUIRED,
        answer: (!empty).then_some(|generator: &mut SchemaGenerator| generator.subschema_for::<T>()),
        content_type: "application/json",
    };
    let serve = Arc::new(move |state: AppState, request: Request| -> Served {
        let run = run.clone();
        Box::pin(async move {
            let answer = async {
                let (admin, call) = decode(state, request).await?;
                let value = run(admin, call).await?;
                if empty { Ok(StatusCode::NO_CONTENT.into_response()) } else { json(&value) }
            };
            answer.await.unwrap_or_else(|error: ApiError| error.into_response())
        })
    });
    Endpoint { method, path, summary, status, shape, serve }
}

/// An endpoint that reads what only the edge knows.
pub(super) fn edge<T, F>(path: &'static str, summary: &'static str, read: F) -> Endpoint
where
    T: Serialize + JsonSchema + 'static,
    F: Fn(&AppState) -> T + Clone + Send + Sync + 'static,
{
    let shape = Shape {
        path: None,
        query: |generator| generator.subschema_for::<input::NoQuery>(),
        body: None,
        body_required: false,
        answer: Some(|generator: &mut SchemaGenerator| generator.subschema_for::<T>()),
        content_type: "application/json",
    };
    let serve = Arc::new(move |state: AppState, request: Request| -> Served {
        let read = read.clone();
        Box::pin(async move {
            match decode::<(), input::NoQuery, input::NoBody>(state.clone(), request).await {
                Ok(_) => json(&read(&state)).unwrap_or_else(ApiError::into_response),
                Err(error) => error.into_response(),
            }
        })
    });
    Endpoint { method: Method::GET, path, summary, status: StatusCode::OK, shape, serve }
}

/// An endpoint whose answer is a file.
pub(super) fn file<Q, A, F, Fut>(
    path: &'static str,
    summary: &'static str,
    content_type: &'static str,
    make: F,
) -> Endpoint
where
    Q: DeserializeOwned + JsonSchema + Send + 'static,
    A: IntoResponse,
    F: Fn(Admin, Q) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Result<A, Problem>> + Send + 'static,
{
    let shape = Shape {
        path: None,
        query: |generator| generator.subschema_for::<Q>(),
        body: None,
        body_required: false,
        answer: Some(SchemaGenerator::subschema_for::<String>),
        content_type,
    };
    let serve = Arc::new(move |state: AppState, request: Request| -> Served {
        let make = make.clone();
        Box::pin(async move {
            let answer = async {
                let (admin, call) = decode::<(), Q, input::NoBody>(state, request).await?;
                Ok(make(admin, call.query).await?.into_response())
            };
            answer.await.unwrap_or_else(|error: ApiError| error.into_response())
        })
    });
    Endpoint { method: Method::GET, path, summary, status: StatusCode::OK, shape, serve }
}

/// An endpoint whose answer is an open stream of events.
pub(super) fn stream<T, F>(path: &'static str, summary: &'static str, open: F) -> Endpoint
where
    T: JsonSchema,
    F: Fn(AppState, Admin) -> Response + Clone + Send + Sync + 'static,
{
    let shape = Shape {
        path: None,
        query: |generator| generator.subschema_for::<input::NoQuery>(),
        body: None,
        body_required: false,
        answer: Some(SchemaGenerator::subschema_for::<T>),
        content_type: "text/event-stream",
    };
    let serve = Arc::new(move |state: AppState, request: Request| -> Served {
        let open = open.clone();
        Box::pin(async move {
            match decode::<(), input::NoQuery, input::NoBody>(state.clone(), request).await {
                Ok((admin, _)) => open(state, admin),
                Err(error) => error.into_response(),
            }
        })
    });
    Endpoint { method: Method::GET, path, summary, status: StatusCode::OK, shape, serve }
}

impl Endpoint {
    /// Answers 201 instead of 200.
    pub(super) fn creates(mut self) -> Self {
        let serve = self.serve;
        self.status = StatusCode::CREATED;
        self.serve = Arc::new(move |state, request| {
            let served = serve(state, request);
            Box::pin(async move {
                let mut response = served.await;
                if response.status() == StatusCode::OK {
                    *response.status_mut() = StatusCode::CREATED;
                }
                response
            })
        });
        self
    }
}

/// The handle of whoever presents the admin token. A session cookie does not count here: scripts have none,
/// and a browser could be made to send it.
pub(crate) async fn bearer(state: &AppState, parts: &Parts) -> Result<Admin, ApiError> {
    let actor = auth::actor("admin-api", &parts.extensions);
    Ok(state.gateway.admin_by_bearer(authorization(&parts.headers), actor).await?)
}

fn authorization(headers: &HeaderMap) -> Option<&str> {
    // A value that is no text is malformed, not missing.
    headers.get(AUTHORIZATION).map(|value| value.to_str().unwrap_or_default())
}

// The bearer comes first: a stranger learns nothing about inputs.
async fn decode<P: PathPart, Q: DeserializeOwned, B: BodyPart>(
    state: AppState,
    request: Request,
) -> Result<(Admin, Call<P, Q, B>), ApiError> {
    let (mut parts, body) = request.into_parts();
    let admin = bearer(&state, &parts).await?;
    let path = match parts.extract::<RawPathParams>().await {
        Ok(params) => P::read(params.iter().next().map(|(_, value)| value)),
        Err(_) => None,
    };
    let path = path.ok_or_else(|| Problem::new("not_found", "there is no such object"))?;
    let query = input::query(parts.uri.query().unwrap_or_default())?;
    let body = B::read(&parts, body).await?;
    Ok((admin, Call { path, query, body }))
}

fn json<T: Serialize>(value: &T) -> Result<Response, ApiError> {
    let body = serde_json::to_vec(value).map_err(|error| {
        tracing::error!(%error, "an answer of the REST API could not be written as JSON");
        Problem::new("internal", "the answer could not be written; see the log")
    })?;
    Ok((StatusCode::OK, [(CONTENT_TYPE, "application/json")], body).into_response())
}
