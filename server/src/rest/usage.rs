//! `/api/admin/usage`, `/api/admin/usage/export` and `/api/admin/overview`.

use axum::response::{IntoResponse, Response};
use gateway::Admin;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, Method};
use schemars::JsonSchema;
use serde::Deserialize;
use types::usage::{OverviewSpan, UsageBy, UsageFilter};
use types::{ApiKeyId, Page, Problem, ProviderId, Timestamp, UserId};

use super::endpoint::{Call, Endpoint, endpoint, file};
use super::error::ApiError;
use super::input::{self, NoBody};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OverviewQuery {
    /// Default `24h`.
    #[serde(default = "a_day")]
    span: OverviewSpan,
}

fn a_day() -> OverviewSpan {
    OverviewSpan::Day
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    /// For spreadsheets.
    #[default]
    Csv,
    /// For programs.
    Json,
}

/// Query of an export: a usage filter and a format. The filter cannot be flattened in: everything unknown must
/// be refused by its name.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct ExportQuery {
    /// `csv` (default) or `json`.
    format: Format,
    /// What to sum by; default `day`.
    by: Option<UsageBy>,
    /// From; default 30 days ago.
    since: Option<Timestamp>,
    /// Before; default now.
    until: Option<Timestamp>,
    /// Only of this user.
    user_id: Option<UserId>,
    /// Only of this key.
    key_id: Option<ApiKeyId>,
    /// Only of this provider.
    provider_id: Option<ProviderId>,
    /// Only of this model.
    model: Option<String>,
}

/// A file to be saved.
#[derive(Debug)]
pub(crate) struct Export {
    text: String,
    format: Format,
    by: UsageBy,
}

/// The dashboard's download, from the text of its query.
pub(crate) async fn download(admin: Admin, query: &str) -> Result<Export, ApiError> {
    Ok(export(admin, input::query(query)?).await?)
}

async fn export(admin: Admin, query: ExportQuery) -> Result<Export, Problem> {
    let ExportQuery { format, by, since, until, user_id, key_id, provider_id, model } = query;
    let by = by.unwrap_or(UsageBy::Day);
    let filter = UsageFilter { by: Some(by), since, until, user_id, key_id, provider_id, model, limit: None };
    let text = admin.usage_export(filter, format == Format::Csv).await?;
    Ok(Export { text, format, by })
}

impl IntoResponse for Export {
    fn into_response(self) -> Response {
        let (kind, ending) = match self.format {
            Format::Csv => ("text/csv; charset=utf-8", "csv"),
            Format::Json => ("application/json", "json"),
        };
        let name = format!("attachment; filename=\"usage-by-{}.{ending}\"", self.by.as_str());
        let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
        ([(CONTENT_TYPE, HeaderValue::from_static(kind)), (CONTENT_DISPOSITION, name)], self.text)
            .into_response()
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/usage",
            "Rolled-up usage and cost by day, hour, model, user, key, provider, credential, group or package",
            |admin, call: Call<(), UsageFilter, NoBody>| async move {
                admin.usage(call.query).await.map(Page::whole)
            },
        ),
        file(
            "/usage/export",
            "The same as a file, `format=csv` or `format=json`",
            "text/csv",
            |admin, query: ExportQuery| export(admin, query),
        ),
        endpoint(
            Method::GET,
            "/overview",
            "What the dashboard's first page shows",
            |admin, call: Call<(), OverviewQuery, NoBody>| async move { admin.overview(call.query.span).await },
        ),
    ]
}
