//! The money side of one user, key, provider, credential or group: bars, temporary increases, reset of usage.

use leptos::prelude::*;
use types::limits::{Increase, LimitName, Limits};
use types::quota::{QuotaFilter, QuotaLine, ScopeKind};

use crate::api;
use crate::components::confirm::Confirm;
use crate::components::field::{Choice, Field, FormState};
use crate::components::flash::Failed;
use crate::components::load::{Empty, load};
use crate::components::quota::{QuotaBars, limit_words};
use crate::components::time::{Time, maybe};
use crate::components::{Refresh, failure};
use crate::format;
use crate::text::{common as c, limit as l, translator};

/// Of what a panel shows the limits.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    /// What it is.
    pub(crate) scope: ScopeKind,
    /// Its identity.
    pub(crate) id: i64,
    /// Its name, for questions.
    pub(crate) name: String,
    /// The page to return to after a change.
    pub(crate) back: String,
}

/// The bars of one thing with what can be done about them.
#[component]
pub(crate) fn QuotaPanel(
    subject: Subject,
    limits: Limits,
    /// When its usage was last reset.
    #[prop(optional_no_strip)]
    reset_at: Option<types::Timestamp>,
) -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let filter = filter_of(&subject);
    let named = subject.scope == ScopeKind::Key;
    let lines = Resource::new(move || refresh.0.get(), move |_| api::quota::list(filter.clone()));
    view! {
        <section class="panel" id="quotas">
            <div class="panel-head">
                <h2 class="panel-title">{t(l::QUOTAS_OF)}</h2>
                <ResetUsage subject=subject.clone()/>
            </div>
            {load(lines, move |lines: Vec<QuotaLine>| if lines.is_empty() {
                view! { <Empty title=t(l::NO_LIMITS)/> }.into_any()
            } else {
                view! { <QuotaBars lines named linked=true/> }.into_any()
            })}
            {reset_at.map(|at| view! { <p class="help pad-x">{t(l::RESET_AT)} " " {maybe(Some(at), "")}</p> })}
            <Increases subject limits/>
        </section>
    }
}

fn filter_of(subject: &Subject) -> QuotaFilter {
    let id = subject.id;
    let mut filter = QuotaFilter::default();
    match subject.scope {
        ScopeKind::User => filter.user_id = Some(id.into()),
        ScopeKind::Key => filter.key_id = Some(id.into()),
        ScopeKind::Provider => filter.provider_id = Some(id.into()),
        ScopeKind::Credential => filter.credential_id = Some(id.into()),
        ScopeKind::Global | ScopeKind::Group | ScopeKind::Package => {}
    }
    filter
}

/// A button that lets usage count from zero again, after a question.
#[component]
pub(crate) fn ResetUsage(subject: Subject) -> impl IntoView {
    let t = translator();
    let reset = ServerAction::<api::quota::Reset>::new();
    let error = failure(reset);
    let Subject { scope, id, name, back } = subject;
    view! {
        <Failed error/>
        <Confirm what=format!("reset-{scope}-{id}") trigger=l::RESET_USAGE title=l::RESET_TITLE text=l::RESET_TEXT subject=name>
            <ActionForm action=reset>
                <input type="hidden" name="scope" value=scope.to_string()/>
                <input type="hidden" name="id" value=id.to_string()/>
                <input type="hidden" name="back" value=back/>
                <button class="button danger">{t(l::RESET_USAGE)}</button>
            </ActionForm>
        </Confirm>
    }
}

/// Temporary increases: those that are, and a form for one more.
#[component]
pub(crate) fn Increases(subject: Subject, limits: Limits) -> impl IntoView {
    let t = translator();
    let raise = ServerAction::<api::quota::Raise>::new();
    let lower = ServerAction::<api::quota::Lower>::new();
    let (raise_failed, lower_failed) = (failure(raise), failure(lower));
    let form = FormState { scope: "increase", error: raise_failed };
    let id = if subject.scope == ScopeKind::Group { subject.name.clone() } else { subject.id.to_string() };
    let options: Vec<_> = LimitName::ALL
        .iter()
        .filter(|name| limits.usd(**name).is_some())
        .map(|name| (name.to_string(), t(limit_words(*name)).to_owned()))
        .collect();
    let count = limits.increases.len();
    let summary = if count == 0 { String::new() } else { format!(" ({count})") };
    let words = StoredValue::new((subject.scope.to_string(), id, subject.back));
    let hidden = move || {
        let (scope, id, back) = words.get_value();
        view! {
            <input type="hidden" name="form[scope]" value=scope/>
            <input type="hidden" name="form[id]" value=id/>
            <input type="hidden" name="form[back]" value=back/>
        }
    };
    let known = limits
        .increases
        .into_iter()
        .map(|increase| {
            let Increase { limit, extra_usd, until } = increase;
            view! {
                <li>
                    <span>{t(limit_words(limit))} " + " <strong>{format::usd_short(extra_usd)}</strong> " "
                        <span class="faint">{t(l::UNTIL)} " " <Time at=until/> " UTC"</span></span>
                    <ActionForm action=lower>
                        {hidden()}
                        <input type="hidden" name="form[limit]" value=limit.to_string()/>
                        <input type="hidden" name="form[extra_usd]" value=extra_usd.to_string()/>
                        <input type="hidden" name="form[until]" value=until.to_string()/>
                        <button class="button small quiet">{t(l::INCREASE_END)}</button>
                    </ActionForm>
                </li>
            }
        })
        .collect_view();
    let adding = if options.is_empty() {
        view! { <p class="help">{t(l::INCREASE_NO_LIMIT)}</p> }.into_any()
    } else {
        view! {
            <ActionForm action=raise attr:class="form">
                {hidden()}
                <div class="pair">
                    <Choice form label=l::INCREASE_LIMIT name="limit" options/>
                    <Field form label=l::INCREASE_EXTRA name="extra_usd" kind="decimal" required=true placeholder="10"/>
                    <Field form label=l::INCREASE_UNTIL name="until" kind="datetime-local" required=true/>
                </div>
                <div><button class="button" disabled=move || raise.pending().get()>{t(l::INCREASE_ADD)}</button></div>
            </ActionForm>
        }
        .into_any()
    };
    let open = count > 0 || raise_failed.with_untracked(Option::is_some);
    view! {
        <details class="fold pad increases" open=open>
            <summary>{t(l::INCREASES)} {summary}</summary>
            <Failed error=raise_failed/>
            <Failed error=lower_failed/>
            {(count == 0).then(|| view! { <p class="help">{t(l::INCREASES_NONE)}</p> })}
            <ul class="plain-list">{known}</ul>
            {adding}
        </details>
    }
}

/// The quotas that a page shows without more: a member's own.
#[component]
pub(crate) fn OwnQuotas(lines: Vec<QuotaLine>, title: &'static str) -> impl IntoView {
    (!lines.is_empty()).then(|| {
        view! {
            <section class="panel">
                <h2 class="panel-title">{title}</h2>
                <QuotaBars lines named=true/>
            </section>
        }
    })
}

/// Words for a filter by share.
pub(crate) const SHARES: [(&str, crate::text::Text); 3] = [("", l::S_ALL), ("50", l::S_50), ("90", l::S_90)];

/// The label of a filter chip.
pub(crate) const FILTER_NAMES: [(&str, crate::text::Text); 4] = [
    ("user_id", c::USER),
    ("key_id", c::KEY),
    ("provider_id", c::PROVIDER),
    ("credential_id", c::CREDENTIAL),
];
