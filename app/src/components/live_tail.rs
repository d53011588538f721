//! The live tail: requests as they begin and end, from memory, over one event stream.
//!
//! It exists with scripts only; without, the list below it is the way. It pauses on demand and in hidden
//! tabs, and keeps the newest 100 rows.

use leptos::prelude::*;
use types::request::{LiveEvent, RequestRow};
use types::{RequestId, Timestamp};

use super::badge::State;
use super::request_table::{RequestHead, RequestLine};
use super::time::Time;
use crate::host;
use crate::text::{request as r, translator};

const KEPT: usize = 100;

#[derive(Clone, PartialEq)]
enum Line {
    Running { id: RequestId, at: Timestamp, user: String, model: String },
    Ended(Box<RequestRow>),
}

impl Line {
    fn id(&self) -> RequestId {
        match self {
            Self::Running { id, .. } => *id,
            Self::Ended(row) => row.record.request_id,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Off,
    On,
    Paused,
    Hidden,
}

/// A button that starts the tail, and the tail.
#[component]
pub(crate) fn LiveTail() -> impl IntoView {
    let t = translator();
    let mode = RwSignal::new(Mode::Off);
    let connected = RwSignal::new(true);
    let missed = RwSignal::new(0_u64);
    let lines = RwSignal::new(Vec::<Line>::new());
    // Made within an effect, which a server never runs: what holds the stream must not leave its thread.
    Effect::new(move || {
        let stream = StoredValue::new_local(None::<host::Live>);
        Effect::new(move || {
            let open = mode.get() == Mode::On;
            stream.set_value(if open {
                host::live(move |event| take(event, lines, missed), move |up| connected.set(up))
            } else {
                None
            });
        });
    });
    Effect::new(move || {
        host::on_visibility(move || match (host::is_hidden(), mode.get_untracked()) {
            (true, Mode::On) => mode.set(Mode::Hidden),
            (false, Mode::Hidden) => mode.set(Mode::On),
            _ => {}
        });
    });
    let button = move || match mode.get() {
        Mode::Off => (t(r::LIVE_START), Mode::On),
        Mode::On => (t(r::LIVE_PAUSE), Mode::Paused),
        Mode::Paused | Mode::Hidden => (t(r::LIVE_RESUME), Mode::On),
    };
    let note = move || match mode.get() {
        Mode::Off => "",
        Mode::On if connected.get() => t(r::LIVE_ON),
        Mode::On => t(r::LIVE_LOST),
        Mode::Paused => t(r::LIVE_PAUSED),
        Mode::Hidden => t(r::LIVE_HIDDEN),
    };
    view! {
        <section class="live scripted" aria-label=t(r::LIVE)>
            <div class="live-head">
                <button type="button" class="button" class:primary=move || mode.get() == Mode::Off
                    on:click=move |_| mode.set(button().1)>
                    <span class="pulse" class:beating=move || mode.get() == Mode::On aria-hidden="true"></span>
                    {move || button().0}
                </button>
                <span class="faint" role="status">{note}</span>
                {move || {
                    let missed = missed.get();
                    (missed > 0).then(|| view! { <span class="faint">{missed} " " {t(r::LIVE_MISSED)}</span> })
                }}
            </div>
            {move || (mode.get() != Mode::Off).then(|| view! { <Tail lines/> })}
        </section>
    }
}

#[component]
fn Tail(lines: RwSignal<Vec<Line>>) -> impl IntoView {
    let t = translator();
    view! {
        <div class="table-scroll panel">
            <table class="table rows dense">
                <caption class="visually-hidden">{t(r::LIVE)}</caption>
                <RequestHead/>
                <tbody>
                    {move || lines.with(Vec::is_empty).then(|| view! {
                        <tr><td colspan="10" class="faint">{t(r::LIVE_WAITING)}</td></tr>
                    })}
                    <For each=move || lines.get() key=|line| (line.id(), matches!(line, Line::Ended(_))) let:line>
                        {match line {
                            Line::Ended(row) => view! { <RequestLine row=*row/> }.into_any(),
                            Line::Running { at, user, model, .. } => view! {
                                <tr class="running">
                                    <td class="nowrap"><Time at/></td>
                                    <td><State mood="info" word=t(r::OUT_RUNNING)/></td>
                                    <td><span class="truncate">{model}</span></td>
                                    <td colspan="7"><span class="truncate">{user}</span></td>
                                </tr>
                            }
                            .into_any(),
                        }}
                    </For>
                </tbody>
            </table>
        </div>
    }
}

fn take(event: LiveEvent, lines: RwSignal<Vec<Line>>, missed: RwSignal<u64>) {
    match event {
        LiveEvent::Started { request_id, created_at, user_name, model, endpoint, .. } => put(
            lines,
            Line::Running {
                id: request_id,
                at: created_at,
                user: user_name.unwrap_or_default(),
                model: model.unwrap_or_else(|| endpoint.to_string()),
            },
        ),
        LiveEvent::Finished { row } => put(lines, Line::Ended(row)),
        LiveEvent::Missed { count } => missed.update(|n| *n += count),
    }
}

/// The newest on top; an end replaces its beginning in place.
fn put(lines: RwSignal<Vec<Line>>, line: Line) {
    lines.update(|lines| {
        if let Some(known) = lines.iter_mut().find(|known| known.id() == line.id()) {
            *known = line;
        } else {
            lines.insert(0, line);
            lines.truncate(KEPT);
        }
    });
}
