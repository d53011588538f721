//! What a request costs: tokens times prices, whole numbers only, rounded up once per line.
//!
//! Pure functions over a price that somebody else found (`gateway::price`). They know neither providers nor users,
//! keep nothing, and never alter token counts.

mod rates;
#[cfg(test)]
mod tests;

use types::price::{Bill, BillLine, CostClass, PriceSource, PriceSpec};
use types::request::TokenUsage;
use types::{Factor, Money};

pub use rates::Tier;
use rates::{Flat, possible, settled};

/// What the list price is multiplied with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// The provider's `cost_multiplier`.
    pub multiplier: Factor,
    /// The group's price rate.
    pub group: Factor,
    /// The user's price rate, or the global one where that is not 1.
    pub user: Factor,
}

/// A price as found in the table.
#[derive(Clone, Copy, Debug)]
pub struct Priced<'a> {
    /// The entry's name.
    pub model: &'a str,
    /// Where it came from.
    pub source: PriceSource,
    /// The price.
    pub spec: &'a PriceSpec,
}

/// What a request cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// What its caller is charged: base × all three factors, rounded up once.
    pub billed: Money,
    /// At list price: the sum of the bill's lines.
    pub base: Money,
    /// What the provider charges: base × its multiplier, rounded up.
    pub provider: Money,
    /// Taken apart.
    pub bill: Bill,
}

/// The most that a request can use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WorstCase {
    /// Input of all classes together: fresh, read from and written to caches.
    pub input_tokens: u64,
    /// Output of all classes together, over all answers (`n`).
    pub output_tokens: u64,
    /// Images that are not counted in tokens.
    pub images: u64,
    /// Web searches.
    pub web_searches: u64,
    /// Whether the request can write to a cache for one hour.
    pub may_cache_1h: bool,
}

/// The cost of what was used.
///
/// Whole input (fresh, cached and written) above a long-context threshold puts *all* tokens at that threshold's
/// prices; the highest threshold that is exceeded counts. Prices of the service tier go before both, those that it has
/// at that threshold first. A class without
/// a price of its own is counted in with the class that it falls back to, see [`types::price::Rates`].
///
/// `service_tier` is what the answer said, else what was asked for. `answered` says whether the upstream answered at
/// all: only then the price per request is added. Sums beyond the range stop at [`Money::MAX`].
pub fn cost(
    price: Priced<'_>,
    usage: &TokenUsage,
    service_tier: Option<&str>,
    answered: bool,
    factors: Factors,
) -> Cost {
    let spec = price.spec;
    let input = usage.input.saturating_add(usage.cache_read).saturating_add(usage.cache_write);
    let chosen = settled(spec, input, service_tier);
    let mut lines = Vec::new();
    if !spec.free {
        token_lines(&mut lines, &chosen.rates, usage);
        let requests = u64::from(answered);
        piece(&mut lines, CostClass::Request, requests, spec.per_request_usd);
        piece(&mut lines, CostClass::Image, usage.images, spec.per_image_usd);
        piece(&mut lines, CostClass::WebSearch, usage.web_searches, spec.web_search_per_call_usd);
    }
    let base = lines.iter().fold(Money::ZERO, |sum, line| sum.plus(line.amount_usd));
    let (billed, provider) = factors.of(base);
    let bill = Bill {
        price_model: price.model.to_owned(),
        price_source: price.source,
        service_tier: chosen.tier.map(|tier| tier.as_str().to_owned()),
        long_context_above: chosen.long_context,
        lines,
        cost_multiplier: factors.multiplier,
        group_rate: factors.group,
        user_rate: factors.user,
    };
    Cost { billed, base, provider, bill }
}

/// The most that a request within `demand` can come to: billed, and for the provider.
///
/// Never below [`cost`] of any usage within the demand that is answered in a tier that the request allows: every
/// input token is taken to be of the dearest class, at the dearest of all thresholds and tiers that could apply.
/// `service_tier` is what the request asks for; without it (or with `auto`) the vendor may choose `priority`.
pub fn worst_case(
    price: Priced<'_>,
    demand: &WorstCase,
    service_tier: Option<&str>,
    factors: Factors,
) -> (Money, Money) {
    let spec = price.spec;
    if spec.free {
        return (Money::ZERO, Money::ZERO);
    }
    let (mut input, mut output) = (Money::ZERO, Money::ZERO);
    for rates in possible(spec, demand.input_tokens, service_tier) {
        input = input.max(rates.dearest_input(demand.may_cache_1h));
        output = output.max(rates.dearest_output());
    }
    // Each line is rounded up by itself, so that several lines can exceed the rounded sum by one each.
    let base = [
        tokens_at(demand.input_tokens, input).plus(extra(input, demand.input_tokens, INPUT_LINES)),
        tokens_at(demand.output_tokens, output).plus(extra(output, demand.output_tokens, OUTPUT_LINES)),
        spec.per_request_usd.unwrap_or_default(),
        pieces_at(demand.images, spec.per_image_usd.unwrap_or_default()),
        pieces_at(demand.web_searches, spec.web_search_per_call_usd.unwrap_or_default()),
    ]
    .into_iter()
    .fold(Money::ZERO, Money::plus);
    factors.of(base)
}

