//! The limits section of a form: money by window, rates, concurrency.

use leptos::prelude::*;

use super::field::{Check, Choice, Field, FormState};
use crate::form::checked;
use crate::form::limits::LimitsForm;
use crate::text::{Text, limit as l, translator};

/// All limits, folded with a summary of what is set.
#[component]
pub(crate) fn LimitFields(
    form: FormState,
    /// What the fields show at first.
    present: LimitsForm,
    /// What the limits mean for this kind of thing.
    help: Text,
    /// One more sentence.
    #[prop(optional)]
    more: Option<Text>,
) -> impl IntoView {
    let t = translator();
    let count = present.count();
    let summary = if count == 0 {
        t(l::LIMITS_SUMMARY_NONE).to_owned()
    } else {
        format!("{count} {}", t(l::LIMITS_SET))
    };
    let wrong = form.error.with_untracked(|error| {
        error
            .as_ref()
            .is_some_and(|error| error.problem.fields.keys().any(|field| field.starts_with("limits.")))
    });
    let modes = |by_default: Text| {
        vec![
            (String::new(), format!("{} ({})", t(by_default), t(l::BY_DEFAULT))),
            ("rolling".to_owned(), t(l::ROLLING).to_owned()),
            ("fixed".to_owned(), t(l::FIXED).to_owned()),
        ]
    };
    let p = present;
    view! {
        <details class="section limits" open={count > 0 || wrong}>
            <summary><span>{t(l::LIMITS)}</span><span class="faint">{summary}</span></summary>
            <p class="help">{t(help)} {more.map(|more| format!(" {}", t(more)))}</p>
            <div class="pair">
                <Usd form label=l::FIVE_HOURS_USD name="limit_5h_usd" value=p.limit_5h_usd/>
                <Choice form label=l::MODE_5H name="limit_5h_mode" noted_as="limits.limit_5h_mode" value=p.limit_5h_mode
                    help=l::MODE_5H_HELP options=modes(l::ROLLING)/>
            </div>
            <div class="triple">
                <Usd form label=l::DAY_USD name="daily_limit_usd" value=p.daily_limit_usd/>
                <Choice form label=l::MODE_DAY name="daily_mode" noted_as="limits.daily_mode" value=p.daily_mode
                    help=l::MODE_DAY_HELP options=modes(l::FIXED)/>
                <Field form label=l::RESET_TIME name="daily_reset_time" noted_as="limits.daily_reset_time" kind="time"
                    value=p.daily_reset_time help=l::RESET_TIME_HELP/>
            </div>
            <div class="triple">
                <Usd form label=l::WEEK_USD name="limit_weekly_usd" value=p.limit_weekly_usd help=l::WEEK_HELP/>
                <Usd form label=l::MONTH_USD name="limit_monthly_usd" value=p.limit_monthly_usd help=l::MONTH_HELP/>
                <Usd form label=l::TOTAL_USD name="limit_total_usd" value=p.limit_total_usd help=l::TOTAL_HELP/>
            </div>
            <fieldset class="checks">
                <legend>{t(l::ESTIMATE)}</legend>
                <div class="check-row">
                    <Check form label=l::FIVE_HOURS name="estimate_5h" on=checked(&p.estimate_5h)/>
                    <Check form label=l::DAY name="estimate_daily" on=checked(&p.estimate_daily)/>
                    <Check form label=l::WEEK name="estimate_weekly" on=checked(&p.estimate_weekly)/>
                    <Check form label=l::MONTH name="estimate_monthly" on=checked(&p.estimate_monthly)/>
                    <Check form label=l::TOTAL name="estimate_total" on=checked(&p.estimate_total)/>
                </div>
                <p class="help">{t(l::ESTIMATE_HELP)}</p>
            </fieldset>
            <div class="pair">
                <Count form label=l::RPM name="rpm_limit" value=p.rpm_limit help=l::RPM_HELP/>
                <Count form label=l::TPM name="tpm_limit" value=p.tpm_limit help=l::TPM_HELP/>
                <Count form label=l::SESSIONS name="limit_concurrent_sessions" value=p.limit_concurrent_sessions help=l::SESSIONS_HELP/>
                <Count form label=l::AT_ONCE name="max_concurrent_requests" value=p.max_concurrent_requests help=l::AT_ONCE_HELP/>
            </div>
        </details>
    }
}

#[component]
fn Usd(
    form: FormState,
    label: Text,
    name: &'static str,
    value: String,
    #[prop(optional)] help: Option<Text>,
) -> impl IntoView {
    let t = translator();
    let placeholder = t(l::USD_PLACEHOLDER);
    let noted = format!("limits.{name}");
    match help {
        Some(help) => view! {
            <Field form label name noted_as=noted kind="decimal" value help placeholder/>
        }
        .into_any(),
        None => view! { <Field form label name noted_as=noted kind="decimal" value placeholder/> }.into_any(),
    }
}

#[component]
fn Count(form: FormState, label: Text, name: &'static str, value: String, help: Text) -> impl IntoView {
    let t = translator();
    let noted = format!("limits.{name}");
    view! { <Field form label name noted_as=noted kind="number" value help placeholder=t(l::USD_PLACEHOLDER)/> }
}
