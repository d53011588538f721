//! The fields of a provider, for new and known ones.

use leptos::prelude::*;
use types::provider::ProviderKind;

use crate::components::field::{Area, Check, Choice, Field, FormState};
use crate::components::limit_fields::LimitFields;
use crate::form::checked;
use crate::form::provider::ProviderForm;
use crate::text::{common as c, limit as l, provider as p, translator};

/// All fields; `known` leaves out what is set once.
#[component]
pub(crate) fn ProviderFields(
    form: FormState,
    /// What the fields show at first.
    present: ProviderForm,
    /// The provider exists: its kind is fixed and its credentials have a place of their own.
    known: bool,
    /// The present proxy, masked.
    #[prop(optional_no_strip)]
    proxy: Option<String>,
) -> impl IntoView {
    let t = translator();
    let kinds = ProviderKind::ALL.iter().map(|kind| (kind.to_string(), kind.to_string())).collect::<Vec<_>>();
    let network_open = proxy.is_some() || !present.connect_ms.is_empty() || !present.total_ms.is_empty();
    view! {
        <fieldset class="section">
            <legend>{t(p::IDENTITY)}</legend>
            <Field form label=c::NAME name="name" value=present.name help=p::NAME_HELP required=true/>
            {(!known).then(|| view! {
                <Choice form label=p::KIND name="kind" value=present.kind.clone() help=p::KIND_HELP options=kinds/>
            })}
            <Field form label=p::BASE_URL name="base_url" kind="url" value=present.base_url help=p::BASE_URL_HELP required=true
                placeholder="https://api.example.com"/>
            {(!known).then(|| view! {
                <Field form label=p::API_KEY name="api_key" kind="password" help=p::API_KEY_HELP optional=true/>
            })}
            <Check form label=p::ENABLED name="enabled" on=checked(&present.enabled) help=p::ENABLED_HELP/>
        </fieldset>
        <details class="section" open=known>
            <summary><span>{t(p::SELECTION)}</span><span class="faint">{t(p::SELECTION_SUMMARY)}</span></summary>
            <Field form label=c::GROUPS name="groups" value=present.groups help=p::GROUPS_HELP optional=true/>
            <div class="pair">
                <Field form label=c::PRIORITY name="priority" kind="number" value=present.priority help=p::PRIORITY_HELP placeholder="0"/>
                <Field form label=c::WEIGHT name="weight" kind="number" value=present.weight help=p::WEIGHT_HELP placeholder="1"/>
            </div>
            <Area form label=c::MODELS name="models" value=present.models help=p::MODELS_HELP optional=true/>
            <Area form label=p::REDIRECTS name="model_redirects" value=present.model_redirects help=p::REDIRECTS_HELP optional=true/>
        </details>
        <details class="section" open=network_open>
            <summary><span>{t(p::NETWORK)}</span><span class="faint">{t(p::NETWORK_SUMMARY)}</span></summary>
            <Field form label=p::PROXY name="proxy_url" kind="password" help=p::PROXY_HELP optional=true/>
            {proxy.map(|proxy| view! {
                <p class="help">{t(p::PROXY_KEEP)} " " <code>{proxy}</code></p>
                <Check form label=p::PROXY_CLEAR name="proxy_clear"/>
            })}
            <div class="pair">
                <Field form label=p::CONNECT_MS name="connect_ms" noted_as="timeouts.connect_ms" kind="number"
                    value=present.connect_ms help=p::CONNECT_HELP placeholder="10000"/>
                <Field form label=p::FIRST_BYTE_MS name="first_byte_ms" noted_as="timeouts.first_byte_ms" kind="number"
                    value=present.first_byte_ms help=p::FIRST_BYTE_HELP placeholder="60000"/>
                <Field form label=p::IDLE_MS name="idle_ms" noted_as="timeouts.idle_ms" kind="number"
                    value=present.idle_ms help=p::IDLE_HELP placeholder="60000"/>
                <Field form label=p::TOTAL_MS name="total_ms" noted_as="timeouts.total_ms" kind="number"
                    value=present.total_ms help=p::TOTAL_HELP placeholder="600000"/>
            </div>
        </details>
        <fieldset class="section">
            <legend>{t(l::MONEY)}</legend>
            <Field form label=l::MULTIPLIER name="cost_multiplier" kind="decimal" value=present.cost_multiplier
                help=l::MULTIPLIER_HELP placeholder="1"/>
        </fieldset>
        <LimitFields form present=present.limits help=l::LIMITS_SUPPLIER_HELP/>
        <input type="hidden" name="form[version]" value=present.version/>
    }
}
