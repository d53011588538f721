//! Vendors that accounts are connected with, and the latest sign-ins.

use leptos::prelude::*;
use leptos_router::location::Url;
use types::oauth::{FlowPhase, FlowView, Grant, PortState, Terms, VendorSpec, VendorView};

use crate::api;
use crate::components::flash::{Done, Failed};
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::time::Time;
use crate::components::{Refresh, badge, failure, query};
use crate::text::{Text, common as c, lang, oauth as w, problem, sign_in, translator};

/// The page.
#[component]
pub(crate) fn Oauth() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let provider = query("provider");
    let vendors = Resource::new(move || refresh.0.get(), |_| api::oauth::vendors());
    let flows = Resource::new(move || refresh.0.get(), |_| api::oauth::flows());
    let code = query("problem");
    let refresh_all = ServerAction::<api::oauth::RefreshExpiring>::new();
    let refresh_failed = failure(refresh_all);
    let failed = move || code.get().map(|code| view! { <Problem code/> });
    view! {
        <Head title=t(w::TITLE)>
            <a class="button primary small" href="/oauth/new">{t(w::NEW)}</a>
        </Head>
        <div class="page">
            <Done/>
            {failed}
            <Answer mood="calm" text=t(w::INTRO)/>
            <Failed error=refresh_failed/>
            <section class="panel">
                <div class="panel-head">
                    <h2 class="panel-title">{t(w::VENDORS)}</h2>
                    <ActionForm action=refresh_all>
                        <button class="button small quiet" id="refresh-expiring">{t(w::REFRESH_EXPIRING)}</button>
                    </ActionForm>
                </div>
                {load(vendors, move |vendors: Vec<VendorView>| view! { <Vendors vendors provider=provider.get()/> })}
            </section>
            <section class="panel">
                <h2 class="panel-title">{t(w::FLOWS)}</h2>
                {load(flows, move |flows: Vec<FlowView>| view! { <Flows flows/> })}
            </section>
        </div>
    }
}

/// Why a sign-in that came back was not finished.
#[component]
pub(super) fn Problem(code: String) -> impl IntoView {
    let t = translator();
    let sentence = problem::of_code(&code).map_or_else(|| t(w::FAILED), t);
    view! { <Answer mood="bad" text=sentence/> }
}

