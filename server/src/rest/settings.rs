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

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        endpoint(
            Method::GET,
            "/settings",
            "List settings with their defaults",
            |admin, _: Call<(), NoQuery, NoBody>| async move { admin.setting_list().await.map(Page::whole) },
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
