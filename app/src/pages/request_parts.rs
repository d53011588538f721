//! The larger parts of a request's page: the timeline of attempts, the decision, the tokens.

use leptos::prelude::*;
use types::request::{Attempt, Decision, TokenUsage};

use crate::components::badge;
use crate::components::load::Empty;
use crate::format;
use crate::text::{Text, common as c, request as r, translator};

/// Width of the timeline in SVG units; one attempt a line.
const WIDTH: u64 = 1_000;

/// The attempts, drawn to one time scale and told in a table.
#[component]
pub(crate) fn Attempts(attempts: Vec<Attempt>, total_ms: u64) -> impl IntoView {
    let t = translator();
    if attempts.is_empty() {
        return view! {
            <section class="panel"><h2 class="panel-title">{t(r::ATTEMPTS)}</h2><Empty title=t(r::ATTEMPTS_NONE)/></section>
        }
        .into_any();
    }
    let end = attempts.iter().map(|a| a.started_ms + a.duration_ms).max().unwrap_or(0).max(total_ms).max(1);
    let rows = attempts.into_iter().map(|attempt| view! { <AttemptRow attempt end/> }).collect_view();
    view! {
        <section class="panel">
            <h2 class="panel-title">{t(r::ATTEMPTS)}</h2>
            <ul class="legend pad-x">
                <li class="key-s3">{t(r::WAITING)}</li>
                <li class="key-s1">{t(r::RECEIVING)}</li>
            </ul>
            <ol class="attempts">{rows}</ol>
        </section>
    }
    .into_any()
}

#[component]
fn AttemptRow(attempt: Attempt, end: u64) -> impl IntoView {
    let t = translator();
    let scale = move |ms: u64| ms.min(end) * WIDTH / end;
    let wait = attempt.first_byte_ms.unwrap_or(attempt.duration_ms).min(attempt.duration_ms);
    let (x, wait_w) = (scale(attempt.started_ms), scale(wait).max(2));
    let rest_w = scale(attempt.duration_ms.saturating_sub(wait));
    view! {
        <li class="attempt">
            <div class="attempt-head">
                <strong>{attempt.provider_name}</strong>
                <span class="faint">{attempt.credential_name}</span>
                {badge::attempt(attempt.outcome)}
                {attempt.status_code.map(|status| view! { <code>{status.to_string()}</code> })}
                <span class="attempt-time">
                    {t(r::STARTED)} " " {format::duration(attempt.started_ms)} " · " {format::duration(attempt.duration_ms)}
                    {attempt.first_byte_ms.map(|ms| format!(" · {} {}", t(c::FIRST_BYTE), format::duration(ms)))}
                </span>
            </div>
            <svg class="timeline" viewBox=format!("0 0 {WIDTH} 10") preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="0" width=WIDTH.to_string() height="10"/>
                <rect class="bar-s3" x=x.to_string() y="0" width=wait_w.to_string() height="10"/>
                <rect class="bar-s1" x=(x + wait_w).to_string() y="0" width=rest_w.to_string() height="10"/>
            </svg>
            {attempt.reason.map(|reason| view! { <p class="reason">{reason}</p> })}
        </li>
    }
}

