//! API keys.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::api_key::ApiKeyView;
use types::{ApiKeyId, UserId};

use crate::error::AppError;
use crate::form::key::KeyForm;

/// All keys, or those of one user.
#[server(input = Json)]
pub(crate) async fn list(user_id: Option<UserId>) -> Result<Vec<ApiKeyView>, AppError> {
    Ok(crate::host::admin().await?.key_list(user_id).await?)
}

/// One key.
#[server(input = Json)]
pub(crate) async fn fetch(id: ApiKeyId) -> Result<ApiKeyView, AppError> {
    Ok(crate::host::admin().await?.key_fetch(id).await?)
}

/// Makes one and goes to the page that shows it once.
#[server]
pub(crate) async fn create(form: KeyForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let (owner, input) = (form.owner().map_err(&keep)?, form.create().map_err(&keep)?);
    let made = admin.key_create(owner, input).await.map_err(&keep)?;
    crate::host::show_new_key(made.id, &made.key);
    Ok(())
}

/// The key itself, once, right after it was made.
#[server(input = Json)]
pub(crate) async fn reveal(id: ApiKeyId) -> Result<Option<String>, AppError> {
    crate::host::admin().await?;
    Ok(crate::host::take_new_key(id))
}

/// Changes one.
#[server]
pub(crate) async fn update(id: ApiKeyId, form: KeyForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.key_update(id, form.update().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/keys/{id}?done=saved"));
    Ok(())
}

/// Switches one on or off.
#[server]
pub(crate) async fn toggle(id: ApiKeyId, enabled: bool) -> Result<(), AppError> {
    let change = types::api_key::UpdateApiKey { enabled: Some(enabled), ..Default::default() };
    crate::host::admin().await?.key_update(id, change).await?;
    Ok(())
}

/// Deletes one; it can be restored.
#[server]
pub(crate) async fn remove(id: ApiKeyId) -> Result<(), AppError> {
    crate::host::admin().await?.key_delete(id).await?;
    crate::host::redirect(&format!("/keys?done=deleted&undo={id}"));
    Ok(())
}

/// Brings one back.
#[server]
pub(crate) async fn restore(id: ApiKeyId) -> Result<(), AppError> {
    crate::host::admin().await?.key_restore(id).await?;
    crate::host::redirect(&format!("/keys/{id}?done=restored"));
    Ok(())
}
