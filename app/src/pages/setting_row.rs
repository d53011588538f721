//! One setting with its default, its range, and who changed it last. The settings page shows all of them; other pages
//! show those that belong to what they are about.

use leptos::prelude::*;
use types::routing::Strategy;
use types::setting::{SETTINGS, SettingKind, SettingView};

use crate::api;
use crate::components::load::load;
use crate::components::time::Time;
use crate::components::{Refresh, failure, routing_words};
use crate::error::AppError;
use crate::text::{
    Text, check as k, common as c, lang, problem, routing_setting as g, setting as w, system as s, translator,
};

/// Those settings whose names begin with one of `prefixes`, to be changed in place.
#[component]
pub(crate) fn SettingsOf(prefixes: &'static [&'static str], back: &'static str) -> impl IntoView {
    let refresh = Refresh::get();
    let put = ServerAction::<api::setting::Put>::new();
    let reset = ServerAction::<api::setting::Reset>::new();
    let (error, reset_failed) = (failure(put), failure(reset));
    let list = Resource::new(move || refresh.0.get(), |_| api::setting::list());
    view! {
        <crate::components::flash::Failed error/>
        <crate::components::flash::Failed error=reset_failed/>
        {load(list, move |settings: Vec<SettingView>| {
            let rows: Vec<_> = settings
                .into_iter()
                .filter(|setting| prefixes.iter().any(|prefix| setting.name.starts_with(prefix)))
                .collect();
            view! {
                <For
                    each=move || rows.clone()
                    key=|setting| (setting.name.clone(), setting.value.clone(), setting.updated_at)
                    let:setting
                >
                    <Setting setting put reset error back/>
                </For>
            }
        })}
    }
}

