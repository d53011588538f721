//! Rows of the request log, for the list, the live tail and a member's page.

use leptos::prelude::*;
use types::price::PriceState;
use types::request::RequestRow;

use super::badge;
use super::time::Time;
use super::usd::{price_state, usd};
use crate::format;
use crate::text::{common as c, money as m, request as r, translator};

/// The head of a request table.
#[component]
pub(crate) fn RequestHead() -> impl IntoView {
    let t = translator();
    view! {
        <thead>
            <tr>
                <th scope="col">{t(c::TIME)} " (UTC)"</th>
                <th scope="col">{t(c::STATUS)}</th>
                <th scope="col">{t(c::MODEL)}</th>
                <th scope="col">{t(c::USER)}</th>
                <th scope="col">{t(c::PROVIDER)}</th>
                <th scope="col" class="num" title=t(c::TOKENS_IN)>{t(c::SHORT_IN)}</th>
                <th scope="col" class="num" title=t(c::TOKENS_OUT)>{t(c::SHORT_OUT)}</th>
                <th scope="col" class="num">{t(m::COST)}</th>
                <th scope="col" class="num">{t(c::FIRST_BYTE)}</th>
                <th scope="col" class="num">{t(c::DURATION)}</th>
            </tr>
        </thead>
    }
}

/// One row.
#[component]
pub(crate) fn RequestLine(row: RequestRow) -> impl IntoView {
    let t = translator();
    let RequestRow { record, user_name, key_name, provider_name, .. } = row;
    let href = format!("/requests/{}", record.request_id);
    let input = record.input_tokens + record.cache_read_tokens + record.cache_write_tokens;
    let model = record.model.clone().unwrap_or_else(|| record.endpoint.to_string());
    let moved = record.attempts.len() > 1;
    view! {
        <tr>
            <td data-label=t(c::TIME) class="nowrap"><a href=href><Time at=record.created_at/></a></td>
            <td data-label=t(c::STATUS) class="nowrap">
                {badge::outcome(record.outcome)}
                <span class="code" title=record.error_code.clone().unwrap_or_default()>{record.status_code.to_string()}</span>
            </td>
            <td data-label=t(c::MODEL)>
                <span class="truncate" title=model.clone()>{model.clone()}</span>
                <span class="faint small">{if record.streaming { t(r::STREAM) } else { "" }}</span>
            </td>
            <td data-label=t(c::USER)>
                <span class="truncate">{user_name.unwrap_or_else(|| "–".to_owned())}</span>
                <span class="faint small">{key_name.unwrap_or_default()}</span>
            </td>
            <td data-label=t(c::PROVIDER)>
                <span class="truncate">{provider_name.unwrap_or_else(|| "–".to_owned())}</span>
                {moved.then(|| view! { <span class="faint small">{format!("×{}", record.attempts.len())}</span> })}
            </td>
            <td data-label=t(c::TOKENS_IN) class="num">{format::count(input)}{record.estimated.then_some("~")}</td>
            <td data-label=t(c::TOKENS_OUT) class="num">{format::count(record.output_tokens)}</td>
            <td data-label=t(m::COST) class="num">
                {price_state(record.price_state).unwrap_or_else(|| usd(record.cost_usd))}
                {(record.price_state == PriceState::DefaultPrice).then(|| usd(record.cost_usd))}
            </td>
            <td data-label=t(c::FIRST_BYTE) class="num">{record.first_byte_ms.map_or_else(|| "–".to_owned(), format::duration)}</td>
            <td data-label=t(c::DURATION) class="num">{format::duration(record.duration_ms)}</td>
        </tr>
    }
}

/// A whole table of rows.
#[component]
pub(crate) fn RequestTable(rows: Vec<RequestRow>) -> impl IntoView {
    let t = translator();
    view! {
        <div class="table-scroll">
            <table class="table rows dense">
                <caption class="visually-hidden">{t(r::TITLE)}</caption>
                <RequestHead/>
                <tbody>{rows.into_iter().map(|row| view! { <RequestLine row/> }).collect_view()}</tbody>
            </table>
        </div>
    }
}
