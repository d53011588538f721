//! One sign-in: where to go, what to type or paste, how far it is. Each look asks the vendor if that is due, so that
//! reloading the page is enough without scripts.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use types::oauth::{FlowPhase, FlowView, FlowWay, PortState};

use super::oauth::phase;
use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::Answer;
use crate::components::load::load_page;
use crate::components::time::{Time, Until};
use crate::components::{Refresh, failure};
use crate::text::{common as c, oauth as w, translator};

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
        |flow: &FlowView| format!("#{} {}", flow.id, flow.vendor),
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
    let warnings = flow
        .warnings
        .iter()
        .map(|warning| view! { <Answer mood="warn" text=warning.clone()/> })
        .collect_view();
    let port = flow.port.clone().map(|port| {
        let word = match port.state {
            PortState::Listening => w::PORT_LISTENING,
            PortState::Occupied => w::PORT_OCCUPIED,
            PortState::Off => w::PORT_OFF,
        };
        view! { <div><dt>{t(w::PORT)} " " {port.port.to_string()}</dt><dd>{t(word)} " " {port.reason}</dd></div> }
    });
    let again = format!("/oauth/vendors/{}?provider={provider}", flow.vendor);
    let (error, request) = (flow.error.clone(), flow.request_id.clone());
    let done = flow.phase == FlowPhase::Completed;
    let words = t(phase(flow.phase));
    let (redirect, ends) = (flow.redirect_uri.clone(), flow.expires_at);
    let way = match (waiting, flow.way) {
        (false, _) => ().into_any(),
        (true, FlowWay::Device) => view! { <Device flow/> }.into_any(),
        (true, _) => view! { <Browser flow/> }.into_any(),
    };
    view! {
        <Done/>
        <Answer mood text=words>
            {error.map(|error| view! { <span class="break">{error}</span> })}
            {request.map(|id| view! { <code>{id}</code> })}
        </Answer>
        {warnings}
        <Failed error=cancel_failed/>
        {way}
        <section class="panel pad">
            <dl class="facts">
                {redirect.map(|uri| view! { <div><dt>{t(w::REDIRECT)}</dt><dd><code class="break">{uri}</code></dd></div> })}
                {port}
                <div><dt>{t(w::ENDS)}</dt><dd><Time at=ends/></dd></div>
            </dl>
            <div class="card-actions">
                <a class="button small" href=format!("/providers/{provider}")>{t(w::TO_PROVIDER)}</a>
                {(!waiting && !done).then(|| view! { <a class="button small" href=again>{t(w::BEGIN_AGAIN)}</a> })}
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
    let open = flow.authorize_url.clone().map(|url| {
        view! { <p><a class="button primary" id="open-vendor" href=url rel="external noreferrer">{t(w::OPEN_VENDOR)}</a></p> }
    });
    view! {
        <section class="panel pad">
            {open}
            <Failed error=failed/>
            <ActionForm action=finish attr:class="form">
                <input type="hidden" name="id" value=flow.id.to_string()/>
                <div class="field">
                    <label for="pasted">{t(w::PASTE)}</label>
                    <input class="input mono" id="pasted" name="pasted" autocomplete="off" spellcheck="false"/>
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
    let url = flow.verification_url_complete.clone().or_else(|| flow.verification_url.clone());
    let shown = flow.verification_url.clone().unwrap_or_default();
    view! {
        <section class="panel pad" id="device">
            <p>{t(w::TYPE_CODE)}</p>
            <p><code id="user-code">{flow.user_code.clone()}</code></p>
            {url.map(|url| view! { <p><a class="button primary" href=url rel="external noreferrer">{shown}</a></p> })}
            <p class="faint">{t(w::ENDS)} " " <Until at=flow.expires_at/></p>
            <a class="button small" href=format!("/oauth/flows/{}", flow.id) rel="external">{t(w::LOOK_AGAIN)}</a>
        </section>
    }
}
