//! Vendors, and sign-ins with them.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::oauth::{FlowView, VendorView};
use types::{CredentialId, OauthFlowId, ProviderId};

use crate::error::AppError;
use crate::form::SecretText;
use crate::form::vendor::VendorForm;

/// Every vendor.
#[server(input = Json)]
pub(crate) async fn vendors() -> Result<Vec<VendorView>, AppError> {
    Ok(crate::host::admin().await?.vendor_list().await?)
}

/// One vendor.
#[server(input = Json)]
pub(crate) async fn vendor(name: String) -> Result<VendorView, AppError> {
    Ok(crate::host::admin().await?.vendor_fetch(name).await?)
}

/// Changes a vendor's client and descriptor; an empty secret keeps the stored one.
#[server]
pub(crate) async fn put_vendor(name: String, form: VendorForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let input = crate::host::read_vendor(&form).map_err(&keep)?;
    admin.vendor_put(name.clone(), input).await.map_err(&keep)?;
    crate::host::redirect_to(&format!("/oauth/vendors/{name}"), &[("done", "saved")]);
    Ok(())
}

/// Adds a vendor.
#[server]
pub(crate) async fn add_vendor(form: VendorForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let name = form.name.trim().to_owned();
    let input = crate::host::read_vendor(&form).map_err(&keep)?;
    admin.vendor_add(name.clone(), input).await.map_err(&keep)?;
    crate::host::redirect_to(&format!("/oauth/vendors/{name}"), &[("done", "created")]);
    Ok(())
}

/// Forgets what was changed of a vendor.
#[server]
pub(crate) async fn reset_vendor(name: String) -> Result<(), AppError> {
    crate::host::admin().await?.vendor_delete(name).await?;
    crate::host::redirect("/oauth?done=reset");
    Ok(())
}

/// The latest sign-ins.
#[server(input = Json)]
pub(crate) async fn flows() -> Result<Vec<FlowView>, AppError> {
    Ok(crate::host::admin().await?.flow_list().await?)
}

/// One sign-in; a device code that is due is asked for.
#[server(input = Json)]
pub(crate) async fn flow(id: OauthFlowId) -> Result<FlowView, AppError> {
    Ok(crate::host::admin().await?.flow_fetch(id).await?)
}

/// Begins a sign-in and goes to its page.
#[server]
pub(crate) async fn begin(vendor: String, provider_id: ProviderId, way: String) -> Result<(), AppError> {
    let input = crate::host::new_flow(vendor, Some(provider_id), None, way);
    let flow = crate::host::admin().await?.flow_begin(input).await?;
    crate::host::redirect(&format!("/oauth/flows/{}", flow.id));
    Ok(())
}

/// Signs an account in again.
#[server]
pub(crate) async fn again(vendor: String, id: CredentialId) -> Result<(), AppError> {
    let input = crate::host::new_flow(vendor, None, Some(id), String::new());
    let flow = crate::host::admin().await?.flow_begin(input).await?;
    crate::host::redirect(&format!("/oauth/flows/{}", flow.id));
    Ok(())
}

/// Finishes a sign-in by what was pasted.
#[server]
pub(crate) async fn finish(id: OauthFlowId, pasted: SecretText) -> Result<(), AppError> {
    let pasted = Some(types::Secret::new(pasted.0));
    crate::host::admin().await?.flow_finish(id, types::oauth::FinishFlow { pasted }).await?;
    crate::host::redirect(&format!("/oauth/flows/{id}?done=created"));
    Ok(())
}

/// Gives a sign-in up.
#[server]
pub(crate) async fn cancel(id: OauthFlowId) -> Result<(), AppError> {
    crate::host::admin().await?.flow_cancel(id).await?;
    crate::host::redirect(&format!("/oauth/flows/{id}"));
    Ok(())
}

/// Fetches a fresh token for an account.
#[server]
pub(crate) async fn refresh(provider_id: ProviderId, id: CredentialId) -> Result<(), AppError> {
    let result = crate::host::admin().await?.credential_refresh(id).await?;
    if let Some(why) = result.reason {
        return Err(types::Problem::new("oauth_refused", format!("{}: {why}", result.name)).into());
    }
    crate::host::redirect(&format!("/providers/{provider_id}?done=token_refreshed"));
    Ok(())
}

/// Fetches fresh tokens for all accounts whose token is over or will soon be.
#[server]
pub(crate) async fn refresh_expiring() -> Result<(), AppError> {
    let summary = crate::host::admin().await?.credential_refresh_expiring().await?;
    let failed =
        summary.items.iter().filter_map(|item| Some(format!("{}: {}", item.name, item.reason.as_ref()?)));
    let failed = failed.collect::<Vec<_>>().join("; ");
    if !failed.is_empty() {
        return Err(types::Problem::new("oauth_refused", failed).into());
    }
    let done = if summary.items.is_empty() { "token_none" } else { "token_refreshed" };
    crate::host::redirect(&format!("/oauth?done={done}"));
    Ok(())
}
