//! The catalogue: every model that can be asked for, by whom it is served, in which dialects, at which price.
//! Members see what their keys reach, without providers.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use leptos_router::location::Url;
use types::catalogue::{Ability, Catalogue, CatalogueFilter, CatalogueModel, CatalogueProvider, Priced};
use types::dialect::Dialect;
use types::provider::ProviderView;

use crate::api;
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::components::pager::Pager;
use crate::components::usd::price;
use crate::format;
use crate::host::Facts;
use crate::text::{Text, catalogue as m, common as c, translator};

/// Names of the filters in the address.
const FILTERS: [&str; 7] = ["q", "dialect", "native", "provider_id", "ability", "priced", "key_id"];

/// Providers of one model that are drawn at once; the others are folded.
const SERVERS: usize = 4;

/// The page.
#[component]
pub(crate) fn Models() -> impl IntoView {
    let t = translator();
    let is_admin =
        use_context::<Facts>().and_then(|facts| facts.viewer).is_some_and(|viewer| viewer.is_admin);
    let map = use_query_map();
    let filter = Memo::new(move |_| {
        filter_of(|name| map.with(|map| map.get(name)).filter(|text| !text.trim().is_empty()))
    });
    let rows = Resource::new(
        move || filter.get(),
        move |filter| async move {
            if is_admin { api::catalogue::list(filter).await } else { api::me::models(filter).await }
        },
    );
    view! {
        <Head title=t(m::TITLE)>
            <a class="button small" href="/conformance">{t(crate::text::conformance::TITLE)}</a>
            <a class="button small" href="/playground">{t(c::NAV_PLAYGROUND)}</a>
        </Head>
        <div class="page">
            {load(rows, move |page| view! { <Found page is_admin/> })}
        </div>
    }
}

/// Reads the filter out of query parameters. What does not parse filters nothing.
fn filter_of(get: impl Fn(&str) -> Option<String>) -> CatalogueFilter {
    fn parsed<T: std::str::FromStr>(text: Option<String>) -> Option<T> {
        text.and_then(|text| text.trim().parse().ok())
    }
    CatalogueFilter {
        q: get("q"),
        dialect: parsed(get("dialect")),
        native: get("native").is_some_and(|text| crate::form::checked(&text)).then_some(true),
        provider_id: parsed(get("provider_id")),
        ability: parsed(get("ability")),
        priced: parsed(get("priced")),
        key_id: parsed(get("key_id")),
        limit: parsed(get("limit")),
        cursor: get("cursor"),
    }
}

#[component]
fn Found(page: Catalogue, is_admin: bool) -> impl IntoView {
    let t = translator();
    let filtered = use_query_map()
        .with_untracked(|map| FILTERS.iter().any(|name| map.get(name).is_some_and(|text| !text.is_empty())));
    if page.all == 0 && !filtered {
        let text = t(if is_admin { m::NONE_TEXT } else { m::NONE_TEXT_MEMBER });
        return view! {
            <Answer mood="warn" text=t(m::HEAD_NONE)/>
            <Missing names=page.missing/>
            <div class="panel">
                <Empty title=t(m::HEAD_NONE) text>
                    {is_admin.then(|| view! { <a class="button primary" href="/providers">{t(c::NAV_PROVIDERS)}</a> })}
                </Empty>
            </div>
        }
        .into_any();
    }
    let mut head = format!("{} {}", format::count(page.all), t(m::HEAD));
    if filtered {
        head = format!("{head} · {} {}", format::count(page.total), t(m::HEAD_FOUND));
    }
    let rows = page.items.into_iter().map(|model| view! { <Row model is_admin/> }).collect_view();
    let list = if page.total == 0 {
        view! {
            <div class="panel"><Empty title=t(m::FILTERED)><a class="button" href="/models">{t(c::CLEAR_FILTERS)}</a></Empty></div>
        }
        .into_any()
    } else {
        view! {
            <section class="panel" id="catalogue">
                <div class="table-scroll">
                    <table class="table rows">
                        <caption>{t(m::LIST_PRICE)}</caption>
                        <thead>
                            <tr>
                                <th scope="col">{t(c::MODEL)}</th>
                                <th scope="col">{t(m::NATIVELY)}</th>
                                <th scope="col">{t(m::BY_TRANSLATION)}</th>
                                {is_admin.then(|| view! { <th scope="col">{t(m::SERVED_BY)}</th> })}
                                <th scope="col" class="num">{t(m::PRICES)}</th>
                                <th scope="col"><span class="visually-hidden">{t(c::ACTIONS)}</span></th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            </section>
            <Pager next=page.next words=(m::FIRST, m::NEXT)/>
        }
        .into_any()
    };
    view! {
        <Answer mood="calm" text=head/>
        <Missing names=page.missing/>
        <Filters is_admin/>
        {list}
    }
    .into_any()
}

