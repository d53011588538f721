//! Re-pricing: computes costs of the past anew with the prices of now, and keeps what was there before.
//!
//! Only prices change: tokens, the group, and the factors of the time (where a bill holds them) stay as they were. The
//! rows are corrected page by page; each page is one transaction, and every row that was corrected is in the
//! adjustment with its costs before and after.

use ledger::price::{Factors, Priced, cost};
use store::Correction;
use types::books::Adjustment;
use types::price::{PriceSource, PriceSpec, PriceState, Reprice, Repriced};
use types::request::{Outcome, RequestRecord};
use types::setting::{PricedModel, UnpricedPolicy};
use types::{Factor, Problem, RequestId};

use super::{Admin, Subject};
use crate::identity::problem::store_problem;
use crate::snapshot::{Provider, Snapshot};

const OBJECT: &str = "adjustment";
/// Rows of one transaction.
const PAGE: u32 = 500;

impl Admin {
    /// What re-pricing would do; changes nothing.
    pub async fn reprice_preview(&self, which: Reprice) -> Result<Repriced, Problem> {
        check(&which)?;
        self.go_through(&which, None).await
    }

    /// Computes the costs of past requests anew, with a reason for the trail.
    pub async fn reprice(&self, which: Reprice) -> Result<Repriced, Problem> {
        check(&which)?;
        let reason = which.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
        let Some(reason) = reason.filter(|reason| reason.chars().count() <= 500) else {
            return Err(Problem::field("reason", "say why, in 1 to 500 characters; it stays in the books"));
        };
        // The requests of the future have the new price anyway; without an end the rows would run away from us.
        let which =
            Reprice { until: which.until.or(Some(self.core.clock.now().plus_ms(1))), ..which.clone() };
        if self.go_through(&which, None).await?.changed == 0 {
            return self.go_through(&which, None).await;
        }
        let name = which.model.clone().unwrap_or_else(|| "all models".to_owned());
        let after = serde_json::json!({
            "model": which.model,
            "unpriced_only": which.unpriced_only,
            "since": which.since,
            "until": which.until,
            "reason": reason,
        });
        let subject = Subject { object: OBJECT, id: String::new(), name: &name };
        let change = self.change("reprice", &subject, None, Some(after));
        let id = self.core.store.adjustment_begin(reason, change).await;
        let id = id.map_err(|e| store_problem(e, OBJECT))?;
        let done = self.go_through(&which, Some(id)).await;
        // Also after a failure: pages before it were corrected.
        self.spend_anew().await?;
        done
    }

    /// The latest corrections of the books, newest first.
    pub async fn adjustment_list(&self) -> Result<Vec<Adjustment>, Problem> {
        self.core.store.adjustment_list().await.map_err(|e| store_problem(e, OBJECT))
    }

    /// Reads again what every budget has spent, after a correction of the books.
    pub(super) async fn spend_anew(&self) -> Result<(), Problem> {
        self.core.reload_spend().await.map_err(|e| store_problem(e, "usage"))
    }

    async fn go_through(&self, which: &Reprice, adjustment: Option<i64>) -> Result<Repriced, Problem> {
        let wrong = |error| store_problem(error, OBJECT);
        let snapshot = self.core.snapshot();
        let mut sum = Repriced { adjustment_id: adjustment, ..Repriced::default() };
        let mut after: Option<RequestId> = None;
        loop {
            let rows = self.core.store.reprice_page(which, after, PAGE).await.map_err(wrong)?;
            let Some(last) = rows.last() else { return Ok(sum) };
            after = Some(last.request_id);
            let mut corrections = Vec::new();
            for row in &rows {
                let correction = correction(&snapshot, row);
                sum.checked += 1;
                let state = correction.as_ref().map_or(row.price_state, |c| c.price_state);
                sum.unpriced += u64::from(state == PriceState::Unpriced);
                let cost = correction.as_ref().map_or(row.cost_usd, |c| c.cost_usd);
                if adjustment.is_none() {
                    sum.changed += u64::from(correction.is_some());
                    if correction.is_some() {
                        sum.before_usd = sum.before_usd.plus(row.cost_usd);
                        sum.after_usd = sum.after_usd.plus(cost);
                    }
                }
                corrections.extend(correction);
            }
            if let Some(id) = adjustment
                && !corrections.is_empty()
            {
                let done = self.core.store.adjustment_apply(id, corrections).await.map_err(wrong)?;
                sum.changed += done.changed;
                sum.before_usd = sum.before_usd.plus(done.before_usd);
                sum.after_usd = sum.after_usd.plus(done.after_usd);
            }
        }
    }
}

