//! A vendor's invoice or usage export (CSV) beside what the books say that the provider charged, per day and model.
//!
//! It compares and changes nothing. What the file says is `file`'s business.

mod file;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use types::books::{CompareInvoice, InvoiceComparison, InvoiceLine};
use types::money::signed_usd;
use types::{Money, Problem, Timestamp};

use super::Admin;
use crate::identity::problem::store_problem;
use file::{Charged, Invoice};

/// Lines that are shown.
const LINES: usize = 2_000;
/// Longest stretch of days; what is older was pruned in most houses.
const DAYS: i64 = 400;

/// Day, and model as both sides call it.
type Place = (Timestamp, String);

#[derive(Default)]
struct Sums {
    /// The name to show: that of the books, else that of the invoice.
    name: String,
    invoiced: Decimal,
    booked: Money,
}

impl Admin {
    /// Lays an invoice beside the books, over the days and models that it names.
    pub async fn compare_invoice(&self, input: CompareInvoice) -> Result<InvoiceComparison, Problem> {
        let CompareInvoice { csv, provider_id } = input;
        let wrong = |error| store_problem(error, "provider");
        if let Some(id) = provider_id {
            self.core.store.provider_fetch(id).await.map_err(wrong)?;
        }
        let Invoice { charged, unread } = file::read(&csv)?;
        let days: BTreeSet<Timestamp> = charged.iter().map(|line| line.day).collect();
        let (Some(first), Some(last)) = (days.first().copied(), days.last().copied()) else {
            return Ok(InvoiceComparison {
                invoiced_usd: Money::ZERO,
                booked_usd: Money::ZERO,
                lines: Vec::new(),
                unread,
            });
        };
        if last.0.saturating_sub(first.0) > DAYS * Timestamp::DAY_MS {
            return Err(Problem::field("csv", format!("the file spans more than {DAYS} days; split it")));
        }
        let until = last.plus_ms(Timestamp::DAY_MS);
        let booked = self.core.store.provider_cost_by_day_model(provider_id, first, until).await;
        let booked = booked.map_err(|error| store_problem(error, "usage"))?;
        let mut sums = invoiced(charged);
        let models: BTreeSet<String> = sums.keys().map(|(_, model)| model.clone()).collect();
        for line in booked {
            let place = (line.day, same_name(&line.model));
            if !models.contains(&place.1) || !days.contains(&line.day) {
                continue;
            }
            let sum = sums.entry(place).or_default();
            sum.name = line.model;
            sum.booked = sum.booked.plus(line.cost_usd);
        }
        compare(sums, unread)
    }
}

fn invoiced(charged: Vec<Charged>) -> BTreeMap<Place, Sums> {
    let mut sums: BTreeMap<Place, Sums> = BTreeMap::new();
    for Charged { day, model, cost } in charged {
        let sum = sums.entry((day, same_name(&model))).or_default();
        if sum.name.is_empty() {
            sum.name = model;
        }
        sum.invoiced = sum.invoiced.saturating_add(cost);
    }
    sums
}

fn compare(sums: BTreeMap<Place, Sums>, unread: Vec<String>) -> Result<InvoiceComparison, Problem> {
    let mut comparison =
        InvoiceComparison { invoiced_usd: Money::ZERO, booked_usd: Money::ZERO, lines: Vec::new(), unread };
    for ((day, _), Sums { name, invoiced, booked }) in sums {
        let invoiced = money(invoiced)?;
        comparison.invoiced_usd = comparison.invoiced_usd.plus(invoiced);
        comparison.booked_usd = comparison.booked_usd.plus(booked);
        if comparison.lines.len() < LINES {
            comparison.lines.push(InvoiceLine {
                day: day.display_utc().chars().take(10).collect(),
                model: name,
                invoiced_usd: invoiced,
                booked_usd: booked,
                difference_usd: signed_usd(invoiced.nano().saturating_sub(booked.nano())),
            });
        }
    }
    Ok(comparison)
}

/// A sum of exact decimals to the whole nano-USD, rounded up as everywhere.
fn money(sum: Decimal) -> Result<Money, Problem> {
    let text = sum.round_dp_with_strategy(9, rust_decimal::RoundingStrategy::AwayFromZero).to_string();
    text.parse().map_err(|error| Problem::field("csv", format!("an amount cannot be kept: {error}")))
}

/// One name for what vendors write in several ways: `Claude Sonnet 4.5`, `claude-sonnet-4-5-20250929`.
fn same_name(model: &str) -> String {
    let lower = model.trim().trim_start_matches("models/").to_ascii_lowercase();
    let plain: String =
        lower.chars().map(|c| if c.is_ascii_alphanumeric() || c == '/' { c } else { '-' }).collect();
    let parts: Vec<&str> = plain.split('-').filter(|part| !part.is_empty()).collect();
    let number =
        |part: &&str, length: usize| part.len() == length && part.bytes().all(|b| b.is_ascii_digit());
    let kept = match parts.as_slice() {
        [head @ .., year, month, day]
            if !head.is_empty() && number(year, 4) && number(month, 2) && number(day, 2) =>
        {
            head
        }
        [head @ .., date] if !head.is_empty() && (number(date, 8) || *date == "latest") => head,
        all => all,
    };
    kept.join("-")
}

#[cfg(test)]
mod tests;
