//! Asks before something is taken away.
//!
//! The trigger is a link to `?confirm=<what>`, on which the server renders the dialog open: it asks without
//! scripts too. With scripts the click opens the same dialog above the page at once.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::query;
use crate::host;
use crate::text::{Text, common as c, translator};

/// A button that asks first; the form that does it is its child.
#[component]
pub(crate) fn Confirm(
    /// Names this question in the address; unique on the page.
    #[prop(into)]
    what: String,
    /// Words on the trigger.
    trigger: Text,
    /// The question.
    title: Text,
    /// What will happen.
    text: Text,
    /// What it is about.
    #[prop(into)]
    subject: String,
    children: Children,
) -> impl IntoView {
    let t = translator();
    let node = NodeRef::<Dialog>::new();
    let asked = query("confirm");
    let path = use_location().pathname;
    let open = {
        let what = what.clone();
        move || asked.get().is_some_and(|asked| asked == what)
    };
    let href = {
        let what = what.clone();
        move || format!("{}?confirm={what}", path.get())
    };
    let id = format!("confirm-{what}");
    let title_id = id.clone();
    view! {
        <a class="button small danger quiet" href=href role="button" on:click=move |event| {
            event.prevent_default();
            host::open_dialog(node);
        }>{t(trigger)}</a>
        <dialog class="dialog" node_ref=node open=open aria-labelledby=id>
            <h2 id=title_id>{t(title)}</h2>
            <p class="dialog-subject">{subject}</p>
            <p>{t(text)}</p>
            <div class="dialog-actions">
                <a class="button" href=move || path.get() role="button" on:click=move |_| host::close_dialog(node)>
                    {t(c::CANCEL)}
                </a>
                {children()}
            </div>
        </dialog>
    }
}
