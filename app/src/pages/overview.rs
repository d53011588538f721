//! The overview: is it working, and what needs a person?

use leptos::prelude::*;
use types::usage::{Attention, AttentionKind, Overview, OverviewSpan, UsageLine};

use super::overview_charts::Charts;
use crate::api;
use crate::components::head::{Answer, Head};
use crate::components::load::load;
use crate::components::time::Time;
use crate::components::usage_lines::UsageLines;
use crate::components::{Refresh, query};
use crate::format;
use crate::text::{Lang, common as c, lang, money as m, overview as o, translator};

/// The page.
#[component]
pub(crate) fn OverviewPage() -> impl IntoView {
    let t = translator();
    let span = query("span");
    let span = Memo::new(move |_| {
        span.with(|span| span.as_deref().and_then(|s| s.parse::<OverviewSpan>().ok()))
            .unwrap_or(OverviewSpan::Day)
    });
    let refresh = Refresh::get();
    let data = Resource::new(move || (span.get(), refresh.0.get()), |(span, _)| api::overview::fetch(span));
    view! {
        <Head title=t(c::NAV_OVERVIEW)>
            <nav class="tabs" aria-label=t(o::SPAN)>
                {[(OverviewSpan::Day, o::SPAN_24H), (OverviewSpan::Week, o::SPAN_7D), (OverviewSpan::Month, o::SPAN_30D)]
                    .into_iter()
                    .map(|(value, words)| view! {
                        <a href=format!("/?span={value}") aria-current=move || (span.get() == value).then_some("true")>{t(words)}</a>
                    })
                    .collect_view()}
            </nav>
            <a class="button small quiet" href="" rel="external">{t(c::REFRESH)}</a>
        </Head>
        <div class="page">{load(data, |overview| view! { <Body overview/> })}</div>
    }
}

#[component]
fn Body(overview: Overview) -> impl IntoView {
    let t = translator();
    let first_start =
        overview.attention.iter().any(|a| matches!(a.kind, AttentionKind::NoProvider | AttentionKind::NoKey))
            || (overview.totals.requests == 0 && overview.in_flight == 0 && overview.top_keys.is_empty());
    let (mood, sentence) = headline(&overview, lang());
    let Overview { totals, in_flight, open_streams, first_byte_p50_ms, first_byte_p95_ms, at, .. } = overview;
    let tokens = format::tokens(&totals);
    let attention = overview.attention.clone();
    let today = overview
        .points
        .iter()
        .filter(|point| point.at >= at.day_start())
        .fold(types::Money::ZERO, |sum, point| sum.plus(point.totals.cost_usd));
    let tops = (totals.requests > 0).then(|| view! {
        <div class="grid three">
            <div class="panel"><UsageLines title=o::TOP_MODELS lines=overview.top_models.clone() href=model_href/></div>
            <div class="panel"><UsageLines title=o::TOP_KEYS lines=overview.top_keys.clone() href=key_href/></div>
            <div class="panel"><UsageLines title=o::TOP_PROVIDERS lines=overview.top_providers.clone() href=provider_href/></div>
        </div>
    });
    let wizard = first_start.then(|| view! { <Wizard attention=attention.clone()/> });
    view! {
        <Answer mood text=sentence><span class="faint">{t(c::UPDATED_AT)} " " <Time at/> " UTC"</span></Answer>
        {wizard}
        <div class="tiles">
            <a class="tile" href="/requests">
                <span class="tile-name">{t(c::REQUESTS)}</span>
                <span class="tile-number" title=format::count(totals.requests)>{format::compact(totals.requests)}</span>
            </a>
            <a class="tile" href="/requests?status=error">
                <span class="tile-name">{t(o::ERROR_SHARE)}</span>
                <span class="tile-number">{format::percent(totals.errors, totals.requests)}</span>
                <span class="tile-note">{format::count(totals.errors)} " · " {t(c::REFUSED)} " " {format::count(totals.refused)}</span>
            </a>
            <div class="tile">
                <span class="tile-name">{t(c::FIRST_BYTE)} " " {t(o::P50)}</span>
                <span class="tile-number">{format::latency(first_byte_p50_ms)}</span>
                <span class="tile-note">{t(o::P95)} " " {format::latency(first_byte_p95_ms)}</span>
            </div>
            <div class="tile">
                <span class="tile-name">{t(c::TOKENS)}</span>
                <span class="tile-number" title=format::count(tokens)>{format::compact(tokens)}</span>
                <span class="tile-note">{t(c::TOKENS_OUT)} " " {format::compact(totals.output_tokens)}</span>
            </div>
            <a class="tile" href=format!("/usage?by=model&span={}", overview.span)>
                <span class="tile-name">{t(m::COST)}</span>
                <span class="tile-number" title=format!("${}", totals.cost_usd.display())>{format::usd_short(totals.cost_usd)}</span>
                <span class="tile-note">{format::usd_short(today)} " " {t(m::TODAY)}</span>
            </a>
            <a class="tile" href="/requests">
                <span class="tile-name">{t(o::IN_FLIGHT)}</span>
                <span class="tile-number">{format::count(in_flight)}</span>
                <span class="tile-note">{format::count(open_streams)} " " {t(o::OPEN_STREAMS)}</span>
            </a>
        </div>
        <NeedsAttention attention/>
        <Charts points=overview.points.clone() span=overview.span/>
        {tops}
    }
}

