//! Error rules.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::ErrorRuleId;
use types::error_rule::{ErrorRuleView, TriedErrorRules, TryErrorRules};

use crate::error::AppError;
use crate::form::error_rule::ErrorRuleForm;

/// All rules, the built-in ones last.
#[server(input = Json)]
pub(crate) async fn list() -> Result<Vec<ErrorRuleView>, AppError> {
    Ok(crate::host::admin().await?.error_rule_list().await?)
}

/// Adds one.
#[server]
pub(crate) async fn create(form: ErrorRuleForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.error_rule_create(form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect("/routing?view=rules&done=created");
    Ok(())
}

/// Changes one.
#[server]
pub(crate) async fn update(id: ErrorRuleId, form: ErrorRuleForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.error_rule_update(id, form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect("/routing?view=rules&done=saved");
    Ok(())
}

/// Deletes one.
#[server]
pub(crate) async fn remove(id: ErrorRuleId) -> Result<(), AppError> {
    crate::host::admin().await?.error_rule_delete(id).await?;
    crate::host::redirect("/routing?view=rules&done=deleted");
    Ok(())
}

/// Which rule would hold for an error.
#[server(input = Json)]
pub(crate) async fn attempt(ask: TryErrorRules) -> Result<TriedErrorRules, AppError> {
    Ok(crate::host::admin().await?.error_rule_try(ask).await?)
}
