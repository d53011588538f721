//! The attempts of a request as a timeline: waiting, connecting, first content, stream, drawn to one scale and told
//! in words.

use leptos::prelude::*;
use types::request::{Attempt, AttemptOutcome, Commit, Decision};
use types::translation::TranslationNote;

use super::load::Empty;
use super::usd::usd;
use super::{badge, routing_words};
use crate::format;
use crate::text::{Text, request as r, translation as x, translator};

/// Width of the timeline in SVG units; one attempt a line.
const WIDTH: u64 = 1_000;

/// The panel.
#[component]
pub(crate) fn Attempts(
    mut attempts: Vec<Attempt>,
    /// How long the whole request took.
    total_ms: u64,
    /// What was known when it was routed, for queue and choice.
    #[prop(optional_no_strip)]
    decision: Option<Decision>,
) -> impl IntoView {
    let t = translator();
    // The one that stayed is the last one on the record, although one beside it may have begun later.
    attempts.sort_by_key(|attempt| attempt.started_ms);
    let (queued, chosen, hedge) = decision.map(|d| (d.queued_ms, d.route_us, d.hedge)).unwrap_or_default();
    if attempts.is_empty() {
        return view! {
            <section class="panel"><h2 class="panel-title">{t(r::ATTEMPTS)}</h2><Empty title=t(r::ATTEMPTS_NONE)/></section>
        }
        .into_any();
    }
    let end = attempts.iter().map(|a| a.started_ms + a.duration_ms).max().unwrap_or(0).max(total_ms).max(1);
    let rows = attempts.into_iter().map(|attempt| view! { <AttemptRow attempt end/> }).collect_view();
    let before = (queued > 0 || chosen > 0 || hedge.is_some()).then(|| {
        let mut parts = Vec::new();
        if queued > 0 {
            parts.push(format!("{} {}", t(r::P_QUEUE), format::duration(queued)));
        }
        if chosen > 0 {
            parts.push(format!("{} {} µs", t(r::P_ROUTE), format::count(chosen)));
        }
        if let Some(note) = hedge {
            let what = t(routing_words::hedge(note.outcome));
            parts.push(format!("{} {}: {what}", t(r::HEDGE_DUE), format::duration(note.after_ms)));
            if !note.cost_usd.is_zero() {
                parts.push(format!("{} {}", t(r::HEDGE_WASTE), format::usd(note.cost_usd)));
            }
        }
        let bar = (queued > 0).then(|| {
            let wide = (queued.min(end) * WIDTH / end).max(2);
            view! {
                <svg class="timeline" viewBox=format!("0 0 {WIDTH} 10") preserveAspectRatio="none" aria-hidden="true">
                    <rect class="track" x="0" y="0" width=WIDTH.to_string() height="10"/>
                    <rect class="bar-warn" x="0" y="0" width=wide.to_string() height="10"/>
                </svg>
            }
        });
        view! { <div class="pad-x">{bar} <p class="reason">{parts.join(" · ")}</p></div> }
    });
    view! {
        <section class="panel">
            <h2 class="panel-title">{t(r::ATTEMPTS)}</h2>
            <ul class="legend pad-x">
                <li class="key-warn">{t(r::P_PAUSE)}</li>
                <li class="key-s4">{t(r::P_HEAD)}</li>
                <li class="key-s3">{t(r::P_FIRST)}</li>
                <li class="key-s1">{t(r::P_STREAM)}</li>
            </ul>
            {before}
            <ol class="attempts">{rows}</ol>
        </section>
    }
    .into_any()
}