fn check(which: &Reprice) -> Result<(), Problem> {
    match (which.since, which.until) {
        (Some(since), Some(until)) if since >= until => Err(Problem::field("since", "must be before until")),
        _ => Ok(()),
    }
}

/// What a row costs by the prices of now; `None` if that is what it costs already.
fn correction(snapshot: &Snapshot, row: &RequestRecord) -> Option<Correction> {
    let provider = snapshot.providers.iter().find(|provider| Some(provider.id) == row.provider_id);
    let found = price(snapshot, provider, row)?;
    let factors = row.bill.as_ref().map_or_else(
        || factors_now(snapshot, provider, row),
        |bill| Factors { multiplier: bill.cost_multiplier, group: bill.group_rate, user: bill.user_rate },
    );
    // Who failed was charged for what was sent, not for an answer.
    let answered = row.outcome != Outcome::Failed;
    let price = Priced { model: &found.model, source: found.source, spec: &found.spec };
    let new = cost(price, &row.usage(), row.service_tier.as_deref(), answered, factors);
    // An estimate was bounded by what was held, or was all of that: as long as its price is the same, so is its cost.
    let same = row.bill.as_deref() == Some(&new.bill) && row.base_cost_usd == new.base;
    if same && row.price_state == found.state {
        return None;
    }
    Some(Correction {
        request_id: row.request_id,
        cost_usd: new.billed,
        base_cost_usd: new.base,
        provider_cost_usd: new.provider,
        price_state: found.state,
        bill: Some(Box::new(new.bill)),
    })
}

struct Now {
    model: String,
    source: PriceSource,
    spec: PriceSpec,
    state: PriceState,
}

fn price(snapshot: &Snapshot, provider: Option<&Provider>, row: &RequestRecord) -> Option<Now> {
    let settings = &snapshot.settings;
    let requested = row.model.as_deref().unwrap_or_default();
    let upstream = row.upstream_model.as_deref().unwrap_or(requested);
    let (first, second) = match settings.billing_priced_model {
        PricedModel::Upstream => (upstream, requested),
        PricedModel::Requested => (requested, upstream),
    };
    // Of a provider that is gone by now only the plain names can be looked up.
    let kind =
        provider.map_or(types::provider::ProviderKind::OpenAiCompatible, |provider| provider.spec.kind);
    let found = snapshot.prices.find(kind, first).or_else(|| snapshot.prices.find(kind, second));
    if let Some(found) = found {
        let state = if found.spec.free { PriceState::Free } else { PriceState::Priced };
        let (model, source, spec) = (found.model.clone(), found.source, found.spec.clone());
        return Some(Now { model, source, spec, state });
    }
    // A price that is gone by now leaves what was charged by it as it is.
    let waits = matches!(row.price_state, PriceState::Unpriced | PriceState::DefaultPrice);
    if !waits || settings.billing_unpriced_policy != UnpricedPolicy::DefaultPrice {
        return None;
    }
    let mut spec = PriceSpec::default();
    spec.rates.input_per_million_usd = Some(settings.billing_default_input);
    spec.rates.output_per_million_usd = Some(settings.billing_default_output);
    Some(Now { model: String::new(), source: PriceSource::Manual, spec, state: PriceState::DefaultPrice })
}

fn factors_now(snapshot: &Snapshot, provider: Option<&Provider>, row: &RequestRecord) -> Factors {
    let settings = &snapshot.settings;
    let user = row.user_id.and_then(|id| snapshot.users.get(&id));
    // A request of the house itself is charged to nobody.
    let own = match row.user_id {
        None => Factor::ZERO,
        Some(_) => user.map_or(Factor::ONE, |user| user.spec.price_rate),
    };
    let global = settings.billing_global_price_rate;
    let group = row.group.as_ref().and_then(|name| snapshot.groups.get(name));
    Factors {
        multiplier: provider.map_or(Factor::ONE, |provider| provider.spec.cost_multiplier),
        group: group.map_or(Factor::ONE, |group| group.spec.price_rate),
        user: if global == Factor::ONE || row.user_id.is_none() { own } else { global },
    }
}
