//! Settings.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::setting::SettingView;

use crate::error::AppError;

/// All settings with their values.
#[server(input = Json)]
pub(crate) async fn list() -> Result<Vec<SettingView>, AppError> {
    Ok(crate::host::admin().await?.setting_list().await?)
}

/// Changes one. An absent value is an unchecked box.
#[server]
pub(crate) async fn put(
    name: String,
    #[server(default)] value: String,
    #[server(default)] back: String,
) -> Result<(), AppError> {
    let admin = crate::host::admin().await?;
    let keep = AppError::keeping(&std::collections::BTreeMap::from([(name.clone(), value.clone())]));
    admin.setting_put(name, value).await.map_err(&keep)?;
    crate::host::go_back(if back.is_empty() { "/settings" } else { &back }, "saved");
    Ok(())
}

/// Takes one back to its default.
#[server]
pub(crate) async fn reset(name: String, #[server(default)] back: String) -> Result<(), AppError> {
    crate::host::admin().await?.setting_reset(name).await?;
    crate::host::go_back(if back.is_empty() { "/settings" } else { &back }, "reset");
    Ok(())
}
