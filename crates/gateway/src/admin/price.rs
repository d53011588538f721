//! Prices: the table that comes with the program, and what was entered, imported or synced over it.
//!
//! A stored price hides the default of the same name. What a changed price does to requests of the past is
//! `reprice`'s business: nothing, until somebody asks for it.

mod import;
mod list;

use store::{PriceRow, StoreError};
use types::price::{PriceFilter, PriceSource, PriceSpec, PriceView, PutPrice, UnpricedModel};
use types::{Page, Problem, Timestamp};

use super::{Admin, Subject, trail};
use crate::identity::problem::{not_found, store_problem};
use crate::pricelist::OBJECT;

/// Models listed that have no price.
const UNPRICED: u32 = 500;

impl Admin {
    /// Prices by model: stored ones, and defaults that no stored one of the same name hides.
    pub async fn price_list(&self, filter: PriceFilter) -> Result<Page<PriceView>, Problem> {
        let snapshot = self.core.snapshot();
        list::page(&self.core.store, &snapshot.prices, &filter).await.map_err(|e| store_problem(e, OBJECT))
    }

    /// The price of exactly this name or pattern, case ignored.
    pub async fn price_fetch(&self, model: String) -> Result<PriceView, Problem> {
        let model = self.price_name(&model);
        let row = self.price_stored(&model).await?;
        row.map(stored_view).or_else(|| list::default(&model)).ok_or_else(|| not_found(OBJECT))
    }

    /// Enters a price by hand; it holds for requests that begin from now on.
    pub async fn price_put(&self, model: String, input: PutPrice) -> Result<PriceView, Problem> {
        let model = self.price_name(&model);
        let spec = input.parse(&model)?;
        let row = self.price_stored(&model).await?;
        let stored = row.as_ref().map_or(0, |row| row.version);
        self.expect_version(OBJECT, &model, input.version, stored).await?;
        let before = row.as_ref().map(|row| fields(&row.spec, row.source));
        let before = before.or_else(|| list::default(&model).map(|view| fields(&view.spec, view.source)));
        let after = fields(&spec, PriceSource::Manual);
        if let Some(row) = row
            && row.source == PriceSource::Manual
            && row.spec == spec
        {
            return Ok(stored_view(row));
        }
        let subject = Subject { object: OBJECT, id: model.clone(), name: &model };
        let change = self.change("put", &subject, before, Some(after));
        let origin = change.actor.clone();
        let put = self
            .core
            .store
            .price_put(&model, &spec, PriceSource::Manual, &origin, Some(stored), change)
            .await;
        let row = match put {
            Ok(row) => row,
            Err(error) => return Err(self.change_problem(error, OBJECT, &model).await),
        };
        self.take_effect().await?;
        Ok(stored_view(row))
    }

    /// Forgets a stored price, so that the table of this version applies again, or no price at all.
    pub async fn price_reset(&self, model: String) -> Result<(), Problem> {
        let model = self.price_name(&model);
        let row = self.price_stored(&model).await?.ok_or_else(|| not_found(OBJECT))?;
        let subject = Subject { object: OBJECT, id: model.clone(), name: &model };
        let change = self.change("reset", &subject, Some(fields(&row.spec, row.source)), None);
        self.core.store.price_delete(&model, change).await.map_err(|e| store_problem(e, OBJECT))?;
        self.take_effect().await
    }

    /// Models with requests that wait for a price, most used first.
    pub async fn price_unpriced(&self) -> Result<Vec<UnpricedModel>, Problem> {
        let models = self.core.store.unpriced_models(Timestamp::default(), UNPRICED).await;
        models.map_err(|e| store_problem(e, OBJECT))
    }

    /// The name as it is stored, whatever its case: two prices of one model would hide each other.
    fn price_name(&self, model: &str) -> String {
        let model = model.trim();
        let snapshot = self.core.snapshot();
        snapshot.prices.stored(model).map_or(model, |found| &found.model).to_owned()
    }

    async fn price_stored(&self, model: &str) -> Result<Option<PriceRow>, Problem> {
        match self.core.store.price_fetch(model).await {
            Ok(row) => Ok(row),
            Err(StoreError::NotFound) => Ok(None),
            Err(error) => Err(store_problem(error, OBJECT)),
        }
    }
}

fn stored_view(row: PriceRow) -> PriceView {
    let PriceRow { model, spec, source, origin, updated_at, version } = row;
    PriceView { model, spec, source, origin, updated_at: Some(updated_at), version }
}

/// A price for the audit log.
fn fields(spec: &PriceSpec, source: PriceSource) -> serde_json::Value {
    let mut fields = serde_json::to_value(spec).unwrap_or_default();
    trail::put(&mut fields, "source", source.as_str());
    fields
}