/// Providers whose lists did not come.
#[component]
fn Missing(names: Vec<String>) -> impl IntoView {
    let t = translator();
    (!names.is_empty())
        .then(|| view! { <p class="reason" id="missing">{t(m::MISSING)} " " {names.join(", ")}</p> })
}

#[component]
fn Filters(is_admin: bool) -> impl IntoView {
    let t = translator();
    let map = use_query_map();
    let chosen = move |name: &'static str| map.with_untracked(|map| map.get(name).unwrap_or_default());
    let select = move |name: &'static str, label: Text, options: Vec<(String, String)>| {
        let now = chosen(name);
        view! {
            <label class="filter">
                <span>{t(label)}</span>
                <select class="input" name=name>
                    <option value="">{t(c::ALL)}</option>
                    {options
                        .into_iter()
                        .map(|(value, words)| {
                            let selected = value == now;
                            view! { <option value=value selected=selected>{words}</option> }
                        })
                        .collect_view()}
                </select>
            </label>
        }
    };
    let dialects = Dialect::ALL.iter().map(|d| (d.to_string(), d.to_string())).collect();
    let abilities = Ability::ALL.iter().map(|a| (a.to_string(), t(ability_words(*a)).to_owned())).collect();
    let priced = [(Priced::Known, m::PRICED_KNOWN), (Priced::Unknown, m::PRICED_UNKNOWN)]
        .map(|(value, words)| (value.to_string(), t(words).to_owned()))
        .to_vec();
    let key = chosen("key_id");
    view! {
        <form method="get" action="/models" class="filter-form" id="filters">
            <label class="filter">
                <span>{t(m::FIND)}</span>
                <input class="input" type="search" name="q" value=chosen("q") spellcheck="false" autocomplete="off"/>
            </label>
            {select("dialect", m::DIALECT, dialects)}
            {is_admin.then(|| view! { <Providers chosen=chosen("provider_id")/> })}
            {select("ability", m::ABILITY, abilities)}
            {select("priced", m::PRICED, priced)}
            <label class="filter check-line">
                <input type="checkbox" name="native" value="on" checked=crate::form::checked(&chosen("native"))/>
                <span>{t(m::NATIVE_ONLY)}</span>
            </label>
            {(!key.is_empty()).then(|| view! { <input type="hidden" name="key_id" value=key.clone()/> })}
            <div class="filter-actions">
                <button class="button primary small">{t(c::APPLY)}</button>
                <a class="button quiet small" href="/models">{t(c::CLEAR_FILTERS)}</a>
                {(!key.is_empty()).then(|| view! { <span class="chip on">{t(m::OF_KEY)} " #" {key.clone()}</span> })}
            </div>
        </form>
    }
}

/// The choice of a provider.
#[component]
fn Providers(chosen: String) -> impl IntoView {
    let t = translator();
    let list = Resource::new(|| (), |()| api::provider::list(false));
    load(list, move |providers: Vec<ProviderView>| {
        let chosen = chosen.clone();
        let options = providers
            .into_iter()
            .map(|provider| {
                let value = provider.id.to_string();
                let selected = value == chosen;
                view! { <option value=value selected=selected>{provider.name}</option> }
            })
            .collect_view();
        view! {
            <label class="filter">
                <span>{t(c::PROVIDER)}</span>
                <select class="input" name="provider_id">
                    <option value="">{t(c::ALL)}</option>
                    {options}
                </select>
            </label>
        }
    })
}

