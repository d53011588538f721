//! What is wrong with the pool's set-up, and how it did in the last day: parts of the page of the pool.

use leptos::prelude::*;
use types::Timestamp;
use types::pool::{PoolFault, PoolFaultKind, PoolSlot, PoolTrend};

use crate::components::chart::{Chart, Series, Shape};
use crate::format;
use crate::text::{Lang, Text, lang, pool as o, translator};

/// Most faults that are listed; the log has all.
const MOST: usize = 20;

/// What could not be set up; nothing if all is well.
#[component]
pub(crate) fn Faults(faults: Vec<PoolFault>) -> impl IntoView {
    let (t, lang) = (translator(), lang());
    if faults.is_empty() {
        return ().into_any();
    }
    let more = faults.len().saturating_sub(MOST);
    let items = faults
        .into_iter()
        .take(MOST)
        .map(|fault| {
            let text = sentence(&fault, lang);
            view! {
                <li>
                    <span class="mark warn" aria-hidden="true">"▲"</span>
                    <span class="attention-text"><code>{fault.subject}</code> " " {text}</span>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="panel attention" id="faults" role="alert">
            <h2>{t(o::FAULTS)}</h2>
            <p class="help">{t(o::FAULTS_TEXT)}</p>
            <ul>{items}</ul>
            {(more > 0).then(|| view! { <p class="help">{format!("+ {more}")}</p> })}
        </section>
    }
    .into_any()
}

fn sentence(fault: &PoolFault, lang: Lang) -> String {
    let words: Text = match fault.kind {
        PoolFaultKind::Placeholder => o::F_PLACEHOLDER,
        PoolFaultKind::Malformed => o::F_MALFORMED,
        PoolFaultKind::NoProvider => o::F_NO_PROVIDER,
        PoolFaultKind::Ambiguous => o::F_AMBIGUOUS,
        PoolFaultKind::NotStored => o::F_NOT_STORED,
        PoolFaultKind::Unreadable => o::F_UNREADABLE,
    };
    let words = words.in_lang(lang);
    match (fault.entry, lang) {
        (Some(entry), Lang::En) => format!("entry {entry}: {words}"),
        (Some(entry), Lang::Zh) => format!("第 {entry} 项：{words}"),
        (None, _) => words.to_owned(),
    }
}

/// Answers 429, switches and exhaustion, and the share of attempts that went well, over the last day.
#[component]
pub(crate) fn Trend(trend: PoolTrend) -> impl IntoView {
    let t = translator();
    if trend.slots.iter().all(|slot| *slot == PoolSlot::default()) {
        return ().into_any();
    }
    let labels = labels(&trend);
    let of = |pick: fn(&PoolSlot) -> u32| {
        trend.slots.iter().map(|slot| Some(u64::from(pick(slot)))).collect::<Vec<_>>()
    };
    let events = vec![
        Series { name: t(o::RATE_LIMITED), class: "warn", values: of(|slot| slot.rate_limited) },
        Series { name: t(o::SWITCHES), class: "s1", values: of(|slot| slot.switches) },
        Series { name: t(o::EXHAUSTED), class: "bad", values: of(|slot| slot.exhausted) },
    ];
    let success =
        vec![Series { name: t(o::GRID_SHARE), class: "s1", values: trend.slots.iter().map(share).collect() }];
    view! {
        <section class="grid two" id="trend" aria-label=t(o::TREND)>
            <Chart title=t(o::TREND) shape=Shape::Bars labels=labels.clone() series=events unit=format::compact/>
            <Chart title=t(o::TREND_SHARE) shape=Shape::Bars labels series=success unit=percent/>
        </section>
    }
    .into_any()
}

fn labels(trend: &PoolTrend) -> Vec<String> {
    let length = i64::try_from(trend.slot_s).unwrap_or(0).saturating_mul(1_000);
    let since = trend.since.unwrap_or(Timestamp(0));
    (0_i64..)
        .take(trend.slots.len())
        .map(|slot| since.plus_ms(slot.saturating_mul(length)).display_utc().chars().take(16).collect())
        .collect()
}

/// Whole per cent that went well; nothing where nothing was tried.
fn share(slot: &PoolSlot) -> Option<u64> {
    (slot.judged > 0).then(|| u64::from(slot.good) * 100 / u64::from(slot.judged))
}

fn percent(value: u64) -> String {
    format!("{value} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tp_13_a_slot_without_attempts_is_a_gap_and_labels_follow_the_slots() {
        let slots = vec![
            PoolSlot { judged: 3, good: 2, ..PoolSlot::default() },
            PoolSlot::default(),
            PoolSlot { judged: 4, good: 4, ..PoolSlot::default() },
        ];
        assert_eq!(slots.iter().map(share).collect::<Vec<_>>(), [Some(66), None, Some(100)]);
        let trend = PoolTrend { slot_s: 900, since: Some(Timestamp(0)), slots };
        assert_eq!(labels(&trend), ["1970-01-01 00:00", "1970-01-01 00:15", "1970-01-01 00:30"]);
    }
}
