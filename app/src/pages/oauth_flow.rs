//! One sign-in: where to go, what to type or paste, how far it is. Each look asks the vendor if that is due; a page
//! that waits for a device code looks by itself, without scripts by loading itself again.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use leptos_router::hooks::use_params_map;
use types::oauth::{FlowPhase, FlowView, FlowWay};

use super::oauth::{Problem, account_link, phase, port_state};
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::Answer;
use crate::components::load::load_page;
use crate::components::time::{Time, Until};
use crate::components::{Refresh, failure, query};
use crate::text::sentence::sentence;
use crate::text::{common as c, lang, oauth as w, problem, sign_in, translator};

/// Seconds between two looks if the vendor did not say.
const PAUSE_S: u64 = 5;
/// The longest pause.
const PAUSE_MAX_S: u64 = 30;

/// The page.
#[component]
pub(crate) fn OauthFlow() -> impl IntoView {
    let t = translator();
    let (refresh, params) = (Refresh::get(), use_params_map());
    let id = move || {
        let text = params.with(|params| params.get("id").unwrap_or_default());
        types::OauthFlowId(text.parse().unwrap_or(0))
    };
    let flow = Resource::new(move || (id(), refresh.0.get()), |(id, _)| api::oauth::flow(id));
    load_page(
        flow,
        ("/oauth", t(w::TITLE)),
        move |flow: &FlowView| format!("{} #{} · {}", t(w::FLOW), flow.id, flow.vendor),
        |flow| view! { <Body flow/> },
    )
}

#[component]
fn Body(flow: FlowView) -> impl IntoView {
    let t = translator();
    let cancel = ServerAction::<api::oauth::Cancel>::new();
    let cancel_failed = failure(cancel);
    let (id, provider) = (flow.id, flow.provider_id);
    let waiting = matches!(flow.phase, FlowPhase::WaitingCallback | FlowPhase::WaitingDevice);
    let mood = match flow.phase {
        FlowPhase::Completed => "good",
        FlowPhase::Error => "bad",
        FlowPhase::Cancelled | FlowPhase::Expired => "warn",
        _ => "calm",
    };
    // What could have gone wrong is of no use to whoever is through.
    let warnings = flow
        .warnings
        .iter()
        .filter(|_| flow.phase != FlowPhase::Completed)
        .map(|warning| view! { <Answer mood="warn" text=problem::field_note(warning, lang()).into_owned()/> })
        .collect_view();
    let done = flow.phase == FlowPhase::Completed;
    let port = flow.port.clone().filter(|_| !done).map(|port| {
        let word = port_state(port.state);
        let reason = port.reason.as_deref().map(|reason| sentence(lang(), reason));
        view! { <div><dt>{t(w::PORT)} " " {port.port.to_string()}</dt><dd>{t(word)} " " {reason}</dd></div> }
    });
    let vendor = format!("/oauth/vendors/{}?provider={provider}", flow.vendor);
    let (other, again) = (vendor.clone(), if done { w::CONNECT_ANOTHER } else { w::BEGIN_AGAIN });
    let (error, request) =
        (flow.error.as_deref().map(|error| sign_in::told(lang(), error)), flow.request_id.clone());
    let (account, flow_of_account) = (account_link(&flow), flow.credential_id.is_some());
    let again_with = ServerAction::<api::oauth::Again>::new();
    let again_failed = failure(again_with);
    // Of an account that was there before, the next sign-in is of the same one.
    let same = flow.credential_id.filter(|_| !waiting && !done);
    // A sign-in that failed says why itself.
    let code = query("problem").get_untracked().filter(|_| flow.phase != FlowPhase::Error);
    let words = t(phase(flow.phase).1);
    let by_device = flow.way == FlowWay::Device;
    let redirect = flow.redirect_uri.clone().filter(|_| !done);
    let (began, ends, name) = (flow.created_at, flow.expires_at, flow.vendor.clone());
    let flow_vendor = name.clone();
    let way = match (waiting, flow.way) {
        (false, _) => ().into_any(),
        (true, FlowWay::Device) => view! { <Device flow/> }.into_any(),
        (true, _) => view! { <Browser flow/> }.into_any(),
    };
    view! {
        <Done/>
        {code.map(|code| view! { <Problem code/> })}
        <Answer mood text=words>
            {error.map(|error| view! { <span class="break">{error}</span> })}
            {request.map(|id| view! { <code>{id}</code> })}
        </Answer>
        {warnings}
        <Failed error=cancel_failed/>
        <Failed error=again_failed notes=true/>
        {way}
        <section class="panel pad sign-in">
            <dl class="facts">
                <div><dt>{t(if flow_of_account { w::ACCOUNT } else { c::PROVIDER })}</dt><dd>{account}</dd></div>
                <div><dt>{t(w::VENDOR)}</dt><dd><a href=vendor>{name}</a></dd></div>
                {redirect.map(|uri| view! { <div><dt>{t(w::REDIRECT)}</dt><dd><code class="break">{uri}</code></dd></div> })}
                {port}
                <div><dt>{t(w::BEGAN)}</dt><dd><Time at=began/></dd></div>
                {(waiting && !by_device).then(|| view! { <div><dt>{t(w::ENDS)}</dt><dd><Until at=ends/></dd></div> })}
            </dl>
            <div class="card-actions">
                <a class="button small" href=format!("/providers/{provider}")>{t(w::TO_PROVIDER)}</a>
                {same.map(|id| view! {
                    <ActionForm action=again_with>
                        <input type="hidden" name="vendor" value=flow_vendor/>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <button class="button small">{t(w::SIGN_IN_AGAIN)}</button>
                    </ActionForm>
                })}
                {(!waiting && same.is_none()).then(|| view! { <a class="button small" class:quiet=done href=other>{t(again)}</a> })}
                {waiting.then(|| view! {
                    <ActionForm action=cancel>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <button class="button small quiet">{t(c::CANCEL)}</button>
                    </ActionForm>
                })}
            </div>
        </section>
    }
}

