//! Under which key secrets are stored, and sealing them anew: a part of the system page.

use leptos::prelude::*;
use types::rotation::{Rotation, RotationPhase, SealedLine, SecretsView};

use crate::api;
use crate::components::head::Answer;
use crate::components::load::load;
use crate::components::time::Time;
use crate::components::{Refresh, failure, flash};
use crate::format;
use crate::text::{Text, secrets as s, translator};

/// The card.
#[component]
pub(crate) fn Secrets() -> impl IntoView {
    let t = translator();
    let refresh = Refresh::get();
    let rotate = ServerAction::<api::system::Rotate>::new();
    let failed = failure(rotate);
    let secrets = Resource::new(move || refresh.0.get(), |_| api::system::secrets());
    view! {
        <section class="panel" id="secrets">
            <div class="panel-head">
                <h2 class="panel-title">{t(s::TITLE)}</h2>
                <ActionForm action=rotate><button class="button small">{t(s::ROTATE)}</button></ActionForm>
            </div>
            <flash::Failed error=failed/>
            {load(secrets, |secrets| view! { <Body secrets/> })}
        </section>
    }
}

#[component]
fn Body(secrets: SecretsView) -> impl IntoView {
    let t = translator();
    let (mood, text) = headline(&secrets);
    let SecretsView { key_id, former_key_ids, lines, rotation, .. } = secrets;
    let former = (!former_key_ids.is_empty()).then(|| {
        view! { <div><dt>{t(s::FORMER_KEYS)}</dt><dd><code>{former_key_ids.join(", ")}</code></dd></div> }
    });
    let n = format::count;
    let rows = lines
        .into_iter()
        .map(|line| {
            let kind = kind_words(&line).map_or_else(|| line.kind.clone(), |text| t(text).to_owned());
            view! {
                <tr>
                    <th scope="row" data-label=t(s::KIND)>{kind}</th>
                    <td class="num" data-label=t(s::TOTAL)>{n(line.total)}</td>
                    <td class="num" data-label=t(s::CURRENT)>{n(line.current)}</td>
                    <td class="num" data-label=t(s::FORMER)>{n(line.former)}</td>
                    <td class="num" data-label=t(s::OTHER)>{n(line.unknown)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <div class="pad-x">
            <Answer mood text=t(text)/>
            <dl class="facts">
                <div><dt>{t(s::KEY)}</dt><dd><code>{key_id}</code></dd></div>
                {former}
            </dl>
            <Progress rotation/>
        </div>
        <div class="table-scroll">
            <table class="table rows">
                <caption class="visually-hidden">{t(s::TITLE)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t(s::KIND)}</th>
                        <th scope="col" class="num">{t(s::TOTAL)}</th>
                        <th scope="col" class="num">{t(s::CURRENT)}</th>
                        <th scope="col" class="num">{t(s::FORMER)}</th>
                        <th scope="col" class="num">{t(s::OTHER)}</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </div>
    }
}

/// How far the last rotation of this process came; nothing if there was none.
#[component]
fn Progress(rotation: Rotation) -> impl IntoView {
    let t = translator();
    let Rotation { phase, total, seen, resealed, unreadable, started_at, ended_at, error } = rotation;
    if phase == RotationPhase::Idle {
        return ().into_any();
    }
    let n = format::count;
    let unreadable = (unreadable > 0).then(|| format!(" · {} {}", n(unreadable), t(s::UNREADABLE)));
    view! {
        <p class="progress-line">
            <progress max=total.max(1).to_string() value=seen.to_string() aria-label=t(s::PROGRESS)></progress>
            <span>{format!("{} / {} · {} {}", n(seen), n(total), n(resealed), t(s::RESEALED))} {unreadable}</span>
            <span class="faint">{started_at.map(|at| view! { <Time at/> })} {ended_at.map(|at| view! { " – " <Time at/> })}</span>
        </p>
        {error.map(|error| view! { <p class="reason break">{error}</p> })}
    }
    .into_any()
}

fn headline(secrets: &SecretsView) -> (&'static str, Text) {
    let unknown = secrets.lines.iter().any(|line| line.unknown > 0);
    match secrets.rotation.phase {
        RotationPhase::Running => ("calm", s::RUNNING),
        RotationPhase::Stopped => ("warn", s::STOPPED),
        _ if unknown => ("bad", s::UNKNOWN),
        _ if !secrets.all_current => ("warn", s::FORMER_NEEDED),
        _ if secrets.former_key_ids.is_empty() => ("good", s::ALL_CURRENT),
        _ => ("good", s::FORMER_FREE),
    }
}

fn kind_words(line: &SealedLine) -> Option<Text> {
    Some(match line.kind.as_str() {
        "credential_secret" => s::K_CREDENTIAL,
        "credential_proxy" => s::K_CREDENTIAL_PROXY,
        "provider_proxy" => s::K_PROVIDER_PROXY,
        "vendor_secret" => s::K_VENDOR,
        "sign_in" => s::K_SIGN_IN,
        "installation" => s::K_INSTALLATION,
        _ => return None,
    })
}