/// Lines that input can come to: fresh, read, written 5 m and 1 h, audio, images.
const INPUT_LINES: u64 = 6;
/// Lines that output can come to: plain, reasoning, audio, images.
const OUTPUT_LINES: u64 = 4;

// Tokens that cost nothing have nothing to round: a limit of two dollars serves two requests of one dollar each.
fn extra(dearest: Money, tokens: u64, lines: u64) -> Money {
    if dearest.is_zero() {
        return Money::ZERO;
    }
    Money::clamp_nano(i128::from(tokens.min(lines).saturating_sub(1)))
}

impl Factors {
    /// Billed and provider's amount of a base amount, each rounded up once.
    pub fn of(self, base: Money) -> (Money, Money) {
        let multiplier = u128::from(self.multiplier.micro());
        let all = multiplier * u128::from(self.group.micro()) * u128::from(self.user.micro());
        let scale = u128::from(Factor::SCALE);
        (scaled(base, all, scale * scale * scale), scaled(base, multiplier, scale))
    }
}

/// `ceil(amount × factor / scale)`. What does not fit into 128 bits is beyond the range after the division, too:
/// factors are at most 10²⁷ and scales at most 10¹⁸.
fn scaled(amount: Money, factor: u128, scale: u128) -> Money {
    u128::try_from(amount.nano())
        .ok()
        .and_then(|nano| nano.checked_mul(factor))
        .and_then(|product| i128::try_from(product.div_ceil(scale)).ok())
        .map_or(Money::MAX, Money::clamp_nano)
}

fn tokens_at(tokens: u64, rate: Money) -> Money {
    const PER: i128 = 1_000_000;
    // Below 2¹²⁷ for every count and every rate.
    let product = i128::from(tokens) * i128::from(rate.nano());
    Money::clamp_nano(product / PER + i128::from(product % PER > 0))
}

fn pieces_at(count: u64, rate: Money) -> Money {
    Money::clamp_nano(i128::from(count) * i128::from(rate.nano()))
}

fn piece(lines: &mut Vec<BillLine>, class: CostClass, quantity: u64, rate: Option<Money>) {
    if let Some(rate_usd) = rate
        && quantity > 0
    {
        lines.push(BillLine { class, quantity, rate_usd, amount_usd: pieces_at(quantity, rate_usd) });
    }
}

/// Takes a part that has a price of its own out of the rest; a vendor's part can exceed its whole.
fn take(rest: &mut u64, part: u64, own: Option<Money>) -> (u64, Money) {
    let Some(rate) = own else { return (0, Money::ZERO) };
    let part = part.min(*rest);
    *rest = rest.saturating_sub(part);
    (part, rate)
}

fn token_lines(lines: &mut Vec<BillLine>, rates: &Flat, usage: &TokenUsage) {
    let mut line = |class, quantity: u64, rate_usd: Money| {
        if quantity > 0 {
            lines.push(BillLine { class, quantity, rate_usd, amount_usd: tokens_at(quantity, rate_usd) });
        }
    };
    let mut input = usage.input;
    let audio = take(&mut input, usage.audio_input, rates.audio_input);
    let image = take(&mut input, usage.image_input, rates.image_input);
    let mut read = usage.cache_read;
    let cached = take(&mut read, usage.cache_read, rates.cache_read);
    let mut written = usage.cache_write;
    let hour = take(&mut written, usage.cache_write_1h, rates.cache_write_1h);
    let minutes = take(&mut written, usage.cache_write, rates.cache_write_5m);
    // What is left of reads and writes has no price of its own.
    let fresh = input.saturating_add(read).saturating_add(written);
    line(CostClass::Input, fresh, rates.input);
    line(CostClass::AudioInput, audio.0, audio.1);
    line(CostClass::ImageInput, image.0, image.1);
    line(CostClass::CacheRead, cached.0, cached.1);
    line(CostClass::CacheWrite5m, minutes.0, minutes.1);
    line(CostClass::CacheWrite1h, hour.0, hour.1);
    let mut output = usage.output;
    let reasoning = take(&mut output, usage.reasoning, rates.reasoning);
    let audio = take(&mut output, usage.audio_output, rates.audio_output);
    let image = take(&mut output, usage.image_output, rates.image_output);
    line(CostClass::Output, output, rates.output);
    line(CostClass::Reasoning, reasoning.0, reasoning.1);
    line(CostClass::AudioOutput, audio.0, audio.1);
    line(CostClass::ImageOutput, image.0, image.1);
}
