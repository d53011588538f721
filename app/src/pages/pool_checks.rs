//! Checks of credentials on the page of the pool: how the checker does, who has errors, and what can be done.

use leptos::prelude::*;
use types::check::{CheckReport, CheckerView, DisabledBy};
use types::credential::CredentialView;
use types::provider::ProviderView;

use crate::api;
use crate::components::head::Answer;
use crate::components::load::Empty;
use crate::components::time::{Time, Until, maybe};
use crate::components::{badge, failure, flash};
use crate::format;
use crate::text::sentence::sentence;
use crate::text::{check as k, common as c, lang, translator};

/// What can be done with checks and errors.
#[derive(Clone, Copy)]
pub(crate) struct CheckActions {
    one: ServerAction<api::check::One>,
    all: ServerAction<api::check::All>,
    reset: ServerAction<api::check::Reset>,
    reset_all: ServerAction<api::check::ResetAll>,
    enable: ServerAction<api::check::Enable>,
}

impl CheckActions {
    pub(crate) fn new() -> Self {
        Self {
            one: ServerAction::new(),
            all: ServerAction::new(),
            reset: ServerAction::new(),
            reset_all: ServerAction::new(),
            enable: ServerAction::new(),
        }
    }

    /// What went wrong with them.
    pub(crate) fn failures(self) -> impl IntoView {
        let failures = [
            failure(self.one),
            failure(self.all),
            failure(self.reset),
            failure(self.reset_all),
            failure(self.enable),
        ];
        failures.into_iter().map(|error| view! { <flash::Failed error/> }).collect_view()
    }
}

/// The card of the checker; a notice with a link where checks are off.
#[component]
pub(crate) fn Checker(checker: CheckerView, actions: CheckActions) -> impl IntoView {
    let t = translator();
    let CheckerView {
        enabled,
        interval_minutes,
        error_threshold,
        last_run_at,
        next_run_at,
        counts,
        connectivity_alert,
        disabled,
        with_errors,
    } = checker;
    let (mood, text) = match (enabled, connectivity_alert) {
        (_, true) => ("bad", k::CUT_OFF),
        (true, false) => ("good", k::ON),
        // Off is how it comes; nothing is wrong with that.
        (false, false) => ("calm", k::OFF),
    };
    let fact = move |name, value: String| view! { <div><dt>{t(name)}</dt><dd>{value}</dd></div> };
    let n = |count: u32| format::count(u64::from(count));
    view! {
        <section class="panel" id="checks">
            <div class="panel-head">
                <h2 class="panel-title">{t(k::TITLE)}</h2>
                <span class="row-actions">
                    <ActionForm action=actions.all><button class="button small">{t(k::CHECK_ALL)}</button></ActionForm>
                    <ActionForm action=actions.reset_all><button class="button small quiet">{t(k::RESET_ALL)}</button></ActionForm>
                </span>
            </div>
            <div class="pad-x">
                <Answer mood text=t(text)>
                    {(!enabled).then(|| view! { <a class="button small" href="/settings#setting-account_health_check_enabled">{t(k::SWITCH_ON)}</a> })}
                </Answer>
                <dl class="facts">
                    {fact(k::EVERY, interval_minutes.to_string())}
                    {fact(k::THRESHOLD, error_threshold.to_string())}
                    <div><dt>{t(k::LAST_RUN)}</dt><dd>{maybe(last_run_at, t(c::NOT_YET))}</dd></div>
                    <div><dt>{t(k::NEXT_RUN)}</dt><dd>{next_run_at.map_or_else(|| "–".into_any(), |at| view! { <Until at/> }.into_any())}</dd></div>
                    {fact(k::CHECKED, n(counts.checked))}
                    {fact(k::HEALTHY, n(counts.healthy))}
                    {fact(k::ALIVE, n(counts.alive))}
                    {fact(k::FAILED, n(counts.failed))}
                    {fact(k::INCONCLUSIVE, n(counts.inconclusive))}
                    {fact(k::NOT_PROBED, n(counts.not_probed))}
                    {fact(k::DISABLED, n(disabled))}
                    <div><dt>{t(k::WITH_ERRORS)}</dt><dd><a href="/pool?errors=1#errors">{n(with_errors)}</a></dd></div>
                </dl>
            </div>
        </section>
    }
}

/// What the checks of one credential say, in a cell.
#[component]
pub(crate) fn CheckCell(
    credential: CredentialView,
    /// Failures after which a credential is switched off, where the page knows.
    #[prop(optional)]
    threshold: Option<u32>,
) -> impl IntoView {
    let t = translator();
    let check = credential.check;
    let of = threshold.map(|most| format!("/{most}")).unwrap_or_default();
    let off = (check.disabled_by == Some(DisabledBy::HealthCheck)).then(|| {
        let text = format!("{} {}{of}", t(k::AUTO_DISABLED), check.failures);
        view! {
            <span class="state bad"><span class="mark" aria-hidden="true">"■"</span>{text}</span>
            {check.disabled_at.map(|at| view! { <span class="faint"><Time at/></span> })}
        }
    });
    let count = (off.is_none() && check.failures > 0).then(|| {
        if of.is_empty() { format!("× {}", check.failures) } else { format!("{}{of}", check.failures) }
    });
    view! {
        <span class="stack">
            {off}
            <span>
                {badge::check(check.result)} " "
                {count.map(|count| view! { <span class="faint">{count}</span> })} " "
                {check.at.map(|at| view! { <span class="faint"><Time at relative=true/></span> })}
            </span>
            {check.message.map(|message| view! { <span class="reason break">{sentence(lang(), &message)}</span> })}
            {check.remedy.map(|remedy| view! { <span class="reason break">{t(k::REMEDY)} ": " {sentence(lang(), &remedy)}</span> })}
        </span>
    }
}

