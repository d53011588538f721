//! One prompt for one or two models, side by side, as a real key.
//!
//! With scripts the browser asks by itself and shows the streams; without, the server asks through the same door and
//! the next page shows the whole answers, once. The key stays in the page's memory.

use std::cell::RefCell;

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use types::dialect::Dialect;

use super::playground_lane::LaneView;
use crate::api;
use crate::components::field::{Area, Check, Choice, Field, FormState};
use crate::components::flash::Failed;
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::{failure, query};
use crate::error::AppError;
use crate::form::checked;
use crate::form::playground::PlayForm;
use crate::host::{self, Sound};
use crate::play::{Ask, Lane, Listener, MAX_TOKENS, Played};
use crate::text::{common as c, playground as p, translator};

/// The page.
#[component]
pub(crate) fn Playground() -> impl IntoView {
    let t = translator();
    let kept = query("kept");
    let run = ServerAction::<api::playground::Run>::new();
    let refused = failure(run);
    let played = Resource::new(
        move || kept.get(),
        |kept| async move {
            match kept {
                Some(kept) => api::playground::answers(kept).await,
                None => Ok(None),
            }
        },
    );
    view! {
        <Head title=t(p::TITLE)>
            <a class="button small" href="/models">{t(p::CATALOGUE)}</a>
        </Head>
        <div class="page">
            <Answer mood="calm" text=t(p::HEAD)><span class="faint">{t(p::TEXT)}</span></Answer>
            {load(played, move |played: Option<Played>| {
                let gone = played.is_none() && kept.with_untracked(Option::is_some);
                view! {
                    {gone.then(|| view! { <p class="reason" id="gone">{t(p::GONE)}</p> })}
                    <Desk played=played.unwrap_or_default() refused/>
                }
            })}
        </div>
    }
}

/// Both lanes while they run.
#[derive(Clone, Copy)]
struct Desktop {
    lanes: [RwSignal<Lane>; 2],
    /// Which try is heard; what an earlier one still says is passed over.
    round: RwSignal<u32>,
    busy: RwSignal<u32>,
}

#[component]
fn Desk(played: Played, refused: Signal<Option<AppError>>) -> impl IntoView {
    let t = translator();
    let Played { form: mut present, lanes: answers } = played;
    let link = |name: &'static str| query(name).get_untracked().unwrap_or_default();
    if answers.is_empty() {
        (present.model, present.second, present.dialect) = (link("model"), link("second"), link("dialect"));
    }
    let again = !answers.is_empty();
    let mut answers = answers.into_iter();
    let mut lane = || RwSignal::new(answers.next().unwrap_or_default());
    let desktop = Desktop { lanes: [lane(), lane()], round: RwSignal::new(0), busy: RwSignal::new(0) };
    let fault = RwSignal::new(None::<AppError>);
    let error = Signal::derive(move || fault.get().or_else(|| refused.get()));
    let asked = RwSignal::new(None::<PlayForm>);
    // What holds a connection must not leave its thread: it is made where a server never comes.
    Effect::new(move || {
        let talks = StoredValue::new_local(Vec::<host::Talk>::new());
        Effect::new(move || {
            desktop.round.track();
            talks.set_value(Vec::new());
            if let Some(form) = asked.try_update_untracked(Option::take).flatten() {
                talks.set_value(begin(desktop, &form));
            }
        });
    });
    let submit = move |event: SubmitEvent| {
        let Ok(posted) = api::playground::Run::from_event(&event) else { return };
        event.prevent_default();
        let form = posted.form;
        let first = form.models().first().cloned().unwrap_or_default();
        if let Err(problem) = form.ask(&first) {
            fault.set(Some(problem.into()));
            return;
        }
        fault.set(None);
        asked.set(Some(form));
        desktop.round.update(|round| *round += 1);
    };
    let stop = move |_| {
        desktop.round.update(|round| *round += 1);
        desktop.busy.set(0);
        for lane in desktop.lanes {
            lane.update(|lane| {
                if !lane.model.is_empty() && lane.total_ms.is_none() && lane.fault.is_none() {
                    lane.fault = Some(t(p::STOPPED).to_owned());
                }
            });
        }
    };
    let form = FormState { scope: "play", error };
    let running = move || desktop.busy.get() > 0;
    view! {
        <Failed error/>
        <form method="post" action=api::playground::Run::url() class="form panel pad" id="ask" on:submit=submit>
            <Fields form present again/>
            <div class="save-bar">
                <button class="button primary" disabled=running>{t(p::SEND)}</button>
                {move || running().then(|| view! {
                    <button type="button" class="button" id="stop" on:click=stop>{t(p::STOP)}</button>
                })}
            </div>
        </form>
        <div class="grid two" id="lanes">
            {desktop.lanes.into_iter().map(|lane| view! { <LaneView lane/> }).collect_view()}
        </div>
    }
}

