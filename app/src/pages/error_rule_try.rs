//! Tries the error rules on an error. What is tried stands in the address, so that it works without scripts.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use types::error_rule::{TriedErrorRules, TryErrorRules};

use crate::api;
use crate::components::head::Answer;
use crate::components::load::load;
use crate::components::{Refresh, query, routing_words};
use crate::text::{rule as e, translator};

/// What came of what was typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Tried {
    Nothing,
    NoStatus,
    Error(TriedErrorRules),
}

/// The tester.
#[component]
pub(crate) fn Tester() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let (status, body) = (query("status"), query("body"));
    let tried = Resource::new(
        move || (status.get(), body.get(), refresh.0.get()),
        |(status, body, _)| async move {
            let Some(status) = status else { return Ok(Tried::Nothing) };
            let Ok(status) = status.trim().parse() else { return Ok(Tried::NoStatus) };
            let ask = TryErrorRules { status, body: body.unwrap_or_default() };
            api::error_rule::attempt(ask).await.map(Tried::Error)
        },
    );
    view! {
        <section class="panel pad" id="tester">
            <h2>{t(e::TESTER)}</h2>
            <p class="help">{t(e::TESTER_TEXT)}</p>
            <form method="get" action="/routing" class="form tester">
                <input type="hidden" name="view" value="rules"/>
                <div class="field">
                    <label for="try-status">{t(e::STATUS)}</label>
                    <input id="try-status" class="input short" type="number" name="status" min="100" max="599" required
                        value=move || status.get().unwrap_or_else(|| "429".to_owned())/>
                </div>
                <div class="field">
                    <label for="try-body">{t(e::TESTER_BODY)}</label>
                    // Bounded, since it travels in the address.
                    <textarea id="try-body" class="input mono" name="body" rows="4" maxlength="4000" spellcheck="false"
                        placeholder=r#"{"type":"error","error":{"type":"rate_limit_error","message":"…"}}"#>
                        {body.get_untracked().unwrap_or_default()}
                    </textarea>
                </div>
                <div><button class="button primary">{t(e::TESTER_GO)}</button></div>
            </form>
            {load(tried, |tried| match tried {
                Tried::Nothing => ().into_any(),
                Tried::NoStatus => view! { <p class="note">{translator()(e::TRIED_BAD)}</p> }.into_any(),
                Tried::Error(tried) => view! { <Verdict tried/> }.into_any(),
            })}
        </section>
    }
}

#[component]
fn Verdict(tried: TriedErrorRules) -> impl IntoView {
    let t = translator();
    let TriedErrorRules { kind, message, rule, class } = tried;
    let (meaning, follows) = routing_words::class(class);
    let read = move |text: Option<String>| match text {
        Some(text) => view! { <code class="break">{text}</code> }.into_any(),
        None => view! { <span class="faint">{t(e::TRIED_NOTHING)}</span> }.into_any(),
    };
    view! {
        <div class="test-result" role="status">
            <Answer mood="calm" text=t(meaning)><span class="faint">{t(follows)}</span></Answer>
            <dl class="facts stack">
                <div><dt>{t(e::TRIED_RULE)}</dt><dd>{rule.unwrap_or_else(|| t(e::TRIED_NONE).to_owned())}</dd></div>
                <div><dt>{t(e::TRIED_KIND)}</dt><dd>{read(kind)}</dd></div>
                <div><dt>{t(e::TRIED_MESSAGE)}</dt><dd>{read(message)}</dd></div>
            </dl>
        </div>
    }
}