/// What one check found, right after it was asked for: of whom, the verdict, how fast, what was said and what to do.
#[component]
pub(crate) fn CheckResult(report: CheckReport) -> impl IntoView {
    let t = translator();
    let CheckReport { credential_name, result, probe, status, latency_ms, error, remedy, .. } = report;
    let mut facts = vec![format::duration(latency_ms), probe];
    facts.extend(status.map(|status| format!("HTTP {status}")));
    view! {
        <div class="test-result" role="status">
            <p><strong>{credential_name}</strong> " " {badge::check(Some(result))} " " <span class="faint">{facts.join(" · ")}</span></p>
            {error.map(|error| view! { <p class="test-error">{sentence(lang(), &error)}</p> })}
            {remedy.map(|remedy| view! { <p class="reason">{t(k::REMEDY)} ": " {sentence(lang(), &remedy)}</p> })}
        </div>
    }
}

/// Check, reset, switch on again.
#[component]
pub(crate) fn CheckButtons(credential: CredentialView, actions: CheckActions) -> impl IntoView {
    let t = translator();
    let id = credential.id.to_string();
    let hidden = move || view! { <input type="hidden" name="id" value=id.clone()/> };
    let (one, reset, enable) = (hidden.clone(), hidden.clone(), hidden);
    let errors = credential.has_errors();
    let off = !credential.enabled;
    view! {
        <ActionForm action=actions.one>{one()}<button class="button small quiet">{t(k::CHECK_NOW)}</button></ActionForm>
        {errors.then(|| view! {
            <ActionForm action=actions.reset>{reset()}<button class="button small quiet">{t(k::RESET)}</button></ActionForm>
        })}
        {off.then(|| view! {
            <ActionForm action=actions.enable>{enable()}<button class="button small">{t(k::ENABLE)}</button></ActionForm>
        })}
    }
}

/// Those with errors in a row, the most first.
#[component]
pub(crate) fn WithErrors(
    credentials: Vec<CredentialView>,
    providers: Vec<ProviderView>,
    actions: CheckActions,
) -> impl IntoView {
    let t = translator();
    let mut rows: Vec<_> = credentials.into_iter().filter(CredentialView::has_errors).collect();
    rows.sort_by_key(|credential| {
        std::cmp::Reverse(credential.consecutive_errors + credential.check.failures)
    });
    let body = if rows.is_empty() {
        view! { <Empty title=t(k::NO_ERRORS)/> }.into_any()
    } else {
        let rows = rows
            .into_iter()
            .take(200)
            .map(|credential| {
                let provider = providers.iter().find(|provider| provider.id == credential.provider_id);
                let (name, kind) = provider
                    .map(|provider| (provider.name.clone(), provider.kind.to_string()))
                    .unwrap_or_default();
                let last = credential.check.message.clone().or_else(|| credential.last_error.clone());
                let counts = format!("{} / {}", credential.consecutive_errors, credential.check.failures);
                let href = format!("/providers/{}?edit={}", credential.provider_id, credential.id);
                view! {
                    <tr>
                        <td data-label=t(k::ID)>{credential.id.to_string()}</td>
                        <th scope="row" data-label=t(c::CREDENTIAL)><a href=href>{format!("{name} / {}", credential.name)}</a></th>
                        <td data-label=t(k::TYPE)>{kind}</td>
                        <td data-label=t(k::ENABLED)>{badge::on_off(credential.enabled, false)}</td>
                        <td data-label=t(k::COUNT) class="num">{counts}</td>
                        <td data-label=t(k::LAST_ERROR) class="wrap-cell">{last.unwrap_or_default()}</td>
                        <td class="actions"><span class="row-actions"><CheckButtons credential actions/></span></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <div class="table-scroll">
                <table class="table rows">
                    <caption class="visually-hidden">{t(k::WITH_ERRORS_TITLE)}</caption>
                    <thead>
                        <tr>
                            <th scope="col">{t(k::ID)}</th>
                            <th scope="col">{t(c::CREDENTIAL)}</th>
                            <th scope="col">{t(k::TYPE)}</th>
                            <th scope="col">{t(k::ENABLED)}</th>
                            <th scope="col" class="num" title=t(k::COUNT_OF)>{t(k::COUNT)}</th>
                            <th scope="col">{t(k::LAST_ERROR)}</th>
                            <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        }
        .into_any()
    };
    view! {
        <section class="panel" id="errors">
            <div class="panel-head">
                <h2 class="panel-title">{t(k::WITH_ERRORS_TITLE)}</h2>
                <a class="button small quiet" href="/pool">{t(c::ALL)}</a>
            </div>
            {body}
        </section>
    }
}
