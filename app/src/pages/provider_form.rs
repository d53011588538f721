//! The fields of a provider, for new and known ones.

use leptos::prelude::*;
use types::dialect::Dialect;
use types::provider::ProviderKind;

use crate::components::field::{Area, Check, Choice, Field, FormState};
use crate::components::limit_fields::LimitFields;
use crate::form::checked;
use crate::form::provider::ProviderForm;
use crate::text::{common as c, limit as l, provider as p, translation as x, translator};

/// Fields of the section on resilience, as problems name them.
const ROUTING: &[&str] = &["breaker.", "clients", "schedule", "queue_"];

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
    // Of a new provider the kind is not settled yet.
    let own = present.kind.parse::<ProviderKind>().ok().filter(|_| known);
    let network_open = proxy.is_some()
        || checked(&present.http2)
        || !present.connect_ms.is_empty()
        || !present.total_ms.is_empty();
    // Folded unless something in it differs from the default, or was refused.
    let routing_open = [
        &present.breaker_failures,
        &present.breaker_open_ms,
        &present.breaker_successes,
        &present.clients,
        &present.schedule_start,
        &present.queue_size,
        &present.queue_ms,
    ]
    .iter()
    .any(|text| !text.is_empty())
        || !checked(&present.sticky)
        || form.error.with_untracked(|error| {
            error.as_ref().is_some_and(|error| {
                error.problem.fields.keys().any(|field| ROUTING.iter().any(|name| field.starts_with(name)))
            })
        });
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
                <Check form label=p::PROBE name="probe" help=p::PROBE_HELP/>
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
        <TranslationFields form dialects=present.dialects translate=checked(&present.translate) own/>
        <details class="section" open=network_open>
            <summary><span>{t(p::NETWORK)}</span><span class="faint">{t(p::NETWORK_SUMMARY)}</span></summary>
            <Field form label=p::PROXY name="proxy_url" kind="password" help=p::PROXY_HELP optional=true/>
            {proxy.map(|proxy| view! {
                <p class="help">{t(p::PROXY_KEEP)} " " <code>{proxy}</code></p>
                <Check form label=p::PROXY_CLEAR name="proxy_clear"/>
            })}
            <Check form label=p::PROXY_FALLBACK name="proxy_fallback" on=checked(&present.proxy_fallback) help=p::PROXY_FALLBACK_HELP/>
            <Check form label=p::HTTP2 name="http2" on=checked(&present.http2) help=p::HTTP2_HELP/>
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
        <details class="section" open=routing_open>
            <summary><span>{t(p::ROUTING)}</span><span class="faint">{t(p::ROUTING_SUMMARY)}</span></summary>
            <div class="triple">
                <Field form label=p::BREAKER_FAILURES name="breaker_failures" noted_as="breaker.failure_threshold" kind="number"
                    value=present.breaker_failures help=p::BREAKER_FAILURES_HELP placeholder="5"/>
                <Field form label=p::BREAKER_OPEN_MS name="breaker_open_ms" noted_as="breaker.open_duration_ms" kind="number"
                    value=present.breaker_open_ms help=p::BREAKER_OPEN_HELP placeholder="1800000"/>
                <Field form label=p::BREAKER_SUCCESSES name="breaker_successes" noted_as="breaker.half_open_success_threshold"
                    kind="number" value=present.breaker_successes help=p::BREAKER_SUCCESSES_HELP placeholder="2"/>
            </div>
            <div class="pair">
                <Field form label=p::SCHEDULE_START name="schedule_start" noted_as="schedule" kind="time"
                    value=present.schedule_start help=p::SCHEDULE_HELP/>
                <Field form label=p::SCHEDULE_END name="schedule_end" noted_as="schedule" kind="time" value=present.schedule_end/>
            </div>
            <Area form label=p::CLIENTS name="clients" value=present.clients help=p::CLIENTS_HELP optional=true/>
            <Check form label=p::STICKY name="sticky" on=checked(&present.sticky) help=p::STICKY_HELP/>
            <div class="pair">
                <Field form label=p::QUEUE_SIZE name="queue_size" kind="number" value=present.queue_size help=p::QUEUE_SIZE_HELP/>
                <Field form label=p::QUEUE_MS name="queue_ms" kind="number" value=present.queue_ms help=p::QUEUE_MS_HELP/>
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

/// What it speaks, and whether callers of other dialects may have it.
#[component]
fn TranslationFields(
    form: FormState,
    dialects: String,
    translate: bool,
    #[prop(optional_no_strip)] own: Option<ProviderKind>,
) -> impl IntoView {
    let t = translator();
    let open = !dialects.is_empty() || !translate || form.noted("dialects");
    let placeholder = own.map(|kind| names(kind.dialects())).unwrap_or_default();
    view! {
        <details class="section" id="translation" open=open>
            <summary><span>{t(x::SECTION)}</span><span class="faint">{t(x::SECTION_SUMMARY)}</span></summary>
            <Field form label=x::DIALECTS name="dialects" value=dialects help=x::DIALECTS_HELP optional=true placeholder/>
            <Check form label=x::TRANSLATE name="translate" on=translate help=x::TRANSLATE_HELP/>
        </details>
    }
}

/// Dialects as they are typed.
fn names(dialects: &[Dialect]) -> String {
    dialects.iter().map(|dialect| dialect.as_str()).collect::<Vec<_>>().join(", ")
}