/// The row; `back` is the page that a change leads to.
#[component]
pub(crate) fn Setting(
    setting: SettingView,
    put: ServerAction<api::setting::Put>,
    reset: ServerAction<api::setting::Reset>,
    error: Signal<Option<AppError>>,
    back: &'static str,
) -> impl IntoView {
    let t = translator();
    let lang = lang();
    let SettingView { name, value, default, updated_by, updated_at } = setting;
    let kind = SETTINGS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    let (title, help) =
        words(&name).map_or_else(|| (name.clone(), ""), |(title, help)| (t(title).to_owned(), t(help)));
    let id = format!("setting-{}", name.replace('.', "-"));
    // What was typed before a plain form post failed, but only in the field that failed.
    let shown = error
        .with_untracked(|e| e.as_ref().and_then(|e| e.typed.get(&name).cloned()))
        .unwrap_or_else(|| value.clone());
    let noted = name.clone();
    let note = move || {
        error.with(|e| {
            let note = e.as_ref()?.problem.fields.get(&noted)?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    let range = match kind {
        Some(SettingKind::Number(min, max)) => format!("{} {min}–{max} · ", t(s::RANGE)),
        _ => String::new(),
    };
    let default_words = match (kind, default.as_str()) {
        (Some(SettingKind::Switch), "true") => t(c::ON).to_owned(),
        (Some(SettingKind::Switch), _) => t(c::OFF).to_owned(),
        (Some(SettingKind::Address), "") => t(c::NONE).to_owned(),
        (_, "") => t(s::AS_STARTED).to_owned(),
        (_, text) => text.to_owned(),
    };
    let control = control(kind, &id, &shown, t(s::AS_STARTED));
    let changed = updated_at.map(|at| view! {
        <span>" · " {t(s::CHANGED_BY)} " " {updated_by.unwrap_or_default()} " " <Time at relative=true/></span>
    });
    let is_changed = updated_at.is_some();
    let (shown_name, put_name) = (name.clone(), name.clone());
    view! {
        <section class="panel setting">
            <div class="setting-words">
                <label for=id.clone()>{title}</label>
                <p class="help">{help}</p>
                <p class="help"><code>{shown_name}</code> " · " {range} {t(c::DEFAULT)} " " {default_words} {changed}</p>
            </div>
            <div class="setting-control">
                <ActionForm action=put attr:class="inline-form">
                    <input type="hidden" name="name" value=put_name/>
                    <input type="hidden" name="back" value=back/>
                    {control}
                    <button class="button small">{t(c::APPLY)}</button>
                </ActionForm>
                {is_changed.then(|| view! {
                    <ActionForm action=reset>
                        <input type="hidden" name="name" value=name/>
                        <input type="hidden" name="back" value=back/>
                        <button class="button small quiet">{t(s::RESET)}</button>
                    </ActionForm>
                })}
                {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
            </div>
        </section>
    }
}

fn control(kind: Option<SettingKind>, id: &str, value: &str, as_started: &'static str) -> AnyView {
    let (id, value) = (id.to_owned(), value.to_owned());
    match kind {
        Some(SettingKind::Switch) => {
            let on = crate::form::checked(&value);
            view! { <input id=id type="checkbox" name="value" value="true" checked=on/> }.into_any()
        }
        Some(SettingKind::Choice(choices)) => {
            let options = choices
                .iter()
                .map(|choice| {
                    let selected = *choice == value;
                    view! { <option value=*choice selected=selected>{choice_words(choice, as_started)}</option> }
                })
                .collect_view();
            view! { <select id=id class="input" name="value">{options}</select> }.into_any()
        }
        Some(SettingKind::Number(min, max)) => view! {
            <input id=id class="input short" type="number" name="value" value=value min=min.to_string() max=max.to_string() required/>
        }
        .into_any(),
        Some(SettingKind::Amount | SettingKind::Multiplier) => view! {
            <input id=id class="input short" inputmode="decimal" name="value" value=value spellcheck="false" autocomplete="off"/>
        }
        .into_any(),
        Some(SettingKind::Address) => view! {
            <input id=id class="input" inputmode="url" name="value" value=value spellcheck="false" autocomplete="off"/>
        }
        .into_any(),
        Some(SettingKind::TierOrder | SettingKind::TimeZone | SettingKind::Networks) | None => view! {
            <input id=id class="input" name="value" value=value spellcheck="false" autocomplete="off"/>
        }
        .into_any(),
    }
}

/// A choice as people read it; strategies have names, other choices stand for themselves.
fn choice_words(choice: &'static str, as_started: &'static str) -> &'static str {
    let t = translator();
    match (choice, choice.parse::<Strategy>()) {
        ("", _) => as_started,
        (_, Ok(strategy)) => t(routing_words::strategy(strategy).0),
        (choice, Err(_)) => choice,
    }
}

/// Title and help of a setting.
fn words(name: &str) -> Option<(Text, Text)> {
    Some(match name {
        "pool.tier_order" => (s::N_TIER_ORDER, s::H_TIER_ORDER),
        "pool.max_attempts" => (s::N_MAX_ATTEMPTS, s::H_MAX_ATTEMPTS),
        "routing.strategy" => (g::STRATEGY, g::STRATEGY_HELP),
        "routing.deadline_ms" => (g::N_DEADLINE, g::H_DEADLINE),
        "routing.gate_ms" => (g::N_GATE, g::H_GATE),
        "routing.retry_budget_percent" => (g::N_BUDGET, g::H_BUDGET),
        "routing.retry_unknown" => (g::N_RETRY_UNKNOWN, g::H_RETRY_UNKNOWN),
        "routing.hedge_percent" => (g::N_HEDGE, g::H_HEDGE),
        "routing.hedge_min_ms" => (g::N_HEDGE_MS, g::H_HEDGE_MS),
        "routing.hedge_max_usd" => (g::N_HEDGE_USD, g::H_HEDGE_USD),
        "routing.queue_ms" => (g::N_QUEUE_MS, g::H_QUEUE_MS),
        "routing.queue_size" => (g::N_QUEUE_SIZE, g::H_QUEUE_SIZE),
        "routing.cooldown_max_s" => (g::N_COOLDOWN, g::H_COOLDOWN),
        "routing.unavailable_s" => (g::N_UNAVAILABLE, g::H_UNAVAILABLE),
        "routing.breaker_on_network_errors" => (g::N_NETWORK, g::H_NETWORK),
        "account_health_check_enabled" => (k::N_ENABLED, k::H_ENABLED),
        "account_health_check_interval" => (k::N_INTERVAL, k::H_INTERVAL),
        "account_health_check_parallelism" => (k::N_PARALLEL, k::H_PARALLEL),
        "account_error_threshold" => (k::N_THRESHOLD, k::H_THRESHOLD),
        "account_allowance_percent" => (k::N_ALLOWANCE, k::H_ALLOWANCE),
        "account_session_key_probe" => (k::N_SESSION_KEY, k::H_SESSION_KEY),
        "affinity.enabled" => (g::N_AFFINITY, g::H_AFFINITY),
        "affinity.ttl_minutes" => (g::N_TTL, g::H_TTL),
        "affinity.cache_minutes" => (g::N_CACHE, g::H_CACHE),
        "rectify.thinking_signature" => (g::N_SIGNATURE, g::H_RECTIFY),
        "rectify.thinking_budget" => (g::N_THINKING, g::H_RECTIFY),
        "rectify.empty_text" => (g::N_EMPTY, g::H_RECTIFY),
        "rectify.orphan_tool_results" => (g::N_ORPHANS, g::H_RECTIFY),
        "session.lifetime_hours" => (s::N_LIFETIME, s::H_LIFETIME),
        "session.idle_minutes" => (s::N_IDLE, s::H_IDLE),
        "retention.request_days" => (s::N_REQUEST_DAYS, s::H_REQUEST_DAYS),
        "retention.audit_days" => (s::N_AUDIT_DAYS, s::H_AUDIT_DAYS),
        "billing.time_zone" => (w::N_TIME_ZONE, w::H_TIME_ZONE),
        "billing.global_price_rate" => (w::N_GLOBAL_RATE, w::H_GLOBAL_RATE),
        "billing.priced_model" => (w::N_PRICED_MODEL, w::H_PRICED_MODEL),
        "billing.unpriced_policy" => (w::N_UNPRICED, w::H_UNPRICED),
        "billing.default_input_per_million_usd" => (w::N_DEFAULT_INPUT, w::H_DEFAULT_PRICE),
        "billing.default_output_per_million_usd" => (w::N_DEFAULT_OUTPUT, w::H_DEFAULT_PRICE),
        "billing.unknown_outcome" => (w::N_UNKNOWN, w::H_UNKNOWN),
        "limits.global_daily_usd" => (w::N_GLOBAL_DAILY, w::H_GLOBAL),
        "limits.global_monthly_usd" => (w::N_GLOBAL_MONTHLY, w::H_GLOBAL),
        "limits.wait_ms" => (w::N_WAIT, w::H_WAIT),
        "limits.default_max_output_tokens" => (w::N_MAX_OUTPUT, w::H_MAX_OUTPUT),
        "limits.money_status" => (w::N_MONEY_STATUS, w::H_STATUS),
        "limits.package_status" => (w::N_PACKAGE_STATUS, w::H_STATUS),
        "limits.ip_per_minute" => (w::N_IP, w::H_IP),
        "limits.ip_exempt" => (w::N_IP_EXEMPT, w::H_IP_EXEMPT),
        "prices.sync_url" => (w::N_SYNC_URL, w::H_SYNC_URL),
        "prices.sync_hours" => (w::N_SYNC_HOURS, w::H_SYNC_HOURS),
        "log.level" => (s::N_LOG_LEVEL, s::H_LOG_LEVEL),
        "journal.strict" => (s::N_STRICT, s::H_STRICT),
        _ => return None,
    })
}

/// Value of a setting, or nothing.
pub(super) fn value_of(settings: &[SettingView], name: &str) -> String {
    settings
        .iter()
        .find(|setting| setting.name == name)
        .map(|setting| setting.value.clone())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_words() {
        for (name, _) in SETTINGS {
            assert!(words(name).is_some(), "{name}");
        }
    }
}
