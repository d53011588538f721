//! One request: what happened, why, and what it used.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use types::request::{Outcome, RequestRow};

use super::bill::BillCard;
use super::request_tokens::Tokens;
use crate::api;
use crate::components::attempts::Attempts;
use crate::components::badge;
use crate::components::copy::Copy;
use crate::components::decision::{Changes, DecisionTable};
use crate::components::head::Answer;
use crate::components::load::{load, load_page};
use crate::components::time::Time;
use crate::components::usd::usd;
use crate::format;
use crate::host::Facts;
use crate::text::{common as c, request as r, translator};

/// The page.
#[component]
pub(crate) fn RequestPage() -> impl IntoView {
    let t = translator();
    let is_admin =
        use_context::<Facts>().and_then(|facts| facts.viewer).is_some_and(|viewer| viewer.is_admin);
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let row = Resource::new(
        move || id.get(),
        move |id| async move { if is_admin { api::request::fetch(id).await } else { api::me::request(id).await } },
    );
    let title = move |row: &RequestRow| {
        let id = row.record.request_id.to_string();
        format!("{} {}", t(r::ONE_REQUEST), id.get(..8).unwrap_or(&id))
    };
    load_page(row, ("/requests", t(r::TITLE)), title, move |row| view! { <Body row is_admin/> })
}

#[component]
fn Body(row: RequestRow, is_admin: bool) -> impl IntoView {
    let t = translator();
    let RequestRow { record, user_name, key_name, provider_name, .. } = row;
    let (mood, _) = badge::outcome_words(record.outcome);
    let headline = match record.outcome {
        Outcome::Ok => r::HEAD_OK,
        Outcome::Refused => r::HEAD_REFUSED,
        Outcome::Failed => r::HEAD_FAILED,
        Outcome::Broken => r::HEAD_BROKEN,
        Outcome::ClientGone => r::HEAD_CLIENT_GONE,
        Outcome::Interrupted => r::HEAD_INTERRUPTED,
    };
    let error = record.error_code.clone().map(|code| {
        let link = format!("/requests?error_code={code}");
        view! {
            <div class="request-error">
                <a href=link><code>{code}</code></a>
                <p>{record.error_message.clone().unwrap_or_default()}</p>
            </div>
        }
    });
    let person = |path: &str, id: Option<String>, name: Option<String>| match (id, name) {
        (Some(id), Some(name)) if is_admin => view! { <a href=format!("/{path}/{id}")>{name}</a> }.into_any(),
        (_, name) => name.unwrap_or_else(|| "–".to_owned()).into_any(),
    };
    let upstream_model = match (&record.upstream_model, &record.model) {
        (None, _) => "–".to_owned(),
        (Some(sent), Some(asked)) if sent == asked => t(r::SAME_MODEL).to_owned(),
        (Some(sent), _) => sent.clone(),
    };
    let session = record.session_id.clone().map(|session| {
        let link = format!("/requests?session_id={}", leptos_router::location::Url::escape(&session));
        view! { <a class="truncate" href=link>{session.clone()}</a> }
    });
    let bill = record.clone();
    let decided = record.decision.as_ref().is_some_and(|decision| !decision.candidates.is_empty());
    view! {
        <Answer mood text=t(headline)>
            <code>{record.status_code.to_string()}</code>
            <span class="faint">{usd(record.cost_usd)} " · " {format::duration(record.duration_ms)} " · " <Time at=record.created_at/> " UTC"</span>
        </Answer>
        {error}
        <div class="columns">
            <div class="column">
                <BillCard record=bill is_admin/>
                <Attempts attempts=record.attempts.clone() total_ms=record.duration_ms decision=record.decision.clone()/>
            </div>
            <div class="column side">
                <section class="panel pad">
                    <dl class="facts stack">
                        <div><dt>"ID"</dt><dd><code class="break">{record.request_id.to_string()}</code></dd></div>
                        {record.client_request_id.clone().map(|id| view! { <div><dt>{t(r::OWN_ID)}</dt><dd><code class="break">{id}</code></dd></div> })}
                        <div><dt>{t(r::ASKED)}</dt><dd>{record.model.clone().unwrap_or_else(|| "–".to_owned())}</dd></div>
                        <div><dt>{t(r::SENT)}</dt><dd>{upstream_model}</dd></div>
                        <div><dt>{t(r::ENDPOINT)}</dt><dd>{record.endpoint.to_string()} " · " {if record.streaming { t(r::STREAM) } else { t(r::WHOLE) }}</dd></div>
                        <div><dt>{t(r::DIALECT)}</dt><dd>{record.dialect.to_string()}
                            {record.upstream_dialect.filter(|d| *d != record.dialect).map(|d| format!(" → {d}"))}</dd></div>
                        <div><dt>{t(c::USER)}</dt><dd>{person("users", record.user_id.map(|id| id.to_string()), user_name)}</dd></div>
                        <div><dt>{t(c::KEY)}</dt><dd>{person("keys", record.key_id.map(|id| id.to_string()), key_name)}</dd></div>
                        <div><dt>{t(c::PROVIDER)}</dt><dd>{person("providers", record.provider_id.map(|id| id.to_string()), provider_name)}</dd></div>
                        <div><dt>{t(r::SESSION)}</dt><dd>{session}</dd></div>
                        <div><dt>{t(r::CLIENT)}</dt><dd class="break">{record.user_agent.clone().unwrap_or_else(|| "–".to_owned())}</dd></div>
                        <div><dt>{t(r::FROM_IP)}</dt><dd>{record.client_ip.clone().unwrap_or_else(|| "–".to_owned())}</dd></div>
                        <div><dt>{t(c::FIRST_BYTE)}</dt><dd>{record.first_byte_ms.map_or_else(|| "–".to_owned(), format::duration)}</dd></div>
                        <div><dt>{t(c::DURATION)}</dt><dd>{format::duration(record.duration_ms)}</dd></div>
                        <div><dt>{t(r::SIZES)}</dt><dd>{t(r::REQUEST_SIZE)} " " {format::bytes(record.request_bytes)} " · "
                            {t(r::ANSWER_SIZE)} " " {format::bytes(record.response_bytes)}</dd></div>
                    </dl>
                </section>
                <Tokens usage=record.usage() estimated=record.estimated/>
                <details class="panel pad fold">
                    <summary>{t(r::COPY_CURL)}</summary>
                    <CurlOf record_endpoint=record.endpoint model=record.model.clone()/>
                </details>
            </div>
        </div>
        {is_admin.then(|| view! {
            <DecisionTable decision=record.decision.clone()/>
            {decided.then(|| view! { <ChangesOf id=record.request_id.to_string()/> })}
        })}
    }
}

