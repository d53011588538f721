//! Asks before something is taken away.
//!
//! The trigger is a link to `?confirm=<what>`, on which the server renders the dialog open: it asks without
//! scripts too. The rest of the address stays, since it may say what the page is about. With scripts the click opens the same dialog above the page at once.

use leptos::html::Dialog;
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use leptos_router::params::ParamsMap;

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
    let (path, map) = (use_location().pathname, use_query_map());
    let open = {
        let what = what.clone();
        move || asked.get().is_some_and(|asked| asked == what)
    };
    let href = {
        let what = what.clone();
        move || address(&path.get(), map.get(), Some(&what))
    };
    let id = format!("confirm-{what}");
    let title_id = id.clone();
    view! {
        <a class="button small danger quiet" href=href role="button" on:click=move |event| {
            event.prevent_default();
            host::open_dialog(node);
        }>{t(trigger)}</a>
        // Once it is answered it is out of the way: what came of it is told on the page below.
        <dialog class="dialog" node_ref=node open=open aria-labelledby=id on:submit=move |_| host::close_dialog(node)>
            <h2 id=title_id>{t(title)}</h2>
            <p class="dialog-subject">{subject}</p>
            <p>{t(text)}</p>
            <div class="dialog-actions">
                <a class="button" href=move || address(&path.get(), map.get(), None) role="button" on:click=move |_| host::close_dialog(node)>
                    {t(c::CANCEL)}
                </a>
                {children()}
            </div>
        </dialog>
    }
}

/// This page, asking or not. What was said about the last change is over.
fn address(path: &str, mut map: ParamsMap, confirm: Option<&str>) -> String {
    for gone in ["confirm", "done", "undo", "__path", "__err"] {
        map.remove(gone);
    }
    let rest = map.to_query_string();
    match confirm {
        Some(what) if rest.is_empty() => format!("{path}?confirm={what}"),
        Some(what) => format!("{path}{rest}&confirm={what}"),
        None => format!("{path}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_keeps_what_the_page_is_about() {
        let map = ParamsMap::from_iter([("model", "a/b c"), ("done", "saved")]);
        assert_eq!(address("/p", map.clone(), Some("reset")), "/p?model=a%2Fb%20c&confirm=reset");
        assert_eq!(address("/p", map, None), "/p?model=a%2Fb%20c");
        assert_eq!(address("/p", ParamsMap::new(), None), "/p");
    }
}