#[component]
fn Row(model: CatalogueModel, is_admin: bool) -> impl IntoView {
    let t = translator();
    let name = model.name.clone();
    let escaped = Url::escape(&name);
    let stands = (!model.targets.is_empty())
        .then(|| view! { <span class="reason">{t(m::STANDS_FOR)} " " {model.targets.join(" → ")}</span> });
    let also = (!model.aliases.is_empty())
        .then(|| view! { <span class="reason">{t(m::ALSO)} " " {model.aliases.join(", ")}</span> });
    let chips = |dialects: Vec<Dialect>| {
        let chips = dialects.into_iter().map(|d| view! { <span class="chip">{d.to_string()}</span> });
        view! { <span class="chips">{chips.collect_view()}</span> }
    };
    let served = is_admin.then(|| {
        let line = |one: &CatalogueProvider| served_by(one, &name);
        let (first, rest) = model.providers.split_at(model.providers.len().min(SERVERS));
        let more = (!rest.is_empty()).then(|| {
            let summary = format!("+ {}", rest.len());
            view! { <details><summary aria-label=format!("{} {summary}", t(m::SERVED_BY))>{summary.clone()}</summary>{rest.iter().map(line).collect_view()}</details> }
        });
        let first = first.iter().map(line).collect_view();
        view! { <td data-label=t(m::SERVED_BY) class="wrap-cell"><span>{first} {more}</span></td> }
    });
    let count = |tokens: Option<u64>| tokens.map_or_else(|| "–".to_owned(), format::count);
    let limits = (model.max_input_tokens.is_some() || model.max_output_tokens.is_some()).then(|| {
        let limits = format!("{} / {}", count(model.max_input_tokens), count(model.max_output_tokens));
        view! { <span class="reason" title=t(m::LIMITS)>{limits}</span> }
    });
    let abilities = (!model.abilities.is_empty()).then(|| {
        let words = model.abilities.iter().map(|a| t(ability_words(*a))).collect::<Vec<_>>().join(", ");
        view! { <span class="reason" title=t(m::ABILITY_HELP)>{words}</span> }
    });
    let cost = match &model.price {
        Some(spec) if spec.free => t(m::FREE).into_any(),
        Some(spec) => {
            let (input, output) = (spec.rates.input_per_million_usd, spec.rates.output_per_million_usd);
            view! { {price(input)} <span class="faint">" / "</span> {price(output)} }.into_any()
        }
        None if is_admin => {
            let href = format!("/prices/edit?model={escaped}");
            view! { <a href=href>{t(m::SET_PRICE)}</a> }.into_any()
        }
        None => price(None),
    };
    let source = model.price_model.clone().unwrap_or_default();
    view! {
        <tr>
            <th scope="row" data-label=t(c::MODEL)>
                <span class="stack"><span class="truncate wide-truncate" title=name.clone()>{name.clone()}</span> {stands} {also} {limits} {abilities}</span>
            </th>
            <td data-label=t(m::NATIVELY) class="wrap-cell">{chips(model.native)}</td>
            <td data-label=t(m::BY_TRANSLATION) class="wrap-cell">{chips(model.translated)}</td>
            {served}
            <td data-label=t(m::PRICES) class="num" title=source>{cost}</td>
            <td class="actions"><a class="button small" href=format!("/playground?model={escaped}")>{t(m::TRY)}</a></td>
        </tr>
    }
}

fn served_by(provider: &CatalogueProvider, name: &str) -> AnyView {
    let t = translator();
    let sent = (provider.model != name)
        .then(|| view! { <span class="faint small">" " {t(m::SENT_AS)} " " <code>{provider.model.clone()}</code></span> });
    let idle =
        (!provider.ready).then(|| view! { <span class="faint small">" (" {t(m::NOT_READY)} ")"</span> });
    view! {
        <span class="served-by"><a class="truncate" href=format!("/providers/{}", provider.id) title=provider.name.clone()>{provider.name.clone()}</a> {sent} {idle}</span>
    }
    .into_any()
}

fn ability_words(ability: Ability) -> Text {
    match ability {
        Ability::PromptCache => m::A_PROMPT_CACHE,
        Ability::Reasoning => m::A_REASONING,
        Ability::AudioInput => m::A_AUDIO_INPUT,
        Ability::AudioOutput => m::A_AUDIO_OUTPUT,
        Ability::ImageInput => m::A_IMAGE_INPUT,
        Ability::ImageOutput => m::A_IMAGE_OUTPUT,
        Ability::WebSearch => m::A_WEB_SEARCH,
        Ability::LongContext => m::A_LONG_CONTEXT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_from_the_address_and_nonsense_filters_nothing() {
        let filter = filter_of(|name| match name {
            "dialect" => Some("gemini".into()),
            "native" => Some("on".into()),
            "ability" => Some("flying".into()),
            "provider_id" => Some("3".into()),
            _ => None,
        });
        assert_eq!((filter.dialect, filter.native), (Some(Dialect::Gemini), Some(true)));
        assert_eq!((filter.ability, filter.provider_id.map(|id| id.0)), (None, Some(3)));
    }
}
