//! How much survives translation, pair by pair: the tables that `cargo xtask conformance` writes, for this version.

use leptos::prelude::*;

use crate::api;
use crate::api::conformance::Matrix;
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::text::{Text, conformance as w, translator};

/// The page.
#[component]
pub(crate) fn Conformance() -> impl IntoView {
    let t = translator();
    let tables = Resource::new(|| (), |()| api::conformance::tables());
    view! {
        <Head title=t(w::TITLE) parent=("/models", t(crate::text::common::NAV_MODELS))/>
        <div class="page" id="conformance">
            <Answer mood="calm" text=t(w::HEAD)><span class="faint">{t(w::HEAD_TEXT)}</span></Answer>
            <p class="help">{t(w::FLOOR)}</p>
            {load(tables, |tables: Vec<Matrix>| tables.into_iter().map(|one| view! { <Table one/> }).collect_view())}
        </div>
    }
}

#[component]
fn Table(one: Matrix) -> impl IntoView {
    let t = translator();
    let said = move |name: &str| words(name).map_or_else(|| name.to_owned(), |text| t(text).to_owned());
    let title = said(&one.title);
    let heads = one.head.iter().map(|name| said(name)).collect::<Vec<_>>();
    let rows = one
        .rows
        .into_iter()
        .map(|row| {
            let cells = row.into_iter().zip(heads.clone()).enumerate().map(|(at, (cell, label))| {
                if at == 0 {
                    let pair = cell.replace(" on ", " → ");
                    return view! { <th scope="row" data-label=label>{pair}</th> }.into_any();
                }
                let class = if is_miss(&cell) { "num warn" } else { "num" };
                let (share, of) =
                    cell.split_once(" of ").map_or((cell.as_str(), None), |(share, of)| (share, Some(of)));
                let of = of.map(|of| view! { " " <span class="faint">"/ " {of.to_owned()}</span> });
                view! { <td class=class data-label=label>{share.to_owned()} {of}</td> }.into_any()
            });
            view! { <tr>{cells.collect_view()}</tr> }
        })
        .collect_view();
    let heads = heads
        .into_iter()
        .enumerate()
        .map(|(at, head)| view! { <th scope="col" class=if at == 0 { "" } else { "num" }>{head}</th> })
        .collect_view();
    view! {
        <section class="panel">
            <h2 class="panel-title">{title}</h2>
            <div class="table-scroll">
                <table class="table rows">
                    <thead><tr>{heads}</tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
}

/// Whether a share is not all.
fn is_miss(cell: &str) -> bool {
    cell.contains('%') && !cell.starts_with("100 %")
}

/// The words for a heading or a column, as the tables name them.
pub(crate) fn words(name: &str) -> Option<Text> {
    Some(match name {
        "Recorded" => w::RECORDED,
        "Answers" => w::ANSWERS,
        "Requests" => w::REQUESTS,
        "Fields of requests" => w::FIELDS,
        "dialect" => w::DIALECT,
        "answers" => w::N_ANSWERS,
        "streams" => w::N_STREAMS,
        "requests" => w::N_REQUESTS,
        "caller on vendor" => w::PAIR,
        "all" => w::ALL,
        "text" => w::TEXT,
        "thinking" => w::THINKING,
        "tool names" => w::TOOL_NAMES,
        "tool arguments" => w::TOOL_ARGUMENTS,
        "tool ids" => w::TOOL_IDS,
        "stop" => w::STOP,
        "input tokens" => w::INPUT,
        "cached tokens" => w::CACHED,
        "output tokens" => w::OUTPUT,
        "order and end" => w::ORDER,
        "accepted" => w::ACCEPTED,
        "system" => w::SYSTEM,
        "turns" => w::TURNS,
        "media" => w::MEDIA,
        "tools" => w::TOOLS,
        "tool schemas" => w::SCHEMAS,
        "tool calls" => w::CALLS,
        "tool results" => w::RESULTS,
        "tool choice" => w::CHOICE,
        "token limit" => w::LIMIT,
        "sampling" => w::SAMPLING,
        "stop texts" => w::STOP_TEXTS,
        "answer format" => w::FORMAT,
        "vendor's own" => w::OWN,
        "carried over" => w::CARRIED,
        "named as lost" => w::NAMED,
        "neither" => w::NEITHER,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_not_all_stands_out() {
        for (cell, miss) in
            [("100 %", false), ("100 % of 1548", false), ("99.9 %", true), ("–", false), ("54", false)]
        {
            assert_eq!(super::is_miss(cell), miss, "{cell}");
        }
    }
}