/// What would have put another candidate first.
#[component]
fn ChangesOf(id: String) -> impl IntoView {
    let changes = Resource::new(move || id.clone(), api::request::changes);
    load(changes, |changes| view! { <Changes changes/> })
}

/// The call as curl: path and format are right, key and content are left to the reader.
#[component]
fn CurlOf(
    record_endpoint: types::dialect::Endpoint,
    #[prop(optional_no_strip)] model: Option<String>,
) -> impl IntoView {
    let origin = use_context::<Facts>().unwrap_or_default().origin;
    let model = model.unwrap_or_default();
    let path = path_of(record_endpoint, &model);
    let body = if path.starts_with("/v1beta/") {
        "{…}".to_owned()
    } else {
        format!("{{\"model\":\"{model}\", …}}")
    };
    let text = format!(
        "curl {origin}{path} \\\n  -H 'Authorization: Bearer YOUR_KEY' \\\n  -H 'content-type: application/json' \\\n  -d '{body}'"
    );
    view! { <Copy text/> }
}

fn path_of(endpoint: types::dialect::Endpoint, model: &str) -> String {
    use types::dialect::Endpoint as E;
    let fixed = match endpoint {
        E::Messages => "/v1/messages",
        E::CountTokens => "/v1/messages/count_tokens",
        E::ChatCompletions => "/v1/chat/completions",
        E::Completions => "/v1/completions",
        E::Responses => "/v1/responses",
        E::ResponsesCompact => "/v1/responses/compact",
        E::Embeddings => "/v1/embeddings",
        E::ImageGenerations => "/v1/images/generations",
        E::ImageEdits => "/v1/images/edits",
        E::ImageVariations => "/v1/images/variations",
        E::AudioSpeech => "/v1/audio/speech",
        E::AudioTranscriptions => "/v1/audio/transcriptions",
        E::AudioTranslations => "/v1/audio/translations",
        E::Moderations => "/v1/moderations",
        E::Rerank => "/v1/rerank",
        E::GeminiGenerate => return format!("/v1beta/models/{model}:generateContent"),
        E::GeminiStream => return format!("'/v1beta/models/{model}:streamGenerateContent?alt=sse'"),
        E::GeminiCountTokens => return format!("/v1beta/models/{model}:countTokens"),
        E::GeminiEmbed => return format!("/v1beta/models/{model}:embedContent"),
        E::GeminiBatchEmbed => return format!("/v1beta/models/{model}:batchEmbedContents"),
    };
    fixed.to_owned()
}
