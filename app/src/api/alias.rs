//! Model aliases.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::alias::AliasView;

use crate::error::AppError;
use crate::form::alias::AliasForm;

/// All aliases.
#[server(input = Json)]
pub(crate) async fn list() -> Result<Vec<AliasView>, AppError> {
    Ok(crate::host::admin().await?.alias_list().await?)
}

/// Makes or changes one.
#[server]
pub(crate) async fn put(form: AliasForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let name = form.name.trim().to_owned();
    admin.alias_put(name.clone(), form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect_to("/routing", &[("view", "aliases"), ("edit", &name), ("done", "saved")]);
    Ok(())
}

/// Deletes one.
#[server]
pub(crate) async fn remove(name: String) -> Result<(), AppError> {
    crate::host::admin().await?.alias_delete(name).await?;
    crate::host::redirect("/routing?view=aliases&done=deleted");
    Ok(())
}
