//! The admin REST API, as its own document describes it.

use leptos::prelude::*;

use crate::api;
use crate::api::docs::{Call, Member};
use crate::components::copy::Copy;
use crate::components::head::{Answer, Head};
use crate::components::load::{Empty, load};
use crate::host::Facts;
use crate::text::{Text, common as c, system as s, translator};

/// The page.
#[component]
pub(crate) fn ApiDocs() -> impl IntoView {
    let t = translator();
    let origin = use_context::<Facts>().unwrap_or_default().origin;
    let calls = Resource::new(|| (), |()| api::docs::calls());
    let example = format!("curl -H 'Authorization: Bearer <ADMIN_TOKEN>' {origin}/api/admin/providers");
    view! {
        <Head title=t(s::DOCS)/>
        <div class="page">
            <Answer mood="calm" text=t(s::DOCS_HEAD)>
                <span class="faint">{t(s::DOCS_TEXT)} " " <a href="/api/admin/openapi.json" rel="external"><code>"/api/admin/openapi.json"</code></a></span>
            </Answer>
            <Copy text=example/>
            {load(calls, move |calls: Vec<Call>| if calls.is_empty() {
                view! { <div class="panel"><Empty title=t(s::DOCS_EMPTY)/></div> }.into_any()
            } else {
                groups(calls)
            })}
        </div>
    }
}

fn groups(calls: Vec<Call>) -> AnyView {
    let mut groups: Vec<(String, Vec<Call>)> = Vec::new();
    for call in calls {
        match groups.iter_mut().find(|(name, _)| *name == call.group) {
            Some((_, known)) => known.push(call),
            None => groups.push((call.group.clone(), vec![call])),
        }
    }
    groups
        .into_iter()
        .map(|(name, calls)| {
            view! {
                <section class="panel docs">
                    <h2 class="panel-title">{name}</h2>
                    {calls.into_iter().map(|call| view! { <OneCall call/> }).collect_view()}
                </section>
            }
        })
        .collect_view()
        .into_any()
}

#[component]
fn OneCall(call: Call) -> impl IntoView {
    let t = translator();
    let answers = call
        .answers
        .into_iter()
        .map(|(status, meaning)| view! { <li><code>{status}</code> " " {meaning}</li> })
        .collect_view();
    let method_class = format!("method {}", call.method.to_lowercase());
    view! {
        <details class="call">
            <summary>
                <span class=method_class>{call.method}</span>
                <code class="call-path">{call.path}</code>
                <span class="faint truncate">{call.summary}</span>
            </summary>
            <div class="call-body">
                {members(s::PARAMETERS, call.parameters)}
                {members(s::BODY, call.body)}
                <h3>{t(s::ANSWERS)}</h3>
                <ul class="answers">{answers}</ul>
            </div>
        </details>
    }
}

fn members(title: Text, members: Vec<Member>) -> Option<AnyView> {
    let t = translator();
    if members.is_empty() {
        return None;
    }
    let rows = members
        .into_iter()
        .map(|member| {
            view! {
                <tr>
                    <th scope="row" data-label=t(c::NAME)>
                        <code>{member.name}</code>
                        {member.required.then(|| view! { <span class="required">{t(s::REQUIRED)}</span> })}
                    </th>
                    <td data-label=t(s::TYPE)><code class="faint">{member.kind}</code></td>
                    <td data-label=t(s::MEANING)>{member.about}</td>
                </tr>
            }
        })
        .collect_view();
    Some(
        view! {
            <h3>{t(title)}</h3>
            <table class="table">
                <caption class="visually-hidden">{t(title)}</caption>
                <thead><tr><th scope="col">{t(c::NAME)}</th><th scope="col">{t(s::TYPE)}</th><th scope="col">{t(s::MEANING)}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any(),
    )
}
