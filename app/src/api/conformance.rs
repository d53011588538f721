//! How much of recorded exchanges survives translation: the page that `cargo xtask conformance` writes, as tables.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use serde::{Deserialize, Serialize};

use crate::error::AppError;

/// One table of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Matrix {
    /// Its heading, in English.
    pub(crate) title: String,
    /// Names of the columns, in English; the first is that of the rows' names.
    pub(crate) head: Vec<String>,
    /// Cells, row by row.
    pub(crate) rows: Vec<Vec<String>>,
}

/// The tables of this version; whoever is signed in may see them.
#[server(input = Json)]
pub(crate) async fn tables() -> Result<Vec<Matrix>, AppError> {
    // A server function is async; this one waits for nothing.
    std::future::ready(crate::host::conformance()).await
}
