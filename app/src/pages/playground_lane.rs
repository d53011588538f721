//! One model's answer in the playground, while it comes and afterwards, with what the books say of it.

use std::time::Duration;

use leptos::prelude::*;
use types::request::RequestRow;

use crate::api;
use crate::components::badge;
use crate::components::usd::{price_state, usd};
use crate::error::AppError;
use crate::format;
use crate::play::{Heard, Lane};
use crate::text::{common as c, playground as p, translator};

/// How often the books are asked, and how long is waited in between.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(250);

/// The panel.
#[component]
pub(crate) fn LaneView(lane: RwSignal<Lane>) -> impl IntoView {
    let shown = Memo::new(move |_| lane.with(|lane| !lane.model.is_empty()));
    move || shown.get().then(|| view! { <Shown lane/> })
}

#[component]
fn Shown(lane: RwSignal<Lane>) -> impl IntoView {
    let t = translator();
    let heard = move |look: fn(&Heard) -> String| lane.with(|lane| look(&lane.heard));
    let some = move |look: fn(&Heard) -> bool| lane.with(|lane| look(&lane.heard));
    let state = move || {
        let (mood, word) =
            lane.with(|lane| match (&lane.fault, &lane.heard.error, lane.status, lane.total_ms) {
                (Some(fault), ..) => ("warn", fault.clone()),
                (None, Some(_), status, _) => (
                    "bad",
                    status.filter(|s| *s >= 300).map_or_else(|| t(c::ERRORS).to_owned(), |s| s.to_string()),
                ),
                (None, None, Some(status), Some(_)) => ("good", status.to_string()),
                (None, None, Some(_), None) => ("info", t(p::RECEIVING).to_owned()),
                (None, None, None, _) => ("info", t(p::WAITING).to_owned()),
            });
        view! { <badge::State mood word/> }
    };
    view! {
        <section class="panel pad lane">
            <h2 class="path">{move || lane.with(|lane| lane.model.clone())}</h2>
            <p role="status">{state}</p>
            {move || lane.with(|lane| lane.heard.error.clone()).map(|error| view! {
                <div class="request-error"><p>{error}</p></div>
            })}
            {move || some(|h| !h.thinking.is_empty()).then(|| view! {
                <details class="fold" open>
                    <summary>{t(p::THINKING_OF)}</summary>
                    <pre class="said thinking">{move || heard(|h| h.thinking.clone())}</pre>
                </details>
            })}
            <pre class="said answer-said">{move || heard(|h| h.text.clone())}</pre>
            {move || some(|h| !h.tools.is_empty()).then(|| view! {
                <h3>{t(p::TOOLS_OF)}</h3>
                <pre class="said tools-said">{move || heard(|h| {
                    h.tools.iter().map(|tool| format!("{}({})", tool.name, tool.arguments)).collect::<Vec<_>>().join("\n")
                })}</pre>
            })}
            <Facts lane/>
        </section>
    }
}

/// Times, tokens and translation from the answer; cost and link from the books.
#[component]
fn Facts(lane: RwSignal<Lane>) -> impl IntoView {
    let t = translator();
    let dash = || "–".to_owned();
    let ms = move |look: fn(&Lane) -> Option<u64>| lane.with(look).map_or_else(dash, format::duration);
    let tokens = move || {
        let count = |n: Option<u64>| n.map_or_else(dash, format::count);
        lane.with(|lane| format!("{} / {}", count(lane.heard.input_tokens), count(lane.heard.output_tokens)))
    };
    let upstream = move || {
        let known = lane.with(|lane| lane.status.is_some().then(|| lane.upstream.clone()));
        match known {
            None => dash(),
            Some(None) => t(p::SAME_DIALECT).to_owned(),
            Some(Some(other)) => other,
        }
    };
    let dropped = Memo::new(move |_| lane.with(|lane| lane.dropped.clone()));
    view! {
        <dl class="facts stack">
            <div><dt>{t(p::TO_FIRST)}</dt><dd class="first">{move || ms(|lane| lane.first_ms)}</dd></div>
            <div><dt>{t(c::DURATION)}</dt><dd class="total">{move || ms(|lane| lane.total_ms)}</dd></div>
            <div><dt>{t(p::USED)}</dt><dd class="used">{tokens}</dd></div>
            <div><dt>{t(p::STOP_REASON)}</dt><dd>{move || lane.with(|lane| lane.heard.stop.clone()).unwrap_or_else(dash)}</dd></div>
            <div><dt>{t(p::UPSTREAM)}</dt><dd class="upstream">{upstream}</dd></div>
            {move || (!dropped.get().is_empty()).then(|| view! {
                <div><dt>{t(p::DROPPED)}</dt><dd class="dropped break"><code>{dropped.get()}</code></dd></div>
            })}
            <Booked lane/>
        </dl>
    }
}

/// What the books say, once they have it: a moment after the end.
#[component]
fn Booked(lane: RwSignal<Lane>) -> impl IntoView {
    let t = translator();
    let id = Memo::new(move |_| {
        lane.with(|lane| lane.request_id.filter(|_| lane.total_ms.is_some() || lane.fault.is_some()))
    });
    let tries = RwSignal::new(0_u32);
    let row = Resource::new(
        move || (id.get(), tries.get()),
        |(id, _)| async move {
            match id {
                Some(id) => api::playground::booked(id.to_string()).await,
                None => Ok(None),
            }
        },
    );
    Effect::new(move || {
        let missing = row.with(|row| matches!(row, Some(Ok(None))));
        if missing && id.get().is_some() && tries.get_untracked() < TRIES {
            set_timeout(
                move || {
                    tries.try_update(|tries| *tries += 1);
                },
                PAUSE,
            );
        }
    });
    let told = move |row: Result<Option<RequestRow>, AppError>| {
        let Some(id) = id.get() else { return ().into_any() };
        let (cost, known) = match row {
            Ok(Some(row)) => {
                let cost = price_state(row.record.price_state).unwrap_or_else(|| usd(row.record.cost_usd));
                (cost, true)
            }
            Ok(None) if tries.get_untracked() < TRIES => (t(p::BOOKING).into_any(), false),
            Ok(None) => (t(p::NOT_YOURS).into_any(), false),
            Err(error) => (error.problem.code.into_any(), false),
        };
        view! {
            <div><dt>{t(p::COST)}</dt><dd class="cost">{cost}</dd></div>
            {known.then(|| view! { <div><dt>{t(c::REQUESTS)}</dt><dd><a href=format!("/requests/{id}")>{t(p::ITS_REQUEST)}</a></dd></div> })}
        }
        .into_any()
    };
    view! {
        <Transition>
            {move || Suspend::new(async move { told(row.await) })}
        </Transition>
    }
}
