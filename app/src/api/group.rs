//! Groups of providers.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::group::GroupView;

use crate::error::AppError;
use crate::form::group::GroupForm;

/// All groups.
#[server(input = Json)]
pub(crate) async fn list() -> Result<Vec<GroupView>, AppError> {
    Ok(crate::host::admin().await?.group_list().await?)
}

/// Sets rate and limits of one.
#[server]
pub(crate) async fn put(name: String, form: GroupForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.group_put(name.clone(), form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect_to("/groups", &[("edit", &name), ("done", "saved")]);
    Ok(())
}
