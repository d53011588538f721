//! Messages after a change: what was done, what went wrong. They live in the address, so that they appear
//! after a plain form post too.

use leptos::prelude::*;

use super::query;
use crate::error::AppError;
use crate::text::{
    books, cache, check, common as c, lang, money, oauth, package, pool, problem, routing, secrets, transfer,
    translator,
};

/// What was done, from `?done=`; with an undo form as child where one exists.
#[component]
pub(crate) fn Done(
    /// The undo form.
    #[prop(optional)]
    children: Option<ChildrenFn>,
) -> impl IntoView {
    let t = translator();
    let done = query("done");
    let children = StoredValue::new(children);
    move || {
        let text = match done.get().as_deref() {
            Some("created") => c::DONE_CREATED,
            Some("saved") => c::DONE_SAVED,
            Some("deleted") => c::DONE_DELETED,
            Some("restored") => c::DONE_RESTORED,
            Some("reset") => c::DONE_RESET,
            Some("recovered") => c::DONE_RECOVERED,
            Some("task") => c::DONE_TASK,
            Some("rotating") => secrets::DONE,
            Some("usage_reset") => c::DONE_USAGE_RESET,
            Some("increased") => c::DONE_INCREASED,
            Some("ended") => c::DONE_ENDED,
            Some("granted") => package::DONE_GRANTED,
            Some("imported") => money::IMPORTED_DONE,
            Some("taken_over") => transfer::DONE,
            Some("synced") => money::SYNCED_DONE,
            Some("repriced") => money::REPRICED_DONE,
            Some("rebuilt") => books::REBUILT,
            Some("breakers_reset") => pool::DONE_RESET,
            Some("checked") => check::DONE,
            Some("errors_reset") => check::DONE_RESET,
            Some("enabled") => check::DONE_ENABLED,
            Some("cleared") => cache::DONE_CLEARED,
            Some("refreshed") => routing::DONE_REFRESHED,
            Some("connected") => oauth::DONE_CONNECTED,
            Some("token_refreshed") => oauth::DONE_REFRESHED,
            Some("token_none") => oauth::DONE_NONE,
            Some("applied") => routing::DONE_APPLIED,
            _ => return None,
        };
        Some(view! {
            <div class="flash good" role="status">
                <span aria-hidden="true">"✓"</span>
                <span>{t(text)}</span>
                {children.with_value(|children| children.as_ref().map(|children| children()))}
            </div>
        })
    }
}

/// What went wrong with an action. Notes on fields stand under the fields.
#[component]
pub(crate) fn Failed(
    /// The action's failure.
    error: Signal<Option<AppError>>,
    /// Whether to name the fields here: for forms that have no place for notes of their own.
    #[prop(optional)]
    notes: bool,
) -> impl IntoView {
    let (t, lang) = (translator(), lang());
    move || {
        error.get().map(|error| {
            let headline = problem::headline(&error.problem, lang);
            let fields = &error.problem.fields;
            // Whoever signs in beside this page loses nothing of what is typed here.
            let sign_in = problem::wants_sign_in(&error.problem);
            let way_out = sign_in.then(|| view! {
                <a href="/login" rel="external" target="_blank">{t(c::TO_SIGN_IN)}</a>
            });
            let detail = if sign_in {
                None
            } else if fields.is_empty() {
                (headline != error.problem.message).then(|| error.problem.message.clone())
            } else {
                let note = |(name, note): (&String, &String)| {
                    format!("{name}: {}", problem::field_note(note, lang))
                };
                notes.then(|| fields.iter().map(note).collect::<Vec<_>>().join("; "))
            };
            view! {
                <div class="flash bad" role="alert">
                    <span aria-hidden="true">"■"</span>
                    <span>{headline} {detail.map(|detail| view! { <span class="flash-detail">{detail}</span> })} " " {way_out}</span>
                </div>
            }
        })
    }
}
