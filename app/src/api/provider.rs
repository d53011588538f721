//! Providers.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::credential::DeletedCredentials;
use types::provider::{ProviderTest, ProviderView, ProviderVitals};
use types::{ProviderId, Timestamp};

use crate::error::AppError;
use crate::form::provider::ProviderForm;

/// All providers.
#[server(input = Json)]
pub(crate) async fn list(deleted: bool) -> Result<Vec<ProviderView>, AppError> {
    Ok(crate::host::admin().await?.provider_list(deleted).await?)
}

/// One provider.
#[server(input = Json)]
pub(crate) async fn fetch(id: ProviderId) -> Result<ProviderView, AppError> {
    Ok(crate::host::admin().await?.provider_fetch(id).await?)
}

/// How one did lately.
#[server(input = Json)]
pub(crate) async fn vitals(id: ProviderId) -> Result<ProviderVitals, AppError> {
    Ok(crate::host::admin().await?.provider_vitals(id).await?)
}

/// Makes one and goes to its page.
#[server]
pub(crate) async fn create(form: ProviderForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let made = admin.provider_create(form.create().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/providers/{}?done=created", made.id));
    Ok(())
}

/// Changes one.
#[server]
pub(crate) async fn update(id: ProviderId, form: ProviderForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.provider_update(id, form.update().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/providers/{id}?done=saved"));
    Ok(())
}

/// Switches one on or off.
#[server]
pub(crate) async fn toggle(id: ProviderId, enabled: bool) -> Result<(), AppError> {
    let change = types::provider::UpdateProvider { enabled: Some(enabled), ..Default::default() };
    crate::host::admin().await?.provider_update(id, change).await?;
    Ok(())
}

/// Deletes one; it can be restored.
#[server]
pub(crate) async fn remove(id: ProviderId) -> Result<(), AppError> {
    crate::host::admin().await?.provider_delete(id).await?;
    crate::host::redirect(&format!("/providers?done=deleted&undo={id}"));
    Ok(())
}

/// Brings one back.
#[server]
pub(crate) async fn restore(id: ProviderId) -> Result<(), AppError> {
    crate::host::admin().await?.provider_restore(id).await?;
    crate::host::redirect(&format!("/providers/{id}?done=restored"));
    Ok(())
}

/// Deletes all of its credentials, if its name was typed.
#[server]
pub(crate) async fn reset(id: ProviderId, confirm: String) -> Result<(), AppError> {
    let confirmed = types::credential::ResetProvider { confirm };
    crate::host::admin().await?.provider_reset(id, confirmed).await?;
    crate::host::redirect(&format!("/providers/{id}?done=deleted"));
    Ok(())
}

/// What of it was deleted lately.
#[server(input = Json)]
pub(crate) async fn deleted(id: ProviderId) -> Result<Vec<DeletedCredentials>, AppError> {
    Ok(crate::host::admin().await?.provider_deleted(id).await?)
}

/// Brings back what was deleted together.
#[server]
pub(crate) async fn restore_deleted(id: ProviderId, at: Timestamp) -> Result<(), AppError> {
    crate::host::admin().await?.provider_restore_deleted(id, at).await?;
    crate::host::redirect(&format!("/providers/{id}?done=restored"));
    Ok(())
}

/// Calls the provider.
#[server]
pub(crate) async fn test(id: ProviderId, model: String) -> Result<ProviderTest, AppError> {
    let model = Some(model.trim().to_owned()).filter(|model| !model.is_empty());
    let ask = types::provider::TestProvider { model, credential_id: None };
    let result = crate::host::admin().await?.provider_test(id, ask).await?;
    crate::host::land(&crate::host::test_landing(id, &result));
    Ok(result)
}

/// The models that the provider itself lists.
#[server(input = Json)]
pub(crate) async fn models(id: ProviderId) -> Result<Vec<String>, AppError> {
    Ok(crate::host::admin().await?.provider_models(id).await?)
}
