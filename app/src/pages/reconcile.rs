//! Reconciliation: do the kept sums say what the request rows say? With a rebuild where they do not.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use types::books::{Difference, ReconcileFilter, Reconciliation};
use types::usage::UsageTotals;
use types::user::UserView;

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::flash::Failed;
use crate::components::head::Answer;
use crate::components::load::{Empty, load};
use crate::components::time::Time;
use crate::components::usd::usd;
use crate::components::{Refresh, failure, query};
use crate::format;
use crate::text::{books as b, common as c, money as m, request as r, translator};

/// The form, and what it found.
#[component]
pub(crate) fn Reconcile() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let read = move |name: &str| map.with(|map| map.get(name)).filter(|text| !text.is_empty());
    let asked = Memo::new(move |_| {
        let filter = ReconcileFilter {
            user_id: read("user_id").and_then(|text| text.parse().ok()),
            since: read("since").and_then(|text| text.parse().ok()),
            until: read("until").and_then(|text| text.parse().ok()),
        };
        (read("run").is_some(), filter)
    });
    let refresh = Refresh::get();
    let rebuild = ServerAction::<api::ledger::Rebuild>::new();
    let rebuild_failed = failure(rebuild);
    let users = Resource::new(|| (), |()| api::user::list(true));
    let found = Resource::new(
        move || (asked.get(), refresh.0.get()),
        |((run, filter), _)| async move {
            if run { api::ledger::reconcile(filter).await.map(Some) } else { Ok(None) }
        },
    );
    let text = move |name: &'static str| query(name).get_untracked().unwrap_or_default();
    let field = move |name: &'static str, words, help| {
        view! {
            <label class="filter">
                <span>{t(words)}</span>
                <input class="input" type="datetime-local" name=name value=text(name)/>
                <span class="help">{t(help)}</span>
            </label>
        }
    };
    let user = text("user_id");
    view! {
        <Failed error=rebuild_failed/>
        <form method="get" action="/ledger" class="filter-form">
            <input type="hidden" name="view" value="reconcile"/>
            <label class="filter">
                <span>{t(c::USER)}</span>
                {load(users, move |users: Vec<UserView>| {
                    let user = user.clone();
                    view! {
                        <select class="input" name="user_id">
                            <option value="">{t(b::ALL_USERS)}</option>
                            {users
                                .into_iter()
                                .map(|known| {
                                    let id = known.id.to_string();
                                    let selected = id == user;
                                    view! { <option value=id selected=selected>{known.name}</option> }
                                })
                                .collect_view()}
                        </select>
                    }
                })}
            </label>
            {field("since", r::F_SINCE, b::F_SINCE_HELP)}
            {field("until", r::F_UNTIL, b::F_UNTIL_HELP)}
            <div class="filter-actions"><button class="button primary small" name="run" value="1">{t(b::RECONCILE_NOW)}</button></div>
            <p class="help form-text">{t(b::RECONCILE_TEXT)}</p>
        </form>
        {load(found, move |found: Option<Reconciliation>| match found {
            None => view! { <div class="panel"><Empty title=t(b::RECONCILE_FIRST)/></div> }.into_any(),
            Some(found) => view! { <Found found rebuild/> }.into_any(),
        })}
    }
}

#[component]
fn Found(found: Reconciliation, rebuild: ServerAction<api::ledger::Rebuild>) -> impl IntoView {
    let t = translator();
    let Reconciliation { since, until, rows, compared, differences, .. } = found;
    let (mood, text) = match differences.len() {
        0 => ("good", t(b::RECONCILE_OK).to_owned()),
        n => ("bad", format!("{n} {}", t(b::RECONCILE_BAD))),
    };
    let differ = !differences.is_empty();
    let user = query("user_id").get_untracked().unwrap_or_default();
    // Without an end the span is open: what is booked meanwhile belongs to it.
    let asked_until = query("until").get_untracked().unwrap_or_default();
    let until_words = if asked_until.is_empty() { t(b::NOW).to_owned() } else { until.display_utc() };
    let lines = differences.into_iter().map(|difference| view! { <Line difference/> }).collect_view();
    view! {
        <Answer mood text>
            <span class="faint">
                {format::count(rows)} " " {t(b::N_ROWS)} " · " {format::count(compared)} " " {t(b::N_COMPARED)} " · "
                <Time at=since/> " – " {until_words.clone()} " UTC"
            </span>
            {differ.then(|| view! {
                <Confirm what="rebuild" trigger=b::REBUILD title=b::REBUILD_TITLE text=b::REBUILD_TEXT
                    subject=format!("{} – {until_words} UTC", since.display_utc())>
                    <ActionForm action=rebuild>
                        <input type="hidden" name="user_id" value=user/>
                        <input type="hidden" name="since" value=since.to_string()/>
                        <input type="hidden" name="until" value=asked_until/>
                        <button class="button danger">{t(b::REBUILD)}</button>
                    </ActionForm>
                </Confirm>
            })}
        </Answer>
        {differ.then(|| view! {
            <section class="panel table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(b::RECONCILE_BAD)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(b::SUBJECT)}</th>
                            <th scope="col" class="num">{t(c::REQUESTS)}</th>
                            <th scope="col" class="num">{t(c::TOKENS)}</th>
                            <th scope="col" class="num">{t(m::COST)}</th>
                            <th scope="col" class="num">{t(m::PROVIDER_COST)}</th>
                        </tr>
                    </thead>
                    <tbody>{lines}</tbody>
                </table>
            </section>
        })}
    }
}

/// Both sums in each cell; where they differ, both are shown.
#[component]
fn Line(difference: Difference) -> impl IntoView {
    let t = translator();
    let Difference { subject, id, rows, kept } = difference;
    let words = match subject.as_str() {
        "hour" => t(b::S_HOUR).to_owned(),
        "user" => t(c::USER).to_owned(),
        "key" => t(c::KEY).to_owned(),
        "provider" => t(c::PROVIDER).to_owned(),
        "credential" => t(c::CREDENTIAL).to_owned(),
        "package" => t(crate::text::limit::O_PACKAGE).to_owned(),
        "counter" => t(b::S_COUNTER).to_owned(),
        _ => subject,
    };
    let counts = |pick: fn(&UsageTotals) -> u64| {
        let (rows, kept) = (pick(&rows), pick(&kept));
        if rows == kept {
            format::count(rows).into_any()
        } else {
            view! { <del title=t(b::KEPT)>{format::count(kept)}</del> " " <ins title=t(b::FROM_ROWS)>{format::count(rows)}</ins> }.into_any()
        }
    };
    let money = |pick: fn(&UsageTotals) -> types::Money| {
        let (rows, kept) = (pick(&rows), pick(&kept));
        if rows == kept {
            usd(rows)
        } else {
            view! { <del title=t(b::KEPT)>{usd(kept)}</del> " " <ins title=t(b::FROM_ROWS)>{usd(rows)}</ins> }
                .into_any()
        }
    };
    view! {
        <tr>
            <th scope="row" data-label=t(b::SUBJECT)><span class="faint">{words}</span> " " {id}</th>
            <td class="num" data-label=t(c::REQUESTS)>{counts(|u| u.requests)}</td>
            <td class="num" data-label=t(c::TOKENS)>{counts(format::tokens)}</td>
            <td class="num" data-label=t(m::COST)>{money(|u| u.cost_usd)}</td>
            <td class="num" data-label=t(m::PROVIDER_COST)>{money(|u| u.provider_cost_usd)}</td>
        </tr>
    }
}
