//! Re-pricing: which requests of the past, what would change, and then, with a reason, the change.
//!
//! The preview is a plain read with its filter in the address, so that it works without scripts and can be shared.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use types::price::Repriced;

use crate::api;
use crate::components::failure;
use crate::components::flash::Failed;
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::usd::usd;
use crate::form::checked;
use crate::form::price::RepriceForm;
use crate::format;
use crate::text::{Text, common as c, lang, money as m, problem, translator};

/// The page.
#[component]
pub(crate) fn RepricePage() -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let read = move |name: &str| map.with(|map| map.get(name)).unwrap_or_default();
    let asked = Memo::new(move |_| RepriceQuery {
        model: read("model"),
        unpriced_only: read("unpriced_only"),
        since: read("since"),
        until: read("until"),
        run: !read("run").is_empty(),
    });
    let apply = ServerAction::<api::price::Reprice>::new();
    let error = failure(apply);
    let preview = Resource::new(
        move || asked.get(),
        |asked| async move {
            if asked.run { api::price::reprice_preview(asked.form()).await.map(Some) } else { Ok(None) }
        },
    );
    let shown = asked.get_untracked();
    let field = move |name: &'static str,
                      words: Text,
                      kind: &'static str,
                      value: String,
                      help: Option<Text>| {
        view! {
            <label class="filter">
                <span>{t(words)}</span>
                <input class="input" type=kind name=name value=value spellcheck="false" autocomplete="off"/>
                {help.map(|help| view! { <span class="help">{t(help)}</span> })}
            </label>
        }
    };
    view! {
        <Head title=t(m::REPRICE_TITLE) parent=("/prices", t(m::PRICES))/>
        <div class="page">
            <Failed error/>
            <form method="get" action="/prices/reprice" class="filter-form">
                {field("model", c::MODEL, "text", shown.model.clone(), Some(m::F_MODEL_HELP))}
                {field("since", m::F_SINCE, "datetime-local", shown.since.clone(), Some(m::F_SINCE_HELP))}
                {field("until", m::F_UNTIL, "datetime-local", shown.until.clone(), None)}
                <label class="check-line">
                    <input type="checkbox" name="unpriced_only" value="on" checked=checked(&shown.unpriced_only)/>
                    <span>{t(m::UNPRICED_ONLY)}</span>
                </label>
                <div class="filter-actions">
                    <button class="button primary small" name="run" value="1">{t(m::PREVIEW)}</button>
                    <a class="button quiet small" href="/ledger?view=adjustments">{t(m::ADJUSTMENTS)}</a>
                </div>
                <p class="help form-text">{t(m::REPRICE_TEXT)}</p>
            </form>
            {load(preview, move |preview: Option<Repriced>| {
                preview.map(|repriced| view! { <Preview repriced asked=asked.get_untracked() apply error/> })
            })}
        </div>
    }
}

/// What the address asks for.
#[derive(Clone, PartialEq)]
struct RepriceQuery {
    model: String,
    unpriced_only: String,
    since: String,
    until: String,
    run: bool,
}

impl RepriceQuery {
    fn form(self) -> RepriceForm {
        let Self { model, unpriced_only, since, until, .. } = self;
        RepriceForm { model, unpriced_only, since, until, reason: String::new() }
    }
}

#[component]
fn Preview(
    repriced: Repriced,
    asked: RepriceQuery,
    apply: ServerAction<api::price::Reprice>,
    error: Signal<Option<crate::error::AppError>>,
) -> impl IntoView {
    let t = translator();
    let lang = lang();
    let note = move || {
        error.with(|error| {
            let note = error.as_ref()?.problem.fields.get("reason")?;
            Some(problem::field_note(note, lang).into_owned())
        })
    };
    let nothing = repriced.changed == 0;
    let tile = |words: Text, content: AnyView| {
        view! {
            <div class="tile">
                <span class="tile-name">{t(words)}</span>
                <span class="tile-number">{content}</span>
            </div>
        }
    };
    let confirm = if nothing {
        view! { <Answer mood="calm" text=t(m::REPRICE_NOTHING)/> }.into_any()
    } else {
        view! {
            <ActionForm action=apply attr:class="form panel pad narrow-form">
                <input type="hidden" name="form[model]" value=asked.model/>
                <input type="hidden" name="form[unpriced_only]" value=asked.unpriced_only/>
                <input type="hidden" name="form[since]" value=asked.since/>
                <input type="hidden" name="form[until]" value=asked.until/>
                <div class="field" class:wrong=move || note().is_some()>
                    <label for="reprice-reason">{t(m::REASON)}</label>
                    <input id="reprice-reason" class="input" name="form[reason]" required maxlength="500"/>
                    {move || note().map(|note| view! { <p class="note" role="alert">{note}</p> })}
                    <p class="help">{t(m::REASON_HELP)}</p>
                </div>
                <div><button class="button primary" disabled=move || apply.pending().get()>{t(m::DO_REPRICE)}</button></div>
            </ActionForm>
        }
        .into_any()
    };
    view! {
        <div class="tiles">
            {tile(m::N_CHECKED, format::count(repriced.checked).into_any())}
            {tile(m::N_DIFFER, format::count(repriced.changed).into_any())}
            {tile(m::N_STILL, format::count(repriced.unpriced).into_any())}
            {tile(m::SUM_BEFORE, usd(repriced.before_usd))}
            {tile(m::SUM_AFTER, usd(repriced.after_usd))}
        </div>
        {confirm}
    }
}
