//! `/api/admin/settings`.

use http::Method;
use schemars::JsonSchema;
use serde::Deserialize;
use types::Page;

use super::endpoint::{Call, Endpoint, endpoint};
use super::input::{Json, NoBody, NoQuery};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PutSetting {
    /// The new value as text, as `GET /api/admin/settings` shows it.
    value: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Listing {
    /// Only those whose names begin so, such as `account_`.
    prefix: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/settings",
            "List settings with their defaults",
            |admin, call: Call<(), Listing, NoBody>| async move {
                let mut list = admin.setting_list().await?;
                list.retain(|one| call.query.prefix.as_deref().is_none_or(|p| one.name.starts_with(p)));
                Ok(Page::whole(list))
            },
        ),
        endpoint(
            Method::PUT,
            "/settings/{name}",
            "Change a setting; it takes effect at once",
            |admin, call: Call<String, NoQuery, Json<PutSetting>>| async move {
                admin.setting_put(call.path, call.body.0.value).await
            },
        ),
        endpoint(
            Method::DELETE,
            "/settings/{name}",
            "Put a setting back to its default",
            |admin, call: Call<String, NoQuery, NoBody>| async move { admin.setting_reset(call.path).await },
        ),
    ]
}
