//! Packages and what was granted of them.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::package::{GrantView, PackageView};
use types::{GrantId, PackageId, UserId};

use crate::error::AppError;
use crate::form::package::{GrantChangeForm, GrantForm, PackageForm};

/// All templates.
#[server(input = Json)]
pub(crate) async fn list(deleted: bool) -> Result<Vec<PackageView>, AppError> {
    Ok(crate::host::admin().await?.package_list(deleted).await?)
}

/// One template.
#[server(input = Json)]
pub(crate) async fn fetch(id: PackageId) -> Result<PackageView, AppError> {
    Ok(crate::host::admin().await?.package_fetch(id).await?)
}

/// Makes one.
#[server]
pub(crate) async fn create(form: PackageForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.package_create(form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect("/packages?done=created");
    Ok(())
}

/// Changes one.
#[server]
pub(crate) async fn update(id: PackageId, form: PackageForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.package_update(id, form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/packages/{id}?done=saved"));
    Ok(())
}

/// Deletes one; it can be restored.
#[server]
pub(crate) async fn remove(id: PackageId) -> Result<(), AppError> {
    crate::host::admin().await?.package_delete(id).await?;
    crate::host::redirect(&format!("/packages?done=deleted&undo={id}"));
    Ok(())
}

/// Brings one back.
#[server]
pub(crate) async fn restore(id: PackageId) -> Result<(), AppError> {
    crate::host::admin().await?.package_restore(id).await?;
    crate::host::redirect(&format!("/packages/{id}?done=restored"));
    Ok(())
}

/// What a user was granted.
#[server(input = Json)]
pub(crate) async fn grants(user_id: Option<UserId>) -> Result<Vec<GrantView>, AppError> {
    Ok(crate::host::admin().await?.grant_list(user_id).await?)
}

/// Grants one.
#[server]
pub(crate) async fn grant(user_id: UserId, form: GrantForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.grant_create(user_id, form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/users/{user_id}?done=granted"));
    Ok(())
}

/// Changes end and amounts of a grant.
#[server]
pub(crate) async fn change(user_id: UserId, id: GrantId, form: GrantChangeForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.grant_update(id, form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/users/{user_id}?done=saved"));
    Ok(())
}

/// Revokes a grant or gives it back.
#[server]
pub(crate) async fn revoke(user_id: UserId, id: GrantId, disabled: bool) -> Result<(), AppError> {
    let change = types::package::UpdateGrant { disabled: Some(disabled), ..Default::default() };
    crate::host::admin().await?.grant_update(id, change).await?;
    crate::host::redirect(&format!("/users/{user_id}?done=saved"));
    Ok(())
}
