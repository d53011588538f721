//! Panels that wait for data: a skeleton of the right size, the content, or what went wrong and a way out.

use leptos::prelude::*;

use super::Busy;
use super::head::Head;
use crate::error::AppError;
use crate::format;
use crate::host;
use crate::text::{common as c, lang, problem, translator};

// What is shown while data is waited for, and whether anything is waited for: only a browser wants to know that. On a
// server the effect behind it runs on while its page is thrown away, and panics over what is gone.
macro_rules! transition {
    ($show:expr) => {
        if host::now_ms().is_none() {
            view! { <Transition fallback=skeleton>{$show}</Transition> }.into_any()
        } else {
            let waits = Busy::panel();
            view! { <Transition fallback=skeleton set_pending=waits>{$show}</Transition> }.into_any()
        }
    };
}

/// Shows a resource once it is there. What was shown stays while it is asked for again.
pub(crate) fn load<T, V>(
    resource: Resource<Result<T, AppError>>,
    show: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    transition!(move || {
        let show = show.clone();
        Suspend::new(async move {
            match resource.await {
                Ok(value) => show(value).into_any(),
                Err(error) => failed_panel(&error),
            }
        })
    })
}

/// Like [`load`], for pages that are about one thing: its name is the title.
pub(crate) fn load_page<T, V>(
    resource: Resource<Result<T, AppError>>,
    parent: (&'static str, &'static str),
    title: impl Fn(&T) -> String + Clone + Send + Sync + 'static,
    show: impl Fn(T) -> V + Clone + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    V: IntoView + 'static,
{
    transition!(move || {
        let (title, show) = (title.clone(), show.clone());
        Suspend::new(async move {
            match resource.await {
                Ok(value) => {
                    let title = title(&value);
                    view! {
                        <Head title parent/>
                        <div class="page">{show(value)}</div>
                    }
                    .into_any()
                }
                Err(error) => view! {
                    <Head title=parent.1 parent/>
                    <div class="page">{failed_panel(&error)}</div>
                }
                .into_any(),
            }
        })
    })
}

fn skeleton() -> impl IntoView {
    let t = translator();
    view! {
        <div class="skeleton" role="status">
            <span class="visually-hidden">{t(c::LOADING)}</span>
            <span class="bone"></span><span class="bone"></span><span class="bone"></span><span class="bone"></span>
        </div>
    }
}

/// What stands in place of a panel that could not be loaded.
pub(crate) fn failed_panel(error: &AppError) -> AnyView {
    let t = translator();
    let headline = problem::headline(&error.problem, lang());
    let code = error.problem.code.clone();
    let sign_in = problem::wants_sign_in(&error.problem);
    view! {
        <div class="panel failed" role="alert">
            <p class="failed-title">{t(c::PANEL_FAILED)}</p>
            <p>{headline} " " <code>{code}</code></p>
            // `external` makes it a true reload, with and without scripts.
            {if sign_in {
                view! { <a class="button" href="/login" rel="external">{t(c::TO_SIGN_IN)}</a> }.into_any()
            } else {
                view! { <a class="button" href="" rel="external">{t(c::RETRY)}</a> }.into_any()
            }}
        </div>
    }
    .into_any()
}

/// A list without rows says why, and what to do.
#[component]
pub(crate) fn Empty(
    /// What is missing.
    #[prop(into)]
    title: String,
    /// Why, and what would fill it.
    #[prop(into, optional)]
    text: String,
    /// The button that helps.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <div class="empty">
            <p class="empty-title">{title}</p>
            {(!text.is_empty()).then(|| view! { <p class="empty-text">{text}</p> })}
            {children.map(|children| view! { <div class="empty-actions">{children()}</div> })}
        </div>
    }
}

/// `500 of 1,234 lines`: how much of a long list is shown.
pub(crate) fn shown_of(shown: usize, total: u64) -> String {
    let t = translator();
    let shown = u64::try_from(shown).unwrap_or(u64::MAX);
    format!("{} {} {} {}", format::count(shown), t(c::SHOWN_OF), format::count(total.max(shown)), t(c::LINES))
}
