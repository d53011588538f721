//! Users.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::UserId;
use types::user::UserView;

use crate::error::AppError;
use crate::form::user::UserForm;

/// All users.
#[server(input = Json)]
pub(crate) async fn list(deleted: bool) -> Result<Vec<UserView>, AppError> {
    Ok(crate::host::admin().await?.user_list(deleted).await?)
}

/// One user.
#[server(input = Json)]
pub(crate) async fn fetch(id: UserId) -> Result<UserView, AppError> {
    Ok(crate::host::admin().await?.user_fetch(id).await?)
}

/// Makes one and goes to its page.
#[server]
pub(crate) async fn create(form: UserForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let made = admin.user_create(form.create().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/users/{}?done=created", made.id));
    Ok(())
}

/// Changes one.
#[server]
pub(crate) async fn update(id: UserId, form: UserForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.user_update(id, form.update().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect(&format!("/users/{id}?done=saved"));
    Ok(())
}

/// Switches one on or off.
#[server]
pub(crate) async fn toggle(id: UserId, enabled: bool) -> Result<(), AppError> {
    let change = types::user::UpdateUser { enabled: Some(enabled), ..Default::default() };
    crate::host::admin().await?.user_update(id, change).await?;
    Ok(())
}

/// Deletes one; it can be restored.
#[server]
pub(crate) async fn remove(id: UserId) -> Result<(), AppError> {
    crate::host::admin().await?.user_delete(id).await?;
    crate::host::redirect(&format!("/users?done=deleted&undo={id}"));
    Ok(())
}

/// Brings one back.
#[server]
pub(crate) async fn restore(id: UserId) -> Result<(), AppError> {
    crate::host::admin().await?.user_restore(id).await?;
    crate::host::redirect(&format!("/users/{id}?done=restored"));
    Ok(())
}