#[component]
fn Browser(flow: FlowView) -> impl IntoView {
    let t = translator();
    let finish = ServerAction::<api::oauth::Finish>::new();
    let failed = failure(finish);
    let lang = lang();
    let note = move || {
        failed.with(|error| {
            let note = error.as_ref()?.problem.fields.get("pasted")?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    let open = flow.authorize_url.clone().map(|url| {
        view! { <p><a class="button primary" id="open-vendor" href=url rel="external noreferrer">{t(w::OPEN_VENDOR)}</a></p> }
    });
    view! {
        <section class="panel pad sign-in">
            {open}
            <Failed error=failed/>
            <ActionForm action=finish attr:class="form">
                <input type="hidden" name="id" value=flow.id.to_string()/>
                <div class="field" class:wrong=move || note().is_some()>
                    <label for="pasted">{t(w::PASTE)}</label>
                    <input class="input mono" id="pasted" name="pasted" autocomplete="off" spellcheck="false"/>
                    {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
                    <p class="help">{t(w::PASTE_HELP)}</p>
                </div>
                <button class="button">{t(w::FINISH)}</button>
            </ActionForm>
        </section>
    }
}

#[component]
fn Device(flow: FlowView) -> impl IntoView {
    let t = translator();
    let every_s = flow.interval_s.unwrap_or(PAUSE_S).clamp(1, PAUSE_MAX_S);
    look_by_itself(flow.clone(), every_s);
    let reload = format!("<meta http-equiv=\"refresh\" content=\"{every_s}\">");
    let url = flow.verification_url_complete.clone().or_else(|| flow.verification_url.clone());
    let shown = flow.verification_url.clone().unwrap_or_default();
    view! {
        <section class="panel pad sign-in" id="device">
            <p>{t(w::TYPE_CODE)}</p>
            <p><code class="user-code" id="user-code">{flow.user_code.clone()}</code></p>
            {url.map(|url| view! { <p><a class="button primary" href=url rel="external noreferrer">{shown}</a></p> })}
            <p class="faint">{t(w::ENDS)} " " <Until at=flow.expires_at/></p>
            <p class="faint">{t(w::BY_ITSELF)}</p>
            <a class="button small" href=format!("/oauth/flows/{}", flow.id) rel="external">{t(w::LOOK_AGAIN)}</a>
            <noscript inner_html=reload></noscript>
        </section>
    }
}

/// Asks how far the sign-in is, and shows it anew once that is something else. A question that fails is asked again.
fn look_by_itself(shown: FlowView, every_s: u64) {
    let refresh = Refresh::get();
    Effect::new(move || {
        let shown = StoredValue::new(shown.clone());
        let look = move || {
            let Some(id) = shown.try_with_value(|shown| shown.id) else { return };
            spawn_local(async move {
                let Ok(flow) = api::oauth::flow(id).await else { return };
                // Nothing is left to be shown if the page was left meanwhile.
                if shown.try_with_value(|shown| *shown != flow) == Some(true) {
                    refresh.0.try_update(|n| *n += 1);
                }
            });
        };
        if let Ok(handle) = set_interval_with_handle(look, Duration::from_secs(every_s)) {
            on_cleanup(move || handle.clear());
        }
    });
}
