//! The simulator: what a request would meet now. What is asked stands in the address.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;
use types::ApiKeyId;
use types::api_key::ApiKeyView;
use types::simulation::{Simulate, Simulation};

use crate::api;
use crate::components::Refresh;
use crate::components::decision::{Changes, DecisionTable};
use crate::components::head::Answer;
use crate::components::load::{Empty, load};
use crate::text::{common as c, request as r, routing as w, translator};

/// Formats that a request can come in.
const DIALECTS: [(&str, &str); 4] = [
    ("anthropic", "Anthropic"),
    ("openai-chat", "OpenAI Chat"),
    ("openai-responses", "OpenAI Responses"),
    ("gemini", "Gemini"),
];

/// The view.
#[component]
pub(crate) fn Simulator() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let map = use_query_map();
    let asked = Memo::new(move |_| map.with(ask_of));
    let keys = Resource::new(|| (), |()| api::key::list(None));
    let result = Resource::new(
        move || (asked.get(), refresh.0.get()),
        |(asked, _)| async move {
            match asked {
                Some(ask) => api::routing::simulate(ask).await.map(Some),
                None => Ok(None),
            }
        },
    );
    view! {
        <Answer mood="calm" text=t(w::V_SIMULATE)><span class="faint">{t(w::SIMULATE_TEXT)}</span></Answer>
        {load(keys, move |keys: Vec<ApiKeyView>| view! { <Ask keys/> })}
        {load(result, move |result: Option<Simulation>| match result {
            Some(result) => view! { <Outcome result/> }.into_any(),
            None => view! { <div class="panel"><Empty title=t(w::SIMULATE_FIRST)/></div> }.into_any(),
        })}
    }
}

/// The question in the address, if one was asked.
fn ask_of(map: &ParamsMap) -> Option<Simulate> {
    let text = |name: &str| map.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let model = text("model")?;
    text("run")?;
    Some(Simulate {
        key_id: text("key_id").and_then(|id| id.parse().ok()).map(ApiKeyId),
        dialect: text("dialect"),
        model,
        session_id: text("session_id"),
        user_agent: text("user_agent"),
        seed: text("seed").and_then(|seed| seed.parse().ok()),
    })
}

#[component]
fn Ask(keys: Vec<ApiKeyView>) -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let text = move |name: &'static str| map.with_untracked(|map| map.get(name).unwrap_or_default());
    let field = move |name: &'static str, words: crate::text::Text, placeholder: &'static str| {
        view! {
            <label class="filter">
                <span>{t(words)}</span>
                <input class="input" name=name value=text(name) placeholder=placeholder spellcheck="false" autocomplete="off"/>
            </label>
        }
    };
    let (key, dialect) = (text("key_id"), text("dialect"));
    let keys = keys
        .into_iter()
        .filter(|one| one.deleted_at.is_none())
        .map(|one| {
            let id = one.id.to_string();
            let selected = id == key;
            view! { <option value=id selected=selected>{format!("{} ({})", one.name, one.user_name)}</option> }
        })
        .collect_view();
    let dialects = DIALECTS
        .map(|(value, words)| view! { <option value=value selected=value == dialect>{words}</option> })
        .collect_view();
    view! {
        <form method="get" action="/routing" class="filter-form simulate-form">
            <input type="hidden" name="view" value="simulate"/>
            <label class="filter">
                <span>{t(c::MODEL)}</span>
                <input class="input" name="model" value=text("model") required spellcheck="false" autocomplete="off"/>
            </label>
            <label class="filter">
                <span>{t(w::AS_KEY)}</span>
                <select class="input" name="key_id"><option value="">{t(w::ANY_KEY)}</option>{keys}</select>
            </label>
            <label class="filter">
                <span>{t(r::DIALECT)}</span>
                <select class="input" name="dialect">{dialects}</select>
            </label>
            {field("session_id", w::SESSION_ID, "")}
            {field("user_agent", w::USER_AGENT, "claude-cli/2.1")}
            {field("seed", w::SEED, "")}
            <div class="filter-actions">
                <button class="button primary" name="run" value="1">{t(w::SIMULATE_GO)}</button>
            </div>
            <p class="help">{t(w::SEED_HELP)}</p>
        </form>
    }
}

#[component]
fn Outcome(result: Simulation) -> impl IntoView {
    let t = translator();
    let Simulation { decision, changes, refusal } = result;
    let first = decision.candidates.iter().find(|candidate| candidate.rank == Some(1));
    let answer = match (first, refusal) {
        (Some(first), None) => {
            let name = first.credential_name.clone().unwrap_or_default();
            let text = format!("{} / {name} {}", first.provider_name, t(w::WOULD_GO_TO));
            view! { <Answer mood="good" text/> }.into_any()
        }
        (_, refusal) => view! {
            <Answer mood="bad" text=t(w::NOBODY)><span class="faint">{refusal.unwrap_or_default()}</span></Answer>
        }
        .into_any(),
    };
    view! {
        {answer}
        <DecisionTable decision=Some(decision)/>
        <Changes changes/>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_asked_before_the_button_is_pressed() {
        let asked = ParamsMap::from_iter([("model", " a "), ("key_id", "7"), ("seed", "x")]);
        assert_eq!(ask_of(&asked), None);
        let asked = ParamsMap::from_iter([("model", " a "), ("run", "1"), ("key_id", "7"), ("seed", "x")]);
        let ask = ask_of(&asked).unwrap();
        assert_eq!((ask.model.as_str(), ask.key_id, ask.seed), ("a", Some(ApiKeyId(7)), None));
    }
}
