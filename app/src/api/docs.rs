//! The admin REST API's document, reduced to what its page shows.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// One call of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Call {
    /// `GET`, `POST`, …
    pub(crate) method: String,
    /// Path with `{id}` in place of identities.
    pub(crate) path: String,
    /// First tag, or the path's second segment.
    pub(crate) group: String,
    /// One sentence.
    pub(crate) summary: String,
    /// Path and query parameters.
    pub(crate) parameters: Vec<Member>,
    /// Members of the request body; empty if it takes none.
    pub(crate) body: Vec<Member>,
    /// Status and meaning.
    pub(crate) answers: Vec<(String, String)>,
}

/// One parameter or member of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    /// Its name.
    pub(crate) name: String,
    /// Its type in words.
    pub(crate) kind: String,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// What it means.
    pub(crate) about: String,
}

/// Every call of the admin REST API.
#[server(input = Json)]
pub(crate) async fn calls() -> Result<Vec<Call>, AppError> {
    crate::host::admin().await?;
    Ok(crate::host::calls())
}