/// Who was considered, and what removed each.
#[component]
pub(crate) fn DecisionTable(#[prop(optional_no_strip)] decision: Option<Decision>) -> impl IntoView {
    let t = translator();
    let Some(decision) = decision else {
        return view! {
            <section class="panel"><h2 class="panel-title">{t(r::DECISION)}</h2><Empty title=t(r::DECISION_NONE)/></section>
        }
        .into_any();
    };
    let rows = decision
        .candidates
        .into_iter()
        .map(|candidate| {
            let verdict = match candidate.removed_by {
                None => view! { <badge::State mood="good" word=t(r::WOULD_SERVE)/> }.into_any(),
                Some(filter) => {
                    let words = filter_words(&filter).map_or_else(|| filter.clone(), |text| t(text).to_owned());
                    view! { <badge::State mood="off" word=words/> }.into_any()
                }
            };
            view! {
                <tr>
                    <td data-label=t(r::RANK) class="num">{candidate.rank.map_or_else(|| "–".to_owned(), |rank| rank.to_string())}</td>
                    <th scope="row" data-label=t(c::PROVIDER)><a href=format!("/providers/{}", candidate.provider_id)>{candidate.provider_name}</a></th>
                    <td data-label=t(c::CREDENTIAL)>{candidate.credential_name.unwrap_or_else(|| "–".to_owned())}</td>
                    <td data-label=t(c::STATUS)>{verdict}</td>
                </tr>
            }
        })
        .collect_view();
    let removed = decision
        .removed
        .iter()
        .map(|removed| {
            let words = filter_words(&removed.filter)
                .map_or_else(|| removed.filter.clone(), |text| t(text).to_owned());
            view! { <span class="chip">{removed.count.to_string()} " × " {words}</span> }
        })
        .collect_view();
    view! {
        <section class="panel">
            <h2 class="panel-title">{t(r::DECISION)}</h2>
            <p class="chips pad-x">{removed} <span class="faint">{t(r::CONFIG_REVISION)} " " {decision.config_revision.to_string()}</span></p>
            <div class="table-scroll">
                <table class="table">
                    <caption class="visually-hidden">{t(r::DECISION)}</caption>
                    <thead>
                        <tr>
                            <th scope="col" class="num">{t(r::RANK)}</th>
                            <th scope="col">{t(c::PROVIDER)}</th>
                            <th scope="col">{t(c::CREDENTIAL)}</th>
                            <th scope="col">{t(c::STATUS)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        </section>
    }
    .into_any()
}

fn filter_words(filter: &str) -> Option<Text> {
    Some(match filter {
        "disabled" => r::R_DISABLED,
        "endpoint" => r::R_ENDPOINT,
        "group" => r::R_GROUP,
        "model" => r::R_MODEL,
        "no_credential" => r::R_NO_CREDENTIAL,
        "unreadable" => r::R_UNREADABLE,
        "concurrency" => r::R_CONCURRENCY,
        "tried" => r::R_TRIED,
        "invalid" => r::R_INVALID,
        "cooldown" => r::R_COOLDOWN,
        "limit" | "limits" | "budget" | "quota" => r::R_LIMIT,
        _ => return None,
    })
}

/// Token counts taken apart.
#[component]
pub(crate) fn Tokens(usage: TokenUsage, estimated: bool) -> impl IntoView {
    let t = translator();
    let TokenUsage {
        input,
        output,
        cache_read,
        cache_write,
        cache_write_1h,
        reasoning,
        audio_input,
        audio_output,
        image_input,
        image_output,
        images,
        web_searches,
    } = usage;
    let line = move |words: Text, n: u64, part: bool| {
        view! {
            <tr class:part=part><th scope="row">{t(words)}</th><td class="num">{format::count(n)}</td></tr>
        }
    };
    let part = move |words: Text, n: u64| (n > 0).then(|| line(words, n, true));
    view! {
        <section class="panel pad">
            <table class="table tight">
                <caption>{t(r::TOKENS_TAKEN_APART)}</caption>
                <tbody>
                    {line(c::TOKENS_IN, input, false)}
                    {part(r::OF_AUDIO, audio_input)}
                    {part(r::OF_IMAGES, image_input)}
                    {line(c::CACHE_READ, cache_read, false)}
                    {line(c::CACHE_WRITE, cache_write, false)}
                    {part(r::OF_WRITE_1H, cache_write_1h)}
                    {line(c::TOKENS_OUT, output, false)}
                    {part(r::REASONING, reasoning)}
                    {part(r::OF_AUDIO, audio_output)}
                    {part(r::OF_IMAGES, image_output)}
                </tbody>
                <tfoot>
                    <tr><th scope="row">{t(r::TOTAL)}</th><td class="num">{format::count(usage.total())}</td></tr>
                </tfoot>
            </table>
            {(images > 0).then(|| view! { <p class="help">{t(r::IMAGES)} " " {format::count(images)}</p> })}
            {(web_searches > 0).then(|| view! { <p class="help">{t(r::WEB_SEARCHES)} " " {format::count(web_searches)}</p> })}
            {estimated.then(|| view! { <p class="help">"~ " {t(r::ESTIMATED)}</p> })}
        </section>
    }
}