/// One stretch of an attempt: words, colour class, begin and length in milliseconds.
type Phase = (Text, &'static str, u64, u64);

/// The stretches of an attempt, in order; what was not reached is left out.
fn phases(attempt: &Attempt) -> Vec<Phase> {
    let (start, whole) = (attempt.started_ms, attempt.duration_ms);
    let first = attempt.first_byte_ms.map(|ms| ms.min(whole));
    let head = attempt.head_ms.map(|ms| ms.min(first.unwrap_or(whole)));
    let headed = head.unwrap_or(if first.is_some() { 0 } else { whole });
    let begun = first.unwrap_or(whole);
    let pause = attempt.pause_ms.min(start);
    [
        (r::P_PAUSE, "bar-warn", start - pause, pause),
        (r::P_HEAD, "bar-s4", start, headed),
        (r::P_FIRST, "bar-s3", start + headed, begun.saturating_sub(headed)),
        (r::P_STREAM, "bar-s1", start + begun, whole.saturating_sub(begun)),
    ]
    .into_iter()
    .filter(|(_, _, _, ms)| *ms > 0)
    .collect()
}

#[component]
fn AttemptRow(attempt: Attempt, end: u64) -> impl IntoView {
    let t = translator();
    let scale = move |ms: u64| ms.min(end) * WIDTH / end;
    let phases = phases(&attempt);
    let told = phases
        .iter()
        .map(|(words, _, _, ms)| format!("{} {}", t(*words), format::duration(*ms)))
        .collect::<Vec<_>>()
        .join(" → ");
    let bars = phases
        .into_iter()
        .map(|(_, class, from, ms)| {
            let (x, wide) = (scale(from), scale(ms).max(2));
            view! { <rect class=class x=x.to_string() y="0" width=wide.to_string() height="10"/> }
        })
        .collect_view();
    let class = attempt.class.map(|class| {
        let (name, follows) = routing_words::class(class);
        view! { <span class="chip" title=t(follows)>{t(name)}</span> }
    });
    let commit = attempt.commit.map(|commit| {
        t(match commit {
            Commit::NotSent => r::COMMIT_NOT_SENT,
            Commit::PossiblyAccepted => r::COMMIT_POSSIBLY,
            Commit::ResponseStarted => r::COMMIT_STARTED,
        })
    });
    let rectified = attempt
        .rectified
        .iter()
        .map(|name| routing_words::rectified(name).map_or_else(|| name.clone(), |text| t(text).to_owned()))
        .collect::<Vec<_>>()
        .join(", ");
    let lost = attempt.class.is_some() || attempt.outcome == AttemptOutcome::Superseded;
    let loss = (lost && !attempt.provider_cost_usd.is_zero()).then(|| {
        view! { <p class="reason">{usd(attempt.provider_cost_usd)} " " {t(r::P_LOSS)}</p> }
    });
    view! {
        <li class="attempt">
            <div class="attempt-head">
                <strong>{attempt.provider_name}</strong>
                <span class="faint">{attempt.credential_name}</span>
                {badge::attempt(attempt.outcome)}
                {attempt.status_code.map(|status| view! { <code>{status.to_string()}</code> })}
                {attempt.hedge.then(|| view! { <span class="chip">{t(r::HEDGE_MARK)}</span> })}
                {class}
                {attempt.model.map(|model| view! { <span class="faint">{t(r::P_SENT_AS)} " " <code>{model}</code></span> })}
                <span class="attempt-time">
                    {t(r::STARTED)} " " {format::duration(attempt.started_ms)} " · " {format::duration(attempt.duration_ms)}
                </span>
            </div>
            <svg class="timeline" viewBox=format!("0 0 {WIDTH} 10") preserveAspectRatio="none" aria-hidden="true">
                <rect class="track" x="0" y="0" width=WIDTH.to_string() height="10"/>
                {bars}
            </svg>
            <p class="reason">{told}</p>
            {attempt.reason.map(|reason| view! { <p class="reason break">{reason}</p> })}
            {commit.map(|commit| view! { <p class="reason">{commit}</p> })}
            {(!rectified.is_empty()).then(|| view! { <p class="reason">{t(r::P_RECTIFIED)} " " {rectified}</p> })}
            {attempt.translation.map(|note| view! { <Translation note/> })}
            {loss}
        </li>
    }
}

/// What an attempt was translated to, and what was lost on the way.
#[component]
fn Translation(note: TranslationNote) -> impl IntoView {
    let t = translator();
    let TranslationNote { dialect, losses, more } = note;
    let total = format::count(u64::try_from(losses.len()).unwrap_or(u64::MAX).saturating_add(more));
    let grave = losses.iter().filter(|loss| loss.meaning).count();
    if losses.is_empty() && more == 0 {
        return view! { <p class="reason translation">{t(x::SENT_AS)} " " <code>{dialect.to_string()}</code> " · " {t(x::NOTHING_LOST)}</p> }
            .into_any();
    }
    let rows = losses
        .into_iter()
        .map(|loss| {
            let (mood, word) =
                if loss.meaning { ("warn", t(x::MAY_CHANGE)) } else { ("off", t(x::CHANGES_NOTHING)) };
            view! {
                <tr>
                    <th scope="row" data-label=t(x::FIELD)><code class="break">{loss.field}</code></th>
                    <td data-label=t(x::WHAT) class="wrap-cell">{loss.what}</td>
                    <td data-label=t(x::WEIGHT)><badge::State mood word/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <details class="translation" open=grave != 0>
            <summary class="reason">
                {t(x::SENT_AS)} " " <code>{dialect.to_string()}</code> " · " {total} " " {t(x::LOST)}
            </summary>
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(x::LOST_CAPTION)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(x::FIELD)}</th>
                            <th scope="col">{t(x::WHAT)}</th>
                            <th scope="col">{t(x::WEIGHT)}</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {(more > 0).then(|| view! { <p class="reason">{format::count(more)} " " {t(x::MORE)}</p> })}
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use types::{CredentialId, ProviderId};

    use super::*;

    fn spans(attempt: &Attempt) -> Vec<(&'static str, u64, u64)> {
        phases(attempt).into_iter().map(|(_, class, from, ms)| (class, from, ms)).collect()
    }

    #[test]
    fn phases_follow_each_other_and_fill_the_attempt() {
        let mut attempt = Attempt::begun((ProviderId(1), "a"), (CredentialId(2), "b"));
        attempt.started_ms = 100;
        attempt.duration_ms = 1_000;
        attempt.pause_ms = 40;
        attempt.head_ms = Some(200);
        attempt.first_byte_ms = Some(300);
        let whole = [("bar-warn", 60, 40), ("bar-s4", 100, 200), ("bar-s3", 300, 100), ("bar-s1", 400, 700)];
        assert_eq!(spans(&attempt), whole);
        attempt.first_byte_ms = None;
        attempt.pause_ms = 0;
        assert_eq!(spans(&attempt), [("bar-s4", 100, 200), ("bar-s3", 300, 800)], "no content came");
        attempt.head_ms = None;
        assert_eq!(spans(&attempt), [("bar-s4", 100, 1_000)], "not even a head came");
        // Records from before heads were timed.
        attempt.first_byte_ms = Some(300);
        assert_eq!(spans(&attempt), [("bar-s3", 100, 300), ("bar-s1", 400, 700)]);
    }
}