#[component]
fn Vendors(vendors: Vec<VendorView>, #[prop(optional_no_strip)] provider: Option<String>) -> impl IntoView {
    let t = translator();
    let query = provider.map(|id| format!("?provider={id}")).unwrap_or_default();
    let rows = vendors
        .into_iter()
        .map(|vendor| {
            let (ready, people) = (vendor.missing.is_none(), is_for_people(&vendor.spec));
            let word = t(standing(&vendor));
            let state = if ready {
                view! { <badge::State mood="good" word/> }.into_any()
            } else {
                view! { <span class="faint">{word}</span> }.into_any()
            };
            let href = format!("/oauth/vendors/{}{query}", vendor.name);
            let port = vendor.port.clone().filter(|port| people && (ready || port.state != PortState::Off));
            let action = if ready { w::CONNECT } else { w::SET_UP };
            view! {
                <tr>
                    <th scope="row" data-label=t(w::VENDOR) class="wrap-cell">
                        <a href=href.clone()>{vendor.spec.label.clone()}</a> " "
                        <code class="faint small">{vendor.name.clone()}</code>
                    </th>
                    <td data-label=t(w::TERMS) class="wrap-cell">{t(terms(vendor.spec.terms))}</td>
                    <td data-label=t(c::STATUS) class="wrap-cell">
                        {state}
                        {port.map(|port| view! { " " <span class="faint nowrap">{format!("{} {} {}", t(w::PORT), port.port, t(port_state(port.state)))}</span> })}
                    </td>
                    <td data-label=t(w::ACCOUNTS) class="num">{vendor.credentials.to_string()}</td>
                    <td class="actions"><a class="button small quiet" href=href>{t(action)}</a></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(w::VENDORS)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(w::VENDOR)}</th>
                        <th scope="col">{t(w::TERMS)}</th>
                        <th scope="col">{t(c::STATUS)}</th>
                        <th scope="col" class="num">{t(w::ACCOUNTS)}</th>
                        <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

#[component]
fn Flows(flows: Vec<FlowView>) -> impl IntoView {
    let t = translator();
    if flows.is_empty() {
        return view! { <Empty title=t(w::FLOWS_NONE)/> }.into_any();
    }
    let rows = flows
        .into_iter()
        .map(|flow| {
            let (mood, word) = phase(flow.phase);
            let error = flow.error.as_deref().map(|error| sign_in::told(lang(), error));
            view! {
                <tr>
                    <th scope="row" data-label=t(w::FLOW)><a href=format!("/oauth/flows/{}", flow.id)>{format!("#{}", flow.id)}</a></th>
                    <td data-label=t(w::VENDOR)>{flow.vendor.clone()}</td>
                    <td data-label=t(w::ACCOUNT) class="wrap-cell">{account_link(&flow)}</td>
                    <td data-label=t(w::PHASE) class="wrap-cell">
                        <span class="stack">
                            <badge::State mood word=t(word)/>
                            {error.map(|error| view! { <span class="reason break">{error}</span> })}
                        </span>
                    </td>
                    <td data-label=t(c::TIME)><Time at=flow.created_at/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(w::FLOWS)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(w::FLOW)}</th>
                        <th scope="col">{t(w::VENDOR)}</th>
                        <th scope="col">{t(w::ACCOUNT)}</th>
                        <th scope="col">{t(w::PHASE)}</th>
                        <th scope="col">{t(c::TIME)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
    .into_any()
}

/// The account of a sign-in, where it can be found; while there is none, the provider that it is for.
pub(super) fn account_link(flow: &FlowView) -> Option<impl IntoView + use<>> {
    let provider = flow.provider_name.clone()?;
    let name = flow.credential_name.clone();
    let words = name.as_ref().map_or_else(|| provider.clone(), |name| format!("{provider} / {name}"));
    // Of many credentials the page shows those whose name holds it.
    let at = name.as_deref().map(|name| format!("?credential={}", Url::escape(name))).unwrap_or_default();
    let href = format!("/providers/{}{at}#credentials", flow.provider_id);
    Some(view! { <a class="break" href=href>{words}</a> })
}

/// Whether people sign in with a vendor; accounts of others are made of files and clients.
pub(super) fn is_for_people(spec: &VendorSpec) -> bool {
    spec.grants.iter().any(|grant| matches!(grant, Grant::AuthorizationCode | Grant::DeviceCode))
}

/// Whether somebody could sign in with a vendor now, and what is missing.
pub(super) fn standing(vendor: &VendorView) -> Text {
    match (&vendor.missing, is_for_people(&vendor.spec)) {
        (None, _) => w::READY,
        (Some(_), true) => w::M_CLIENT,
        (Some(_), false) => w::M_NOBODY,
    }
}

/// What a fixed port does.
pub(super) fn port_state(state: PortState) -> Text {
    match state {
        PortState::Listening => w::PORT_LISTENING,
        PortState::Occupied => w::PORT_OCCUPIED,
        PortState::Off => w::PORT_OFF,
    }
}

/// What a vendor's terms say.
pub(super) fn terms(terms: Terms) -> Text {
    match terms {
        Terms::Allowed => w::T_ALLOWED,
        Terms::Unclear => w::T_UNCLEAR,
        Terms::Restricted => w::T_RESTRICTED,
    }
}

/// How far a sign-in is: the mood of its badge, and the word.
pub(super) fn phase(phase: FlowPhase) -> (&'static str, Text) {
    match phase {
        FlowPhase::WaitingCallback => ("info", w::P_WAITING),
        FlowPhase::WaitingDevice => ("info", w::P_DEVICE),
        FlowPhase::Exchanging => ("info", w::P_EXCHANGING),
        FlowPhase::Completed => ("good", w::P_COMPLETED),
        FlowPhase::Error => ("bad", w::P_ERROR),
        FlowPhase::Cancelled => ("off", w::P_CANCELLED),
        FlowPhase::Expired => ("warn", w::P_EXPIRED),
    }
}
