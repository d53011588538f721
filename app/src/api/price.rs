//! Prices, their import, and re-pricing.

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use types::Page;
use types::books::Adjustment;
use types::price::{PriceFilter, PriceImport, PriceView, Repriced, UnpricedModel};

use crate::error::AppError;
use crate::form::price::{ImportForm, PriceForm, RepriceForm};

/// One page of the price table.
#[server(input = Json)]
pub(crate) async fn list(filter: PriceFilter) -> Result<Page<PriceView>, AppError> {
    Ok(crate::host::admin().await?.price_list(filter).await?)
}

/// Models that were used without a price.
#[server(input = Json)]
pub(crate) async fn unpriced() -> Result<Vec<UnpricedModel>, AppError> {
    Ok(crate::host::admin().await?.price_unpriced().await?)
}

/// The price of one model or pattern, if there is one.
#[server(input = Json)]
pub(crate) async fn find(model: String) -> Result<Option<PriceView>, AppError> {
    match crate::host::admin().await?.price_fetch(model).await {
        Err(problem) if problem.code == "not_found" => Ok(None),
        found => Ok(Some(found?)),
    }
}

/// Sets a price by hand.
#[server]
pub(crate) async fn put(model: String, form: PriceForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    let model = model.trim().to_owned();
    admin.price_put(model.clone(), crate::host::read_price(&form).map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect_to("/prices/edit", &[("model", &model), ("done", "saved")]);
    Ok(())
}

/// Forgets a stored price.
#[server]
pub(crate) async fn reset(model: String) -> Result<(), AppError> {
    crate::host::admin().await?.price_reset(model.clone()).await?;
    crate::host::redirect_to("/prices", &[("q", &model), ("done", "reset")]);
    Ok(())
}

/// Looks at a list, and leads to the page that says what importing it would do.
#[server]
pub(crate) async fn preview(form: ImportForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.price_preview(form.read().map_err(&keep)?).await.map_err(&keep)?;
    let kept = crate::host::keep(crate::host::Draft::Import(form.into()))?;
    crate::host::redirect_to("/prices/import", &[("kept", &kept)]);
    Ok(())
}

/// What importing a kept list would do now; nothing if it is no longer kept.
#[server(input = Json)]
pub(crate) async fn previewed(kept: String) -> Result<Option<PriceImport>, AppError> {
    let admin = crate::host::admin().await?;
    let Some(form) = crate::host::kept_import(&kept)? else { return Ok(None) };
    Ok(Some(admin.price_preview(form.read()?).await?))
}

/// Imports a kept list, if that still does what was looked at.
#[server]
pub(crate) async fn import(kept: String, preview: String) -> Result<(), AppError> {
    let admin = crate::host::admin().await?;
    let form = crate::host::kept_import(&kept)?;
    let form = form.ok_or_else(|| types::Problem::new("not_found", "the list is no longer kept"))?;
    admin.price_import(ImportForm { preview, ..(*form).clone() }.read()?).await?;
    crate::host::redirect("/prices?done=imported");
    Ok(())
}

/// Fetches the list of the settings and takes it over.
#[server]
pub(crate) async fn sync() -> Result<(), AppError> {
    crate::host::admin().await?.price_sync().await?;
    crate::host::redirect("/prices?done=synced");
    Ok(())
}

/// What re-pricing would do.
#[server(input = Json)]
pub(crate) async fn reprice_preview(form: RepriceForm) -> Result<Repriced, AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.reprice_preview(form.read().map_err(&keep)?).await.map_err(&keep)
}

/// Corrects the costs of past requests.
#[server]
pub(crate) async fn reprice(form: RepriceForm) -> Result<(), AppError> {
    let (admin, keep) = (crate::host::admin().await?, AppError::keeping(&form));
    admin.reprice(form.read().map_err(&keep)?).await.map_err(&keep)?;
    crate::host::redirect("/ledger?view=adjustments&done=repriced");
    Ok(())
}

/// Every correction of the books.
#[server(input = Json)]
pub(crate) async fn adjustments() -> Result<Vec<Adjustment>, AppError> {
    Ok(crate::host::admin().await?.adjustment_list().await?)
}
