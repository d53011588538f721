//! The cost of one request taken apart: tokens × price by class, multipliers, what was held and what was settled.

use leptos::prelude::*;
use types::Money;
use types::money::Factor;
use types::price::{Bill, BillLine, CostClass, PriceState};
use types::request::RequestRecord;

use crate::components::load::Empty;
use crate::components::usd::{price_state, source_words, state_words};
use crate::format;
use crate::text::{Text, money as m, translator};

/// The card.
#[component]
pub(crate) fn BillCard(record: RequestRecord, is_admin: bool) -> impl IntoView {
    let t = translator();
    let Some(bill) = record.bill.as_deref().cloned() else {
        let text = if record.price_state == PriceState::Unpriced { m::BILL_UNPRICED } else { m::BILL_NONE };
        let model = record.upstream_model.clone().or(record.model.clone()).unwrap_or_default();
        let set = (is_admin && record.price_state == PriceState::Unpriced).then(|| {
            let href = format!("/prices/edit?model={}", leptos_router::location::Url::escape(&model));
            view! { <a class="button small" href=href>{t(m::SET_PRICE)}</a> }
        });
        return view! {
            <section class="panel">
                <h2 class="panel-title">{t(m::BILL)}</h2>
                <Empty title=t(text)>{set}</Empty>
            </section>
        }
        .into_any();
    };
    let state =
        price_state(record.price_state).unwrap_or_else(|| t(state_words(record.price_state)).into_any());
    let notes = notes(&bill, &record);
    let lines = bill.lines.iter().map(|line| view! { <Line line=line.clone()/> }).collect_view();
    view! {
        <section class="panel pad bill">
            <div class="table-scroll">
                <table class="table tight">
                    <caption>{t(m::BILL)} " " <span class="faint">{state}</span></caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(m::CLASS)}</th>
                            <th scope="col" class="num">{t(m::QUANTITY)}</th>
                            <th scope="col" class="num">{t(m::UNIT_PRICE)}</th>
                            <th scope="col" class="num">{t(m::AMOUNT)}</th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                    <tfoot><Totals bill=bill.clone() record=record.clone()/></tfoot>
                </table>
            </div>
            <dl class="facts stack">
                {notes
                    .into_iter()
                    .map(|(words, text)| view! { <div><dt>{t(words)}</dt><dd class="break">{text}</dd></div> })
                    .collect_view()}
            </dl>
        </section>
    }
    .into_any()
}

/// Sums and what they were multiplied with.
#[component]
fn Totals(bill: Bill, record: RequestRecord) -> impl IntoView {
    let t = translator();
    // All attempts but the last were in vain; what their providers charge is nobody's but the gateway's loss.
    let failed = record.attempts.iter().rev().skip(1);
    let lost = failed.fold(Money::ZERO, |sum, attempt| sum.plus(attempt.provider_cost_usd));
    let row = |words: Text, amount: Money| {
        view! { <tr><th scope="row" colspan="3">{t(words)}</th><td class="num">{exact(amount)}</td></tr> }
    };
    let factor = |words: Text, factor: Factor| {
        (factor != Factor::ONE).then(|| {
            view! { <tr class="part"><th scope="row" colspan="3">{t(words)}</th><td class="num">"× " {factor.to_string()}</td></tr> }
        })
    };
    view! {
        {row(m::SUM_LIST, record.base_cost_usd)}
        {factor(m::TIMES_PROVIDER, bill.cost_multiplier)}
        {row(m::PROVIDER_CHARGES, record.provider_cost_usd)}
        {factor(m::TIMES_GROUP, bill.group_rate)}
        {factor(m::TIMES_USER, bill.user_rate)}
        {row(m::BILLED, record.cost_usd)}
        {(!lost.is_zero()).then(|| row(m::LOST, lost))}
        {(!record.held_usd.is_zero()).then(|| row(m::WAS_HELD, record.held_usd))}
    }
}

fn notes(bill: &Bill, record: &RequestRecord) -> Vec<(Text, String)> {
    let t = translator();
    let mut price = vec![bill.price_model.clone(), t(source_words(bill.price_source)).to_owned()];
    price.extend(bill.service_tier.clone());
    price.extend(bill.long_context_above.map(|above| format!("{} {}", t(m::ABOVE), format::count(above))));
    price.retain(|part| !part.is_empty());
    let mut notes = vec![(m::PRICE_USED, price.join(" · "))];
    notes.extend(record.group.clone().map(|group| (m::THROUGH_GROUP, group)));
    notes.extend(record.grant_id.map(|grant| (m::PAID_BY, format!("#{grant}"))));
    notes
}

#[component]
fn Line(line: BillLine) -> impl IntoView {
    let t = translator();
    let BillLine { class, quantity, rate_usd, amount_usd } = line;
    let unit = if class.is_tokens() { t(m::PER_M) } else { t(m::EACH) };
    view! {
        <tr>
            <th scope="row">{t(class_words(class))}</th>
            <td class="num">{format::count(quantity)}</td>
            <td class="num">{exact(rate_usd)} " " <span class="faint">{unit}</span></td>
            <td class="num">{exact(amount_usd)}</td>
        </tr>
    }
}

/// A bill shows every digit: its lines must add up before the reader's eyes.
fn exact(amount: Money) -> String {
    format!("${}", amount.display())
}

fn class_words(class: CostClass) -> Text {
    match class {
        CostClass::Input => m::INPUT,
        CostClass::Output => m::OUTPUT,
        CostClass::CacheRead => m::CACHE_READ,
        CostClass::CacheWrite5m => m::CACHE_WRITE_5M,
        CostClass::CacheWrite1h => m::CACHE_WRITE_1H,
        CostClass::Reasoning => m::REASONING,
        CostClass::AudioInput => m::AUDIO_INPUT,
        CostClass::AudioOutput => m::AUDIO_OUTPUT,
        CostClass::ImageInput => m::IMAGE_INPUT,
        CostClass::ImageOutput => m::IMAGE_OUTPUT,
        CostClass::Request => m::REQUEST,
        CostClass::Image => m::IMAGE,
        CostClass::WebSearch => m::WEB_SEARCH,
    }
}
