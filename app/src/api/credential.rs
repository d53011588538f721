//! Credentials of a provider.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::check::CheckReport;
use types::credential::{CredentialEvent, CredentialView};
use types::{CredentialId, Page, ProviderId};

use crate::error::AppError;
use crate::form::provider::CredentialForm;

/// Those of one provider.
#[server(input = Json)]
pub(crate) async fn list(provider_id: ProviderId) -> Result<Vec<CredentialView>, AppError> {
    Ok(crate::host::admin().await?.credential_list(Some(provider_id)).await?)
}

/// What its state was, the latest change first.
#[server(input = Json)]
pub(crate) async fn events(
    id: CredentialId,
    cursor: Option<String>,
) -> Result<Page<CredentialEvent>, AppError> {
    Ok(crate::host::admin().await?.credential_events(id, cursor).await?)
}

/// Adds one.
#[server]
pub(crate) async fn create(provider_id: ProviderId, form: CredentialForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.credential_create(form.create(provider_id).map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/providers/{provider_id}?done=created"));
    Ok(())
}

/// Changes one.
#[server]
pub(crate) async fn update(
    provider_id: ProviderId,
    id: CredentialId,
    form: CredentialForm,
) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.credential_update(id, form.update().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/providers/{provider_id}?done=saved"));
    Ok(())
}

/// Switches one on or off; on, if it is wished, with its errors and everything else held against it begun anew.
#[server]
pub(crate) async fn toggle(
    id: CredentialId,
    enabled: bool,
    #[server(default)] anew: bool,
) -> Result<(), AppError> {
    if enabled && anew {
        crate::host::admin().await?.credential_enable(id).await?;
        return Ok(());
    }
    let change = types::credential::UpdateCredential { enabled: Some(enabled), ..Default::default() };
    crate::host::admin().await?.credential_update(id, change).await?;
    Ok(())
}

/// Deletes one; it can be restored.
#[server]
pub(crate) async fn remove(provider_id: ProviderId, id: CredentialId) -> Result<(), AppError> {
    crate::host::admin().await?.credential_delete(id).await?;
    crate::host::redirect(&format!("/providers/{provider_id}?done=deleted&undo_credential={id}"));
    Ok(())
}

/// Brings one back.
#[server]
pub(crate) async fn restore(provider_id: ProviderId, id: CredentialId) -> Result<(), AppError> {
    crate::host::admin().await?.credential_restore(id).await?;
    crate::host::redirect(&format!("/providers/{provider_id}?done=restored"));
    Ok(())
}

/// Marks a refused one as usable again; of a lost account the vendor is asked.
#[server]
pub(crate) async fn recover(provider_id: ProviderId, id: CredentialId) -> Result<(), AppError> {
    let recovered = crate::host::admin().await?.credential_recover(id).await?;
    crate::host::not_lost(&recovered)?;
    crate::host::redirect(&format!("/providers/{provider_id}?done=recovered"));
    Ok(())
}

/// Calls the provider with this credential. What was found stands with the credential too, where a plain form post
/// lands.
#[server]
pub(crate) async fn check(provider_id: ProviderId, id: CredentialId) -> Result<CheckReport, AppError> {
    let report = crate::host::admin().await?.credential_check(id).await?;
    crate::host::land(&format!("/providers/{provider_id}?done=checked"));
    Ok(report)
}