#[component]
fn Fields(form: FormState, present: PlayForm, again: bool) -> impl IntoView {
    let t = translator();
    let dialects = Dialect::ALL.iter().map(|d| (d.to_string(), d.to_string())).collect::<Vec<_>>();
    view! {
        <Field form label=p::KEY name="key" kind="password" help=p::KEY_HELP required=true/>
        {again.then(|| view! { <p class="help">{t(p::KEY_AGAIN)}</p> })}
        <div class="triple">
            <Choice form label=p::DIALECT name="dialect" value=present.dialect.clone() help=p::DIALECT_HELP options=dialects/>
            <Field form label=p::MODEL_A name="model" value=present.model required=true/>
            <Field form label=p::MODEL_B name="second" value=present.second optional=true/>
        </div>
        <Area form label=p::SYSTEM name="system" value=present.system optional=true/>
        <Area form label=p::PROMPT name="prompt" value=present.prompt/>
        <div class="triple">
            <Field form label=p::MAX_TOKENS name="max_tokens" kind="number" value=present.max_tokens placeholder=MAX_TOKENS.to_string()/>
            <Check form label=p::TOOL name="tool" on=checked(&present.tool)/>
            <Check form label=p::THINKING name="thinking" on=checked(&present.thinking)/>
        </div>
        <p class="help"><a href="/models">{t(p::CATALOGUE)}</a> " · " <a href="/keys">{t(c::NAV_KEYS)}</a></p>
    }
}

/// Asks every model of the form.
fn begin(desktop: Desktop, form: &PlayForm) -> Vec<host::Talk> {
    let models = form.models();
    let mut names = models.iter();
    let mut talks = Vec::new();
    for lane in desktop.lanes {
        let Some(ask) = names.next().and_then(|model| form.ask(model).ok()) else {
            lane.set(Lane::default());
            continue;
        };
        lane.set(Lane { model: ask.model.clone(), ..Lane::default() });
        desktop.busy.update(|busy| *busy += 1);
        talks.push(talk(desktop, lane, &ask, form.key.0.trim()));
    }
    talks
}

/// Asks one model and lets its lane hear the answer.
fn talk(desktop: Desktop, lane: RwSignal<Lane>, ask: &Ask, key: &str) -> host::Talk {
    let began = host::now_ms();
    let mine = desktop.round.get_untracked();
    let dialect = ask.dialect;
    let listener = RefCell::new(None::<Listener>);
    let unreachable = translator()(p::UNREACHABLE);
    host::talk(ask.call(), key, move |sound| {
        // The page may be gone, or ask something else by now.
        if desktop.round.try_get_untracked() != Some(mine) {
            return;
        }
        let ms = began.zip(host::now_ms()).and_then(|(began, now)| u64::try_from(now - began).ok());
        let mut listener = listener.borrow_mut();
        let ended = matches!(sound, Sound::End | Sound::Broken);
        lane.update(|lane| match sound {
            Sound::Head { status, request_id, upstream, dropped } => {
                *listener = Some(Listener::new(dialect, status));
                (lane.status, lane.request_id) = (Some(status), request_id);
                (lane.upstream, lane.dropped) = (upstream, dropped);
            }
            Sound::Piece(bytes) => {
                lane.first_ms = lane.first_ms.or(ms);
                if let Some(listener) = listener.as_mut() {
                    listener.feed(&bytes, &mut lane.heard);
                }
            }
            Sound::End => {
                if let Some(listener) = listener.as_mut() {
                    listener.finish(&mut lane.heard);
                }
                lane.total_ms = ms;
            }
            Sound::Broken => {
                lane.fault = Some(unreachable.to_owned());
                lane.total_ms = ms;
            }
        });
        if ended {
            desktop.busy.update(|busy| *busy = busy.saturating_sub(1));
        }
    })
}
