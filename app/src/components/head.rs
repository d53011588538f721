//! The head of a page: title bar, and the answer that the page gives first.

use leptos::prelude::*;
use leptos_meta::Title;

/// The slim bar with the page's title and its main actions.
#[component]
pub(crate) fn Head(
    /// Title of page and tab.
    #[prop(into)]
    title: String,
    /// Where the title's parent leads: address and words.
    #[prop(optional)]
    parent: Option<(&'static str, &'static str)>,
    /// Buttons at the right.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <Title text=title.clone()/>
        <header class="bar">
            <div class="bar-title">
                {parent.map(|(href, words)| view! {
                    <a class="crumb" href=href>{words}</a>
                    <span class="crumb-sep" aria-hidden="true">"/"</span>
                })}
                <h1>{title}</h1>
            </div>
            {children.map(|children| view! { <div class="bar-actions">{children()}</div> })}
        </header>
    }
}

/// The sentence that answers the page's question.
#[component]
pub(crate) fn Answer(
    /// `good`, `warn`, `bad` or `calm`.
    mood: &'static str,
    /// The sentence.
    #[prop(into)]
    text: String,
    /// What follows: a detail, a button.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let mark = match mood {
        "good" => "●",
        "warn" => "▲",
        "bad" => "■",
        _ => "◆",
    };
    view! {
        <div class=format!("answer {mood}")>
            <span class="answer-mark" aria-hidden="true">{mark}</span>
            <p class="answer-text">{text}</p>
            {children.map(|children| view! { <div class="answer-more">{children()}</div> })}
        </div>
    }
}
