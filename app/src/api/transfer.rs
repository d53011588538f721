//! Credentials taken over from other gateways, and handed on to other installations.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::import::{CredentialExport, CredentialImport};

use crate::error::AppError;
use crate::form::transfer::{ExportForm, TransferForm};

/// Looks at a file, and leads to the page that says what importing it would do.
#[server]
pub(crate) async fn preview(form: TransferForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let input = form.read().map_err(&keep)?;
    let found = admin.credential_import(input.clone()).await.map_err(&keep)?;
    let kept = crate::host::keep_transfer(input, found)?;
    crate::host::redirect_to("/credentials/import", &[("kept", &kept)]);
    Ok(())
}

/// What importing a kept file would do now; nothing if it is no longer kept.
#[server(input = Json)]
pub(crate) async fn previewed(kept: String) -> Result<Option<CredentialImport>, AppError> {
    let admin = crate::host::admin().await?;
    let Some(file) = crate::host::kept_transfer(&kept)? else { return Ok(None) };
    Ok(Some(file.told(admin.credential_import(file.again()).await?)))
}

/// Imports a kept file, if that still does what was looked at, without what was tried and not taken unless somebody
/// insists; then it is kept no longer.
#[server]
pub(crate) async fn import(
    kept: String,
    preview: String,
    #[server(default)] insist: bool,
) -> Result<(), AppError> {
    let (admin, file) = (crate::host::admin().await?, crate::host::kept_transfer(&kept)?);
    let file = file.ok_or_else(|| types::Problem::new("not_found", "the file is no longer kept"))?;
    admin.credential_import(file.import(preview, insist)).await?;
    crate::host::forget(&kept)?;
    crate::host::redirect("/providers?done=taken_over");
    Ok(())
}

/// Seals everything, and leads to the page that hands it out.
#[server]
pub(crate) async fn export(form: ExportForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let file = admin.credential_export(form.read().map_err(&keep)?).await.map_err(&keep)?;
    let kept = crate::host::keep(crate::host::Draft::Export(file.into()))?;
    crate::host::redirect_to("/credentials/import", &[("exported", &kept)]);
    Ok(())
}

/// A sealed export; nothing if it is no longer kept.
#[server(input = Json)]
pub(crate) async fn exported(kept: String) -> Result<Option<CredentialExport>, AppError> {
    crate::host::admin().await?;
    Ok(crate::host::kept_export(&kept)?.map(|file| (*file).clone()))
}
