//! What the usual price list leaves out although the vendors state it, and what it should not lose on an import.
//!
//! Absent prices are filled in; one known mistake is mended. Checked against the vendors' own pages in November 2026.

use types::Money;
use types::price::{LongContext, PriceSpec, Rates};

/// Fills in what a list left out of a model.
pub(super) fn fill(model: &str, provider: &str, mode: &str, spec: &mut PriceSpec) {
    let chat = matches!(mode, "chat" | "responses");
    // "Web search: $10 per 1,000 searches", for every model of theirs that can search.
    if chat && matches!(provider, "anthropic" | "openai") && spec.rates.input_per_million_usd.is_some() {
        spec.web_search_per_call_usd.get_or_insert(nano(10_000_000));
    }
    // The list has the price of another model here. The vendor's page of priority prices does not name this one; what
    // is left in would be held fifty times too high.
    let only_input = spec.priority.as_ref().is_some_and(|rates| rates.output_per_million_usd.is_none());
    if provider == "openai" && model.starts_with("gpt-5-nano") && only_input {
        spec.priority = None;
    }
    // Input beyond 200,000 tokens was only ever taken in the 1M beta, at these prices. The price page names 200,000
    // as the model's whole context since that beta ended, and lists differ in whether they still state the tier.
    if provider == "anthropic" && is_sonnet_4_5(model) && spec.long_context.is_empty() {
        spec.long_context.push(LongContext {
            above_input_tokens: 200_000,
            rates: Rates {
                input_per_million_usd: Some(nano(6_000_000_000)),
                output_per_million_usd: Some(nano(22_500_000_000)),
                cache_read_per_million_usd: Some(nano(600_000_000)),
                cache_write_5m_per_million_usd: Some(nano(7_500_000_000)),
                cache_write_1h_per_million_usd: Some(nano(12_000_000_000)),
                ..Rates::default()
            },
            batch: spec.batch.is_some().then(|| Rates {
                input_per_million_usd: Some(nano(3_000_000_000)),
                output_per_million_usd: Some(nano(11_250_000_000)),
                cache_read_per_million_usd: Some(nano(300_000_000)),
                cache_write_5m_per_million_usd: Some(nano(3_750_000_000)),
                cache_write_1h_per_million_usd: Some(nano(6_000_000_000)),
                ..Rates::default()
            }),
            ..LongContext::default()
        });
    }
}

fn is_sonnet_4_5(model: &str) -> bool {
    model.strip_prefix("claude-sonnet-4-5").is_some_and(|rest| rest.is_empty() || rest.starts_with("-2025"))
}

fn nano(amount: i64) -> Money {
    Money::from_nano(amount).unwrap_or_default()
}