fn headline(overview: &Overview, lang: Lang) -> (&'static str, String) {
    let needs = overview.attention.len();
    match (needs, overview.totals.requests) {
        (0, 0) => ("calm", o::ALL_WELL_IDLE.in_lang(lang).to_owned()),
        (0, _) => ("good", o::ALL_WELL.in_lang(lang).to_owned()),
        (1, _) => ("warn", o::NEEDS_ONE.in_lang(lang).to_owned()),
        (n, _) if lang == Lang::Zh => ("warn", format!("有 {n} {}", o::NEEDS_MANY.zh)),
        (n, _) => ("warn", format!("{n} {}", o::NEEDS_MANY.en)),
    }
}

fn model_href(line: &UsageLine) -> String {
    format!("/requests?model={}", leptos_router::location::Url::escape(&line.key))
}

fn key_href(line: &UsageLine) -> String {
    format!("/requests?key_id={}", line.key)
}

fn provider_href(line: &UsageLine) -> String {
    format!("/requests?provider_id={}", line.key)
}

#[component]
fn NeedsAttention(attention: Vec<Attention>) -> impl IntoView {
    let t = translator();
    if attention.is_empty() {
        return ().into_any();
    }
    let items = attention
        .into_iter()
        .map(|item| {
            let subject = item.subject;
            let provider =
                item.provider_id.map_or_else(|| "/providers".to_owned(), |id| format!("/providers/{id}"));
            let (text, words, href) = match item.kind {
                AttentionKind::NoProvider => {
                    (t(o::A_NO_PROVIDER).to_owned(), o::DO_ADD_PROVIDER, "/providers/new".to_owned())
                }
                AttentionKind::NoKey => (t(o::A_NO_KEY).to_owned(), o::DO_MAKE_KEY, "/keys/new".to_owned()),
                AttentionKind::NoCredential => {
                    (format!("{subject} {}", t(o::A_NO_CREDENTIAL)), o::DO_ADD_CREDENTIAL, provider)
                }
                AttentionKind::CredentialInvalid => {
                    (format!("{subject} {}", t(o::A_INVALID)), o::DO_CHECK, provider)
                }
                AttentionKind::CredentialOff => {
                    (format!("{subject} {}", t(o::A_CREDENTIAL_OFF)), o::DO_CHECK, provider)
                }
                AttentionKind::ChecksCutOff => {
                    (t(o::A_CHECKS_CUT_OFF).to_owned(), o::DO_SEE_POOL, "/pool".to_owned())
                }
                AttentionKind::AccountLost => {
                    (format!("{subject} {}", t(o::A_ACCOUNT_LOST)), o::DO_SIGN_IN_AGAIN, provider)
                }
                AttentionKind::CredentialUnreadable => {
                    (format!("{subject} {}", t(o::A_UNREADABLE)), o::DO_CHECK, provider)
                }
                AttentionKind::BreakerOpen => (
                    format!("{subject} {}", t(o::A_BREAKER_OPEN)),
                    o::DO_SEE_BREAKERS,
                    "/breakers".to_owned(),
                ),
                AttentionKind::PoolFault => {
                    (format!("{subject}: {}", t(o::A_POOL_FAULT)), o::DO_SEE_POOL, "/pool".to_owned())
                }
                AttentionKind::ErrorRate => (
                    format!("{subject} {}", t(o::A_ERROR_RATE)),
                    o::DO_SEE_ERRORS,
                    "/requests?status=error".to_owned(),
                ),
                AttentionKind::Unpriced => {
                    (format!("{}: {subject}", t(o::A_UNPRICED)), o::DO_SET_PRICES, "/prices".to_owned())
                }
                AttentionKind::NearLimit => (
                    format!("{}: {subject}", t(o::A_NEAR_LIMIT)),
                    o::DO_SEE_QUOTAS,
                    "/quotas?min_percent=90".to_owned(),
                ),
                AttentionKind::AuditFailed => (
                    format!("{} ({subject})", t(o::A_AUDIT_FAILED)),
                    o::DO_SEE_BOOKS,
                    "/ledger?run=1".to_owned(),
                ),
                AttentionKind::WriterLate => {
                    (format!("{} ({subject})", t(o::A_WRITER_LATE)), o::DO_SEE_SYSTEM, "/system".to_owned())
                }
            };
            view! {
                <li>
                    <span class="mark warn" aria-hidden="true">"▲"</span>
                    <span class="attention-text">{text}</span>
                    <a class="button small" href=href>{t(words)}</a>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="panel attention">
            <h2>{t(o::NEEDS_ATTENTION)}</h2>
            <ul>{items}</ul>
        </section>
    }
    .into_any()
}

/// The first start: four steps, and which one is next.
#[component]
fn Wizard(attention: Vec<Attention>) -> impl IntoView {
    let t = translator();
    let missing = |kind: AttentionKind| attention.iter().any(|a| a.kind == kind);
    let no_provider = missing(AttentionKind::NoProvider);
    let no_key = missing(AttentionKind::NoKey);
    let now = match (no_provider, no_key) {
        (true, _) => 0,
        (false, true) => 2,
        (false, false) => 3,
    };
    let steps = [
        (o::STEP_PROVIDER, o::STEP_PROVIDER_TEXT, "/providers/new", o::DO_ADD_PROVIDER),
        (o::STEP_TEST, o::STEP_TEST_TEXT, "/providers", o::DO_CHECK),
        (o::STEP_KEY, o::STEP_KEY_TEXT, "/keys/new", o::DO_MAKE_KEY),
        (o::STEP_REQUEST, o::STEP_REQUEST_TEXT, "/requests", o::WATCH_LIVE),
    ];
    let items = steps
        .into_iter()
        .enumerate()
        .map(|(place, (title, text, href, words))| {
            let (class, state) = match place.cmp(&now) {
                std::cmp::Ordering::Less => ("step done", o::STEP_DONE),
                std::cmp::Ordering::Equal => ("step now", o::STEP_NOW),
                std::cmp::Ordering::Greater => ("step", o::STEP_LATER),
            };
            view! {
                <li class=class>
                    <span class="step-number" aria-hidden="true">{if place < now { "✓".to_owned() } else { (place + 1).to_string() }}</span>
                    <div>
                        <h3>{t(title)} <span class="step-state">{t(state)}</span></h3>
                        <p>{t(text)}</p>
                        <a class="button small" class:primary=place == now href=href>{t(words)}</a>
                    </div>
                </li>
            }
        })
        .collect_view();
    view! {
        <section class="panel wizard">
            <h2>{t(o::WIZARD_TITLE)}</h2>
            <ol>{items}</ol>
        </section>
    }
}
